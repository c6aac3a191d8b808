"""Every command of every runbook runs on a real control plane.

Each alert has objects and Events that show its symptom. The variables of its
runbook get the labels of the alert. Each command must succeed, and its output
must contain a name or a text of the symptom. Each query must have a result in
a real Prometheus. Commands that need a node are checked for syntax only.
"""

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from rig import control_plane, manifests, processes, runbooks, symptoms
from rig.api import rfc3339
from rig.case import ClusterCase
from rig.exporter import Exporter, binary, make_account
from rig.kubelet import unshare
from rig.prometheus import Prometheus
from rig.sinks import forbid_label

FOLDER = os.path.join(symptoms.ROOT, "alerts", "runbooks")
SCRAPE = """  relabel_configs:
  - {{target_label: instance, replacement: "{instance}"}}
- job_name: full
  relabel_configs: [{{target_label: job, replacement: kube-event-metrics}}]
  static_configs: [{{targets: ["{full}"]}}]
- job_name: kube-apiserver
  scheme: https
  tls_config: {{ca_file: "{ca}"}}
  authorization: {{credentials: {token}}}
  metric_relabel_configs:
  - {{source_labels: [__name__], regex: ".*_allocator_.*", action: keep}}
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
# kube-state-metrics does not run here.
STATES = """groups:
- name: states
  rules:
  - record: kube_node_status_condition
    expr: vector(0)
    labels: {node: at-nodenotready-1, condition: Ready, status: "true"}
  - record: kube_event:node_not_ready:timestamp_seconds
    expr: |
      max by (object_name) (
        kube_event_last_seen_timestamp_seconds{reason="NodeNotReady"})
"""
# What the API server refuses is an answer, and an exit code of 1.
REFUSED = re.compile(r"kubectl (auth can-i|drain .* --dry-run=server)")
# Mounts a file system in $1, which is soon full, and runs the other arguments.
SMALL_DISK = """mount -t tmpfs -o size=1m none "$1" && shift && exec "$@" """
KUBELET = """kind: ClusterLogs
apiVersion: kwok.x-k8s.io/v1alpha1
metadata: {{name: logs}}
spec: {{logs: [{{logsFile: "{log}", previousLogsFile: "{log}"}}]}}
---
kind: ClusterPortForward
apiVersion: kwok.x-k8s.io/v1alpha1
metadata: {{name: ports}}
spec: {{forwards: [{{target: {{address: 127.0.0.1, port: {port}}}}}]}}
"""


def read(name):
    with open(os.path.join(FOLDER, f"{name}.md"), encoding="utf-8") as text:
        return text.read()


GOOD = f"""## Diagnosis

```bash
NODE='<object_name>'
read -r SPACE POD <<<"$(kubectl get pods -A | grep $NODE)"
kubectl describe node $NODE |
  grep Ready   # its state
```

1. More:

   ```bash
   # On the node:
   df -h
   ```

## {runbooks.OVER}

