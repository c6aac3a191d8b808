"""The packages that dpkg has installed, for rootfs.py and sbom.py."""

import collections
import os
import pathlib
import subprocess

Package = collections.namedtuple(
    "Package", "name architecture version source source_version")
_INFO = pathlib.Path("/var/lib/dpkg/info")
_FIELDS = ("${Package}\t${Architecture}\t${Version}\t${source:Package}\t"
           "${source:Version}\n")


class Database:

    def __init__(self):
        text = subprocess.run(["dpkg-query", "-W", "-f", _FIELDS], check=True,
                              capture_output=True, text=True).stdout
        self._packages = [Package(*line.split("\t"))
                          for line in text.splitlines()]
        self._owners = {}
        for package in self._packages:
            for path in self._files(package):
                self._owners[_merged(path)] = package

    @staticmethod
    def _files(package):
        for name in (package.name, f"{package.name}:{package.architecture}"):
            listing = _INFO / f"{name}.list"
            if listing.exists():
                return listing.read_text(encoding="utf-8").splitlines()
        return []

    def owner(self, path):
        """The package that contains a file; KeyError if there is none."""
        return self._owners[_merged(os.path.realpath(path))]

    def package(self, name):
        return next(one for one in self._packages if one.name == name)


def _merged(path):
    """Packages list files in /usr/lib as /lib."""
    return "/usr" + path if path.startswith("/lib") else path
