#!/usr/bin/python3
"""Every metric is documented and tested, and every documented one exists.

The code's tables hold the names as whole string literals; exporter/METRICS.md
and README.md hold them in backquotes or in PromQL. A metric is tested when an
assertion compares its value: a sample line of the unit test, a condition of a
scenario, or a comparison in a Python test. A mention is not a test.
"""

import ast
import functools
import re

import tree
import yaml

NAME = r"(?:kube_event|process)_[a-z0-9_]*[a-z0-9]"
DOCUMENT = "exporter/METRICS.md"
SUFFIXES = ("_bucket", "_sum", "_count")
PREFIXES = ("kube_event_metrics_", "kube_event_metrics_sink_", "")
UNIT_TEST = "tests/unit/metrics/own_metrics_test.cc"
SCENARIOS = "tests/scripted/scenarios"
PYTHON_TESTS = ("tests/scripted", "tests/real")
# name{labels} value, as a unit test expects it in the exposition.
SAMPLE = re.compile(r"^(?:kube_event_metrics_)?(\w+)(?:\{[^}\n]*\})? "
                    r"-?[0-9.]+(?:e[+-]?[0-9]+)?$", re.M)
# name{labels} >= 3, as a scenario expects it; `absent` compares nothing.
CONDITION = re.compile(rf"({NAME})(?:\{{.*\}})?\s*[=!<>]=?\s*[0-9-]")
TWO_VALUES = re.compile(r"assert(Not)?(Almost)?(Equal|Greater|Less)(Equal)?$")
OF_VALUES = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def in_code(root):
    """{metric: the source that has it}"""
    return {name: path
            for path in tree.files(root, ".cc", ".h", under=("exporter",))
            for name in re.findall(f'"({NAME})"', tree.read(root, path))}


def in_text(root, path):
    """The metrics that a document names; `kube_event_*` names none."""
    return set(re.findall(rf"(?<![\w/-])({NAME})(?![\w*]|_\*)",
                          tree.read(root, path)))


@functools.lru_cache(None)
def compared_by_unit_test(text):
    """Short names in the sample lines of a C++ test's string literals."""
    literal = r'"((?:[^"\\\n]|\\.)*)"'
    text = re.sub(rf"{literal}|//[^\n]*",
                  lambda found: found[0] if found[0][0] == '"' else "", text)
    found = set()
    for run in re.finditer(rf"{literal}(?:\s*{literal})*", text):
        joined = "".join(re.findall(literal, run[0]))
        lines = re.sub(r"\\(.)", lambda c: "\n" if c[1] == "n" else c[1],
                       joined)
        found.update(SAMPLE.findall(lines))
    return found


@functools.lru_cache(None)
def compared_by_scenario(text):
    """Names in the `metrics` conditions of a scenario."""
    found = set()

    def walk(node):
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            for key, child in node.items():
                if key == "metrics":
                    found.update(m[1] for m in map(CONDITION.match, child) if m)
                else:
                    walk(child)
    walk(yaml.safe_load(text))
    return found


def operands(node):
    """What a Python assertion or comparison of values compares."""
    if isinstance(node, ast.Compare):
        if all(isinstance(one, OF_VALUES) for one in node.ops):
            return [node.left, *node.comparators]
    elif isinstance(node, ast.Call):
        if TWO_VALUES.match(getattr(node.func, "attr", "")):
            return node.args[:2]
    return []


@functools.lru_cache(None)
def compared_by_python(text):
    """Names by which an operand reads a value; an operand itself is no read."""
    return {child.value
            for node in ast.walk(ast.parse(text))
            for operand in operands(node)
            if not isinstance(operand, ast.Constant)
            for child in ast.walk(operand)
            if isinstance(child, ast.Constant)
            and isinstance(child.value, str)}


def compared(root):
    found = set(compared_by_unit_test(tree.read(root, UNIT_TEST)))
    for path in tree.files(root, ".yaml", under=(SCENARIOS,)):
        found |= compared_by_scenario(tree.read(root, path))
    for path in tree.files(root, ".py", under=PYTHON_TESTS):
        try:
            found |= compared_by_python(tree.read(root, path))
        except SyntaxError:
            continue  # scripts.py reports it
    return found


def problems(root):
    made, tested = in_code(root), compared(root)
    known = set(made) | {name + end for name in made for end in SUFFIXES}
    described = in_text(root, DOCUMENT)
    for name, path in sorted(made.items()):
        if name not in described:
            yield f"{DOCUMENT}: {name} of {path} is not described"
        forms = {full.removeprefix(prefix) for prefix in PREFIXES
                 for full in (name, name + "_count", name + "_sum")}
        if not forms & tested:
            yield f"{path}: no test compares the value of {name}"
    for path in (DOCUMENT, "README.md"):
        for name in sorted(in_text(root, path) - known):
            yield f"{path}: no such metric: {name}"


if __name__ == "__main__":
    tree.main(problems)