```promql
up == 0

up == 1
```
"""


class WrittenTest(unittest.TestCase):
    """How runbooks are parsed, and what is rejected."""

    def test_a_runbook(self):
        self.assertEqual(list(runbooks.problems(GOOD, {"object_name"})), [])
        found = list(runbooks.commands(GOOD))
        self.assertEqual([each.text.partition(" ")[0] for each in found], [
            "NODE='<object_name>'", "read", "kubectl", "df", "up", "up"])
        self.assertEqual([bool(each.mark) for each in found],
                         [False] * 3 + [True] + [False] * 2)
        self.assertIn("grep Ready", found[2].text)

    def test_mistakes(self):
        for old, new, words in (
                (f"## {runbooks.OVER}", "## More", "no command in a section"),
                ("<object_name>", "<sink>", "set from no label"),
                ("'<object_name>'", "worker-1", "set from no label"),
                ("node $NODE", "node $OTHER", "$OTHER is not set"),
                ("```promql", "```", "a block of no language"),
                ("up == 1", "up == $NODE", "Prometheus does not know"),
                ("1. More:", "1. Run `kubectl drain x`:", "not in a block"),
                ("1. More:", "    kubectl get x", "not in a fenced block"),
                ("df -h", "df (", "bash cannot parse"),
                ("df -h", "kubectl get x", "kubectl does not run on"),
                ("# On the node:", "# Elsewhere: (\n(", "bash cannot parse")):
            with self.subTest(new):
                self.assertIn(words, "\n".join(runbooks.problems(
                    GOOD.replace(old, new), {"object_name"})))


class RunbooksTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        if not shutil.which("jq"):
            raise unittest.SkipTest("there is no jq")
        super().setUpClass()
        control_plane.need("kubectl", "kube-controller-manager", "kwok",
                           "prometheus")
        cls.plane.start_controller_manager("--node-monitor-grace-period=1h")
        for name in (symptoms.SHOP, symptoms.MONITORING, symptoms.MIRROR):
            cls.api.ensure("/api/v1/namespaces", {"metadata": {"name": name}})
        symptoms.serve_addons(cls.api, symptoms.of_all_alerts())
        cls.store = symptoms.Store(cls.api)
        cls.symptoms = {each.name: each for each in
                        symptoms.of_all_alerts(cls.make_owner())}
        cls.start_exporters()
        cls.write_symptoms()
        cls.start_kubelet()
        cls.spoil_exporter()
        cls.environment = {
            "PATH": f"{os.environ['KEM_REAL_BIN']}:{os.environ['PATH']}",
            "KUBECONFIG": cls.plane.kubeconfig("reader.yaml"),
            "HOME": cls.folder.path, "LANG": "C.UTF-8"}

    @classmethod
    def make_owner(cls):
        """What owns the Pods: kubectl drain evicts only Pods that a controller
        owns, and no controller deletes those of a custom resource."""
        owner = cls.api.post("/apis/karpenter.sh/v1/nodepools", {
            "apiVersion": "karpenter.sh/v1", "kind": "NodePool",
            "metadata": {"name": "owner"}})
        return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool",
                "name": "owner", "uid": owner["metadata"]["uid"],
                "controller": True}

    @classmethod
    def start_exporters(cls):
        """One that will be in trouble, one with too few series, Prometheus."""
        cls.config = cls.folder.file("config.yaml", json.dumps({"sinks": [
            {"name": symptoms.SINK, "type": "otlp", "queue-entries": 20,
             "endpoint": f"http://127.0.0.1:{processes.free_port()}"},
            {"name": "copies", "type": "mirror",
             "namespace": symptoms.MIRROR},
            {"name": "past", "type": "history", "path": cls.folder.file(
                "history.db", "SQLite format 3\0 and damage")}]}))
        cls.disk = cls.folder.file("disk")
        os.mkdir(cls.disk)
        make_account(cls.api, symptoms.EXPORTER)
        token = cls.api.token_for(symptoms.MONITORING, symptoms.EXPORTER)
        command = [binary(), "--kubeconfig", cls.plane.kubeconfig(
            "exporter.yaml", {"token": token})]
        prefix = unshare()
        if not prefix:
            raise unittest.SkipTest("mount namespaces are not allowed here")
        command = [*prefix, "sh", "-c", SMALL_DISK, "sh", cls.disk, *command]
        cls.exporter = Exporter(
            cls.plane, symptoms.EXPORTER, "--config.file", cls.config,
            f"--state.file={cls.disk}/state", "--state.interval=1s",
            initial_zero="4s", command=command)
        full = Exporter(cls.plane, "full", "--metrics.max-series=20",
                        initial_zero="4s")
        for each in (cls.exporter, full):
            cls.addClassCleanup(each.process.kill)
            each.wait_ready()
        cls.prometheus = Prometheus(
            cls.folder, "prometheus", control_plane.tool("prometheus"),
            cls.exporter.address, scrape=SCRAPE.format(
                instance=f"{symptoms.EXPORTER_IP}:9953",
                full=full.address, ca=cls.plane.certificates.ca,
                token=control_plane.ADMIN_TOKEN, port=cls.plane.port),
            more=f"rule_files: [{cls.folder.file('states.yaml', STATES)}]\n")
        cls.addClassCleanup(cls.prometheus.close)
        processes.wait_until(
            lambda: len(cls.prometheus.query(
                "count by (instance) (kube_event_metrics_synced) == 1")) and
            cls.prometheus.query("count(kube_event_metrics_synced) == 2"), 30,
            "Prometheus scrapes both")

    @classmethod
    def write_symptoms(cls):
        for symptom in cls.symptoms.values():
            for body in symptom.objects():
                cls.store.ensure(body)
            for event in symptom.events():
                space = event["metadata"]["namespace"]
                answer = cls.api.post(manifests.CORE_V1.format(space), event)
        for body in symptoms.components():
            cls.store.ensure(body)
        cls.share_an_address("at-serviceiprepairs-a", "at-serviceiprepairs-b")
        forbid_label(cls.api, "guarded", "at-sinkfailing-1")
        cls.recorder.wait_for_version(
            int(answer["metadata"]["resourceVersion"]))

    @classmethod
    def share_an_address(cls, *names):
        """Gives two Services one address, by deleting its IPAddress."""
        address = "10.0.0.50"
        for name in names:
            cls.api.post(f"/api/v1/namespaces/{symptoms.SHOP}/services", {
                "metadata": {"name": name}, "spec": {
                    "clusterIP": address, "type": "NodePort",
                    "ports": [{"port": 80}]}})
            cls.api.delete(
                f"/apis/networking.k8s.io/v1/ipaddresses/{address}")

    @classmethod
    def start_kubelet(cls):
        """kwok answers for the node of the exporter's Pod: logs and ports."""
        port = processes.free_port()
        cls.log = cls.folder.file("pod.log", "")
        rules = cls.folder.file("kubelet.yaml", KUBELET.format(
            log=cls.log, port=cls.exporter.address.rpartition(":")[2]))
        pki = cls.plane.certificates
        cls.plane.start_kwok(
            "kem.test/no-node=", f"--config={rules}",
            f"--server-address=127.0.0.1:{port}",
            f"--tls-cert-file={pki.serving}",
            f"--tls-private-key-file={pki.serving_key}")
        for body in symptoms.exporter_pod(port):
            cls.store.ensure(body)

    @classmethod
    def spoil_exporter(cls):
        """Its state is not saved and its configuration is invalid."""
        inside = f"/proc/{cls.exporter.process.pid}/root{cls.disk}"
        with contextlib.suppress(OSError):
            with open(f"{inside}/more", "wb", buffering=0) as more:
                while True:
                    more.write(bytes(4096))
        cls.folder.file("config.yaml", "sinks: {at-exporter: unknown}")
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(urllib.request.Request(
                f"http://{cls.exporter.address}/-/reload", method="POST"),
                timeout=10)
        # Something to save.
        cls.api.post(manifests.CORE_V1.format("default"),
                     manifests.legacy_event(
                         "late", manifests.about_node("late"), "Late"))
        for metric, labels in (("sink_failures_total", {"sink": "store"}),
                               ("sink_failures_total", {"sink": "copies"}),
                               ("sink_dropped_total", {"sink": "store"}),
                               ("state_saves_total", {"result": "failed"})):
            processes.wait_until(
                lambda: cls.exporter.own(metric, **labels), 30, metric)
        # As the container runtime writes the log.
        with open(cls.log, "a", encoding="utf-8") as log:
            for line in cls.exporter.process.log().splitlines():
                log.write(f"{rfc3339(time.time(), True)} stdout F {line}\n")

    def bash(self, text, *more):
        """(exit code, output) of a command."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", *more, "-c", text],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=self.environment, timeout=60,
            cwd=self.folder.path, text=True, check=False)
        return done.returncode, done.stdout

    def expect(self, symptom, command, setters):
        """Runs one command or query."""
        if command.language == "promql":
            self.expect_result(symptom, command.text)
            return
        text = runbooks.fill(command.text, symptom.values)
        if command.mark:
            self.assertEqual(self.bash(text, "-n"), (0, ""))
            return
        if runbooks.SET.match(text):
            setters.append(text)
            code, output = self.bash("\n".join(setters))
            self.assertEqual((code, output), (0, ""))
            return
        code, output = self.bash("\n".join(setters + [text]))
        # 141: head ended before the command did.
        self.assertIn(code, (0, 1) if REFUSED.match(text) else (0, 141),
                      output)
        if text.startswith("kubectl auth can-i"):
            self.assertIn(output.split()[-1], ("yes", "no"))
            return
        self.assertTrue(any(word in output for word in symptom.shows),
                        f"shows none of {symptom.shows}:\n{output}")

    def expect_result(self, symptom, query):
        found = [dict(labels) for labels in
                 self.prometheus.at(query, time.time())]
        self.assertTrue(found, "no result")
        for label in ("object_name", "instance", "sink"):
            values = {labels[label] for labels in found if label in labels}
            if values and label in symptom.labels:
                self.assertIn(symptom.labels[label], values, label)

    def check(self, name):
        symptom, setters = self.symptoms[name], []
        text = read(name)
        self.assertEqual(list(runbooks.problems(text, symptom.labels)), [])
        for command in runbooks.commands(text):
            # An earlier command may have deleted an object.
            for body in symptom.objects():
                if command.section != "Diagnosis":
                    self.store.ensure(body)
            with self.subTest(command.text):
                self.expect(symptom, command, setters)


for _symptom in symptoms.of_all_alerts():
    setattr(RunbooksTest, f"test_{_symptom.name}", functools.partialmethod(
        RunbooksTest.check, _symptom.name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
