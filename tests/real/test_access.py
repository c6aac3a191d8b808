"""Access to a real API server: in a pod, by certificate, by KUBECONFIG list."""

import collections
import json
import os
import subprocess
import unittest

import yaml

from rig import exposition, manifests
from rig.case import ClusterCase
from rig.exporter import ACCOUNT_NAMESPACE, binary
from rig.kubelet import MOUNT, in_pod
from rig.processes import wait_until

PATH = manifests.CORE_V1.format("default")
RECOVERY_SECONDS = 75


def write_inside(pid, path, text):
    """Replaces a file atomically inside the namespace of a process."""
    # A symbolic link in the path would lead to this machine's own files.
    inside = f"/proc/{pid}/root{os.path.realpath(path)}"
    with open(inside + ".new", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(inside + ".new", inside)


class AccessTest(ClusterCase):

    def prove(self, exporter, reason, seconds=20):
        """Posts one occurrence and waits until it is counted."""
        self.recorded(self.api.post(PATH, manifests.legacy_event(
            reason.lower(), manifests.about_node("n"), reason)))
        exporter.wait_exact(self.truth, seconds)

    def account_files(self, name):
        """The account folder of a pod; creates a missing account."""
        api = self.api
        api.ensure("/api/v1/namespaces",
                   {"metadata": {"name": ACCOUNT_NAMESPACE}})
        api.ensure(f"/api/v1/namespaces/{ACCOUNT_NAMESPACE}/serviceaccounts",
                   {"metadata": {"name": name}})
        with open(self.plane.certificates.ca, encoding="utf-8") as ca:
            self.folder.file(f"{name}/ca.crt", ca.read())
        token = self.folder.file(f"{name}/token",
                                 api.token_for(ACCOUNT_NAMESPACE, name))
        return os.path.dirname(token)

    def in_pod(self, name):
        prefix = in_pod(self.account_files(name))
        if not prefix:
            self.skipTest("mount namespaces are not allowed here")
        return self.exporter(
            name, command=[*prefix, binary()],
            environment={"KUBERNETES_SERVICE_HOST": "127.0.0.1",
                         "KUBERNETES_SERVICE_PORT": str(self.plane.port)})

    def test_in_a_pod(self):
        self.prove(self.in_pod("pod"), "InPod")

    def test_in_a_pod_whose_token_changes(self):
        exporter = self.in_pod("rotated")
        self.prove(exporter, "OldToken")
        # Tokens of a deleted account are invalid.
        self.api.delete(f"/api/v1/namespaces/{ACCOUNT_NAMESPACE}"
                        "/serviceaccounts/rotated")
        with open(f"{self.account_files('rotated')}/token",
                  encoding="utf-8") as token:
            write_inside(exporter.process.pid, f"{MOUNT}/token", token.read())
        self.plane.kill_api_server()
        self.plane.start_api_server()
        self.prove(exporter, "NewToken", RECOVERY_SECONDS)

    def test_a_client_certificate(self):
        # The certificate has the user name of a service account's token.
        user = f"system:serviceaccount:{ACCOUNT_NAMESPACE}:certified"
        certificate, key = self.plane.certificates.client(
            user, "system:serviceaccounts")
        kubeconfig = self.plane.kubeconfig("certified.yaml", {
            "client-certificate": certificate, "client-key": key})
        self.prove(self.exporter(
            "certified", command=[binary(), "--kubeconfig", kubeconfig]),
            "Certified")

    def test_a_credential_plugin(self):
        folder = self.account_files("plugged")
        plugin = self.folder.file("plugged/plugin", """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >>"$(dirname "$0")/runs"
printf '{"kind":"ExecCredential","apiVersion":"%s","status":{"token":"%s"}}' \
  client.authentication.k8s.io/v1 "$(cat "$(dirname "$0")/token")"
""")
        os.chmod(plugin, 0o755)
        kubeconfig = self.plane.kubeconfig("plugged.yaml", {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": plugin, "interactiveMode": "Never",
            "provideClusterInfo": True}})
        exporter = self.exporter(
            "plugged", command=[binary(), "--kubeconfig", kubeconfig])
        self.prove(exporter, "Plugged")
        # From now on the token gets 401, and the plugin runs again.
        self.api.delete(f"/api/v1/namespaces/{ACCOUNT_NAMESPACE}"
                        "/serviceaccounts/plugged")
        self.account_files("plugged")
        self.plane.kill_api_server()
        self.plane.start_api_server()
        self.prove(exporter, "PluggedAgain", RECOVERY_SECONDS)
        with open(f"{folder}/runs", encoding="utf-8") as runs:
            infos = [json.loads(line) for line in runs]
        self.assertEqual(len(infos), 2, infos)
        self.assertEqual(infos[0]["spec"]["cluster"]["server"], self.plane.url)

    def dry_run(self, account, *flags):
        """(exit code, objects to apply) of a dry run as a service account."""
        token = os.path.join(self.account_files(account), "token")
        kubeconfig = self.plane.kubeconfig(f"{account}.yaml",
                                           {"tokenFile": token})
        done = subprocess.run(
            [binary(), "--dry-run", "--kubeconfig", kubeconfig, *flags],
            capture_output=True, text=True, check=False, timeout=60)
        self.assertIn(f"# user: system:serviceaccount:{ACCOUNT_NAMESPACE}:"
                      f"{account}\n", done.stdout, done.stderr)
        return done.returncode, list(yaml.safe_load_all(done.stdout))

    def apply(self, objects):
        for one in objects:
            space = one["metadata"].get("namespace")
            self.api.ensure("/apis/rbac.authorization.k8s.io/v1" + (
                f"/namespaces/{space}/" if space else "/") +
                one["kind"].lower() + "s", one)

    def test_a_dry_run_names_the_cluster_role_that_is_missing(self):
        code, objects = self.dry_run("dry")
        self.assertEqual((code, [one["kind"] for one in objects]),
                         (1, ["ClusterRole", "ClusterRoleBinding"]))
        for one in objects:
            one["metadata"]["name"] = "dry"
        objects[1]["roleRef"]["name"] = "dry"
        self.apply(objects)
        wait_until(lambda: self.dry_run("dry")[0] == 0, 20, "the rights")

    def test_a_dry_run_names_the_roles_that_are_missing(self):
        flags = ("--watch.namespaces=default,kube-system",)
        code, objects = self.dry_run("dryer", *flags)
        self.assertEqual(code, 1)
        self.assertEqual([one["metadata"]["namespace"] for one in objects],
                         ["default", "default", "kube-system", "kube-system"])
        self.apply(objects)
        wait_until(lambda: self.dry_run("dryer", *flags)[0] == 0, 20,
                   "the rights")

    def test_a_dry_run_with_credentials_that_are_refused(self):
        kubeconfig = self.plane.kubeconfig("refused.yaml", {"token": "wrong"})
        done = subprocess.run([binary(), "--dry-run", "--kubeconfig",
                               kubeconfig], capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("refuses the credentials (401)", done.stdout)

    def offline(self, text):
        """Occurrences by reason that --once prints for this input."""
        done = subprocess.run(
            [binary(), "--events.from=-", "--once"], input=text,
            capture_output=True, text=True, check=False, timeout=60, env={})
        self.assertEqual(done.returncode, 0, done.stderr)
        found = collections.Counter()
        for pairs, value in exposition.parse(done.stdout)[
                "kube_event_occurrences_total"].items():
            found[dict(pairs)["reason"]] += value
        return found

    def test_what_kubectl_printed(self):
        """The output of kubectl get events -A -o json, and with --watch."""
        for number in range(30):
            self.recorded(self.api.post(PATH, manifests.legacy_event(
                f"printed{number}", manifests.about_node("n"),
                f"Printed{number % 3}")))
        items = self.api.get("/api/v1/events")["items"]
        wanted = collections.Counter()
        for item in items:
            wanted[item["reason"]] += item.get("count") or 1
        events = [{"apiVersion": "v1", "kind": "Event", **item}
                  for item in items]
        dump = {"apiVersion": "v1", "items": events, "kind": "List",
                "metadata": {"resourceVersion": ""}}
        frames = [{"type": "ADDED", "object": event} for event in events]
        one_by_one = [json.dumps(one, indent=4) for one in frames + events]
        for text in (json.dumps(dump, indent=4), "\n".join(one_by_one),
                     self.api.raw("GET", "/api/v1/events")[1],
                     self.api.raw("GET", "/api/v1/events?watch=1&"
                                  "resourceVersion=0&timeoutSeconds=2")[1]):
            self.assertEqual(self.offline(text), wanted)

    def test_a_list_of_kubeconfigs(self):
        self.account_files("listed")
        # Relative paths start at the folder of the file that has them.
        users = self.folder.file("listed/users.yaml", """apiVersion: v1
kind: Config
users:
- name: listed
  user: {tokenFile: token}
""")
        clusters = self.folder.file("clusters.yaml", f"""apiVersion: v1
kind: Config
current-context: listed
clusters:
- name: listed
  cluster: {{server: "{self.plane.url}", certificate-authority: pki/ca.crt}}
contexts:
- name: listed
  context: {{cluster: listed, user: listed}}
""")
        self.prove(self.exporter(
            "listed", command=[binary()],
            environment={"KUBECONFIG": f"{users}:/absent:{clusters}"}),
            "Listed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
