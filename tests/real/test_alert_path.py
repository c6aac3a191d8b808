"""The path from a stopped node to the notification, without simulated parts.

kwok renews the leases of three nodes and stops. The real node-controller
writes NodeNotReady. The exporter, Prometheus with the rules of alerts/ and
Alertmanager run unchanged, and a webhook receives the alerts. Only `for` and
`keep_firing_for` are shortened, by SPEED.
"""

import pathlib
import re
import time
import unittest
import urllib.parse

import yaml

from rig import control_plane, grafana, manifests, processes
from rig.alertmanager import Alertmanager, Webhook
from rig.case import ClusterCase
from rig.exporter import Exporter
from rig.prometheus import Prometheus

TREE = pathlib.Path(__file__).resolve().parents[2]
BLOB = "https://github.com/kube-event-metrics/kube-event-metrics/blob/main/"
NODES = "/api/v1/nodes"
PAGES = "https://events.example.com"
SIX_HOURS = 21600
NAMES = ("stops-a", "stops-b", "stops-c")
CLUSTER = "east"
SPEED = 60  # `for: 5m` becomes 5 s
CONFIG = """rule_files: ["{rules}"]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]
"""


def faster(text):
    """The rules with durations divided by SPEED; expressions are unchanged."""
    rules = yaml.safe_load(text)
    for group in rules["groups"]:
        for rule in group["rules"]:
            for name in {"for", "keep_firing_for"} & set(rule):
                seconds = grafana.duration(rule[name]) / SPEED
                rule[name] = f"{round(seconds * 1000)}ms"
    return yaml.safe_dump(rules)


class AlertPathTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control_plane.need("kube-controller-manager", "kwok", "prometheus",
                           "alertmanager")
        cls.dashboards = grafana.dashboards()
        for path in (TREE / "alerts" / "rules").glob("*.yaml"):
            cls.folder.file(f"rules/{path.name}",
                            faster(path.read_text("utf-8")))

        cls.webhook = Webhook()
        cls.addClassCleanup(cls.webhook.close)
        alertmanager = Alertmanager(
            cls.folder, control_plane.tool("alertmanager"), cls.webhook)
        cls.addClassCleanup(alertmanager.close)
        exporter = Exporter(cls.plane, "main", "--web.external-url", PAGES)
        cls.addClassCleanup(exporter.process.kill)
        exporter.wait_ready()
        server = Prometheus(
            cls.folder, "prometheus", control_plane.tool("prometheus"),
            exporter.address, scrape="  relabel_configs: "
            f"[{{target_label: cluster, replacement: {CLUSTER}}}]\n",
            more=CONFIG.format(rules=cls.folder.file("rules/*.yaml"),
                               alertmanager=alertmanager.address))
        cls.addClassCleanup(server.close)
        processes.wait_until(
            lambda: server.query("kube_event_metrics_synced == 1"), 30,
            "Prometheus scrapes")

    def check(self, alert, severity, **variables):
        """Checks the labels and links of an alert."""
        name = alert["labels"]["alertname"]
        self.assertEqual(alert["labels"]["severity"], severity)
        self.assertEqual(alert["labels"]["cluster"], CLUSTER)
        self.assertIn(f"on cluster {CLUSTER}",
                      alert["annotations"]["description"])
        runbook = alert["annotations"]["runbook_url"]
        self.assertEqual(runbook, f"{BLOB}alerts/runbooks/{name}.md")
        self.assertTrue((TREE / runbook.removeprefix(BLOB)).exists())
        link = urllib.parse.urlsplit(alert["annotations"]["dashboard_url"])
        dashboard = self.dashboards[link.path.removeprefix("/d/")]
        self.assertEqual(dict(urllib.parse.parse_qsl(link.query)),
                         {"var-cluster": CLUSTER, **variables})
        for variable in urllib.parse.parse_qs(link.query):
            self.assertIn(variable.removeprefix("var-"), dashboard.variables)
        page, _, since = alert["annotations"]["event_url"].rpartition("since=")
        self.assertEqual(page, PAGES + (
            f"/objects/Node/{variables['var-node']}?" if variables
            else "/?kind=Node&reason=NodeNotReady&"))
        self.assertAlmostEqual(int(since), time.time() - SIX_HOURS, delta=90)

    def test_nodes_that_stop(self):
        self.plane.start_controller_manager(
            "--node-monitor-period=1s", "--node-monitor-grace-period=4s")
        kwok = self.plane.start_kwok("kwok.x-k8s.io/node=fake")
        for name in NAMES:
            self.api.post(NODES, manifests.node(name))
        for name in NAMES:
            self.wait_event("RegisteredNode", object_name=name)
            processes.wait_until(
                lambda n=name: self.api.get(
                    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease"
                    f"/leases/{n}"), 20, f"{name} has a lease")
        self.assertEqual(self.webhook.alerts(object_name=NAMES[0]), [])
        kwok.kill()
        for name in NAMES:
            self.wait_event("NodeNotReady", object_name=name,
                            component="node-controller")
            alert = self.webhook.wait_for(
                40, alertname="KubeEventNodeNotReady", object_name=name)
            self.check(alert, "warning", **{"var-node": name})
            self.assertIn(name, alert["annotations"]["description"])
        many = self.webhook.wait_for(40,
                                     alertname="KubeEventManyNodesNotReady")
        self.check(many, "critical")
        self.assertTrue(re.match(r"3 nodes\b",
                                 many["annotations"]["description"]))
        # The alerts of removed nodes resolve.
        for name in NAMES:
            self.api.delete(f"{NODES}/{name}")
            self.wait_event("RemovingNode", object_name=name)
        for name in NAMES:
            self.webhook.wait_for(40, "resolved", object_name=name,
                                  alertname="KubeEventNodeNotReady")
        self.webhook.wait_for(40, "resolved",
                              alertname="KubeEventManyNodesNotReady")

    def test_a_kernel_that_kills(self):
        self.recorded(self.api.post(
            manifests.CORE_V1.format("default"), manifests.legacy_event(
                "full.17", manifests.about_node("full", uid="full"),
                "SystemOOM", kind="Warning", component="kubelet")))
        alert = self.webhook.wait_for(
            30, alertname="KubeEventNodeSystemOOM", object_name="full")
        self.check(alert, "warning", **{"var-node": "full"})

    def test_zz_no_other_alert(self):
        """Runs last by name: the alerts of the other tests, and no others."""
        self.assertEqual(
            {each["labels"]["alertname"] for each in self.webhook.alerts()},
            {"KubeEventNodeNotReady", "KubeEventManyNodesNotReady",
             "KubeEventNodeSystemOOM"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
