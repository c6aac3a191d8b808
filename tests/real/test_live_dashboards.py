"""The dashboards on live data: real Events, exporter and Prometheus.

Events that are posted to a real API server appear on the panels within
seconds, with exact numbers, including series that did not exist before.
"""

import json
import sys
import time
import unittest

from rig import control_plane, expected, grafana, manifests, processes
from rig.case import ClusterCase
from rig.prometheus import Prometheus

PATH = manifests.CORE_V1.format("default")
INITIAL_ZERO_SECONDS = 4
RANGE = 60
URL = "https://events.example.com/live"
# (kind, object, reason, type, component, count)
POSTED = (("Node", "live-a", "Rebooted", "Warning", "kubelet", 1),
          ("Node", "live-b", "Rebooted", "Warning", "kubelet", 2),
          ("Node", "live-a", "SystemOOM", "Warning", "kubelet", 3),
          ("Node", "live-c", "NodeNotReady", "Normal", "node-controller", 1),
          ("PersistentVolume", "pv-live", "VolumeFailedDelete", "Warning",
           "csi.example.com", 4))


class LiveDashboardsTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control_plane.need("prometheus")
        cls.dashboards = grafana.dashboards()

    def setUp(self):
        config = self.folder.file("sinks.yaml", json.dumps({"sinks": [
            {"name": name, "type": kind, "path": self.folder.file(path),
             "filter": {"kinds": ["PersistentVolume"]}}
            for name, kind, path in (("volumes", "log", "volumes.json"),
                                     ("past", "history", "history.db"))]}))
        exporter = self.exporter("live", "--config.file", config,
                                 "--web.external-url", URL + "/",
                                 initial_zero=f"{INITIAL_ZERO_SECONDS}s")
        self.servers = []
        for program in ("prometheus", "prometheus-debian"):
            if control_plane.tool(program):
                server = Prometheus(self.folder, program,
                                    control_plane.tool(program),
                                    exporter.address)
                self.addCleanup(server.close)
                self.servers.append(server)
        for server in self.servers:
            processes.wait_until(
                lambda s=server: s.query("kube_event_metrics_synced == 1"),
                30, f"{server.name} scrapes")

    def post(self):
        """{(kind, object, reason, type, component): milliseconds}"""
        latest = {}
        for number, (*what, count) in enumerate(POSTED):
            kind, name, reason, event_type, component = what
            event = self.api.post(PATH, manifests.legacy_event(
                f"live-{number}", {"apiVersion": "v1", "kind": kind,
                                   "name": name},
                reason, kind=event_type, component=component))
            for reading in range(2, count + 1):
                event = self.api.patch(f"{PATH}/live-{number}",
                                       {"count": reading})
            self.recorded(event)
            latest[tuple(what)] = 1000 * max(
                frame.newest for frame in self.recorder.frames()
                if frame.object_name == name and frame.reason == reason)
        return latest

    def show(self, viewer, uid, title):
        dashboard = self.dashboards[uid]
        panel = dashboard.panel(title)
        return [viewer.run(dashboard, panel, target)
                for target in panel["targets"]]

    def number(self, viewer, uid, title, query=0):
        shown = list(self.show(viewer, uid, title)[query].values())
        return shown[0][-1][1] if len(shown) == 1 else shown

    def delivered(self, viewer):
        """{sink: occurrences}"""
        shown, = self.show(viewer, expected.HEALTH, "Delivered")
        return {dict(labels)["sink"]: points[-1][1]
                for labels, points in shown.items()}

    def headlines(self, viewer):
        all_reboots = self.number(viewer, expected.NODES, "Reboots", 1)
        return {"Reboots": all_reboots,
                "Delivered": self.delivered(viewer), **{
            title: self.number(viewer, uid, title) for uid, title in (
            (expected.OVERVIEW, "Critical events"),
            (expected.OVERVIEW, "Warning events"),
            (expected.OVERVIEW, "Objects with a Warning"),
            (expected.OVERVIEW, "Nodes not ready"),
            (expected.OVERVIEW, "Exporter"),
            (expected.NODES, "System OOMs"),
            (expected.STORAGE, "Failed deletions"),
            (expected.HEALTH, "Scrapes"), (expected.HEALTH, "Overflowed"),
            (expected.HEALTH, "Watches"))}}

    def test_what_was_posted_is_shown(self):
        # One about a namespaced object, which only the cost panels show.
        self.recorded(self.api.post(PATH, manifests.legacy_event(
            "live-pod", {"apiVersion": "v1", "kind": "Pod", "name": "live-p",
                         "namespace": "default"}, "BackOff",
            kind="Warning", component="kubelet")))
        latest = self.post()
        want = {"Critical events": 1, "Warning events": 10,
                "Objects with a Warning": 3, "Nodes not ready": 1,
                "Exporter": 1, "Reboots": 3, "System OOMs": 3,
                "Failed deletions": 4, "Scrapes": 1, "Overflowed": 0,
                "Watches": 1, "Delivered": {"volumes": 4, "past": 4}}
        for server in self.servers:
            with self.subTest(server.name):
                viewer = self.wait_for(server, want)
                self.check_latest(viewer, latest)
                self.check_health(viewer)

    def wait_for(self, server, want):
        """A viewer that shows the expected headlines."""
        deadline = time.monotonic() + INITIAL_ZERO_SECONDS + 20
        while True:
            viewer = grafana.Viewer(server, int(time.time()), RANGE, scrape=1)
            shown = self.headlines(viewer)
            if shown == want:
                return viewer
            if time.monotonic() > deadline:
                self.assertEqual(shown, want)
            time.sleep(0.5)

    def check_latest(self, viewer, latest):
        """Each object has one row, with its newest Event."""
        table, = self.show(viewer, expected.OVERVIEW,
                           "Latest Event by object")
        rows = [(dict(labels), points[-1][1])
                for labels, points in table.items()]
        self.assertEqual(sorted(row["object_name"] for row, _ in rows),
                         ["live-a", "live-b", "live-c", "pv-live"])
        for row, when in rows:
            what = (row["kind"], row["object_name"])
            self.assertEqual(row["messages"], URL)
            self.assertAlmostEqual(when, max(
                at for posted, at in latest.items() if posted[:2] == what),
                delta=1)
            self.assertAlmostEqual(when, next(
                at for posted, at in latest.items()
                if posted[:4] == (*what, row["reason"], row["type"])),
                delta=1)

    def check_health(self, viewer):
        """The exporter health panels, except for bars of five minutes."""
        dashboard = self.dashboards[expected.HEALTH]
        panels = [panel for panel in dashboard.panels
                  if not panel.get("interval")]
        for panel in panels:
            with self.subTest(panel["title"]):
                self.assertTrue(any(self.show(viewer, dashboard.uid,
                                              panel["title"])))
        print(f"{len(panels)} panels of the exporter's health",
              file=sys.stderr, flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
