#!/usr/bin/python3
"""What clang-tidy misses in sources that it reads as one (see tidy.py): a using
declaration that its source does not use, and an #include of a source.
"""

import re

import tree

USING = re.compile(r"^ *using (?:::)?(?:\w+::)+(\w+);", re.M)
INCLUDE = re.compile(r'^#include "[^"]+\.cc"', re.M)


def problems(root):
    for path in tree.files(root, ".cc"):
        text = tree.read(root, path)
        for include in INCLUDE.findall(text):
            yield f"{path}: {include}: include its header"
        code = tree.code(text)
        for using in USING.finditer(code):
            name = using.group(1)
            if len(re.findall(rf"\b{name}\b", code)) == 1:
                yield f"{path}: {using.group()} is not used: remove it"


if __name__ == "__main__":
    tree.main(problems)
