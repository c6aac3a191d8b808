"""The image: its content, and that it runs, counts and stops as in a pod.

Needs root, buildah, debootstrap and crun; builds both architectures.
"""

import collections
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import ssl
import stat
import subprocess
import sys
import unittest

from rig import manifests, processes
from rig.case import ClusterCase
from rig.exporter import ACCOUNT_NAMESPACE
from rig.standin import StandIn

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
IMAGE = REPOSITORY / "deploy" / "image"
sys.path.insert(0, str(IMAGE))
import container  # pylint: disable=wrong-import-position

PROGRAM = "/kube-event-metrics"
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TOOLS = ("buildah", "debootstrap", "crun", "qemu-aarch64-static", "readelf")
MACHINES = {"amd64": "Advanced Micro Devices X86-64", "arm64": "AArch64"}
# Bytes, unpacked. SQLite, of the history, takes 1.7 MB of them.
LIMIT = 22_500_000
OWN_FILES = {"/etc/group", "/etc/nsswitch.conf", "/etc/passwd",
             "/etc/ssl/certs/ca-certificates.crt",
             "/usr/share/doc/kube-event-metrics/LICENSE",
             "/usr/share/sbom/kube-event-metrics.spdx.json"}


def what_is_missing():
    if os.getuid() != 0:
        return "only root can build and run the image"
    missing = [name for name in TOOLS if not shutil.which(name)]
    return missing and f"the image needs {', '.join(missing)}"


class Image:
    """The unpacked image of one architecture."""

    def __init__(self, folder, arch):
        self.arch = arch
        archive = self.path = folder.file(f"{arch}.tar")
        self.output = subprocess.run(
            [IMAGE / "build", "--debootstrap", "--arch", arch, "--output",
             archive, "--storage", os.environ.get("KEM_IMAGE_STORAGE") or
             folder.file("storage")],
            check=True, text=True, stdout=subprocess.PIPE).stdout
        self.archive = container.Archive(archive)
        self.root = folder.file(f"{arch}-root")
        self.size = self.archive.unpack(self.root)
        self.seen = {f"/{path.relative_to(self.root)}": path.lstat()
                     for path in pathlib.Path(self.root).rglob("*")}
        self.files = {path for path, status in self.seen.items()
                      if stat.S_ISREG(status.st_mode)}

    def read(self, path):
        return pathlib.Path(self.root + path).read_bytes()

    @functools.cached_property
    def programs(self):
        """{path: output of readelf} of all ELF files."""
        return {path: subprocess.run(
            ["readelf", "--wide", "-h", "-l", "-d", self.root + path],
            check=True, capture_output=True, text=True).stdout
            for path in self.files if self.read(path)[:4] == b"\x7fELF"}

    @functools.cached_property
    def materials(self):
        return json.loads(
            self.read("/usr/share/sbom/kube-event-metrics.spdx.json"))

    def command(self, state, *options):
        more = [] if self.arch == "amd64" else [
            "--emulator", shutil.which("qemu-aarch64-static")]
        return [sys.executable, str(IMAGE / "container.py"), *more, *options,
                "--state", state, self.root]


class ImageTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        missing = what_is_missing()
        if missing:
            raise unittest.SkipTest(f"{missing}.")
        folder = processes.WorkFolder("images")
        cls.addClassCleanup(folder.close)
        cls.images = {arch: Image(folder, arch) for arch in MACHINES}
        super().setUpClass()

    def state_folder(self, name):
        path = self.folder.file(name)
        os.mkdir(path)
        os.chown(path, container.USER, container.USER)
        return path

    def test_its_configuration(self):
        with open(REPOSITORY / "CMakeLists.txt", encoding="utf-8") as file:
            version = re.search(r"VERSION ([\d.]+) L", file.read()).group(1)
        for image in self.images.values():
            config = image.archive.config
            self.assertEqual((config["os"], config["architecture"]),
                             ("linux", image.arch))
            self.assertEqual(config["config"]["User"], "65532:65532")
            self.assertEqual(config["config"]["Entrypoint"], [PROGRAM])
            self.assertEqual(config["config"]["ExposedPorts"],
                             {"9953/tcp": {}})
            labels = {name.rpartition(".")[2]: value for name, value in
                      config["config"]["Labels"].items()
                      if name.startswith("org.opencontainers.image.")}
            self.assertEqual(labels["title"], "kube-event-metrics")
            self.assertEqual(labels["version"], version)
            self.assertEqual(labels["licenses"], "Apache-2.0")
            self.assertRegex(labels["created"], r"^\d{4}-.+Z$")
            self.assertEqual(labels["created"], config["created"])
            self.assertRegex(labels["revision"], r"^([0-9a-f]{12}|unknown)$")
            self.assertTrue(labels["source"] and labels["description"])
            print(image.output.splitlines()[-1],
                  f"{image.size / 1e6:.1f} MB unpacked")
            self.assertLessEqual(image.size, LIMIT)

    def test_its_files(self):
        """The program, its libraries, documents, and nothing else."""
        for image in self.images.values():
            papers = {path for path in image.files if re.fullmatch(
                "/usr/share/(doc/.+/copyright|common-licenses/.+)", path)}
            self.assertEqual(image.files - papers - set(image.programs),
                             OWN_FILES)
            for path, status in image.seen.items():
                owner = container.USER if path == container.STATE else 0
                self.assertEqual((status.st_uid, status.st_gid),
                                 (owner, owner), path)
                if not stat.S_ISLNK(status.st_mode):
                    self.assertFalse(status.st_mode & 0o7002, path)
            self.assertEqual(
                stat.S_IMODE(image.seen[container.STATE].st_mode), 0o770)
            self.assertIn(b"65532:65532", image.read("/etc/passwd"))
            trusted = ssl.create_default_context(cafile=(
                image.root + "/etc/ssl/certs/ca-certificates.crt"))
            self.assertGreater(len(trusted.get_ca_certs()), 50)

    def test_its_closure(self):
        """Each library is needed, and each needed library is present."""
        for image in self.images.values():
            needed = set()
            for path, text in image.programs.items():
                self.assertIn(f"Machine:                           "
                              f"{MACHINES[image.arch]}\n", text, path)
                needed |= set(re.findall(r"\(NEEDED\).*\[(.+)\]", text))
            loader = re.search(r"interpreter: (\S+)\]",
                               image.programs[PROGRAM]).group(1)
            libraries = set(image.programs) - {PROGRAM}
            self.assertIn(loader, libraries)
            self.assertEqual({os.path.basename(path) for path in libraries},
                             needed | {os.path.basename(loader)})

    def test_its_bill_of_materials(self):
        for image in self.images.values():
            document = image.materials
            self.assertEqual(
                (document["spdxVersion"], document["dataLicense"], document["SPDXID"]),
                ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
            self.assertTrue(document["name"] and document["documentNamespace"])
            self.assertTrue(document["creationInfo"]["creators"])
            self.assertEqual(document["creationInfo"]["created"],
                             image.archive.config["created"])
            packages = {one["SPDXID"]: one for one in document["packages"]}
            files = {one["SPDXID"]: one for one in document["files"]}
            self.assertEqual(
                len({*packages, *files}),
                len(document["packages"]) + len(document["files"]))
            for one in packages.values():
                self.assertTrue(one["name"] and one["versionInfo"] and
                                one["downloadLocation"])
                self.assertNotIn(one["licenseDeclared"], ("NOASSERTION", ""))
                self.assertEqual(one["filesAnalyzed"],
                                 "packageVerificationCode" in one)
            self.expect_files(image, files)
            self.expect_owners(image, packages, files)

    def expect_files(self, image, files):
        """Each file except the document itself, with its checksum."""
        listed = {one["fileName"][1:]: {
            sums["algorithm"]: sums["checksumValue"]
            for sums in one["checksums"]} for one in files.values()}
        self.assertEqual(
            set(listed) | {"/usr/share/sbom/kube-event-metrics.spdx.json"},
            image.files)
        for path, sums in listed.items():
            self.assertEqual(sums["SHA256"], hashlib.sha256(
                image.read(path)).hexdigest(), path)

    def expect_owners(self, image, packages, files):
        """Each library is in a package with a license text and, if this
        machine has the same file, with dpkg's version."""
        owners, links = {}, collections.defaultdict(set)
        for one in image.materials["relationships"]:
            source, target = one["spdxElementId"], one["relatedSpdxElement"]
            self.assertIn(target, {**packages, **files})
            if one["relationshipType"] == "CONTAINS":
                owners[files[target]["fileName"][1:]] = packages[source]
            else:
                links[one["relationshipType"]].add(
                    packages.get(target, {}).get("name"))
        for path in set(image.programs) - {PROGRAM}:
            self.assertRegex(owners[path]["externalRefs"][0]
                             ["referenceLocator"], rf"^pkg:deb/debian/.+\?arch="
                             rf"{image.arch}&distro=debian-13$", path)
        self.assertEqual(links["DYNAMIC_LINK"], {
            owners[path]["name"] for path in set(image.programs) - {PROGRAM}})
        self.assertLess({"libc6", "libssl3t64"}, links["DYNAMIC_LINK"])
        self.assertLess({"libabsl-dev", "libcli11-dev", "libprotozero-dev", "libre2-dev",
                         "nlohmann-json3-dev"}, links["STATIC_LINK"])
        self.assertFalse(links["DYNAMIC_LINK"] & links["STATIC_LINK"])
        for one in packages.values():
            if one["name"] != "kube-event-metrics":
                self.assertIn(f"/usr/share/doc/{one['name']}/copyright",
                              image.files)
        if image.arch == "amd64":
            self.expect_versions(image, owners)

    def expect_versions(self, image, owners):
        libraries = [owners[path] for path in set(image.programs) - {PROGRAM}]
        packages = {one["name"]: one["versionInfo"] for one in libraries}
        self.assertGreater(len(packages), 5)
        served = self.served_versions(packages)
        for name, version in packages.items():
            self.assertIn(version, served[name], name)

    def served_versions(self, names):
        """{name: versions} that Debian 13 serves now, by apt's own index."""
        folder = pathlib.Path(self.folder.file("apt"))
        (folder / "lists" / "partial").mkdir(parents=True)
        (folder / "sources.list").write_text(subprocess.run(
            [IMAGE / "debian", "--sources"], capture_output=True,
            text=True, check=True).stdout)
        options = ["-o", f"Dir::Etc::SourceList={folder}/sources.list",
                   "-o", "Dir::Etc::SourceParts=-",
                   "-o", f"Dir::State::Lists={folder}/lists",
                   "-o", f"Dir::Cache={folder}"]
        subprocess.run(["apt-get", "-q", *options, "update"], check=True,
                       capture_output=True)
        table = subprocess.run(["apt-cache", *options, "madison", *names],
                               capture_output=True, text=True, check=True)
        served = collections.defaultdict(set)
        for line in table.stdout.splitlines():
            name, version, _ = (part.strip() for part in line.split("|"))
            served[name].add(version)
        return served

    def test_it_says_what_it_is(self):
        for image in self.images.values():
            for flag, wanted in (("--version", "kube-event-metrics 0.1.0 "),
                                 ("--help", "--state.file")):
                done = subprocess.run(
                    [*image.command(self.state_folder(image.arch + flag)),
                     flag], capture_output=True, text=True, check=True,
                    timeout=120)
                self.assertIn(wanted, done.stdout)

    def test_against_the_scripted_api_server(self):
        server = StandIn(self.folder)
        self.addCleanup(server.close)
        for image in self.images.values():
            exporter = self.start_exporter(
                f"scripted-{image.arch}", command=[*image.command(
                    self.state_folder(f"scripted-{image.arch}")),
                    "--apiserver", server.url])
            processes.wait_until(exporter.ready, 30, "it is ready")
            processes.wait_until(lambda exporter=exporter: sum(
                exporter.samples()["kube_event_occurrences_total"].values()
                ) > 10, 30, "it counts")

    def test_what_it_costs(self):
        """The measuring command works."""
        done = subprocess.run([IMAGE / "measure", self.images["amd64"].path],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        print(done.stdout)
        numbers = [float(number) for number in
                   re.findall(r" (\d+\.?\d*) M?[Bm]s?\b", done.stdout)]
        self.assertEqual(len(numbers), 5, done.stdout)
        self.assertGreater(min(numbers), 0)

    def expect_confined(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text("utf-8")
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        self.assertEqual(set(fields["Uid"].split()), {"65532"})
        self.assertEqual(set(fields["Gid"].split()), {"65532"})
        self.assertEqual(fields["NoNewPrivs"], "1")
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(fields[name], 16), 0, name)
        mounts = [line.split() for line in pathlib.Path(
            f"/proc/{pid}/mountinfo").read_text("utf-8").splitlines()]
        self.assertTrue([one for one in mounts if one[4] == "/" and
                         "ro" in one[5].split(",")], mounts)

    def test_in_a_pod_of_the_real_control_plane(self):
        api = self.api
        api.ensure("/api/v1/namespaces",
                   {"metadata": {"name": ACCOUNT_NAMESPACE}})
        api.ensure(f"/api/v1/namespaces/{ACCOUNT_NAMESPACE}/serviceaccounts",
                   {"metadata": {"name": "image"}})
        self.folder.file("account/token", api.token_for(
            ACCOUNT_NAMESPACE, "image"), 0o644)
        self.folder.file("account/namespace", ACCOUNT_NAMESPACE, 0o644)
        with open(self.plane.certificates.ca, encoding="utf-8") as ca:
            self.folder.file("account/ca.crt", ca.read(), 0o644)
        state = self.state_folder("state")
        exporter = self.exporter(
            "image", "--state.file=/var/lib/kube-event-metrics/state",
            "--state.interval=1s",
            command=self.images["amd64"].command(
                state, "--mount", f"{self.folder.file('account')}:{MOUNT}",
                "--env", "KUBERNETES_SERVICE_HOST=127.0.0.1",
                "--env", f"KUBERNETES_SERVICE_PORT={self.plane.port}"))
        inside = subprocess.run(
            ["pgrep", "-P", str(exporter.process.pid)], check=True,
            capture_output=True, text=True).stdout.strip()
        self.expect_confined(inside)
        path = manifests.CORE_V1.format("default")
        for number in range(20):
            self.recorded(api.post(path, manifests.legacy_event(
                f"imaged{number}", manifests.about_node(f"n{number % 3}"),
                f"Imaged{number % 2}")))
        exporter.wait_exact(self.truth)
        self.assertEqual(exporter.stop(12), 0)
        saved = os.stat(f"{state}/state")
        self.assertEqual((saved.st_uid, saved.st_gid),
                         (container.USER, container.USER))


if __name__ == "__main__":
    unittest.main(verbosity=2)
