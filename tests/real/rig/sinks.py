"""Rights of an exporter that mirrors, annotates or leads, and kubectl for checks.

The rights are those of deploy/: to create and patch Events in one namespace, to
patch the annotated kinds, and to get, create and update one Lease.
"""

import json
import os
import subprocess

from rig import processes
from rig.api import MERGE_PATCH
from rig.control_plane import tool
from rig.exporter import ACCOUNT_NAMESPACE

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def _binding(account, kind, name):
    return {"metadata": {"name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account,
                          "namespace": ACCOUNT_NAMESPACE}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
                        "kind": kind, "name": name}}


def may_mirror(api, account, namespace):
    """Returns the path of the binding, to remove the right."""
    name = f"mirror-{account}"
    base = f"{_RBAC}/namespaces/{namespace}"
    api.ensure(f"{base}/roles", {"metadata": {"name": name}, "rules": [{
        "apiGroups": [""], "resources": ["events"],
        "verbs": ["create", "patch"]}]})
    api.ensure(f"{base}/rolebindings", _binding(account, "Role", name))
    return f"{base}/rolebindings/{name}"


def may_annotate(api, account, *resources):
    name = f"annotate-{account}"
    api.ensure(f"{_RBAC}/clusterroles", {
        "metadata": {"name": name}, "rules": [{
            "apiGroups": [""], "resources": list(resources),
            "verbs": ["patch"]}]})
    api.ensure(f"{_RBAC}/clusterrolebindings",
               _binding(account, "ClusterRole", name))


def may_lead(api, account, namespace, lease):
    name = f"lease-{account}"
    base = f"{_RBAC}/namespaces/{namespace}"
    api.ensure("/api/v1/namespaces", {"metadata": {"name": namespace}})
    leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
    api.ensure(f"{base}/roles", {"metadata": {"name": name}, "rules": [
        {**leases, "verbs": ["get", "update"], "resourceNames": [lease]},
        {**leases, "verbs": ["create"]}]})
    api.ensure(f"{base}/rolebindings", _binding(account, "Role", name))


def forbid_label(api, label, node):
    """Adds a policy that returns 403, as for a missing right."""
    name = f"guard-{node}"
    base = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpol"
    api.ensure(f"{base}icies", {"metadata": {"name": name}, "spec": {
        "matchConstraints": {"resourceRules": [{
            "apiGroups": [""], "apiVersions": ["v1"], "resources": ["nodes"],
            "operations": ["UPDATE"]}]},
        "validations": [{
            "expression": f"object.metadata.name != '{node}' || "
                          "!has(object.metadata.labels) || "
                          f"!('{label}' in object.metadata.labels)",
            "reason": "Forbidden", "message": "this one is guarded"}]}})
    api.ensure(f"{base}icybindings", {"metadata": {"name": name}, "spec": {
        "policyName": name, "validationActions": ["Deny"]}})

    def holds():
        return api.raw("PATCH", f"/api/v1/nodes/{node}?dryRun=All",
                       {"metadata": {"labels": {label: "x"}}},
                       MERGE_PATCH)[0] == 403
    processes.wait_until(holds, 30, "the policy holds")


class Kubectl:
    """kubectl with all rights."""

    def __init__(self, plane):
        self._kubeconfig = plane.kubeconfig("kubectl.yaml")
        self._home = plane.folder.path

    def text(self, *arguments):
        return subprocess.run(
            [tool("kubectl"), f"--kubeconfig={self._kubeconfig}", *arguments],
            env={**os.environ, "HOME": self._home}, check=True,
            capture_output=True, text=True, timeout=60).stdout

    def items(self, *arguments):
        return json.loads(self.text(*arguments, "-o", "json"))["items"]
