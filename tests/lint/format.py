#!/usr/bin/python3
"""C++ follows .clang-format, with the clang-format of Debian 12."""

import subprocess

import tree

PROGRAM = "clang-format-14"  # its output differs from version to version


def problems(root):
    paths = tree.files(root, ".h", ".cc")
    done = subprocess.run([PROGRAM, "--dry-run", "-Werror", *paths], cwd=root,
                          text=True, capture_output=True, check=False)
    for line in done.stderr.splitlines():
        if ": error: " in line:
            yield line
    if done.returncode and "error" not in done.stderr:
        yield f".clang-format: {PROGRAM}: {done.stderr.strip()}"


if __name__ == "__main__":
    tree.main(problems)
