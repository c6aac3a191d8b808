#!/usr/bin/python3
"""exporter/events/REASONS.md is what the reason catalogue says: by kind, for
people. reasons.py --write makes it anew.
"""

import os
import sys

import yaml

import tree

CATALOGUE = "exporter/events/reason_catalogue.yaml"
DOCUMENT = "exporter/events/REASONS.md"
HEAD = """# Known reasons of Events about cluster-scoped objects

Made from `reason_catalogue.yaml` by `tests/lint/reasons.py --write`; change
that file instead.

Everything is counted, known or not. What is known here starts at 0, so that
`increase()` sees its first occurrence: rows of Kubernetes itself with the
exporter, those of an add-on when the API server serves its kinds. Where it says
"varies", the writer's name is made at run time and nothing can start at 0.

**Severity** is ours. **Type** is what the writer says and no measure of how bad
something is: NodeNotReady is Normal. *critical*: an object does not do its work
now; *warning*: it is impaired, or soon will be; *info*: part of normal
operation.
"""


def rows(catalogue):
    """(kind, source, row): the group's defaults are in each row; once a kind."""
    for source in catalogue:
        for group in source["groups"]:
            for row in group["rows"]:
                full = {**group, **row}
                kinds = full["kinds"]
                for kind in [kinds] if kinds == "any" else kinds:
                    yield kind, source["source"], full


def page(catalogue):
    by_kind = {}
    for kind, source, row in rows(catalogue):
        by_kind.setdefault(kind, []).append((source, row))

    def order(kind):
        sources = {source for source, _ in by_kind[kind]}
        return kind == "any", "kubernetes" not in sources, kind

    lines = [HEAD]
    for kind in sorted(by_kind, key=order):
        lines += [f"## {'Any kind' if kind == 'any' else kind}", "",
                  "| Reason | Type | Severity | Written by | What happened "
                  "| What to do |", "|---|---|---|---|---|---|"]
        for source, row in by_kind[kind]:
            writer = (f"`{row['component']}`" if row["component"] != "any"
                      else "varies")
            if source not in ("kubernetes", row["component"]):
                writer += f" ({source})"
            severity = row["severity"]
            lines.append("| " + " | ".join([
                ", ".join(f"`{reason}`" for reason in row["reasons"]),
                ", ".join(row["types"]),
                severity if severity == "info" else f"**{severity}**",
                writer, row["meaning"], row["action"]]) + " |")
        lines.append("")
    return "\n".join(lines)


def problems(root):
    try:
        wanted = page(yaml.safe_load(tree.read(root, CATALOGUE)))
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield f"{CATALOGUE}: {error!r}"
        return
    if tree.read(root, DOCUMENT) != wanted:
        yield (f"{DOCUMENT}: is not what {CATALOGUE} says; run "
               "tests/lint/reasons.py --write")


def main():
    if sys.argv[1:] != ["--write"]:
        tree.main(problems)
        return
    with open(os.path.join(tree.OURS, DOCUMENT), "w",
              encoding="utf-8") as file:
        file.write(page(yaml.safe_load(tree.read(tree.OURS, CATALOGUE))))


if __name__ == "__main__":
    main()
