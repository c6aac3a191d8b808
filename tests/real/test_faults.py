"""Faults of a cluster: killed servers, lost history, expiry.

The exporter misses nothing that the API server still has, counts nothing twice,
and lists again only when necessary.
"""

import time
import unittest

from rig import control_plane, manifests, processes, truth
from rig.case import ClusterCase
from rig.wire import Wire

PATH = manifests.CORE_V1.format("default")
# The longest back-off with its jitter, and some time to catch up.
RECOVERY_SECONDS = 75


class FaultsTest(ClusterCase):

    API_SERVER_FLAGS = {"event_ttl": "1h"}

    def setUp(self):
        self.use_event_ttl("1h")

    def use_event_ttl(self, event_ttl):
        if self.plane.flags["event_ttl"] != event_ttl:
            self.plane.kill_api_server()
            self.plane.start_api_server(event_ttl=event_ttl)

    def post(self, name, count=1, first=None):
        return self.recorded(self.api.post(PATH, manifests.legacy_event(
            name, manifests.about_node("n"), name.title(), count=count,
            first=first)))

    def change(self, name, count):
        return self.recorded(self.api.patch(f"{PATH}/{name}", {"count": count}))

    def counted(self, samples, name, family=truth.OCCURRENCES):
        return sum(value for pairs, value in samples[family].items()
                   if ("reason", name.title()) in pairs)

    def wait_deleted(self, name):
        self.recorder.wait_for(
            lambda frame: frame.change == "DELETED" and frame.key[1] == name,
            30, f"{name} DELETED")

    def wired(self, name):
        """An exporter with a wire to the API server that can be cut."""
        wire = Wire(self.plane.port)
        self.addCleanup(wire.cut)
        return wire, self.exporter(
            name, server=f"https://127.0.0.1:{wire.port}")

    def test_the_api_server_is_killed(self):
        exporter = self.exporter("killed")
        self.post("before", 3)
        exporter.wait_exact(self.truth)
        lists = len(exporter.audit().lists(exporter.user))
        self.plane.kill_api_server()
        status, reason = processes.wait_until(
            lambda: exporter.fetch("/readyz")[0] == 503 and
            exporter.fetch("/readyz"), 15, "not ready")
        self.assertEqual(status, 503)
        self.assertTrue(reason.strip())
        self.assertEqual(exporter.fetch("/livez")[0], 200)
        self.plane.start_api_server()
        self.change("before", 7)
        self.post("after", 2)
        samples = exporter.wait_exact(self.truth, RECOVERY_SECONDS)
        self.assertEqual(self.counted(samples, "before"), 7)
        self.assertEqual(self.counted(samples, "after"), 2)
        self.assertTrue(exporter.ready(), exporter.fetch("/readyz"))
        # The API server still had the history, so a new watch was enough.
        self.assertEqual(len(exporter.audit().lists(exporter.user)), lists)

    def test_the_api_server_is_away_at_the_start(self):
        self.post("early", 4)
        wire = Wire(self.plane.port)
        self.addCleanup(wire.cut)
        wire.cut()
        exporter = self.start_exporter(
            "early", server=f"https://127.0.0.1:{wire.port}")
        time.sleep(2)
        self.assertEqual(exporter.fetch("/readyz")[0], 503)
        self.assertEqual(exporter.fetch("/livez")[0], 200)
        for family in truth.FAMILIES:
            self.assertFalse(exporter.samples().get(family), family)
        wire.restore()
        exporter.wait_ready(RECOVERY_SECONDS)
        self.change("early", 5)
        samples = exporter.wait_exact(self.truth)
        self.assertEqual(self.counted(samples, "early"), 1)

    def test_sigterm_while_the_api_server_is_away(self):
        wire, exporter = self.wired("stopped")
        wire.cut()
        time.sleep(2)
        self.assertEqual(exporter.stop(12), 0)

    def test_a_cut_wire(self):
        wire, exporter = self.wired("cut")
        self.post("uncut", 2)
        exporter.wait_exact(self.truth)
        lists = len(exporter.audit().lists(exporter.user))
        wire.cut()
        self.change("uncut", 6)
        self.post("meanwhile", 3)
        processes.wait_until(lambda: not exporter.ready(), 15, "not ready")
        wire.restore()
        samples = exporter.wait_exact(self.truth, RECOVERY_SECONDS)
        self.assertEqual(self.counted(samples, "uncut"), 6)
        self.assertEqual(self.counted(samples, "meanwhile"), 3)
        self.assertTrue(exporter.ready(), exporter.fetch("/readyz"))
        self.assertEqual(len(exporter.audit().lists(exporter.user)), lists)

    def test_compaction_behind_a_cut_wire(self):
        wire, exporter = self.wired("compaction")
        self.post("stays", 5)
        self.post("goes", 2)
        first = time.time()
        self.post("comes", 4, first)
        exporter.wait_exact(self.truth)
        lists = len(exporter.audit().lists(exporter.user))
        wire.cut()
        self.change("stays", 9)
        self.change("goes", 3)
        # Deleted and created again, unseen by the exporter.
        self.api.delete(f"{PATH}/comes")
        self.wait_deleted("comes")
        self.post("comes", 6, first)
        self.post("unheard", 3)
        self.plane.compact_etcd()
        wire.restore()
        samples = exporter.wait_exact(self.truth, RECOVERY_SECONDS)
        self.assertEqual(self.counted(samples, "stays"), 9)
        self.assertEqual(self.counted(samples, "goes"), 3)
        self.assertEqual(self.counted(samples, "comes"), 6)
        self.assertEqual(self.counted(samples, "unheard"), 3)
        self.assertEqual(len(exporter.audit().lists(exporter.user)),
                         lists + 1)
        self.assertGreaterEqual(
            exporter.own("watches_total", reason="expired"), 1)
        self.assertGreater(exporter.own("unobserved_seconds_total"), 0)
        self.change("stays", 10)
        exporter.wait_exact(self.truth)

    def test_a_change_of_an_event_older_than_the_compaction(self):
        wire, exporter = self.wired("older")
        self.post("older", 5)
        self.post("filler")
        self.plane.compact_etcd()
        # The exporter resumes at the newest version but one, which history
        # still has. The version of the Event before its change is older.
        self.post("newer")
        self.post("newest")
        exporter.wait_exact(self.truth)
        lists = len(exporter.audit().lists(exporter.user))
        wire.cut()
        self.change("older", 9)
        wire.restore()
        samples = exporter.wait_exact(self.truth, RECOVERY_SECONDS)
        self.assertEqual(self.counted(samples, "older"), 9)
        self.assertEqual(len(exporter.audit().lists(exporter.user)), lists)

    def test_expiry_is_no_occurrence(self):
        self.use_event_ttl("4s")
        exporter = self.exporter("expiry")
        first = time.time()
        self.post("expires", 2, first)
        samples = exporter.wait_exact(self.truth, steady=0.5)
        self.assertEqual(self.counted(samples, "expires", truth.ACTIVE), 1)
        self.wait_deleted("expires")
        samples = exporter.wait_exact(self.truth)
        self.assertEqual(self.counted(samples, "expires", truth.ACTIVE), 0)
        self.assertEqual(self.counted(samples, "expires"), 2)
        self.post("expires", 5, first)
        samples = exporter.wait_exact(self.truth, steady=0.5)
        self.assertEqual(self.counted(samples, "expires"), 5)

    def test_a_controller_writes_its_expired_event_again(self):
        control_plane.need("kube-controller-manager")
        self.use_event_ttl("4s")
        exporter = self.exporter("rewritten")
        controllers = self.plane.start_controller_manager(
            "--controllers=node-ipam-controller", "--allocate-node-cidrs=true",
            "--cluster-cidr=10.244.0.0/25", "--node-cidr-mask-size=25")
        self.addCleanup(controllers.kill)
        for name in ("one", "two", "three"):
            self.api.post("/api/v1/nodes", manifests.node(name))
        # It retries less and less often, until its Event expires in between.
        # Then it creates the Event again with the same name and the total.
        again = self.recorder.wait_for(
            lambda frame: frame.reason == "CIDRNotAvailable" and
            frame.change == "ADDED" and frame.reading > 1, 60,
            "CIDRNotAvailable ADDED with a count above 1")
        samples = exporter.wait_exact(self.truth)
        counted = sum(
            value for pairs, value in samples[truth.OBJECT_OCCURRENCES].items()
            if ("object_name", again.object_name) in pairs and
            ("reason", "CIDRNotAvailable") in pairs)
        self.assertGreaterEqual(counted, again.reading)
        self.assertLessEqual(counted, again.reading + 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
