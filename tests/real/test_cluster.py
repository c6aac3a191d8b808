"""A busy cluster: real controllers write Events, the exporter counts exactly.

One exporter runs from the start to the end, as a service account that may only
read Events. After each test every sample of its four families must equal the
truth.
"""

import sys
import unittest

from rig import control_plane, manifests, processes, truth
from rig.case import ClusterCase
from rig.exporter import EVENT_RULES, Exporter

KWOK_NODES = "kwok.x-k8s.io/node=fake"
NODES = "/api/v1/nodes"
PODS = "/api/v1/namespaces/default/pods"
VOLUMES = "/api/v1/persistentvolumes"


class BusyClusterTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.main = Exporter(cls.plane, "main")
        cls.addClassCleanup(cls.main.process.kill)
        cls.main.wait_ready()
        cls.lacks = control_plane.missing("kube-controller-manager",
                                          "kube-scheduler", "kwok")
        if cls.lacks:
            print(f"No real nodes and Pods: {cls.lacks}.",
                  file=sys.stderr, flush=True)
            return
        # This CIDR suffices for two nodes only.
        cls.plane.start_controller_manager(
            "--node-monitor-period=1s", "--node-monitor-grace-period=4s",
            "--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/24",
            "--node-cidr-mask-size=25", "--pvclaimbinder-sync-period=3s")
        cls.plane.start_scheduler()
        cls.plane.start_kwok(KWOK_NODES)
        for name in ("kwok-a", "kwok-b", "kwok-c"):
            cls.api.post(NODES, manifests.node(name))
        processes.wait_until(
            lambda: cls.api.get("/api/v1/namespaces/default/serviceaccounts"
                                "/default"), 30, "default's service account")

    def need_controllers(self):
        if self.lacks:
            self.skipTest(self.lacks)

    def shown(self, samples, family, **labels):
        wanted = set(labels.items())
        return sum(value for pairs, value in samples[family].items()
                   if wanted <= pairs)

    def samples_after(self, name, about, reason):
        """The samples after an Event in `default`."""
        self.recorded(self.api.post(
            manifests.CORE_V1.format("default"),
            manifests.legacy_event(name, about, reason)))
        return self.main.wait_exact(self.truth)

    def test_nodes_register_and_run_out_of_addresses(self):
        self.need_controllers()
        for name in ("kwok-a", "kwok-b", "kwok-c"):
            self.wait_event("RegisteredNode", object_name=name)
        self.wait_event("CIDRNotAvailable", reading=8)
        samples = self.main.wait_exact(self.truth)
        # The count includes occurrences without a watch event of their own.
        self.assertGreaterEqual(self.shown(
            samples, truth.OCCURRENCES, scope="cluster", kind="Node",
            reason="CIDRNotAvailable", object_namespace=""), 8)

    def test_a_node_without_heartbeats(self):
        self.need_controllers()
        self.api.post(NODES, manifests.node("silent", kwok=False))
        self.api.post(PODS, manifests.pod("on-silent", "silent", tolerate=1))
        # Only a Pod that was ready gets an Event when it is no longer ready.
        self.api.patch(f"{PODS}/on-silent/status", {"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}]}})
        self.wait_event("NodeNotReady", object_name="silent")
        self.wait_event("NodeNotReady", object_name="on-silent", kind="Pod")
        self.wait_event("TaintManagerEviction", object_name="on-silent")
        samples = self.main.wait_exact(self.truth)
        self.assertEqual(self.shown(
            samples, truth.OBJECT_OCCURRENCES, kind="Node",
            object_name="silent", reason="NodeNotReady"), 1)
        self.api.delete(f"{PODS}/on-silent", grace_seconds=0)
        self.api.delete(f"{NODES}/silent")
        self.wait_event("RemovingNode", object_name="silent")
        self.main.wait_exact(self.truth)

    def test_volumes_that_cannot_be_reclaimed(self):
        self.need_controllers()
        for policy in ("Recycle", "Delete"):
            self.api.post(VOLUMES, manifests.released_volume(
                f"volume-{policy.lower()}", policy))
        self.wait_event("RecyclerPod", kind="PersistentVolume")
        self.wait_event("VolumeFailedDelete", type="Warning")
        samples = self.main.wait_exact(self.truth)
        self.assertGreaterEqual(self.shown(
            samples, truth.OBJECT_OCCURRENCES, scope="cluster",
            kind="PersistentVolume", object_name="volume-delete"), 1)

    def test_pods_by_scheduler_and_kwok(self):
        self.need_controllers()
        self.api.post(PODS, manifests.pod("fits"))
        self.api.post(PODS, manifests.pod("huge", cpu="800"))
        self.wait_event("Scheduled", object_name="fits")
        self.wait_event("FailedScheduling", object_name="huge")
        self.wait_event("Created", object_name="fits")
        samples = self.main.wait_exact(self.truth)
        # The scheduler writes with the newer recorder, the controllers of
        # the controller manager with the older one.
        for component in ("default-scheduler", "node-controller"):
            self.assertGreater(self.shown(
                samples, truth.OCCURRENCES, reporting_component=component), 0)

    def test_similar_events_are_combined(self):
        """From the tenth message on, a recorder combines them in one Event."""
        self.need_controllers()
        self.api.post("/apis/apps/v1/namespaces/default/deployments",
                      manifests.deployment("similar", 15))

        def created():
            return [frame for frame in self.recorder.frames()
                    if frame.reason == "SuccessfulCreate" and
                    frame.object_name.startswith("similar-")]
        processes.wait_until(
            lambda: sum(frame.change == "ADDED" or frame.reading > 1
                        for frame in created()) >= 15, 30, "15 Pods created")
        combined = {frame.key: frame.reading for frame
                    in self.recorder.frames() if
                    frame.note.startswith("(combined from similar events)")}
        self.assertIn(6, combined.values())
        samples = self.main.wait_exact(self.truth)
        self.assertEqual(self.shown(samples, truth.OCCURRENCES,
                                    reason="SuccessfulCreate"), 15)
        self.assertEqual(self.main.own("combined_occurrences_total"),
                         sum(combined.values()))

    def test_a_series(self):
        path = manifests.EVENTS_V1.format("default")
        self.api.post(path, manifests.new_event(
            "series", manifests.about_pod("p"), "Series", "Warning"))
        for count in (2, 57):
            answer = self.api.patch(f"{path}/series", manifests.series(count))
        self.recorded(answer)
        samples = self.main.wait_exact(self.truth)
        self.assertEqual(self.shown(samples, truth.OCCURRENCES,
                                    reason="Series", type="Warning"), 57)

    def test_a_node_event_in_kube_system(self):
        self.recorded(self.api.post(
            manifests.EVENTS_V1.format("kube-system"), manifests.new_event(
                "in-kube-system", manifests.about_node("n"), "InKubeSystem",
                namespace="kube-system")))
        samples = self.main.wait_exact(self.truth)
        self.assertEqual(self.shown(samples, truth.OBJECT_OCCURRENCES,
                                    reason="InKubeSystem", object_name="n"), 1)

    def test_a_node_event_that_names_a_namespace(self):
        samples = self.samples_after(
            "names-default", manifests.about_node("n", namespace="default"),
            "Problem")
        self.assertEqual(self.shown(
            samples, truth.OCCURRENCES, reason="Problem", scope="cluster",
            object_namespace=""), 1)

    def test_an_object_whose_namespace_was_left_out(self):
        # The endpoints controller does this when a create fails.
        samples = self.samples_after(
            "left-out", {"apiVersion": "v1", "kind": "Endpoints", "name": "e"},
            "LeftOut")
        self.assertEqual(self.shown(
            samples, truth.OCCURRENCES, reason="LeftOut", scope="namespaced",
            object_namespace="default"), 1)

    def make_kind(self, group, kind):
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        crd = self.api.post(path, manifests.cluster_resource(group, kind))
        name = crd["metadata"]["name"]
        plural = crd["spec"]["names"]["plural"]

        def served():
            return any(condition["type"] == "Established" and
                       condition["status"] == "True" for condition in
                       self.api.get(f"{path}/{name}")["status"]["conditions"])
        processes.wait_until(served, 20, f"{name} is established")
        self.api.post(f"/apis/{group}/v1/{plural}", {
            "apiVersion": f"{group}/v1", "kind": kind,
            "metadata": {"name": "mine"}})
        processes.wait_until(
            lambda: any(resource["kind"] == kind for resource in
                        self.api.get(f"/apis/{group}/v1")["resources"]),
            20, f"{kind} in discovery")
        self.scopes.refresh()

    def test_a_custom_resource_made_while_running(self):
        self.make_kind("plain.kem.test", "Plain")
        samples = self.samples_after(
            "plain", {"apiVersion": "plain.kem.test/v1", "kind": "Plain",
                      "name": "mine"}, "Reconciled")
        self.assertEqual(self.shown(
            samples, truth.OBJECT_OCCURRENCES, kind="Plain",
            api_group="plain.kem.test", object_name="mine"), 1)

    def test_a_custom_resource_whose_event_names_a_namespace(self):
        self.make_kind("named.kem.test", "Named")
        samples = self.samples_after(
            "named", {"apiVersion": "named.kem.test/v1", "kind": "Named",
                      "name": "mine", "namespace": "default"}, "Reconciled")
        self.assertEqual(self.shown(
            samples, truth.OCCURRENCES, kind="Named", scope="cluster",
            object_namespace=""), 1)

    def test_two_thousand_events_in_pages(self):
        self.api.ensure("/api/v1/namespaces", {"metadata": {"name": "many"}})
        path = manifests.CORE_V1.format("many")
        for number in range(2000):
            answer = self.api.post(path, manifests.legacy_event(
                f"many-{number}", manifests.about_pod(f"p-{number}", "many"),
                f"Many{number % 20}", namespace="many"))
        self.recorded(answer)
        self.main.wait_exact(self.truth)
        exporter = self.exporter("paging")
        pages = exporter.audit().lists(exporter.user)
        self.assertGreaterEqual(len(pages), 5)
        self.assertEqual({page.query["limit"] for page in pages}, {"500"})
        self.assertEqual([bool(page.query.get("continue"))
                          for page in pages],
                         [False] + [True] * (len(pages) - 1))
        # The baseline is received and not counted.
        samples = exporter.wait_exact(self.truth, steady=0.5)
        self.assertEqual(self.shown(samples, truth.ACTIVE,
                                    object_namespace="many"), 2000)
        self.assertEqual(self.shown(samples, truth.OCCURRENCES,
                                    object_namespace="many"), 0)
        self.assertEqual(20, len([
            pairs for pairs in samples[truth.OCCURRENCES]
            if ("object_namespace", "many") in pairs]))
        for number in (0, 499, 500, 1999):
            answer = self.api.patch(f"{path}/many-{number}", {"count": 3})
        self.recorded(answer)
        samples = exporter.wait_exact(self.truth)
        self.assertEqual(self.shown(samples, truth.OCCURRENCES,
                                    object_namespace="many"), 8)

    def test_two_namespaces_by_two_roles(self):
        exporter = self.exporter("scoped",
                                 namespaces=("default", "kube-system"))
        self.api.ensure("/api/v1/namespaces", {"metadata": {"name": "other"}})
        for namespace in ("default", "kube-system", "other"):
            answer = self.api.post(
                manifests.CORE_V1.format(namespace), manifests.legacy_event(
                    "scoped", manifests.about_pod("p", namespace), "Scoped",
                    namespace=namespace))
        self.recorded(answer)
        samples = exporter.wait_exact(self.truth)
        self.assertEqual(self.shown(samples, truth.OCCURRENCES,
                                    reason="Scoped"), 2)
        self.assertEqual({request.path for request in
                          exporter.audit().watches(exporter.user)},
                         {"/api/v1/namespaces/default/events",
                          "/api/v1/namespaces/kube-system/events"})
        self.main.wait_exact(self.truth)

    def test_zz_it_asked_for_nothing_but_events_and_discovery(self):
        """Runs last, by its name: it checks the requests of all tests."""
        verbs = set(EVENT_RULES[0]["verbs"])
        for request in self.main.audit().requests(self.main.user,
                                                  "ResponseComplete"):
            with self.subTest(request.path):
                self.assertIn(request.verb, verbs)
                self.assertEqual(request.status, 200)
                # The core group exists, so the other is never used.
                self.assertFalse(request.path.startswith(
                    "/apis/events.k8s.io/v1/") and request.is_events)
        for watch in self.main.audit().watches(self.main.user):
            self.assertTrue(240 <= int(watch.query["timeoutSeconds"]) <= 290)
            self.assertGreater(int(watch.query["resourceVersion"]), 0)

    def test_zzz_sigterm_ends_it_with_0(self):
        self.assertEqual(self.main.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
