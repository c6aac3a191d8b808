"""Who may write Events in one namespace moves nothing cluster-scoped."""

import json
import re
import unittest

from rig import control_plane, forgery, manifests, processes, sinks, truth
from rig.case import ClusterCase

LABEL = "kube-event-metrics/trouble"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMESPACES = "/api/v1/namespaces"
CLUSTER = {"scope": "cluster"}


class ForgedTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control_plane.need("kube-controller-manager")
        cls.plane.start_controller_manager()
        cls.node_uid = cls.api.post("/api/v1/nodes", manifests.node(
            forgery.NODE, kwok=False))["metadata"]["uid"]
        cls.api.post(CRDS, manifests.cluster_resource(
            forgery.GROUP, forgery.KIND))
        for name in ("ops", "infra"):
            cls.api.ensure(NAMESPACES, {"metadata": {"name": name}})
        cls.tenant = forgery.tenant(cls.plane, "team-a")

    def total(self, family, **labels):
        wanted = set(labels.items())
        return sum(value for pairs, value in
                   self.main.samples().get(family, {}).items()
                   if wanted <= pairs)

    def wait_total(self, expected, **labels):
        processes.wait_until(
            lambda: self.total(truth.OCCURRENCES, **labels) == expected, 20,
            f"{labels} counts {expected}")

    def cluster_scoped(self):
        """Everything that is shown about cluster-scoped objects."""
        lines = [line for line in self.main.metrics_text().splitlines()
                 if line.startswith(truth.FAMILIES) and
                 'scope="cluster"' in line or
                 line.startswith(truth.OBJECT_OCCURRENCES)]
        page = self.main.fetch("/")[1]
        node = self.api.get(f"/api/v1/nodes/{forgery.NODE}")["metadata"]
        mirrors = self.api.get(f"{NAMESPACES}/infra/events")["items"]
        return {"samples": "\n".join(lines),
                "page": re.findall(r"in (\d+) Events? about (\d+) object",
                                   page) + [forgery.NODE in page],
                "annotation": node.get("annotations", {}).get(LABEL),
                "label": node.get("labels", {}).get(LABEL),
                "mirrors": sorted((event["metadata"]["name"], event["count"])
                                  for event in mirrors)}

    def start(self):
        """An exporter with sinks that counts only the forged reasons: the
        controllers write others meanwhile."""
        sinks.may_annotate(self.api, "forged", "nodes")
        sinks.may_mirror(self.api, "forged", "infra")
        self.lines = self.folder.file("lines.json")
        config = self.folder.file("config.yaml", json.dumps({"sinks": [
            {"name": "lines", "type": "log", "path": self.lines,
             "filter": {"scope": "all"}},
            {"name": "infra", "type": "mirror", "namespace": "infra"},
            {"name": "trouble", "type": "annotate",
             "filter": {"kinds": ["Node"]}}]}))
        self.main = self.exporter(
            "forged", "--config.file", config, "--state.file",
            self.folder.file("state"), "--scope.trusted-namespaces=ops",
            "--reasons=" + ",".join(forgery.REASONS),
            listen=f"127.0.0.1:{processes.free_port()}")

    def claims(self, result):
        return self.main.own("scope_conflicts_total", result=result)

    def wait_delivered(self):
        processes.wait_until(lambda: self.main.own("sink_queued") == 0,
                             20, "nothing waits")

    def records(self, namespace):
        with open(self.lines, encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        return [record for record in records
                if record.get("k8s.namespace.name") == namespace]

    def post(self, api, namespace):
        """Posts all claims; returns how many, and their occurrences."""
        made = forgery.claims(namespace, self.node_uid)
        for path, event, _ in made:
            answer = api.post(path, event)
        self.recorded(answer)
        return len(made), sum(occurrences for _, _, occurrences in made)

    def test_a_tenant_moves_nothing_cluster_scoped(self):
        self.start()
        # Something to move.
        self.recorded(self.api.post(
            manifests.CORE_V1.format("default"), manifests.legacy_event(
                "true", manifests.about_node(forgery.NODE), "Forged",
                kind="Warning")))
        self.wait_total(1, **CLUSTER)
        processes.wait_until(lambda: self.cluster_scoped()["label"], 20,
                             "the node has a label")
        self.wait_delivered()
        before = self.cluster_scoped()
        self.assertEqual(before["label"], "Forged")
        self.assertEqual(len(before["mirrors"]), 1)
        self.assertEqual(before["page"], [("1", "1"), True])
        self.assertIn('reason="Rebooted"', before["samples"])

        for path, event, status in forgery.refused("team-a"):
            self.assertEqual(self.tenant.raw("POST", path, event)[0], status,
                             event["metadata"]["name"])
        many, forged = self.post(self.tenant, "team-a")
        self.assertGreaterEqual(many, 20)
        path = manifests.CORE_V1.format("team-a")
        # An update may change the object.
        self.tenant.post(path, manifests.legacy_event(
            "turned", manifests.about_pod("p", "team-a"), "Forged",
            namespace="team-a"))
        self.recorded(self.tenant.patch(f"{path}/turned", {
            "count": 4, "involvedObject": {"kind": "Node",
                                           "name": forgery.NODE}}))
        forged += 4
        self.wait_total(forged, scope="namespaced", object_namespace="team-a")
        self.wait_delivered()
        self.assertEqual(self.cluster_scoped(), before)
        self.assertNotIn("team-a", self.main.fetch("/")[1])
        self.assertEqual(self.claims("untrusted"), many + 1)
        self.assertEqual(self.claims("trusted"), 0)
        records = self.records("team-a")
        self.assertEqual(len(records), many + 2)
        self.assertEqual({record["kube_event.scope"] for record in records},
                         {"namespaced"})
        log = self.main.process.log()
        self.assertEqual(log.count("namespace=team-a event="), 1, log)

        # A restart attributes the same Events the same way.
        self.main.process.kill()
        self.main.start_again()
        processes.wait_until(self.main.ready, 30, "it is ready again")
        self.recorded(self.tenant.patch(f"{path}/fifty", {"count": 53}))
        self.wait_total(forged + 3, scope="namespaced",
                        object_namespace="team-a")
        self.assertEqual(self.cluster_scoped()["samples"], before["samples"])

        # The same claims where tenants cannot write.
        counted = 1
        for namespace in ("default", "ops"):
            _, occurrences = self.post(self.api, namespace)
            counted += occurrences
            self.wait_total(counted, **CLUSTER)
        self.assertEqual(self.total(truth.OBJECT_OCCURRENCES), counted)
        self.assertEqual(self.total(truth.OCCURRENCES, scope="namespaced"),
                         forged + 3)
        self.assertEqual(self.claims("trusted"), 2 * many)


if __name__ == "__main__":
    unittest.main(verbosity=2)
