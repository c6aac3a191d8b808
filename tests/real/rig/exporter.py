"""The exporter's binary as a process, its metrics and its requests.

KEM_EXPORTER names the binary.
"""

import os
import re
import time
import urllib.error
import urllib.request

from rig import exposition, processes, truth
from rig.audit import AuditLog

ACCOUNT_NAMESPACE = "monitoring"
EVENT_RULES = [{"apiGroups": ["", "events.k8s.io"], "resources": ["events"],
                "verbs": ["get", "list", "watch"]}]
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def binary():
    return os.environ["KEM_EXPORTER"]


def make_account(api, name, namespaces=()):
    """Creates a service account that may read only Events and discovery.

    A ClusterRole allows it in the whole cluster, or a Role in each of
    `namespaces`. Returns the user name.
    """
    api.ensure("/api/v1/namespaces", {"metadata": {"name": ACCOUNT_NAMESPACE}})
    api.ensure(f"/api/v1/namespaces/{ACCOUNT_NAMESPACE}/serviceaccounts",
               {"metadata": {"name": name}})
    role = {"metadata": {"name": f"events-{name}"}, "rules": EVENT_RULES}
    binding = {"metadata": {"name": f"events-{name}"},
               "subjects": [{"kind": "ServiceAccount", "name": name,
                             "namespace": ACCOUNT_NAMESPACE}],
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
                           "kind": "Role", "name": f"events-{name}"}}
    for namespace in namespaces:
        base = f"{_RBAC}/namespaces/{namespace}"
        api.ensure(f"{base}/roles", role)
        api.ensure(f"{base}/rolebindings", binding)
    if not namespaces:
        binding["roleRef"]["kind"] = "ClusterRole"
        api.ensure(f"{_RBAC}/clusterroles", role)
        api.ensure(f"{_RBAC}/clusterrolebindings", binding)
    return f"system:serviceaccount:{ACCOUNT_NAMESPACE}:{name}"


class Exporter:
    """One running exporter with its own service account."""

    def __init__(self, plane, name, *flags, server=None, namespaces=(),
                 initial_zero="0s", command=None, environment=None,
                 listen="127.0.0.1:0"):
        """`server` replaces the API server's URL; `command` and `environment`
        replace the kubeconfig with another way of access."""
        self.name = name
        self._plane = plane
        self._namespaces = namespaces
        self.user = make_account(plane.api, name, namespaces)
        if command is None:
            token = plane.api.token_for(ACCOUNT_NAMESPACE, name)
            command = [binary(), "--kubeconfig", plane.kubeconfig(
                f"{name}.yaml", {"token": token}, server)]
        command = [*command, "--web.listen-address", listen,
                   "--metrics.initial-zero", initial_zero, *flags]
        if namespaces:
            command += ["--watch.namespaces", ",".join(namespaces)]
        self._command = command
        self._environment = environment
        self.start_again()
        self.address = processes.wait_until(
            self._find_address, 15, f"{name} logs its address")

    def start_again(self):
        """Runs the same command again; does not wait until it is ready."""
        self.process = processes.Process(self._plane.folder, self.name,
                                         self._command, self._environment)

    def _find_address(self):
        self.process.expect_running()
        found = re.search(r'msg="Listening on" address="?([^\s"]+)',
                          self.process.log())
        return found and found.group(1)

    def fetch(self, path, headers=None):
        """(status, text) of a request to the exporter."""
        request = urllib.request.Request(f"http://{self.address}{path}",
                                         headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics_text(self):
        status, text = self.fetch("/metrics")
        if status != 200:
            raise AssertionError(f"/metrics answered {status}: {text[:200]}")
        return text

    def samples(self):
        return exposition.parse(self.metrics_text())

    def own(self, name, **labels):
        """The sum of its own metric `name` over series with these labels."""
        wanted = set(labels.items())
        series = self.samples().get(f"kube_event_metrics_{name}", {})
        return sum(value for pairs, value in series.items() if wanted <= pairs)

    def ready(self):
        self.process.expect_running()
        return self.fetch("/readyz")[0] == 200

    def wait_ready(self, seconds=30):
        processes.wait_until(self.ready, seconds, f"{self.name} is ready")
        # From here on its first watch is in the audit log.
        processes.wait_until(
            lambda: len(self.baselines()) == max(len(self._namespaces), 1),
            10, f"{self.name} watches")
        return self

    def audit(self):
        return AuditLog(self._plane.audit_log)

    def baselines(self):
        """{namespace, or "" for all: resourceVersion} where counting began."""
        found = {}
        for path, version in self.audit().baselines(self.user).items():
            parts = path.split("/")
            inside = "namespaces" in parts
            found[parts[parts.index("namespaces") + 1] if inside
                  else ""] = version
        return found

    def wait_exact(self, facts, seconds=20, steady=2.0, ignore=()):
        """Waits until every sample of the four families equals the truth for
        `steady` seconds. Otherwise fails with each difference."""
        deadline = time.monotonic() + seconds
        equal_since = None
        baselines = self.baselines()
        while True:
            self.process.expect_running()
            shown = self.samples()
            wrong = [line for line in
                     truth.differences(facts.expected(baselines), shown)
                     if not any(word in line for word in ignore)]
            now = time.monotonic()
            if wrong:
                equal_since = None
            elif equal_since is None:
                equal_since = now
            if equal_since is not None and now - equal_since >= steady:
                return shown
            if now > deadline and equal_since is None:
                raise AssertionError(
                    f"{self.name} is not exact (baseline {baselines}):\n" +
                    "\n".join(wrong))
            time.sleep(0.25)

    def stop(self, grace=12):
        return self.process.stop(grace)
