"""The Debian package, the systemd unit and the man page; no control plane.

rig/confinement.py runs the unit as systemd would, because containers have no
systemd.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import unittest
import urllib.request

from rig import confinement, exposition, processes, standin
from rig.certificates import Certificates
from rig.exporter import binary

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy/systemd/kube-event-metrics.service"
PAGE = ROOT / "deploy/man/kube-event-metrics.8"
EXPOSURE = "15"  # tenths
# CPack's package is not for Debian's archive, so it closes no bug there.
NOT_FOR_US = "initial-upload-closes-no-bugs"

CONTENTS = """drwxr-xr-x root/root ./etc/
drwxr-xr-x root/root ./etc/default/
-rw-r--r-- root/root ./etc/default/kube-event-metrics
drwxr-xr-x root/root ./etc/kube-event-metrics/
-rw-r--r-- root/root ./etc/kube-event-metrics/config.yaml
drwxr-xr-x root/root ./lib/
drwxr-xr-x root/root ./lib/systemd/
drwxr-xr-x root/root ./lib/systemd/system/
-rw-r--r-- root/root ./lib/systemd/system/kube-event-metrics.service
drwxr-xr-x root/root ./usr/
drwxr-xr-x root/root ./usr/bin/
-rwxr-xr-x root/root ./usr/bin/kube-event-metrics
drwxr-xr-x root/root ./usr/share/
drwxr-xr-x root/root ./usr/share/doc/
drwxr-xr-x root/root ./usr/share/doc/kube-event-metrics/
-rw-r--r-- root/root ./usr/share/doc/kube-event-metrics/changelog.Debian.gz
-rw-r--r-- root/root ./usr/share/doc/kube-event-metrics/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/kube-event-metrics/copyright
drwxr-xr-x root/root ./usr/share/man/
drwxr-xr-x root/root ./usr/share/man/man8/
-rw-r--r-- root/root ./usr/share/man/man8/kube-event-metrics.8.gz
"""
PLUGIN = """#!/bin/sh
echo '{"apiVersion": "client.authentication.k8s.io/v1",
  "kind": "ExecCredential", "status": {"token": "of-the-plugin"}}'
