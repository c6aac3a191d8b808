#!/usr/bin/python3
"""Each row of the reason catalogue has a reference, and REASONS.md and
REASONS-NAMESPACED.md in exporter/events match its two files. They list the
reasons by kind. `reasons.py --write` regenerates them."""

import os
import re
import sys

import yaml

import tree

CATALOGUE = "exporter/events/reason_catalogue.yaml"
NAMESPACED = "exporter/events/namespaced_reasons.yaml"
# A project and its files, or a page of documentation.
REFERENCE = re.compile(r"[\w.-]+/[\w.-]+ [\w./-]+\.\w+(, [\w./-]+\.\w+)*|"
                       r"https://[\w.-]+/\S+")
SEVERITY = """**Type** is set by the component that reports the Event. It does not measure severity:
NodeNotReady is Normal. **Severity** is assigned by this project:

- *critical*: an object does not work. Look now.
- *warning*: an object is impaired or will be. Look today.
- *info*: normal operation.
"""
HEAD = """# Known reasons of Events about cluster-scoped objects

Generated from `reason_catalogue.yaml` by `tests/lint/reasons.py --write`. Do not
edit this file; edit the catalogue. Reasons of Events about namespaced objects are in
[REASONS-NAMESPACED.md](REASONS-NAMESPACED.md).

The exporter counts every reason, whether it is listed here or not. Counters of the
listed reasons start at 0, so `increase()` includes their first occurrence. Counters
for Kubernetes itself start with the exporter. Counters for an add-on start when the
API server serves its kinds. If "Reported by" is "varies", the name of the component
is generated at run time or not known, and the counter cannot start at 0. A few Events
about ConfigMaps and Services, which are namespaced, are listed because they concern
the whole cluster. Their counters do not start at 0 either.

""" + SEVERITY
NAMESPACED_HEAD = """# Known reasons of Events about namespaced objects

Generated from `namespaced_reasons.yaml` by `tests/lint/reasons.py --write`. Do not
edit this file; edit that one. Reasons of Events about cluster-scoped objects are in
[REASONS.md](REASONS.md).

The exporter counts every reason, whether it is listed here or not. The counters of
these reasons do not start at 0, because the namespaces are not known in advance. If
"Reported by" is "varies", the name of the component differs between installations.

""" + SEVERITY
# The file's name to its document and the document's head.
DOCUMENTS = {CATALOGUE: ("exporter/events/REASONS.md", HEAD),
             NAMESPACED: ("exporter/events/REASONS-NAMESPACED.md",
                          NAMESPACED_HEAD)}


def rows(catalogue):
    """(kind, source, row), once a kind; rows include their group's defaults."""
    for source in catalogue:
        for group in source["groups"]:
            for row in group["rows"]:
                full = {**group, **row}
                kinds = full["kinds"]
                for kind in [kinds] if kinds == "any" else kinds:
                    yield kind, source["source"], full


def page(catalogue, head):
    by_kind = {}
    for kind, source, row in rows(catalogue):
        by_kind.setdefault(kind, []).append((source, row))

    def order(kind):
        sources = {source for source, _ in by_kind[kind]}
        return kind == "any", "kubernetes" not in sources, kind

    lines = [head]
    for kind in sorted(by_kind, key=order):
        lines += [f"## {'Any kind' if kind == 'any' else kind}", "",
                  "| Reason | Type | Severity | Reported by | What happened "
                  "| What to do |", "|---|---|---|---|---|---|"]
        writers = {}
        for source, row in by_kind[kind]:
            severity = row["severity"]
            cells = (", ".join(f"`{reason}`" for reason in row["reasons"]),
                     ", ".join(row["types"]),
                     severity if severity == "info" else f"**{severity}**",
                     row["meaning"], row["action"])
            writers.setdefault((source, cells), []).append(
                f"`{row['component']}`" if row["component"] != "any"
                else "varies")
        for (source, cells), names in writers.items():
            writer = ", ".join(names)
            if source not in ("kubernetes", writer.strip("`")):
                writer += f" ({source})"
            lines.append("| " + " | ".join(
                [*cells[:3], writer, *cells[3:]]) + " |")
        lines.append("")
    return "\n".join(lines)


def problems(root):
    for path, (document, head) in DOCUMENTS.items():
        try:
            catalogue = yaml.safe_load(tree.read(root, path))
            wanted = page(catalogue, head)
            for kind, source, row in rows(catalogue):
                what = f"{path}: {row['reasons'][0]} of {kind} ({source})"
                if not REFERENCE.fullmatch(row.get("reference", "")):
                    yield (f"{what} has no reference: a project and its "
                           "files, or a page")
                if path == NAMESPACED and "scope" not in row:
                    yield f"{what} has no scope: set scope: namespaced"
        except (yaml.YAMLError, KeyError, TypeError) as error:
            yield f"{path}: {error!r}"
            continue
        if tree.read(root, document) != wanted:
            yield (f"{document}: does not match {path}; run "
                   "tests/lint/reasons.py --write")


def main():
    if sys.argv[1:] != ["--write"]:
        tree.main(problems)
        return
    for path, (document, head) in DOCUMENTS.items():
        with open(os.path.join(tree.OURS, document), "w",
                  encoding="utf-8") as file:
            file.write(page(yaml.safe_load(tree.read(tree.OURS, path)), head))


if __name__ == "__main__":
    main()
