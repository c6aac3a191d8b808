#!/usr/bin/python3
"""Puts together the files of the image, in the builder of the Dockerfile.

These are the program, its shared libraries, the few files that a program
expects of a system, the licenses and the bill of materials (sbom.py). Libraries
are found as NEEDED by readelf, which works for a foreign architecture.
"""

import argparse
import os
import pathlib
import re
import subprocess

import sbom
from packages import Database

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "kube-event-metrics"
USER = 65532
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
OWN_FILES = {
    "etc/passwd": f"root:x:0:0:root:/:/none\n"
                  f"nonroot:x:{USER}:{USER}:nonroot:/:/none\n",
    "etc/group": f"root:x:0:\nnonroot:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def needed(path):
    """(interpreter or None, names of the shared libraries) of an ELF file."""
    text = subprocess.run(["readelf", "--wide", "-l", "-d", path], check=True,
                          capture_output=True, text=True).stdout
    interpreter = re.search(r"program interpreter: (\S+)\]", text)
    return (interpreter and interpreter.group(1),
            re.findall(r"\(NEEDED\).*\[(.+)\]", text))


def closure(program, triplet):
    """{path in the image: path here} of all libraries that `program` needs."""
    interpreter, names = needed(program)
    libraries = {interpreter: interpreter}
    while names:
        path = f"/usr/lib/{triplet}/{names.pop()}"
        if path in libraries or path.endswith(os.path.basename(interpreter)):
            continue
        libraries[path] = path
        names += needed(path)[1]
    return libraries


def compiled_in(build):
    """The files outside the tree that were compiled into the program, or linked
    statically: CMake 3.27 and newer also record what the linker read."""
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True,
                          capture_output=True, text=True).stdout
    paths = {os.path.realpath(line.strip()) for line in text.splitlines()
             if line.startswith("    /usr/")}
    return {path for path in paths
            if not re.search(r"\.so(\.[0-9.]+)?$", path)}


class Root:
    """The folder with the files of the image."""

    def __init__(self, folder):
        self.folder = folder
        self._copied = {}
        folder.mkdir(parents=True)

    def place(self, path, mode):
        target = self.folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        yield target
        target.chmod(mode)

    def copy(self, source, path, mode=0o644):
        """Equal files are links of one file: packages built from one source
        have the same copyright file, of up to 69 kB."""
        content = pathlib.Path(source).read_bytes()
        for target in self.place(path, mode):
            first = self._copied.setdefault((content, mode), target)
            if first is target:
                target.write_bytes(content)
            else:
                target.hardlink_to(first)

    def write(self, path, text):
        for target in self.place(path, 0o644):
            target.write_text(text, encoding="utf-8")

    def add_licenses(self, packages):
        """Adds the copyright file of each package and its licenses."""
        common = set()
        for package in packages:
            path = f"/usr/share/doc/{package.name}/copyright"
            self.copy(path, path)
            text = pathlib.Path(path).read_text(encoding="utf-8")
            common |= set(re.findall(
                r"/usr/share/common-licenses/[A-Za-z0-9]+(?:-[\d.]*\d)?", text))
        for path in sorted(common):
            self.copy(path, path)
        self.copy(REPOSITORY / "LICENSE", f"/usr/share/doc/{PROGRAM}/LICENSE")


def lay_out(options):
    root = Root(options.root)
    program = f"{options.build}/exporter/{PROGRAM}"
    root.copy(program, f"/{PROGRAM}", 0o755)
    linked = closure(program, options.triplet)
    for path, source in linked.items():
        root.copy(source, path, 0o755)
    root.copy(CERTIFICATES, CERTIFICATES)
    # Where OpenSSL looks for the bundle.
    ssl = root.folder / "usr/lib/ssl"
    ssl.mkdir(parents=True)
    (ssl / "cert.pem").symlink_to(CERTIFICATES)
    for path, text in OWN_FILES.items():
        root.write(path, text)
    state = root.folder / "var/lib" / PROGRAM
    state.mkdir(parents=True)
    os.chown(state, USER, USER)
    state.chmod(0o770)

    database = Database()
    owners = {path: database.owner(source) for path, source in linked.items()}
    owners[CERTIFICATES] = database.package("ca-certificates")
    compiled = {database.owner(path) for path in compiled_in(options.build)}
    root.add_licenses(set(owners.values()) | compiled)
    document = sbom.document(options, root.folder, owners, compiled)
    root.write(f"/usr/share/sbom/{PROGRAM}.spdx.json", document)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", required=True)
    parser.add_argument("--triplet", required=True)
    parser.add_argument("--build", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--created", required=True)
    parser.add_argument("root", type=pathlib.Path)
    os.umask(0o022)
    lay_out(parser.parse_args())


if __name__ == "__main__":
    main()
