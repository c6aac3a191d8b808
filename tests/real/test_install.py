"""deploy/ on a real API server: overlays, chart, Pod Security, least rights.

The controllers create Pods under Pod Security `restricted`. The tests run them
as a kubelet would, with the token of their service account.
"""

import copy
import glob
import json
import os
import subprocess
import sys
import unittest

import yaml

from rig import manifests, rights, served
from rig.control_plane import tool
from rig.install import DEPLOY, RESTRICTED, InstallCase
from rig.kubelet import Container
from rig.processes import wait_until

OVERLAYS = [f"{DEPLOY}/kustomize/base",
            *sorted(glob.glob(f"{DEPLOY}/kustomize/overlays/*"))]
NAME = "kube-event-metrics"
NAMESPACE = f"/api/v1/namespaces/{NAME}"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
# The default of --metrics.initial-zero, and time for the value after it.
HOLD_SECONDS = 75 + 25

# mode: (helm's flags, namespaces whose Events it may read; None is all)
MODES = {
    "cluster": ((), None),
    "scoped": (("--set", "rbac.mode=cluster-scoped"),
               ("default", "kube-system")),
    "chosen": (("--set", "rbac.mode=namespaces", "--set",
                "rbac.namespaces={default,team-a}"), ("default", "team-a"))}

# The additional rights of the overlay `sinks`; the namespace "" means all.
SINK_METRICS = {"": {("", "nodes", "patch"), ("", "persistentvolumes", "patch")},
           "infra": {("", "events", "create"), ("", "events", "patch")}}

# Everything that the chart can create in addition to its defaults.
ALL_ON = {
    "monitor": {"enabled": True}, "prometheusRule": {"enabled": True},
    "dashboards": {"enabled": True, "kind": "GrafanaDashboard"},
    "networkPolicy": {"enabled": True},
    "state": {"type": "persistentVolumeClaim"},
    "web": {"tls": {"enabled": True, "secretName": f"{NAME}-tls",
                    "certManager": {"enabled": True, "issuerRef": {
                        "name": "selfsigned", "kind": "Issuer"}}}}}


class ClusterScoped:
    """The truth for an exporter with --scope=cluster."""

    def __init__(self, truth):
        self._truth = truth

    def expected(self, baselines):
        return {family: {pairs: value for pairs, value in samples.items()
                         if ("scope", "cluster") in pairs}
                for family, samples in self._truth.expected(baselines).items()}


