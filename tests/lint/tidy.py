#!/usr/bin/python3
"""clang-tidy over all sources, in parallel: tidy.py BUILD [-j N] [FILE...]

BUILD has a compile_commands.json of clang. It takes minutes, so tests/run calls
it and ctest does not.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

import tree

PROGRAM = "clang-tidy-14"


def tidy(build, path, config=None):
    """The findings of clang-tidy in a source, or ""."""
    command = [PROGRAM, "-p", build, "--quiet", path]
    if path.startswith(os.path.join(tree.OURS, "tests")):
        # Five times the cost, and test bodies have no branches.
        command.insert(1, "--checks=-clang-analyzer-*")
    if config:
        command.insert(1, f"--config-file={config}")
    done = subprocess.run(command, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or done.stderr.strip()


def sources(build, wanted):
    """The project's sources in the build, the largest (slowest) first."""
    with open(os.path.join(build, "compile_commands.json"),
              encoding="utf-8") as file:
        paths = {os.path.realpath(entry["file"]) for entry in json.load(file)}
    ours = [path for path in paths if path.startswith(tree.OURS + os.sep)
            and not path.startswith(os.path.join(tree.OURS, "build"))]
    if wanted:
        ours = [path for path in ours
                if any(path.endswith(name) for name in wanted)]
    return sorted(ours, key=os.path.getsize, reverse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    paths = sources(options.build, options.files)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for text in pool.map(lambda p: tidy(options.build, p), paths):
            if text:
                bad += 1
                print(text, flush=True)
    print(f"clang-tidy: {len(paths)} sources, {bad} with findings")
    if bad or not paths:
        sys.exit(1)


if __name__ == "__main__":
    main()
