#!/usr/bin/python3
"""clang-tidy over all sources: tidy.py BUILD [-j N] [--all] [FILE...]

BUILD is a clang build with compile_commands.json. clang-tidy analyzes a source
again only when the source, a header that it includes, its command, .clang-tidy
or clang-tidy changes: the folder KEM_TIDY_CACHE lists the sources without findings.
--all analyzes every source. It takes minutes, so tests/run calls it and ctest
does not.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import subprocess
import sys

import tree

PROGRAM = "clang-tidy-14"


def options_for(path):
    if path.startswith(os.path.join(tree.OURS, "tests")):
        # Five times the cost, and test bodies have no branches.
        return ["--checks=-clang-analyzer-*"]
    return []


def tidy(build, path, config=None):
    """The findings in a source, or "" when there are none."""
    command = [PROGRAM, *options_for(path), "-p", build, "--quiet", path]
    if config:
        command.insert(1, f"--config-file={config}")
    done = subprocess.run(command, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or done.stderr.strip()


def commands(build):
    """{source: (object, its compile command)}, without the tree's own path."""
    with open(os.path.join(build, "compile_commands.json"),
              encoding="utf-8") as file:
        entries = json.load(file)
    found = {}
    for entry in entries:
        path = os.path.realpath(entry["file"])
        if path.startswith(tree.OURS + os.sep) and \
                not path.startswith(os.path.join(tree.OURS, "build")):
            output = re.search(r" -o (\S+)", entry["command"])
            found[path] = (output and output.group(1), entry["command"])
    return found


def dependencies(build):
    """{object: every file that it was compiled from}, from ninja."""
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], text=True,
                          check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout
    found = {}
    for block in text.split("\n\n"):
        lines = block.strip().split("\n")
        head = re.match(r"(\S+): #deps \d+, .*\(VALID\)", lines[0])
        if head:
            found[head.group(1)] = [os.path.normpath(os.path.join(
                os.path.abspath(build), line.strip())) for line in lines[1:]]
    return found


@functools.lru_cache(maxsize=None)
def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@functools.lru_cache(maxsize=None)
def version():
    return subprocess.run([PROGRAM, "--version"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def key_of(path, compiled, included):
    """A hash of all that the findings depend on; None if it is unknown."""
    output, command = compiled
    if output not in included:
        return None
    digest = hashlib.sha256(repr((
        version(), digest_of(os.path.join(tree.OURS, ".clang-tidy")),
        [part.replace(tree.OURS, "") for part in command.split()],
        options_for(path))).encode())
    for name in sorted(included[output]):
        # The revision in it does not affect the code.
        if os.path.basename(name) != "version.h":
            digest.update(f"{os.path.basename(name)} {digest_of(name)}"
                          .encode())
    return digest.hexdigest()


def remember(cache, key):
    if cache and key:
        with open(os.path.join(cache, key), "w", encoding="utf-8"):
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    cache = os.environ.get("KEM_TIDY_CACHE")
    if cache:
        os.makedirs(cache, exist_ok=True)
    compiled = commands(options.build)
    included = dependencies(options.build)
    paths = [path for path in compiled if not options.files
             or any(path.endswith(name) for name in options.files)]
    keys = {path: key_of(path, compiled[path], included)
            for path in paths}
    # The largest (slowest) first.
    wanted = sorted((path for path in paths if options.all or not cache
                     or keys[path] is None
                     or not os.path.exists(os.path.join(cache, keys[path]))),
                    key=os.path.getsize, reverse=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, text in zip(wanted, pool.map(
                lambda p: tidy(options.build, p), wanted)):
            if text:
                bad += 1
                print(text, flush=True)
            else:
                remember(cache, keys[path])
    print(f"clang-tidy: {len(wanted)} sources analyzed, {bad} with findings, "
          f"{len(paths) - len(wanted)} unchanged since they had none")
    if bad or not paths:
        sys.exit(1)


if __name__ == "__main__":
    main()
