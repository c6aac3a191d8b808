#!/usr/bin/python3
"""Texts use our terms and plain words, in sentences of a length to read.

Runs Vale with the rules of vale/ over all Markdown and over what
prose_texts.py takes out of other files: help, HELP, log lines and errors,
comments of C++, alert annotations, panels, values.yaml and NOTES.txt.

Vale is $KEM_VALE, else `vale` of the PATH, else the newest one in
$KEM_TOOL_CACHE (~/.cache/kube-event-metrics). Without it the check exits with
77, which ctest counts as skipped.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import prose_texts
import tree

MISSING = ("There is no Vale: run tests/real/tools.py, which builds it with "
           "Go, or set KEM_VALE to the program.")
CONFIG = "tests/lint/vale/.vale.ini"


def vale():
    """The path of the program, or None."""
    if given := os.environ.get("KEM_VALE"):
        return given if os.access(given, os.X_OK) else None
    if found := shutil.which("vale"):
        return found
    cache = pathlib.Path(os.environ.get("KEM_TOOL_CACHE") or
                         pathlib.Path.home() / ".cache" / "kube-event-metrics")
    built = [path for path in cache.glob("vale-*/vale")
             if path.parent.suffix != ".building" and os.access(path, os.X_OK)]
    return max(built, key=lambda path: path.stat().st_mtime, default=None)


def documents(root):
    top = [name for name in os.listdir(root) if name.endswith(".md")]
    return sorted(top) + tree.files(root, ".md")


def take_texts(root, into):
    """Writes each file's texts, one a line; gives {file written: its lines}.

    A line is the pieces of one text, so that a column leads to a piece.
    """
    written = {}
    for path in prose_texts.sources(root):
        for kind, pieces in prose_texts.texts(root, path):
            written.setdefault(f"{path}.{kind}.md", []).append(pieces)
    for name, found in written.items():
        target = os.path.join(into, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            for pieces in found:
                words = "".join(words for _, words in pieces)
                words = prose_texts.prose(words.replace("\n", " "))
                file.write(re.sub(r"^\W+", "", words) + "\n\n")
    return written


def place(pieces, column):
    """The line of the source that holds this column of a text."""
    text = "".join(words for _, words in pieces)
    column += re.match(r"\W*", prose_texts.prose(text)).end()
    for line, words in pieces:
        column -= len(words)
        if column <= 0:
            break
    return line


def run(program, root, folder, paths):
    done = subprocess.run(
        [program, "--no-global", "--no-exit", "--output=JSON",
         f"--config={os.path.join(root, CONFIG)}", *paths], cwd=folder,
        capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        sys.exit(f"Vale failed: {done.stdout}{done.stderr}")


def problems(root, program=None):
    program = program or vale()
    if not program:
        print(MISSING)
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="kem-prose-") as folder:
        written = take_texts(root, folder)
        for path in documents(root):
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(os.path.join(root, path), target)
        for name, alerts in sorted(run(program, root, folder, ["."]).items()):
            name = os.path.normpath(name)
            path = name
            if name in written:
                path = name.rsplit(".", 2)[0]
            for alert in alerts:
                line = alert["Line"]
                if name in written:
                    pieces = written[name][(line - 1) // 2]
                    line = place(pieces, alert["Span"][0])
                yield (f"{path}:{line}: {alert['Message']} "
                       f"[{alert['Check'].split('.')[-1]}]")


if __name__ == "__main__":
    tree.main(problems)
