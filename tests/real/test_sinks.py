"""Sinks: mirrors and annotations on a real API server."""

import collections
import json
import os
import signal
import sys
import time
import unittest

from rig import control_plane, sinks, manifests, processes
from rig.api import ApiError
from rig.sink_case import SinkCase
from rig.sinks import Kubectl

LABEL = "kube-event-metrics/trouble"
OBJECTS = "kube_event_object_occurrences_total"
NAMESPACE = "/api/v1/namespaces"


def is_stopped(pid):
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            if file.read().rpartition(")")[2].split()[0] != "T":
                return False
    return True


class SinksTest(SinkCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control_plane.need("kubectl")
        cls.plane.start_controller_manager()
        cls.kubectl = Kubectl(cls.plane)

    def counted(self, exporter, **labels):
        wanted = set(labels.items())
        return sum(value for pairs, value in
                   exporter.samples().get(OBJECTS, {}).items()
                   if wanted <= pairs)

    def mirrors(self, namespace, reason):
        return [event for event in
                self.kubectl.items("get", "events", "-n", namespace)
                if event["reason"] == reason]

    def wait_mirror(self, namespace, reason, count, seconds=40):
        def there():
            found = self.mirrors(namespace, reason)
            return found and found[-1].get("count") == count
        processes.wait_until(there, seconds,
                             f"{reason} x{count} in {namespace}", 0.5)
        found = self.mirrors(namespace, reason)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def make_target(self, namespace, *accounts):
        self.api.ensure(NAMESPACE, {"metadata": {"name": namespace}})
        paths = [sinks.may_mirror(self.api, account, namespace)
                 for account in accounts]
        return paths[0]

    def test_mirrors_of_two_exporters(self):
        sinks = [{"name": "infra", "type": "mirror",
                    "namespace": "infra"}]
        self.make_target("infra", "mirror-a", "mirror-b")
        both = [self.start_with_sinks(name, sinks)
                for name in ("mirror-a", "mirror-b")]
        node = self.add_node("mirrored")
        began = time.time() - 600
        original = self.write("m", manifests.about_node(
            "mirrored", uid=node["metadata"]["uid"]), "Mirrored", first=began)
        self.wait_mirror("infra", "Mirrored", 1)
        self.repeat("m", 4)
        self.wait_mirror("infra", "Mirrored", 4)
        for exporter in both:
            self.kill_and_restart(exporter)
        original = self.repeat("m", 7)
        mirror = self.wait_mirror("infra", "Mirrored", 7)
        for key in ("firstTimestamp", "lastTimestamp", "message", "type"):
            self.assertEqual(mirror[key], original[key], key)
        self.assertEqual(mirror["related"]["uid"], node["metadata"]["uid"])
        self.assertEqual(mirror["involvedObject"]["namespace"], "infra")
        origin = json.loads(mirror["metadata"]["annotations"]
                            ["kube-event-metrics/original"])
        self.assertEqual((origin["namespace"], origin["name"], origin["uid"]),
                         ("default", "m", original["metadata"]["uid"]))
        self.assertIn("node/mirrored",
                      self.kubectl.text("get", "events", "-n", "infra"))
        shown = self.kubectl.text("describe", "node", "mirrored")
        self.assertEqual(shown.count("Mirrored "), 1, shown)
        for exporter in both:
            processes.wait_until(
                lambda exporter=exporter:
                exporter.own("sink_queued") == 0, 20, "all is delivered")
            self.assertEqual(self.counted(exporter, reason="Mirrored"), 7)
            self.assertEqual(self.counted(
                exporter, reporting_component="kube-event-metrics"), 0)
            self.assertEqual(exporter.own("sink_dropped_total"), 0)
            self.assertGreater(exporter.own("filtered_occurrences_total"), 0)

    def test_a_replica_that_is_behind_lowers_no_mirror(self):
        names = ("mirror-ahead", "mirror-behind")
        self.make_target("caught", *names)
        ahead, behind = (self.start_with_sinks(name, [{
            "name": "caught", "type": "mirror", "namespace": "caught",
            "filter": {"reasons": ["CaughtUp"]}}]) for name in names)
        self.write("slow", manifests.about_node("slow"), "CaughtUp")
        self.wait_mirror("caught", "CaughtUp", 1)
        os.kill(behind.process.pid, signal.SIGSTOP)
        processes.wait_until(lambda: is_stopped(behind.process.pid), 10,
                             "all threads of the other replica stop", 0.01)
        try:
            for count in range(2, 201):
                self.repeat("slow", count)
            self.wait_mirror("caught", "CaughtUp", 200)
        finally:
            os.kill(behind.process.pid, signal.SIGCONT)
        for exporter in (ahead, behind):
            processes.wait_until(
                lambda exporter=exporter:
                exporter.own("sink_delivered_total") == 200, 30,
                "all is delivered")
            self.assertEqual(exporter.own("sink_connections_total"), 1)
        counts = [frame.reading for frame in self.recorder.frames()
                  if frame.key[0] == "caught" and frame.reason == "CaughtUp"]
        self.assertEqual(counts, sorted(set(counts)))  # nor written twice
        verbs = {exporter.name: collections.Counter(
            request.verb for request in exporter.audit().requests(exporter.user)
            if "/namespaces/caught/" in request.path)
            for exporter in (ahead, behind)}
        print(f"requests for 200 occurrences: {verbs}, counts of the mirror: "
              f"{counts}", file=sys.stderr)
        self.assertEqual(verbs[behind.name]["patch"], 0)

    def test_mirrors_wait_until_they_may(self):
        binding = self.make_target("held", "held")
        # The controllers write about the nodes of the other tests, too.
        exporter = self.start_with_sinks("held", [{
            "name": "held", "type": "mirror", "namespace": "held",
            "filter": {"reasons": ["NoRight", "NoQuota", "NoNamespace"]}}])
        self.wait_is_queued(exporter, "NoRight",
                          lambda: self.api.delete(binding),
                          lambda: sinks.may_mirror(self.api, "held",
                                                        "held"))
        # Kubernetes exempts Events from quotas (pkg/quota/v1/install).
        self.forbid(f"{NAMESPACE}/held/resourcequotas")
        self.write("quota", manifests.about_node("held"), "NoQuota")
        self.wait_mirror("held", "NoQuota", 1, 10)
        self.wait_is_queued(exporter, "NoNamespace", self.hold_deletion,
                          self.make_again)
        self.assertEqual(exporter.own("sink_dropped_total"), 0)

    def wait_is_queued(self, exporter, reason, prevent, allow):
        prevent()
        failures = exporter.own("sink_failures_total")
        self.write(reason.lower(), manifests.about_node("held"), reason)
        self.wait_failure(exporter, failures)
        self.assertEqual(exporter.own("sink_queued"), 1)
        self.assertEqual(self.counted(exporter, reason=reason), 1)
        allow()
        self.wait_mirror("held", reason, 1)

    def forbid(self, quotas):
        """Forbids more Events and ConfigMaps; the latter show when it works."""
        hard = {"count/events": "0", "count/configmaps": "0"}
        self.api.post(quotas, {"metadata": {"name": "none"},
                               "spec": {"hard": hard}})

        def enforced():
            return self.api.raw("POST", f"{NAMESPACE}/held/configmaps?dryRun=All",
                                {"metadata": {"name": "x"}})[0] == 403
        processes.wait_until(enforced, 30, "the quota is enforced")

    def hold_deletion(self):
        """Deletes the namespace; a finalizer keeps it terminating."""
        self.api.delete(f"{NAMESPACE}/held/resourcequotas/none")
        holder = {"metadata": {"name": "holder",
                               "finalizers": ["example.com/hold"]}}
        processes.wait_until(
            lambda: self.api.post(f"{NAMESPACE}/held/configmaps", holder), 20,
            "the quota is no longer enforced")
        self.api.delete(f"{NAMESPACE}/held")

    def make_again(self):
        self.api.patch(f"{NAMESPACE}/held/configmaps/holder",
                       {"metadata": {"finalizers": None}})
        processes.wait_until(
            lambda: self.api.raw("GET", f"{NAMESPACE}/held")[0] == 404, 60,
            "the namespace is gone")
        self.make_target("held", "held")

    def node(self, name):
        return self.api.get(f"/api/v1/nodes/{name}")["metadata"]

    def troubled(self, reason):
        return [node["metadata"]["name"] for node in
                self.kubectl.items("get", "nodes", "-l", f"{LABEL}={reason}")]

    def test_annotations_and_labels(self):
        sinks.may_annotate(self.api, "annotated", "nodes")
        exporter = self.start_with_sinks("annotated", [{
            "name": "trouble", "type": "annotate", "label-ttl": "1m",
            "filter": {"kinds": ["Node"]}}])
        self.add_node("annotated")
        # Another manager's label, which the sink takes over.
        self.add_node("owned")
        self.api.patch("/api/v1/nodes/owned",
                       {"metadata": {"labels": {LABEL: "mine"}}})
        # The kubelet writes the name as the uid.
        for name in ("gone", "owned", "annotated"):
            self.write(f"boot-{name}", manifests.about_node(name, uid=name),
                       "Rebooted", kind="Warning")
        gone_uid = "0a0a0a0a-0000-4000-8000-000000000001"
        self.write("boot-late", manifests.about_node("late", uid=gone_uid),
                   "Rebooted", kind="Warning")
        processes.wait_until(
            lambda: self.troubled("Rebooted") == ["annotated", "owned"], 20,
            "both nodes are found by their label")
        began = time.monotonic()
        trouble = json.loads(self.node("annotated")["annotations"][LABEL])
        self.assertEqual(
            (trouble["reason"], trouble["count"], trouble["message"]),
            ("Rebooted", 1, "by hand"))
        for name in ("annotated", "owned"):
            managers = {entry["manager"]: entry["operation"]
                        for entry in self.node(name)["managedFields"]
                        if LABEL in json.dumps(entry)}
            self.assertEqual(
                managers, {"kube-event-metrics-trouble": "Apply"}, name)
        processes.wait_until(lambda: exporter.own("sink_queued") == 0, 20,
                             "those of nodes that are gone do not wait")
        self.kill_and_restart(exporter)
        processes.wait_until(lambda: not self.troubled("Rebooted"), 100,
                             "the labels are gone", 1)
        self.assertGreater(time.monotonic() - began, 50)
        self.assertEqual(json.loads(self.node("annotated")["annotations"][LABEL]),
                         trouble)
        self.assertNotIn(LABEL, self.node("annotated").get("labels", {}))
        for name in ("gone", "late"):
            with self.assertRaises(ApiError, msg="it was created again"):
                self.node(name)

    def test_a_policy_that_protects_one_node_holds_up_no_other(self):
        sinks.may_annotate(self.api, "policy", "nodes")
        exporter = self.start_with_sinks("policy", [{
            "name": "policy", "type": "annotate", "filter": {"kinds": ["Node"]}}])
        for name in ("guarded", "open"):
            self.add_node(name)
        sinks.forbid_label(self.api, LABEL, "guarded")
        for name in ("guarded", "open"):
            self.write(f"policy-{name}", manifests.about_node(name, uid=name),
                       "Guarded", kind="Warning")
        processes.wait_until(lambda: self.troubled("Guarded") == ["open"], 20,
                             "the other is annotated")
        processes.wait_until(lambda: exporter.own("sink_queued") == 0, 20,
                             "nothing waits")
        self.assertEqual(exporter.own("sink_dropped_total"), 1)
        self.assertEqual(exporter.own("sink_failures_total"), 0)
        self.assertNotIn(LABEL, self.node("guarded").get("labels", {}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
