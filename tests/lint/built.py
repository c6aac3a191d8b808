#!/usr/bin/python3
"""Every source is part of a target; otherwise a test would never run."""

import os
import re

import tree


def problems(root):
    lists = {}
    for path in tree.files(root, "CMakeLists.txt", ".cmake"):
        text = re.sub(r"#[^\n]*", "", tree.read(root, path))
        lists[os.path.dirname(path)] = set(re.split(r"[\s()\"/]+", text))
    for path in tree.files(root, ".cc"):
        folder, name = os.path.split(path)
        above = [folder]
        while above[-1]:
            above.append(os.path.dirname(above[-1]))
        stem = name[:-len(".cc")]
        if not any({name, stem} & lists.get(place, set()) for place in above):
            yield f"{path}: no CMakeLists.txt names it"


if __name__ == "__main__":
    tree.main(problems)
