"""Adds the pinned packages of requirements.txt to the import path.

They are installed into a cache folder named after the hash of the
requirements, never into the tree or the system's Python.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

WANTED = pathlib.Path(__file__).resolve().parent.parent / "requirements.txt"


def folder():
    """The folder of the packages, which are installed if they are missing."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    asked = WANTED.read_bytes() + sys.version.encode()
    name = f"dashboards-{hashlib.sha256(asked).hexdigest()[:12]}"
    into = pathlib.Path(base) / "kube-event-metrics" / name
    if not into.exists():
        half = into.with_name(f"{name}.{os.getpid()}")
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", "--root-user-action=ignore",
             "--no-deps", "--target", half, "--requirement", WANTED],
            check=True, stdout=sys.stderr)
        try:
            half.rename(into)
        except OSError:  # another process was first
            shutil.rmtree(half)
    return into


def enable():
    path = str(folder())
    if path not in sys.path:
        sys.path.insert(0, path)
