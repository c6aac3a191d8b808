#!/usr/bin/python3
"""Every metric is documented and tested, and every documented one exists.

The names in the code's tables are whole string literals; those of
exporter/METRICS.md and README.md stand in backquotes or in PromQL.
"""

import re

import tree

NAME = r"(?:kube_event|process)_[a-z0-9_]*[a-z0-9]"
DOCUMENT = "exporter/METRICS.md"
SUFFIXES = ("_bucket", "_sum", "_count")
TABLE = "exporter/metrics/own_metrics.cc"
TEST = "tests/unit/metrics/own_metrics_test.cc"


def in_code(root):
    """{metric: the source that has it}"""
    return {name: path
            for path in tree.files(root, ".cc", ".h", under=("exporter",))
            for name in re.findall(f'"({NAME})"', tree.read(root, path))}


def in_text(root, path):
    """The metrics a document speaks of; `kube_event_*` names none."""
    return set(re.findall(rf"(?<![\w/-])({NAME})(?![\w*]|_\*)",
                          tree.read(root, path)))


def untested(root):
    """Metrics of the table of which no test of it looks at a sample."""
    test = tree.read(root, TEST)
    for name in re.findall(f'^    {{{{"({NAME})"', tree.read(root, TABLE),
                           re.M):
        short = name.removeprefix("kube_event_metrics_")
        if not re.search(rf'[\n_"]{short}(_count)?[ "{{]', test):
            yield f"{TEST}: no test looks at {name}"


def problems(root):
    made = in_code(root)
    yield from untested(root)
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