class InstallTest(InstallCase):

    # Everything applied.

    def prove_applied(self, objects, namespace, more=None):
        """Applies twice, checks admission and rights, and deletes."""
        for name in {one["metadata"].get("namespace", namespace)
                     for one in objects}:
            self.namespace(name)
        before = served.inventory(self.api)
        applied = served.Applied(self.api, objects, namespace)
        try:
            self.assertEqual(applied.apply(), [])
            for deployment in applied.live("Deployment"):
                self.prove_admitted(deployment, more or {})
            settled = applied.settled()
            self.assertEqual(applied.apply(), [])
            for one, now in zip(settled, applied.live()):
                if now["kind"] == "PersistentVolumeClaim":
                    # Each new claim is written a second time, unchanged.
                    now["metadata"]["resourceVersion"] = one["metadata"][
                        "resourceVersion"]
                self.assertEqual(now, one, "changed by the second apply")
        finally:
            # Its deletion takes a while; test_kubectl_alone covers it.
            applied.delete(keep="Namespace")
            self.drop_tls_secret(namespace)
            self.expect_inventory(before)

    def prove_admitted(self, deployment, more):
        meta = deployment["metadata"]
        pods = self.pods(meta["namespace"], meta["name"])
        self.tls_secret(pods[0])
        container = Container(self.plane, pods[0])
        code, output = container.run("--dry-run")
        self.assertEqual(code, 0, output)
        user = self.user(container)
        spaces = {"default", "kube-system", "team-a", meta["namespace"], *more}
        spaces.discard("")
        readable = container.watched_namespaces() or None
        self.prove_rules(user, spaces, readable, more)
        if more:
            self.prove_rights(user, spaces, readable, more)

    def prove_rules(self, user, spaces, readable, more):
        """The server's rules allow it to read Events there and nothing else."""
        basic = rights.basic(served.resources(self.api))
        for space in spaces:
            events = (rights.EVENTS if readable is None or space in readable
                      else set())
            others = more.get("", set()) | more.get(space, set())
            self.assertEqual(rights.rules(user, space), (
                basic | events | others,
                {(url, "get") for url in rights.BASIC_URLS}), space)

    def test_kubectl_alone(self):
        """kubectl apply -k works, and delete -k leaves nothing."""
        # Remove the namespace that other tests left.
        self.api.raw("DELETE", NAMESPACE)
        wait_until(lambda: self.api.raw("GET", NAMESPACE)[0] == 404, 30,
                   "the namespace is gone")
        before = served.inventory(self.api)
        self.kubectl("apply", "--server-side", "--validate=strict")
        self.assertLessEqual(
            RESTRICTED.items(),
            self.api.get(NAMESPACE)["metadata"]["labels"].items())
        self.pods(NAME, NAME)
        self.kubectl("delete")
        self.expect_inventory(before)

    def kubectl(self, *command):
        done = subprocess.run(
            [tool("kubectl"), *command, "--kubeconfig",
             self.plane.kubeconfig("kubectl.yaml"), "-k",
             f"{DEPLOY}/kustomize/overlays/kube-prometheus-stack"],
            env={"PATH": os.environ["PATH"], "HOME": self.folder.path},
            capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_every_overlay(self):
        self.assertGreater(len(OVERLAYS), 8, OVERLAYS)
        for path in OVERLAYS:
            with self.subTest(os.path.basename(path)):
                done = subprocess.run(
                    [tool("kustomize"), "build", path], timeout=60,
                    capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                sinks = os.path.basename(path) == "sinks"
                self.prove_applied(list(yaml.safe_load_all(done.stdout)),
                                   NAME, SINK_METRICS if sinks else None)

    def test_the_chart_as_a_template(self):
        namespace = self.namespace("templated")
        values = self.folder.file("all-on.yaml", json.dumps(ALL_ON))
        for flags in ((), ("--values", values)):
            with self.subTest(flags):
                self.prove_applied(
                    self.helm.template(NAME, namespace, *flags), namespace)

    def test_pod_security_is_enforced(self):
        """The same Deployment with one more privilege gets no Pod."""
        namespace = self.namespace("refused")
        objects = [one for one in self.helm.template(NAME, namespace)
                   if one["kind"] in ("ServiceAccount", "Deployment")]
        for one in objects:
            if one["kind"] == "Deployment":
                container, = one["spec"]["template"]["spec"]["containers"]
                container["securityContext"]["allowPrivilegeEscalation"] = True
        served.Applied(self.api, objects, namespace).apply()
        frame = self.wait_event("FailedCreate", object_namespace=namespace)
        self.assertIn("allowPrivilegeEscalation", frame.note)
        self.assertEqual(self.api.get(
            f"/api/v1/namespaces/{namespace}/pods")["items"], [])
        self.assertNotEqual(self.refusals(namespace), [])

    # The token.

    def write_events(self, namespaces):
        # The API server accepts Events of cluster-scoped objects only here.
        for namespace in ("default", "kube-system"):
            self.recorded(self.api.post(
                manifests.EVENTS_V1.format(namespace), manifests.new_event(
                    "about-node", manifests.about_node("n"), "Installed",
                    namespace=namespace)))
        for namespace in namespaces:
            self.recorded(self.api.post(
                manifests.CORE_V1.format(namespace), manifests.legacy_event(
                    "about-pod", manifests.about_pod("p", namespace),
                    "Installed", count=4, namespace=namespace)))

    def test_the_token_reads_events_and_nothing_else(self):
        spaces = ("default", "kube-system", self.namespace("team-a"))
        for mode in MODES:
            self.namespace(mode)
        exporters = {}
        before = served.inventory(self.api)
        for mode, (flags, readable) in MODES.items():
            _, pod = self.release(mode, mode, *flags)
            exporters[mode] = self.run_pod(pod, mode)
            self.assertEqual(set(exporters[mode].baselines()),
                             set(readable or ("",)))
        self.write_events(spaces)
        for mode, (_, readable) in MODES.items():
            with self.subTest(mode):
                self.prove_rights(self.user(exporters[mode].container),
                                  (mode, *spaces), readable, {})
        self.prove_one_more_right_is_found(
            self.user(exporters["cluster"].container))
        for mode, exporter in exporters.items():
            with self.subTest(mode):
                exporter.wait_exact(
                    ClusterScoped(self.truth) if mode == "scoped"
                    else self.truth, HOLD_SECONDS)
        for mode in MODES:
            self.helm.run("uninstall", mode, "--namespace", mode)
        self.expect_inventory(before)

    def prove_rights(self, user, spaces, readable, more):
        everything = served.resources(self.api)
        allowed, asked = rights.allowed_requests(user, everything, spaces)
        basic = rights.basic(everything)
        self.assertEqual(allowed, rights.expected(basic, spaces, readable) | {
            rights.Allowed(*right, space)
            for space, some in more.items() for right in some})
        self.assertGreater(asked, 2000)
        print(f"  {asked} requests, {len(allowed)} allowed", file=sys.stderr)
        self.assertEqual(rights.allowed_urls(user), set())
        self.assertEqual(
            rights.allowed_odd_verbs(user, everything, "default"), set())
        self.prove_rules(user, spaces, readable, more)

    def prove_one_more_right_is_found(self, user):
        """Each of the checks finds a right that must not exist."""
        self.api.post(f"{RBAC}/clusterroles", {
            "metadata": {"name": "more"}, "rules": [
                {"apiGroups": ["apps"], "resources": ["deployments/scale"],
                 "verbs": ["patch", "escalate"]},
                {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]})
        self.api.post(f"{RBAC}/clusterrolebindings", {
            "metadata": {"name": "more"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
                        "kind": "ClusterRole", "name": "more"},
            "subjects": [{"kind": "Group", "name": "system:serviceaccounts",
                          "apiGroup": "rbac.authorization.k8s.io"}]})
        scale = [one for one in served.resources(self.api)
                 if one.name == "deployments/scale"]
        try:
            wait_until(lambda: rights.allowed_urls(user) == {"/metrics"}, 20,
                       "one more URL")
            self.assertEqual(
                rights.allowed_requests(user, scale, ("default",))[0],
                {("apps", "deployments/scale", "patch", "default")})
            self.assertEqual(
                rights.allowed_odd_verbs(user, scale, "default"),
                {("apps", "deployments/scale", "escalate")})
            self.assertIn(("apps", "deployments/scale", "patch"),
                          rights.rules(user, "default")[0])
        finally:
            self.api.delete(f"{RBAC}/clusterrolebindings/more")
            self.api.delete(f"{RBAC}/clusterroles/more")

    # The life of a release.

    def values(self, **changes):
        """A file of values: state on a claim, a short initial zero, changes."""
        chosen = {"state": {"type": "persistentVolumeClaim"},
                  "config": {"metrics": {"initial-zero": "1s"}},
                  "image": {"tag": "0.0.9"}}
        chosen.update(copy.deepcopy(changes))
        return "--values=" + self.folder.file("values.yaml",
                                              json.dumps(chosen))

    def claims(self, namespace):
        return {one["metadata"]["uid"] for one in self.api.get(
            f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")["items"]}

    def repeat(self, count):
        """Sets the count of this test's Event."""
        path = manifests.CORE_V1.format("default")
        self.recorded(self.api.ensure(path, manifests.legacy_event(
            "upgraded", manifests.about_node("n"), "Upgraded")))
        self.recorded(self.api.patch(f"{path}/upgraded", {"count": count}))

    def test_upgrade_rollback_and_uninstall(self):
        namespace = self.namespace("upgraded")
        before = served.inventory(self.api)
        deployment, pod = self.release(NAME, namespace, self.values())
        claims = self.claims(namespace)
        self.assertEqual(len(claims), 1)
        exporter = self.run_pod(pod, "installed")
        self.repeat(3)
        exporter.wait_exact(self.truth)
        steps = {
            "upgraded": lambda: self.helm.upgrade(
                NAME, namespace, self.values(
                    image={"tag": "0.1.0"}, config={
                        "metrics": {"initial-zero": "1s"},
                        "log": {"level": "debug"}},
                    resources={"limits": {"memory": "256Mi"}})),
            "rolled-back": lambda: self.helm.run(
                "rollback", NAME, "1", "--namespace", namespace)}
        for number, (name, step) in enumerate(steps.items(), 2):
            self.expect_clean_stop(exporter)
            self.repeat(3 * number)
            step()
            self.assertEqual(self.helm.warnings, [])
            old, (pod,) = pod, self.pods(namespace, deployment)
            self.assertNotEqual(pod["spec"], old["spec"], name)
            self.assertEqual(self.claims(namespace), claims)
            exporter = self.run_pod(pod, name)
            self.repeat(3 * number + 1)
            exporter.wait_exact(self.truth)
        self.expect_clean_stop(exporter)
        self.prove_helm_test(namespace)
        self.helm.run("uninstall", NAME, "--namespace", namespace)
        self.expect_inventory(before)

    def prove_helm_test(self, namespace):
        """`helm test` passes, and fails without the binding."""
        hook, = self.helm.hooks(NAME, namespace)
        self.assertEqual(hook["kind"], "Pod")
        pod = self.api.post(f"/api/v1/namespaces/{namespace}/pods", hook)

        def outcome():
            return Container(self.plane, pod).run()
        code, output = outcome()
        self.assertEqual(code, 0, output)
        self.api.delete(f"{RBAC}/clusterrolebindings/{NAME}")
        wait_until(lambda: outcome()[0] == 1, 20, "helm test fails")
        # The next upgrade restores the binding.
        self.helm.upgrade(NAME, namespace, self.values())
        wait_until(lambda: outcome()[0] == 0, 20, "helm test passes again")
        self.api.delete(f"/api/v1/namespaces/{namespace}/pods/"
                        f"{pod['metadata']['name']}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
