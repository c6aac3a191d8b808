"""deploy/compose, without a container engine.

Docker compose's parser reads the file. Then Prometheus, Alertmanager and the
exporter run with its commands and configuration files, with other paths and
ports only.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.request

import tools
import yaml

from rig import case, control_plane, processes, standin
from rig.exporter import binary

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "compose"
sys.path.append(str(ROOT / "tests" / "lint"))

import deploy_readme  # noqa: E402 pylint: disable=wrong-import-position

OURS = "ghcr.io/kube-event-metrics/kube-event-metrics"
GRAFANA = "/etc/grafana/provisioning"
JOB = "kube-event-metrics"


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


class ComposeTest(unittest.TestCase):

    def setUp(self):
        case.find_tools()
        control_plane.need("compose-spec")
        self.folder = processes.WorkFolder("compose")
        self.addCleanup(self.folder.close)
        self.folder.file(".kube/config", "")
        done = subprocess.run(
            [control_plane.tool("compose-spec"), "--format=json",
             "compose.yaml"], cwd=FOLDER, capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "HOME": self.folder.path},
            check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.model = json.loads(done.stdout)
        self.services = self.model["services"]

    def mounts(self, service):
        """{target: path on the host} of files and folders."""
        return {volume["target"]: volume["source"]
                for volume in self.services[service]["volumes"]
                if volume["type"] == "bind"}

    def on_host(self, service, text):
        """A text of the container with the host's paths."""
        data = {volume["target"]: self.folder.file(volume["source"])
                for volume in self.services[service]["volumes"]
                if volume["type"] == "volume"}
        paths = {**self.mounts(service), **data}
        for target in sorted(paths, key=len, reverse=True):
            text = re.sub(rf"(?<![\w.]){re.escape(target)}(?![\w.])",
                          paths[target], text)
        return text

    def test_what_it_names_is_there(self):
        for name, service in self.services.items():
            with self.subTest(name):
                for volume in service["volumes"]:
                    if volume["type"] == "volume":
                        self.assertIn(volume["source"], self.model["volumes"])
                    else:
                        self.assertTrue(os.path.exists(volume["source"]),
                                        volume)
                        self.assertTrue(volume.get("read_only"), volume)
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"],
                                 ["no-new-privileges:true"])
                self.assertRegex(service["user"], r"^[1-9]\d*:\d+$")
                self.assertRegex(service["image"], r":v?\d+\.\d+\.\d+$")
                # It uses the host's network, so only loopback.
                self.assertEqual(service["network_mode"], "host")
        text = (FOLDER / "compose.yaml").read_text()
        self.assertIn("GF_SERVER_HTTP_ADDR: 127.0.0.1\n", text)
        self.assertEqual(
            set(re.findall(r"listen-address=(.*)", text)),
            {"127.0.0.1:9953", "127.0.0.1:9090", "127.0.0.1:9093", ""})

    def test_versions(self):
        output = subprocess.run([binary(), "--version"], capture_output=True,
                                text=True, check=True, timeout=60).stdout
        version = re.search(r"\d+\.\d+\.\d+", output).group()
        self.assertEqual(self.services["exporter"]["image"],
                         f"{OURS}:{version}")
        # The tested version is the deployed one: v0.316.0 is v3.16.0.
        major, minor, patch = re.match(
            r"v0\.(\d)(\d\d)\.(\d+)", tools.PROMETHEUS_VERSION).groups()
        self.assertEqual(self.services["prometheus"]["image"],
                         f"prom/prometheus:v{major}.{int(minor)}.{patch}")

    def test_grafana_finds_what_it_shows(self):
        mounts = self.mounts("grafana")
        source = yaml.safe_load(pathlib.Path(
            mounts[f"{GRAFANA}/datasources/prometheus.yaml"]).read_text())
        (source,) = source["datasources"]
        command = " ".join(self.services["prometheus"]["command"])
        address = re.search(r"web.listen-address=(\S+)", command).group(1)
        self.assertEqual(
            (source["uid"], source["type"], source["url"],
             source["isDefault"]),
            ("prometheus", "prometheus", f"http://{address}", True))
        scraped = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
        self.assertEqual(source["jsonData"]["timeInterval"],
                         scraped["global"]["scrape_interval"])

        (provider,) = pathlib.Path(
            mounts[f"{GRAFANA}/dashboards"]).glob("*.yaml")
        (provider,) = yaml.safe_load(provider.read_text())["providers"]
        target = provider["options"]["path"]
        boards = list(pathlib.Path(mounts[target]).glob("*.json"))
        self.assertEqual(len(boards), 6)
        home = self.services["grafana"]["environment"][
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        self.assertIn(pathlib.Path(home).name, [b.name for b in boards])
        self.assertEqual(os.path.dirname(home), target)

    def start(self, service, program, replace=()):
        """Runs its command with the host's paths and other ports."""
        words = []
        for word in self.services[service]["command"]:
            word = self.on_host(service, word)
            for old, new in replace:
                word = word.replace(old, new)
            words.append(word)
        process = processes.Process(self.folder, service, [program, *words])
        self.addCleanup(process.kill)
        return process

    def health(self, service, program, port):
        """Runs the health check of the container."""
        test = self.services[service]["healthcheck"]["test"]
        self.assertEqual(test[0], "CMD")
        words = [re.sub(r":\d+$", f":{port}", word) for word in test[2:]]
        return subprocess.run([program, *words], capture_output=True,
                              check=False, timeout=20).returncode

    def test_its_configuration_runs(self):
        control_plane.need("prometheus", "promtool", "alertmanager", "amtool")
        tool = control_plane.tool
        ports = {old: str(processes.free_port())
                 for old in ("9953", "9090", "9093")}
        moved = [(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
                 for old, new in ports.items()]
        stand_in = standin.StandIn(self.folder)
        self.addCleanup(stand_in.close)
        self.folder.file(".kube/config", json.dumps({
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": stand_in.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c",
                                                   "user": "u"}}]}))
        for name in ("state", "prometheus", "alertmanager"):
            os.mkdir(self.folder.file(name))
        exporter = self.start("exporter", binary(), moved)

        routes = self.mounts("alertmanager")[
            "/etc/alertmanager/alertmanager.yaml"]
        subprocess.run([tool("amtool"), "check-config", routes], check=True,
                       capture_output=True)
        self.start("alertmanager", tool("alertmanager"), moved)

        text = self.on_host("prometheus", (
            FOLDER / "prometheus.yaml").read_text()).replace("30s", "1s")
        for old, new in moved:
            text = text.replace(old, new)
        config = self.folder.file("prometheus.yaml", text)
        self.start("prometheus", tool("prometheus"), [*moved, (
            str(FOLDER / "prometheus.yaml"), config)])
        api = f"http://127.0.0.1:{ports['9090']}/api/v1"
        processes.wait_until(lambda: not self.health(
            "prometheus", tool("promtool"), ports["9090"]), 30,
            "Prometheus is healthy")
        processes.wait_until(lambda: not self.health(
            "alertmanager", tool("amtool"), ports["9093"]), 30,
            "Alertmanager is healthy")

        groups = json.loads(get(f"{api}/rules"))["data"]["groups"]
        written = sum(
            len(re.findall(r"^  - (alert|record):", path.read_text(), re.M))
            for path in (ROOT / "alerts/rules").glob("*.yaml"))
        self.assertEqual(sum(len(group["rules"]) for group in groups), written)
        self.assertGreater(written, 20)
        managers = processes.wait_until(lambda: json.loads(
            get(f"{api}/alertmanagers"))["data"]["activeAlertmanagers"], 20,
            "an Alertmanager")
        self.assertIn(ports["9093"], managers[0]["url"])

        def counted():
            exporter.expect_running()
            found = json.loads(get(
                f"{api}/query?query=count(kube_event_occurrences_total"
                f"%7Bjob=%22{JOB}%22%7D)"))["data"]["result"]
            return found and float(found[0]["value"][1]) > 50
        processes.wait_until(counted, 30, "Prometheus scrapes the exporter")

    def test_the_readme_is_taken(self):
        """helm accepts its values, Prometheus its scrape job."""
        control_plane.need("helm", "promtool")
        taken = []
        for _, name, body in deploy_readme.blocks(
                (ROOT / deploy_readme.README).read_text()):
            path = self.folder.file(name, body)
            if name == "prometheus.yaml":
                command = ["promtool", "check", "config", "--syntax-only", path]
            elif name == "values.yaml":
                command = ["helm", "template", JOB, str(
                    ROOT / "deploy/helm/kube-event-metrics"), "-f", path]
            else:
                continue
            done = subprocess.run(
                [control_plane.tool(command[0]), *command[1:]],
                capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
            taken.append(name)
        self.assertEqual(sorted(taken), ["prometheus.yaml"] + 5 *
                         ["values.yaml"])


if __name__ == "__main__":
    unittest.main()
