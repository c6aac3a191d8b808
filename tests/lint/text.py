#!/usr/bin/python3
"""Files have a readable size, headers have an opening comment, no leftovers.

A header starts with 3 to 10 comment lines: what it is, who uses it, what it
does not do. A file over its limit mixes two things.
"""

import re

import tree

LIMITS = ((".h", 400), (".cc", 400), (".py", 400), (".sh", 400))
HEADER_LIMIT = 200  # of the exporter's headers
# Split so that this file does not match itself.
LEFTOVER = re.compile(r"\b(TO" "DO|FIX" "ME|XX" "X|HA" "CK)\\b")
SWITCHED_OFF = re.compile(r"\bDISAB" r"LED_\w|GTEST_SK" r"IP\(\)")
SUFFIXES = (".h", ".cc", ".py", ".sh", ".txt", ".cmake", ".md", ".yaml", ".go",
            "run", "quickstart")


def header(path, text):
    lines = text.splitlines()
    opening = next((i for i, line in enumerate(lines)
                    if not line.startswith("//")), len(lines))
    if not 3 <= opening <= 10:
        yield f"{path}:1: opens with {opening} comment lines, not 3 to 10"
    if lines[opening:opening + 1] != ["#pragma once"]:
        yield f"{path}:{opening + 1}: #pragma once follows the opening comment"


def problems(root):
    for path in tree.files(root, *SUFFIXES):
        text = tree.read(root, path)
        if path.endswith(".h"):
            yield from header(path, text)
        for suffix, limit in LIMITS:
            count = text.count("\n")
            if suffix == ".h" and path.startswith("exporter/"):
                limit = HEADER_LIMIT
            if path.endswith(suffix) and count > limit:
                yield f"{path}: {count} lines, over {limit}"
        for number, line in enumerate(text.splitlines(), 1):
            if found := LEFTOVER.search(line) or SWITCHED_OFF.search(line):
                yield f"{path}:{number}: {found.group()}"


if __name__ == "__main__":
    tree.main(problems)
