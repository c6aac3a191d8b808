"""The base of the tests that install deploy/ on a cluster.

Every namespace enforces Pod Security `restricted`, the controllers that create
Pods run, and the custom resources of the operators are defined.
"""

import glob
import os
import unittest

import yaml

from rig import served
from rig.api import Api
from rig.case import ClusterCase, find_tools
from rig.control_plane import need, tool
from rig.helm import Helm
from rig.kubelet import PodExporter, unshare
from rig.processes import wait_until

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEPLOY = os.path.join(os.path.dirname(os.path.dirname(TESTS)), "deploy")
CHART = f"{DEPLOY}/helm/kube-event-metrics"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class PlainEquals(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads a lone = as a string, as YAML 1.2 does."""


PlainEquals.add_constructor("tag:yaml.org,2002:value",
                            PlainEquals.construct_yaml_str)


def read_yaml(path):
    return list(yaml.load_all(read_text(path), PlainEquals))


class InstallCase(ClusterCase):
    """Class attribute: helm, in addition to those of ClusterCase."""

    @classmethod
    def setUpClass(cls):
        find_tools()
        need("helm", "kustomize", "kubectl", "prometheus-operator-crd")
        if not unshare():
            raise unittest.SkipTest("mount namespaces are not allowed here")
        super().setUpClass()
        cls.plane.start_controller_manager()
        paths = (glob.glob(f"{tool('prometheus-operator-crd')}/*.yaml") +
                 glob.glob(f"{TESTS}/crds/*.yaml"))
        cls.define([one for path in paths for one in read_yaml(path)])
        cls.helm = Helm(cls.plane, CHART)

    @classmethod
    def define(cls, definitions):
        """Applies CustomResourceDefinitions and waits for their resources."""
        served.Applied(cls.api, definitions).apply()
        wanted = {(one["spec"]["group"], one["spec"]["names"]["plural"])
                  for one in definitions}
        wait_until(lambda: wanted <= {(one.group, one.name) for one
                                      in served.resources(cls.api)},
                   30, "the custom resources are served")
        wait_until(lambda: served.inventory(cls.api), 30, "they are listed")

    def namespace(self, name):
        """Creates a namespace with Pod Security; waits for its account."""
        self.api.ensure("/api/v1/namespaces",
                        {"metadata": {"name": name, "labels": RESTRICTED}})
        space = f"/api/v1/namespaces/{name}"
        for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
            wait_until(lambda path=path: self.api.get(f"{space}/{path}"), 20,
                       f"{name} has its {path}")
        return name

    def expect_inventory(self, before, seconds=40):
        """Waits until the cluster has exactly the objects of before."""
        changed = [None]

        def same():
            changed[0] = sorted(served.inventory(self.api) ^ before)
            return not changed[0]
        try:
            wait_until(same, seconds, "nothing is left", 0.5)
        except TimeoutError:
            self.fail(f"left, or missing: {changed[0]}")

    def pods(self, namespace, deployment):
        pods = served.pods_of(self.api, namespace, deployment)
        self.assertEqual(self.refusals(namespace), [])
        return pods

    def refusals(self, namespace):
        """Messages of the controllers about Pods that were not admitted."""
        return [event["message"] for event in self.api.get(
            f"/api/v1/namespaces/{namespace}/events")["items"]
                if event["reason"] == "FailedCreate"]

    def tls_secret(self, pod):
        """Creates the Secret that cert-manager would, if the Pod needs it."""
        for volume in pod["spec"]["volumes"]:
            name = volume.get("secret", {}).get("secretName", "")
            space = f"/api/v1/namespaces/{pod['metadata']['namespace']}"
            if not name or self.api.raw("GET",
                                        f"{space}/secrets/{name}")[0] == 200:
                continue
            pki = self.plane.certificates
            self.api.post(f"{space}/secrets", {
                "metadata": {"name": name, "labels": {"made-by": "test"}},
                "type": "kubernetes.io/tls", "stringData": {
                    "tls.crt": read_text(pki.serving),
                    "tls.key": read_text(pki.serving_key)}})

    def drop_tls_secret(self, namespace):
        status, text = self.api.raw(
            "DELETE", f"/api/v1/namespaces/{namespace}/secrets?"
            "labelSelector=made-by%3Dtest")
        self.assertIn(status, (200, 404), text)

    def user(self, container):
        """A client with the token of a Pod's container."""
        user = Api(self.plane.port, self.plane.certificates.ca,
                   container.token)
        self.addCleanup(user.disconnect)
        return user

    def release(self, name, namespace, *flags):
        """(Deployment's name, its first Pod) of a new release."""
        self.helm.install(name, namespace, *flags)
        self.assertEqual(self.helm.warnings, [])
        deployment, = [one["metadata"]["name"] for one in self.api.get(
            f"/apis/apps/v1/namespaces/{namespace}/deployments")["items"]]
        return deployment, self.pods(namespace, deployment)[0]

    def run_pod(self, pod, name):
        """Runs the exporter of a Pod until both probes succeed."""
        exporter = PodExporter(self.plane, pod, name)
        self.addCleanup(self.expect_clean_stop, exporter)
        exporter.wait_ready()
        for probe in ("livenessProbe", "readinessProbe"):
            path = exporter.container.probe_path(probe)
            self.assertEqual(exporter.fetch(path)[0], 200, path)
        return exporter
