#!/usr/bin/python3
"""Every metric is documented, and every documented metric exists.

The names in the code's tables are whole string literals; those of
exporter/METRICS.md and README.md stand in backquotes or in PromQL.
"""

import re

import tree

NAME = r"(?:kube_event|process)_[a-z0-9_]*[a-z0-9]"
DOCUMENT = "exporter/METRICS.md"
SUFFIXES = ("_bucket", "_sum", "_count")


def in_code(root):
    """{metric: the source that has it}"""
    return {name: path
            for path in tree.files(root, ".cc", ".h", under=("exporter",))
            for name in re.findall(f'"({NAME})"', tree.read(root, path))}


def in_text(root, path):
    """The metrics a document speaks of; `kube_event_*` names none."""
    return set(re.findall(rf"(?<![\w/-])({NAME})(?![\w*]|_\*)",
                          tree.read(root, path)))


def problems(root):
    made = in_code(root)
    known = set(made) | {name + end for name in made for end in SUFFIXES}
    described = in_text(root, DOCUMENT)
    for name, path in sorted(made.items()):
        if name not in described:
            yield f"{DOCUMENT}: {name} of {path} is not described"
    for path in (DOCUMENT, "README.md"):
        for name in sorted(in_text(root, path) - known):
            yield f"{path}: no such metric: {name}"


if __name__ == "__main__":
    tree.main(problems)
