"""Helpers of the checks: the files of the tree and the report.

A check is a module with `problems(root)`, which yields one line per problem,
starting with a path. To run one: `tests/lint/<check>.py [root]`. ctest runs
each as lint.<check>. selftest.py shows every check failing once.
"""

import os
import re
import sys

TOP = ("exporter", "tests", "deploy", "dashboards", "alerts", ".ci")
OURS = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def files(root, *suffixes, under=TOP):
    """Sorted paths, relative to the root, of files with these suffixes."""
    found = []
    for top in under:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = [f for f in folders if f != "__pycache__"]
            found += [os.path.relpath(os.path.join(folder, name), root)
                      for name in names
                      if not suffixes or name.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    """The text of a file; empty without a file or without text in it."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def code(text):
    """C++ without comments and without the content of string literals."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"'
    return re.sub(pattern, lambda m: '""' if m.group()[0] == '"' else
                  "\n" * m.group().count("\n"), text, flags=re.S)


def main(problems):
    root = sys.argv[1] if len(sys.argv) > 1 else OURS
    found = list(problems(root))
    for problem in found:
        print(problem)
    if found:
        sys.exit(f"{len(found)} problem(s)")
