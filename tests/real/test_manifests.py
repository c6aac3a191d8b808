"""The Helm chart and the kustomizations, without a control plane.

The tests render them over a matrix of values, validate them against the
definitions of Kubernetes and of the CRDs, and compare them: an overlay equals
the chart with the values of overlays/<its name>.yaml.
"""

import copy
import glob
import itertools
import os
import shutil
import subprocess
import tarfile
import unittest

import yaml

from rig import case, control_plane, processes
from rig.schemas import Schemas

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CHART = os.path.join(ROOT, "deploy", "helm", "kube-event-metrics")
KUSTOMIZE = os.path.join(ROOT, "deploy", "kustomize")
OVERLAYS = ["base"] + sorted(os.listdir(os.path.join(KUSTOMIZE, "overlays")))
PROGRAMS = ("helm", "helm-unittest", "kustomize", "kubeconform",
            "kubernetes-openapi.json", "prometheus-operator-crd")
NAME = "kube-event-metrics"
# The values with the most kinds of objects.
OPERATOR = os.path.join(HERE, "overlays", "grafana-operator.yaml")

LOGIN = {"basic_auth_users": {"prometheus": "$2y$10$x"}}
WEB = {
    "plain": {},
    "secret": {"web": {"tls": {"enabled": True, "secretName": "mine"}}},
    "cert-manager": {"web": {"tls": {"enabled": True, "certManager": {
        "enabled": True, "issuerRef": {"name": "ca", "kind": "Issuer"}}}}},
    "login": {
        "web": {"config": LOGIN},
        "probes": {"httpHeaders": [{"name": "Authorization", "value": "x"}]},
        "monitor": {"basicAuth": {
            key: {"name": "login", "key": key}
            for key in ("username", "password")}}},
    "client": {
        "web": {"tls": {"enabled": True, "secretName": "mine"}, "config": {
            "tls_server_config": {
                "client_auth_type": "RequireAndVerifyClientCert",
                "client_ca_file": "/etc/kube-event-metrics/tls/ca.crt"}}},
        "monitor": {"tlsConfig": {
            "cert": {"secret": {"name": "client", "key": "tls.crt"}},
            "keySecret": {"name": "client", "key": "tls.key"}}}},
}
STATE = [{"type": "emptyDir"}, {"type": "none"},
         {"type": "persistentVolumeClaim", "storageClassName": "fast"},
         {"type": "persistentVolumeClaim", "existingClaim": "mine"}]
RBAC = [{"mode": "cluster"}, {"mode": "cluster-scoped"},
        {"mode": "namespaces", "namespaces": ["a", "b"]}]
