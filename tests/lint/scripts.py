#!/usr/bin/python3
"""Shell scripts parse and pass shellcheck; Python files compile."""

import os
import shutil
import subprocess

import tree


def interpreter(root, path):
    """"sh", "python" or "", by the first line or the name."""
    text = tree.read(root, path)
    first = text.partition("\n")[0]
    if path.endswith(".py") or first.startswith("#!") and "python" in first:
        return "python"
    if path.endswith(".sh") or first.startswith("#!") and "sh" in first:
        return "sh"
    return ""


def shell(root, path):
    checks = [["bash", "-n"]]
    if shutil.which("shellcheck"):
        checks.append(["shellcheck", "--external-sources", "--source-path",
                       "SCRIPTDIR", "--format", "gcc"])
    for check in checks:
        done = subprocess.run([*check, path], cwd=root, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            yield f"{path}: {check[0]}: {done.stdout.strip()}"


def problems(root):
    for path in tree.files(root):
        kind = interpreter(root, path)
        if kind == "sh":
            yield from shell(root, path)
        elif kind == "python":
            try:
                compile(tree.read(root, path), path, "exec")
            except SyntaxError as error:
                yield f"{path}:{error.lineno}: {error.msg}"
        executable = os.access(os.path.join(root, path), os.X_OK)
        if executable and not tree.read(root, path).startswith("#!"):
            yield f"{path}: executable, but names no interpreter"


if __name__ == "__main__":
    tree.main(problems)
