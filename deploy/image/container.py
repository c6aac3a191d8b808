#!/usr/bin/python3
"""Unpacks the image and runs it as Kubernetes does: read-only root, user 65532,
no capabilities, no new privileges, its own namespaces except for the network.
Needs root and crun.

    container.py ARCHIVE ROOT                   unpacks
    container.py [OPTION]... ROOT FLAG...       runs, until SIGTERM
"""

import argparse
import json
import os
import sys
import tarfile
import tempfile

USER = 65532
STATE = "/var/lib/kube-event-metrics"
# crun requires cgroups of one version even if it uses none, so hide them.
_RUN = "mount -t tmpfs none /sys/fs/cgroup && exec crun \"$@\""


class Archive:
    """An OCI archive: its manifest, its configuration, its files."""

    def __init__(self, path):
        self._path = path
        with tarfile.open(path) as tar:
            index = json.load(tar.extractfile("index.json"))
            self.manifest = json.load(self._blob(tar, index["manifests"][0]))
            self.config = json.load(self._blob(tar, self.manifest["config"]))

    @staticmethod
    def _blob(tar, descriptor):
        return tar.extractfile(
            "blobs/" + descriptor["digest"].replace(":", "/"))

    def compressed(self):
        return sum(layer["size"] for layer in self.manifest["layers"])

    def unpack(self, folder):
        """Returns the size of all files in bytes."""
        total = 0
        with tarfile.open(self._path) as tar:
            for layer in self.manifest["layers"]:
                with tarfile.open(fileobj=self._blob(tar, layer)) as files:
                    files.extractall(folder, numeric_owner=True)
                    total += sum(one.size for one in files)
        return total


def _mount(source, inside, *options):
    return {"source": source, "destination": inside, "type": "bind",
            "options": ["rbind", "nosuid", "nodev", *options]}


def specification(options):
    """The content of config.json, as OCI specifies."""
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "mode=755", "size=64k"]},
        _mount("/etc/hosts", "/etc/hosts", "ro"),
    ]
    arguments = ["/kube-event-metrics", *options.flags]
    if options.state:
        mounts.append(_mount(options.state, STATE, "rw", "noexec"))
    if options.emulator:
        mounts.append(_mount(options.emulator, "/emulator", "ro"))
        arguments.insert(0, "/emulator")
    for pair in options.mount:
        mounts.append(_mount(*pair.split(":"), "ro"))
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": USER, "gid": USER},
            "args": arguments,
            "env": options.env,
            "cwd": "/",
            "noNewPrivileges": True,
            "capabilities": {kind: [] for kind in (
                "bounding", "effective", "inheritable", "permitted",
                "ambient")},
        },
        "root": {"path": os.path.abspath(options.root), "readonly": True},
        "mounts": mounts,
        "linux": {"namespaces": [{"type": kind} for kind in
                                 ("pid", "mount", "ipc", "uts")]},
    }


def run(options):
    """Replaces this process with crun, which forwards signals and the exit."""
    bundle = tempfile.mkdtemp(prefix="container-", dir=os.path.dirname(
        os.path.abspath(options.root)))
    with open(f"{bundle}/config.json", "w", encoding="utf-8") as file:
        json.dump(specification(options), file)
    os.execvp("unshare", ["unshare", "-m", "sh", "-c", _RUN, "sh",
                          "--cgroup-manager=disabled", "--root",
                          f"{bundle}/crun", "run", "--bundle", bundle,
                          os.path.basename(bundle)])


def main():
    if len(sys.argv) == 3 and os.path.isfile(sys.argv[1]):
        Archive(sys.argv[1]).unpack(sys.argv[2])
        return
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=__doc__)
    parser.add_argument("root", help="the folder with the image's files")
    parser.add_argument("--state", metavar="FOLDER",
                        help=f"the volume at {STATE}")
    parser.add_argument("--mount", action="append", default=[],
                        metavar="FOLDER:INSIDE", help="read-only")
    parser.add_argument("--env", action="append", default=[],
                        metavar="NAME=VALUE")
    parser.add_argument("--emulator", metavar="PROGRAM",
                        help="static, for a foreign architecture")
    parser.add_argument("flags", nargs=argparse.REMAINDER,
                        help="flags of kube-event-metrics")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