# Values that need no combination with all others: distributed over the matrix.
MORE = [
    {},
    {"dashboards": {"enabled": True, "kind": "GrafanaDashboard",
                    "namespace": "grafana"}},
    {"dashboards": {"enabled": True, "annotations": {"a": "b"}}},
    {"prometheusRule": {"enabled": True,
                        "disabled": ["KubeEventNodeNotReady"]}},
    {"networkPolicy": {"enabled": True, "apiServerPorts": [8443], "from": [
        {"namespaceSelector": {"matchLabels": {"a": "b"}}}]}},
    {"config": {"scope": "cluster", "metrics": {"initial-zero": "2m"}},
     "podAnnotations": {"a": "b"}, "podLabels": {"c": "d"}},
    {"image": {"digest": "sha256:" + 64 * "0"},
     "imagePullSecrets": [{"name": "pull"}], "priorityClassName": "high",
     "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]},
    {"serviceAccount": {"create": False, "name": "mine"},
     "rbac": {"create": False}, "extraArgs": ["--log.level=debug"],
     "web": {"externalUrl": "https://events.example.com",
             "grafanaUrl": "https://grafana.example.com"},
     "service": {"type": "NodePort", "port": 80, "annotations": {"a": "b"}}},
]
MONITORS = [{"enabled": False},
            {"enabled": True, "interval": "1m", "scrapeTimeout": "20s"},
            {"enabled": True, "kind": "PodMonitor", "relabelings": [
                {"action": "labeldrop", "regex": "pod"}]}]


def merged(*values):
    """Merges maps; later ones win, as with helm's files."""
    result = {}
    for each in values:
        for key, value in each.items():
            both = isinstance(value, dict) and isinstance(result.get(key),
                                                          dict)
            result[key] = (merged(result[key], value) if both
                           else copy.deepcopy(value))
    return result


def matrix():
    """{name: values}: each state with each right and each way to serve."""
    found = {}
    more = itertools.cycle(MORE)
    monitors = itertools.cycle(MONITORS)
    for state, rbac, (web, serving) in itertools.product(STATE, RBAC,
                                                         WEB.items()):
        one = state["type"] == "persistentVolumeClaim"
        found[f"{len(found):02}-{state['type']}-{rbac['mode']}-{web}"] = merged(
            {"state": state, "rbac": rbac, "monitor": next(monitors)},
            {} if one else {"replicas": 2,
                            "podDisruptionBudget": {"enabled": True}},
            serving, next(more))
    return found


def comparable(text):
    """{identity: object} without fields that only Helm or kustomize sets."""
    found = {}
    for each in yaml.load_all(text, yaml.CSafeLoader):
        meta = each["metadata"]
        if (each["kind"] == "Namespace"
                or "helm.sh/hook" in meta.get("annotations", {})):
            continue
        for label in ("helm.sh/chart", "app.kubernetes.io/managed-by"):
            meta["labels"].pop(label, None)
        if each["kind"] == "Deployment":
            # Only Helm has it: users of kustomize restart after a change.
            template = each["spec"]["template"]
            notes = template["metadata"].get("annotations", {})
            if notes.pop("checksum/config", None) and not notes:
                del template["metadata"]["annotations"]
            pod = template["spec"]
            for volumes in (pod["volumes"],
                            pod["containers"][0]["volumeMounts"]):
                volumes.sort(key=lambda volume: volume["name"])
        key = (each["apiVersion"], each["kind"], meta.get("namespace"),
               meta["name"])
        if key in found:
            raise AssertionError(f"duplicate object: {key}")
        found[key] = each
    return found


class ManifestsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        case.find_tools()
        control_plane.need(*PROGRAMS)
        cls.tools = os.environ["KEM_REAL_BIN"]
        cls.folder = processes.WorkFolder("manifests")
        cls.addClassCleanup(cls.folder.close)
        os.mkdir(cls.folder.file("schemas"))
        cls.schemas = Schemas(cls.folder.file("schemas"), cls.tools,
                              os.path.join(HERE, "crds"))

    def tool(self, name, *arguments, fails=False):
        """The output; with `fails`, of a command that must fail."""
        done = subprocess.run([os.path.join(self.tools, name), *arguments],
                              capture_output=True, text=True, check=False)
        self.assertEqual(bool(done.returncode), fails,
                         f"{name} {arguments}\n{done.stdout}{done.stderr}")
        return done.stderr + done.stdout if fails else done.stdout

    def template(self, *arguments, chart=CHART, **how):
        return self.tool("helm", "template", NAME, chart, "--namespace", NAME,
                         *arguments, **how)

    def values(self, name, values):
        return self.folder.file(f"values/{name}.yaml", yaml.safe_dump(values))

    def conform(self, path, **how):
        return self.tool("kubeconform", "-strict", "-summary", "-n", "2",
                         "-schema-location", self.schemas.location, path,
                         **how)

    def test_the_matrix_of_values_is_valid(self):
        cases = matrix()
        for name, values in cases.items():
            path = self.values(name, values)
            self.tool("helm", "lint", "--strict", "--values", path, CHART)
            self.folder.file(f"matrix/{name}.yaml",
                             self.template("--values", path))
        said = self.conform(self.folder.file("matrix"))
        self.assertIn(f"in {len(cases)} files", said)
        self.assertIn("Invalid: 0, Errors: 0, Skipped: 0", said)
        self.tool("helm", "lint", "--strict", CHART)

    def test_every_kustomization_is_valid(self):
        paths = glob.glob(os.path.join(ROOT, "*", "kustomization.yaml"))
        paths += glob.glob(os.path.join(ROOT, "dashboards", "*",
                                        "kustomization.yaml"))
        self.assertEqual(len(paths), 3)
        folders = [os.path.dirname(path) for path in paths]
        for folder in folders + [self.overlay(name) for name in OVERLAYS]:
            built = self.folder.file("overlays/" + folder.replace("/", "_")
                                     + ".yaml",
                                     self.tool("kustomize", "build", folder))
            self.assertIn("Invalid: 0, Errors: 0, Skipped: 0",
                          self.conform(built))

    @staticmethod
    def overlay(name):
        return os.path.join(KUSTOMIZE, "" if name == "base" else "overlays",
                            name)

    def test_overlays_are_the_chart_with_values(self):
        for name in OVERLAYS:
            with self.subTest(name):
                overlay = comparable(
                    self.tool("kustomize", "build", self.overlay(name)))
                chart = comparable(self.template("--values", os.path.join(
                    HERE, "overlays", f"{name}.yaml")))
                self.assertEqual(list(sorted(overlay, key=str)),
                                 list(sorted(chart, key=str)))
                for key, made in chart.items():
                    self.assertEqual(overlay[key], made)

    def test_a_misspelt_field_is_refused(self):
        good = self.template("--values", OPERATOR)
        for old, new, kind in (
                ("replicas:", "replica:", "Deployment"),
                ("port: http", "prot: http", "Deployment"),
                ("labels:", "lables:", "ServiceMonitor"),
                ("interval:", "intervall:", "ServiceMonitor"),
                ("expr:", "expression:", "PrometheusRule"),
                ("configMapRef:", "configMapref:", "GrafanaDashboard"),
                ("cpu: 10m", "cpu: [1]", "Deployment")):
            self.assertIn(old, good)
            said = self.conform(self.folder.file(
                "planted.yaml", good.replace(old, new)), fails=True)
            self.assertRegex(said, rf"{kind} \S+ is invalid", new)

    def test_unit_tests_of_the_chart(self):
        said = self.tool("helm-unittest", "--strict", CHART)
        self.assertRegex(said, r"Test Suites: [1-9]\d* passed")

    def test_the_package_holds_what_the_folder_links_to(self):
        self.tool("helm", "package", CHART, "--destination",
                  self.folder.file("package"))
        package, = glob.glob(self.folder.file("package/*.tgz"))
        with tarfile.open(package) as archive:
            members = archive.getmembers()
        self.assertTrue(all(each.isfile() for each in members))
        names = [each.name.partition("/")[2] for each in members]
        self.assertEqual([n for n in names if n.startswith("tests/")], [])
        self.assertEqual(sum(n.startswith("files/dashboards/")
                             for n in names), 6)
        self.assertEqual(self.template("--values", OPERATOR, chart=package),
                         self.template("--values", OPERATOR))

    def test_a_copy_without_links_says_so(self):
        broken = self.folder.file("broken")
        shutil.copytree(CHART, broken, ignore=lambda *_: ["files"])
        for part in ("dashboards", "prometheusRule"):
            self.assertIn("use the packaged chart", self.template(
                "--set", f"{part}.enabled=true", chart=broken, fails=True))

    def test_wrong_values_are_refused(self):
        for wrong, words in {
                "replicas=two": "want integer",
                "replica=2": "'replica' not allowed",
                "monitor.intervall=1m": "'intervall' not allowed",
                "monitor.interval=30": "want string",
                "monitor.interval=30x": "does not match pattern",
                "monitor.kind=Probe": "must be one of",
                "rbac.mode=all": "must be one of",
                "rbac.namespaces={Team}": "does not match pattern",
                "state.type=hostPath": "must be one of",
                "state.size=much": "does not match pattern",
                "history.enabled=yes": "want boolean",
                "history.keep=14": "want string",
                "history.maxSize=512Mi": "does not match pattern",
                "image.digest=latest": "does not match pattern",
                "service.port=99999": "maximum",
                "networkPolicy.apiServerPorts={http}": "want integer",
                "dashboards.kind=Folder": "must be one of",
                "web.config.basic_auth_user.a=b": "not allowed",
                "podDisruptionBudget.enabled=perhaps": "want boolean",
        }.items():
            self.assertIn(words, self.template("--set", wrong, fails=True),
                          wrong)
        # Values that a parent chart passes down are no error.
        self.template("--set", "global.a=b,enabled=true")


if __name__ == "__main__":
    unittest.main()
