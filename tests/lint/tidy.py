#!/usr/bin/python3
"""clang-tidy over all sources: tidy.py BUILD [-j N] [--all] [FILE...]

BUILD is a clang build with compile_commands.json. The sources that it compiles
together (CMAKE_UNITY_BUILD) are analyzed together, which parses their headers
once: an eighth of the work. clang-tidy analyzes them again only when one of
them, a header that they include, their command, .clang-tidy or clang-tidy
changes: the folder KEM_TIDY_CACHE lists those without findings. --all analyzes
every source. It takes minutes, so tests/run calls it and ctest does not.
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
import tempfile
import typing

import tree

PROGRAM = "clang-tidy-14"
CONFIG = os.path.join(tree.OURS, ".clang-tidy")
# Clang analyzes an included source along its paths only if the file that
# includes it has this name (AnalysisManager::isInCodeFile).
UNIFIED = "UnifiedSource"


class Batch(typing.NamedTuple):
    """Sources that one command compiles into one object."""
    sources: tuple
    object: str
    command: str


def options_for(batch):
    # tests/lint/unified.py checks what a unified source hides.
    checks = "-bugprone-suspicious-include"
    if all(path.startswith(os.path.join(tree.OURS, "tests"))
           for path in batch.sources):
        # Five times the cost, and test bodies have no branches.
        checks += ",-clang-analyzer-*"
    return [f"--checks={checks}",
            r"--header-filter=/(exporter|tests)/[^.]*\.(h|cc)$"]


def unify(batches, folder):
    """{batch: its unified source in the folder}, with their commands."""
    paths, commands = {}, []
    for number, batch in enumerate(batches):
        path = os.path.join(folder, f"{UNIFIED}{number}.cc")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f'#include "{name}"\n' for name in batch.sources)
        paths[batch] = path
        commands.append({
            "directory": folder, "file": path,
            "command": re.sub(r" -c \S+$", f" -c {path}", batch.command)})
    with open(os.path.join(folder, "compile_commands.json"), "w",
              encoding="utf-8") as file:
        json.dump(commands, file)
    return paths


def tidy(folder, batch, path):
    """The findings in a unified source of unify(), or "" when there are none."""
    command = [PROGRAM, f"--config-file={CONFIG}", *options_for(batch),
               "-p", folder, "--quiet", path]
    done = subprocess.run(command, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 0:
        return ""
    return done.stdout.strip() or done.stderr.strip()


def sources_of(path):
    """The sources of ours in a file of compile_commands.json."""
    names = [path]
    if os.path.basename(os.path.dirname(path)) == "Unity":
        with open(path, encoding="utf-8") as file:
            names = re.findall(r'^#include "([^"]+)"', file.read(), re.M)
    return tuple(name for name in map(os.path.realpath, names)
                 if name.startswith(tree.OURS + os.sep)
                 and not name.startswith(os.path.join(tree.OURS, "build")))


def find_batches(build):
    with open(os.path.join(build, "compile_commands.json"),
              encoding="utf-8") as file:
        entries = json.load(file)
    found, seen = [], set()
    for entry in entries:
        # Two targets may compile one source.
        sources = tuple(name for name in sources_of(entry["file"])
                        if name not in seen)
        seen.update(sources)
        if sources:
            output = re.search(r" -o (\S+)", entry["command"])
            found.append(Batch(sources, output and output.group(1),
                               entry["command"]))
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


def key_of(batch, included):
    """A hash of all that the findings depend on; None if it is unknown."""
    if batch.object not in included:
        return None
    command = re.sub(r" -c \S+$", "", batch.command)
    digest = hashlib.sha256(repr((
        version(), digest_of(CONFIG),
        [part.replace(tree.OURS, "") for part in command.split()],
        [name.replace(tree.OURS, "") for name in batch.sources],
        options_for(batch))).encode())
    for name in sorted(included[batch.object]):
        # The revision in version.h does not affect the code; the unity source
        # contains only the names above.
        if os.path.basename(name) != "version.h" and "/Unity/" not in name:
            digest.update(f"{os.path.basename(name)} {digest_of(name)}"
                          .encode())
    return digest.hexdigest()


def remember(cache, key):
    if cache and key:
        with open(os.path.join(cache, key), "w", encoding="utf-8"):
            pass


def count(batches):
    return sum(len(batch.sources) for batch in batches)


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
    included = dependencies(options.build)
    batches = [batch for batch in find_batches(options.build)
               if not options.files or
               any(source.endswith(name) for name in options.files
                   for source in batch.sources)]
    keys = {batch: key_of(batch, included) for batch in batches}
    # The largest (slowest) first.
    wanted = sorted((batch for batch in batches if options.all or not cache
                     or keys[batch] is None
                     or not os.path.exists(os.path.join(cache, keys[batch]))),
                    key=lambda batch: sum(map(os.path.getsize, batch.sources)),
                    reverse=True)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="kem-tidy-") as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        paths = unify(wanted, folder)
        for batch, text in zip(wanted, pool.map(
                lambda b: tidy(folder, b, paths[b]), wanted)):
            if text:
                bad += 1
                print(text, flush=True)
            else:
                remember(cache, keys[batch])
    print(f"clang-tidy: {count(wanted)} sources analyzed in {len(wanted)} "
          f"batches, {bad} with findings, "
          f"{count(batches) - count(wanted)} unchanged since they had none")
    if bad or not batches:
        sys.exit(1)


if __name__ == "__main__":
    main()
