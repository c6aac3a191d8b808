"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok.

All use free loopback ports. The API server has RBAC and an audit log; a test
can kill it and start it again on its port, with other flags. kube-apiserver
drains for a minute after SIGTERM, so SIGKILL ends all programs here. kine can
take the place of etcd.
"""

import json
import os
import unittest
import urllib.request

from rig import processes
from rig.api import Api
from rig.certificates import Certificates

ADMIN_TOKEN = "admin-token-of-the-test-cluster"

# Requests of service accounts for Events and discovery: only the exporters run
# as service accounts.
_AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts"]
- level: None
"""

_KUBECONFIG = """apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster: {{server: "{server}", certificate-authority: "{ca}"}}
users:
- name: test
  user: {user}
contexts:
- name: test
  context: {{cluster: test, user: test}}
"""


def tool(name):
    """The path of a program in KEM_REAL_BIN, or None."""
    path = os.path.join(os.environ["KEM_REAL_BIN"], name)
    return path if os.path.exists(path) else None


def missing(*names):
    """One sentence that names the missing programs, or ''."""
    absent = [name for name in names if not tool(name)]
    if not absent:
        return ""
    return f"KEM_REAL_BIN holds no {' and no '.join(absent)}"


def need(*names):
    """Skips the calling test or class if a program is missing."""
    lacks = missing(*names)
    if lacks:
        raise unittest.SkipTest(lacks)


class ControlPlane:
    """A running cluster; `api` is a client with all rights."""

    def __init__(self, folder, store="etcd", **api_server_flags):
        """`store` is the program that keeps the data: etcd or kine."""
        self.folder = folder
        self.certificates = Certificates(folder)
        self.port = processes.free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.audit_log = folder.file("audit.log", "")
        self.flags = api_server_flags
        self._running = []
        self._tokens = folder.file(
            "tokens.csv", f"{ADMIN_TOKEN},admin,admin,system:masters\n")
        self._audit_policy = folder.file("audit-policy.yaml", _AUDIT_POLICY)
        self.api = Api(self.port, self.certificates.ca, ADMIN_TOKEN)
        self.api_server = None
        # For clients of etcd, and for HTTP; etcd serves both on one port.
        self._etcd = self._gateway = self._free_url()
        if store == "kine":
            self._gateway = self._free_url()
        self._store = {"etcd": self._etcd_command,
                       "kine": self._kine_command}[store]()
        try:
            self.start_store()
            self.start_api_server()
        except BaseException:
            folder.keep = True
            self.close()
            raise

    def close(self):
        for process in reversed(self._running):
            process.kill()
        self._running = []

    def kubeconfig(self, name, user=None, server=None):
        """Writes a kubeconfig; `user` is its user entry, as a JSON object."""
        user = user or {"token": ADMIN_TOKEN}
        return self.folder.file(name, _KUBECONFIG.format(
            server=server or self.url, ca=self.certificates.ca,
            user=json.dumps(user)))

    def _start(self, name, command):
        process = processes.Process(self.folder, name, command)
        self._running.append(process)
        return process

    @staticmethod
    def _free_url():
        return f"http://127.0.0.1:{processes.free_port()}"

    def _etcd_command(self):
        peer = self._free_url()
        return [
            tool("etcd"), "--unsafe-no-fsync",
            f"--data-dir={self.folder.file('etcd')}",
            f"--listen-client-urls={self._etcd}",
            f"--advertise-client-urls={self._etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}", "--log-level=warn"]

    def _kine_command(self):
        return [
            tool("kine"), f"--data-file={self.folder.file('kine.db')}",
            f"--listen-address={self._etcd.removeprefix('http://')}",
            f"--gateway-address={self._gateway.removeprefix('http://')}"]

    def start_store(self):
        name = os.path.basename(self._store[0])
        self.store = self._start(name, self._store)

        def healthy():
            self.store.expect_running()
            with urllib.request.urlopen(self._gateway + "/health",
                                        timeout=2) as answer:
                return answer.status == 200
        processes.wait_until(healthy, 30, f"{name} answers")

    def kill_store(self):
        self.store.kill()
        self._running.remove(self.store)

    def compact_etcd(self):
        """Compacts all history; returns the revision kept."""
        revision = self._etcd_call("/v3/kv/range", {
            "key": "AA==", "limit": 1, "keys_only": True})["header"]["revision"]
        self._etcd_call("/v3/kv/compaction",
                        {"revision": revision, "physical": True})
        return int(revision)

    def _etcd_call(self, path, body):
        request = urllib.request.Request(
            self._gateway + path, json.dumps(body).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def start_api_server(self, **flags):
        """Starts kube-apiserver; `event_ttl="20s"` becomes --event-ttl=20s."""
        self.flags.update(flags)
        pki = self.certificates
        command = [
            tool("kube-apiserver"), f"--etcd-servers={self._etcd}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            f"--cert-dir={self.folder.file('apiserver-certs')}",
            f"--tls-cert-file={pki.serving}",
            f"--tls-private-key-file={pki.serving_key}",
            f"--client-ca-file={pki.ca}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.accounts_public}",
            f"--service-account-signing-key-file={pki.accounts_key}",
            f"--token-auth-file={self._tokens}", "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            f"--audit-policy-file={self._audit_policy}",
            f"--audit-log-path={self.audit_log}"]
        command += [f"--{name.replace('_', '-')}={value}"
                    for name, value in self.flags.items()]
        self.api_server = self._start("kube-apiserver", command)
        self.api.disconnect()
        self.wait_ready()

    def wait_ready(self):
        def ready():
            self.api_server.expect_running()
            return self.api.ready()
        processes.wait_until(ready, 60, "kube-apiserver is ready")

    def kill_api_server(self):
        """SIGKILL: open watches end without a terminator."""
        self.api_server.kill()
        self._running.remove(self.api_server)
        self.api.disconnect()

    def start_controller_manager(self, *flags):
        return self._start("kube-controller-manager", [
            tool("kube-controller-manager"),
            f"--kubeconfig={self.kubeconfig('controller-manager.yaml')}",
            "--leader-elect=false", "--bind-address=127.0.0.1",
            f"--secure-port={processes.free_port()}",
            f"--cert-dir={self.folder.file('controller-manager-certs')}",
            f"--root-ca-file={self.certificates.ca}",
            "--service-account-private-key-file="
            f"{self.certificates.accounts_key}", *flags])

    def start_scheduler(self):
        self._start("kube-scheduler", [
            tool("kube-scheduler"),
            f"--kubeconfig={self.kubeconfig('scheduler.yaml')}",
            "--leader-elect=false", "--bind-address=127.0.0.1",
            f"--secure-port={processes.free_port()}",
            f"--cert-dir={self.folder.file('scheduler-certs')}"])

    def start_kwok(self, node_annotation, *flags):
        """kwok simulates the nodes with the annotation, and their Pods.

        Returns the process: when it stops, so do the nodes' heartbeats.
        """
        return self._start("kwok", [
            tool("kwok"), f"--kubeconfig={self.kubeconfig('kwok.yaml')}",
            f"--config={tool('kwok-stages.yaml')}",
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector={node_annotation}",
            "--node-lease-duration-seconds=4", "--cidr=10.0.1.0/24",
            "--enable-crds=", *flags])