"""


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=False,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300, **more)


class Case(unittest.TestCase):

    def setUp(self):
        self.folder = processes.WorkFolder("package")
        self.addCleanup(self.folder.close)

    def need(self, *programs):
        for program in programs:
            if not shutil.which(program):
                self.skipTest(f"needs {program}")

    def expect(self, *command, code=0, **more):
        done = run(*command, **more)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout


class ManPageTest(Case):

    def test_is_what_help_says(self):
        self.expect(ROOT / "deploy/man/generate", binary(), "--check")

    def test_lists_every_option_of_help(self):
        """Reads the page as man shows it."""
        self.need("man")
        shown = self.expect("man", "-l", PAGE,
                            env={**os.environ, "MANWIDTH": "1000",
                                 "LC_ALL": "C.UTF-8"})
        page = re.search(r"^OPTIONS$(.*?)^CONFIG", shown, re.M | re.S).group(1)
        help_text = self.expect(binary(), "--help")
        named = re.findall(r"^ {7}(-[^\s,]+(?:, -\S+)*)", page, re.M)
        self.assertEqual([names.replace(", ", ",") for names in named],
                         re.findall(r"^  (-\S+)", help_text, re.M))
        self.assertGreater(len(named), 30)
        self.assertEqual(re.findall(r"Default: (\S+)\.$", page, re.M),
                         [value or text for value, text in re.findall(
                             r"^  -\S+ [A-Z:]+=(\S+)|Default: (\S+)\.$",
                             help_text, re.M)])

    def test_is_clean(self):
        self.need("groff", "mandoc")
        self.assertEqual(self.expect("groff", "-Tutf8", "-man", "-ww", "-z",
                                     PAGE), "")
        self.assertEqual(self.expect("mandoc", "-Tlint", "-W", "all", PAGE), "")


class UnitTest(Case):

    def setUp(self):
        super().setUp()
        self.need("systemd-analyze")
        os.chmod(self.folder.path, 0o711)
        self.program = self.place("kube-event-metrics", 0o755)
        shutil.copyfile(binary(), self.program)

    def place(self, name, mode, text="", theirs=False):
        path = self.folder.file(name, text, mode)
        if theirs:
            confinement.give(path)
        return path

    def test_is_clean_and_tight(self):
        text = UNIT.read_text().replace("/usr/bin/kube-event-metrics",
                                        self.program)
        unit = self.folder.file(UNIT.name, text)
        self.assertEqual(
            self.expect("systemd-analyze", "verify", "--man=no", unit), "")
        report = self.expect("systemd-analyze", "security", "--offline=true",
                           f"--threshold={EXPOSURE}", UNIT)
        self.assertIn("Overall exposure level", report)

    def unit(self):
        """The unit, with all its paths in the work folder."""
        for name in ("credentials", "state"):
            path = self.folder.file(name)
            os.mkdir(path, 0o700)
            confinement.give(path)
        state = self.folder.file("state/kube-event-metrics")
        os.mkdir(state, 0o700)
        confinement.give(state)
        config = (ROOT / "deploy/debian/config.yaml").read_text().replace(
            "#sinks:", "sinks:").replace("#- {name: history", "- {name: history")
        defaults = (ROOT / "deploy/debian/default").read_text()
        self.assertIn('ARGS=""', defaults)
        self.state = os.path.join(state, "state")
        self.history = os.path.join(state, "history.db")
        return confinement.Unit(UNIT.read_text(), {
            "%d": self.folder.file("credentials"),
            "%S": self.folder.file("state"),
            "/usr/bin/kube-event-metrics": self.program,
            "/etc/kube-event-metrics/config.yaml": self.place(
                "config.yaml", 0o644, config.replace(
                    "/var/lib/kube-event-metrics", state)),
            "/etc/default/kube-event-metrics": self.place(
                "default", 0o644, defaults.replace(
                    'ARGS=""', 'ARGS="--web.listen-address=127.0.0.1:0 '
                    '--metrics.initial-zero=0"'))})

    def kubeconfig(self, url, ca):
        plugin = self.place("plugin", 0o755, PLUGIN)
        self.place("credentials/kubeconfig", 0o400, json.dumps({
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {
                "server": url, "certificate-authority": ca}}],
            "contexts": [{"name": "c", "context": {"cluster": "c",
                                                   "user": "u"}}],
            "users": [{"name": "u", "user": {"exec": {
                "command": plugin, "interactiveMode": "Never",
                "apiVersion": "client.authentication.k8s.io/v1"}}}]}),
            theirs=True)

    def test_runs_within_its_limits(self):
        unit = self.unit()
        stand_in = standin.StandIn(self.folder)
        self.addCleanup(stand_in.close)
        keys = Certificates(self.folder)
        front = standin.TlsFront(stand_in.url, keys.serving, keys.serving_key)
        self.addCleanup(front.close)
        ca = self.place("ca.crt", 0o644, pathlib.Path(keys.ca).read_text())
        self.kubeconfig(front.url, ca)
        with open(self.folder.file("log"), "wb") as log:
            child = subprocess.Popen(unit.command("ExecStart"), stderr=log,
                                     env=unit.environment(),
                                     cwd=os.path.dirname(self.state),
                                     preexec_fn=unit.confine())
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        port = processes.wait_until(lambda: re.search(
            r"Listening on.*:(\d+)", self.log()), 10, "it listens").group(1)
        self.url = f"http://127.0.0.1:{port}/metrics"
        processes.wait_until(
            lambda: self.sum("kube_event_occurrences_total") > 100, 30,
            "it counts")
        # The confined process reads its own limits.
        for name in ("process_start_time_seconds", "process_max_fds",
                     "process_resident_memory_bytes"):
            self.assertGreater(self.sum(name), 0, name)
        self.assertEqual(front.tokens, {b"of-the-plugin"})

        processes.wait_until(lambda: self.sum(
            "kube_event_metrics_sink_delivered_total") > 0, 10, "a history")
        self.assertEqual(self.sum("kube_event_metrics_history_up"), 1)

        reload = unit.command("ExecReload", MAINPID=str(child.pid))
        subprocess.run(reload, check=True, preexec_fn=unit.confine(),
                       timeout=30)
        processes.wait_until(lambda: self.sum(
            "kube_event_metrics_config_reloads_total") == 1, 10, "a reload")

        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(12), 0, self.log())
        for path in self.state, self.history:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertNotIn("level=warn", self.log())

    def log(self):
        return pathlib.Path(self.folder.file("log")).read_text()

    def sum(self, name):
        with urllib.request.urlopen(self.url, timeout=5) as answer:
            samples = exposition.parse(answer.read().decode())
        return sum(samples.get(name, {}).values())

    def test_every_example_of_the_configuration_is_taken(self):
        text = (ROOT / "deploy/debian/config.yaml").read_text()
        text = re.sub(r"^#(?=\S|  )", "", text, flags=re.M)
        for path in re.findall(r"/(?:var|etc)/[\w/.-]+[\w]", text):
            if not path.endswith("config.yaml"):
                text = text.replace(path, self.place(
                    os.path.basename(path), 0o600, "# Nothing.\n"))
        os.remove(self.folder.file("state"))
        self.assertGreater(text.count("\n  "), 4)
        # 1: the options are valid, and no API server answers.
        self.expect(binary(), f"--config.file={self.place('c', 0o600, text)}",
                    "--apiserver=http://127.0.0.1:1", "--dry-run", code=1)

    def test_is_not_restarted_for_what_does_not_mend_itself(self):
        unit = self.unit()  # without a kubeconfig
        done = run(*unit.command("ExecStart"), env=unit.environment(),
                   preexec_fn=unit.confine())
        self.assertIn(str(done.returncode),
                      unit.all("RestartPreventExitStatus"), done.stdout)

    def test_the_limits_apply(self):
        """Shows that the test notices a missing confinement."""
        unit = self.unit()
        for code in ("import mmap; mmap.mmap(-1, 4096, prot=7)",
                     "import os; "
                     "os.sched_setaffinity(0, os.sched_getaffinity(0))"):
            self.assertIn("PermissionError", run(
                "/usr/bin/python3", "-c", code,
                preexec_fn=unit.confine()).stdout)


class PackageTest(Case):

    def setUp(self):
        super().setUp()
        self.need("cpack", "dpkg-shlibdeps")
        build = pathlib.Path(binary()).resolve().parents[1]
        self.expect("cpack", "--config", build / "CPackConfig.cmake",
                    "-B", self.folder.path)
        (self.package,) = pathlib.Path(self.folder.path).glob("*.deb")

    def test_holds_what_it_should(self):
        rows = [line.split() for line in self.expect(
            "dpkg-deb", "--contents", self.package).splitlines()]
        self.assertEqual("".join(f"{row[0]} {row[1]} {row[5]}\n"
                                 for row in rows), CONTENTS)
        field = dict(line.split(": ", 1) for line in self.expect(
            "dpkg-deb", "--field", self.package).splitlines()
            if re.match(r"\w\S*: ", line))
        architecture = self.expect("dpkg", "--print-architecture").strip()
        self.assertEqual(
            {name: field.get(name) for name in
             ("Package", "Architecture", "Section", "Priority", "Homepage")},
            {"Package": "kube-event-metrics", "Architecture": architecture,
             "Section": "net", "Priority": "optional", "Homepage":
             "https://github.com/kube-event-metrics/kube-event-metrics"})
        version = re.search(r"\d+\.\d+\.\d+",
                            self.expect(binary(), "--version")).group()
        self.assertEqual(field["Version"], version + "-1")
        # dpkg-shlibdeps found its libraries.
        self.assertRegex(field["Depends"], r"libc6 \(>=.*libsqlite3-0.*"
                         r"libssl3.*zlib1g")

    def test_pleases_lintian(self):
        self.need("lintian")
        self.assertEqual(self.expect(
            "lintian", "--allow-root", "--fail-on", "error,warning",
            "--suppress-tags", NOT_FOR_US, self.package), "")

    def dpkg(self, *arguments):
        return self.expect(
            "dpkg", f"--root={self.folder.file('root')}", "--force-depends",
            "--force-not-root", "--force-script-chrootless", *arguments,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})

    def files(self):
        """The files in the root, without those of dpkg."""
        root = pathlib.Path(self.folder.file("root"))
        return {str(path.relative_to(root)) for path in root.rglob("*")
                if not path.is_dir() or path.is_symlink()
                if "var/lib/dpkg" not in str(path)
                if "var/log" not in str(path)}

    def test_installs_upgrades_and_purges(self):
        root = pathlib.Path(self.folder.file("root"))
        for name in ("info", "updates", "triggers"):
            (root / "var/lib/dpkg" / name).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        self.dpkg("--install", self.package)
        packed = {line.split("./")[1] for line in CONTENTS.splitlines()
                  if not line.startswith("d")}
        enabled = ("etc/systemd/system/multi-user.target.wants/"
                   "kube-event-metrics.service")
        files = self.files()
        self.assertLessEqual(packed | {enabled}, files)
        # deb-systemd-helper records its actions.
        self.assertEqual({name for name in files - packed - {enabled}
                          if not name.startswith("var/lib/systemd/")}, set())
        self.assertIn("kube-event-metrics", self.expect(
            root / "usr/bin/kube-event-metrics", "--version"))

        mine = "scope: cluster\n"
        config = root / "etc/kube-event-metrics/config.yaml"
        config.write_text(mine)
        state = root / "var/lib/private/kube-event-metrics/state"
        state.parent.mkdir(parents=True)
        state.touch()
        self.dpkg("--install", self.package)
        self.assertEqual(config.read_text(), mine)
        self.dpkg("--remove", "kube-event-metrics")
        self.assertEqual(config.read_text(), mine)
        self.assertTrue(state.exists())
        self.dpkg("--purge", "kube-event-metrics")
        self.assertEqual(self.files(), set())
        self.assertFalse((root / "etc/kube-event-metrics").exists())


if __name__ == "__main__":
    unittest.main()
