"""The sink otlp: a real collector and a real store have the truth."""

import collections
import datetime
import itertools
import unittest

from rig import (collector, control_plane, expected as shown, grafana,
                 manifests, processes)
from rig.sink_case import SinkCase
from rig.victoria_logs import VictoriaLogs

ID = "log.record.uid"
FORMATS = [f"{encoding}-{compression}" for encoding, compression in
           itertools.product(("protobuf", "json"), ("gzip", "none"))]


def stamp(seconds):
    return datetime.datetime.fromtimestamp(
        seconds, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def seconds(text):
    """Of a time of VictoriaLogs, which may have nanoseconds."""
    whole, _, part = text.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(
        whole + "+00:00").timestamp() + float(f"0.{part or 0}")


class StoresTest(SinkCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plane.start_controller_manager()

    def write_history(self, name):
        """Nodes and a volume of controllers, and Events by hand."""
        self.add_node(name)
        self.api.post("/api/v1/persistentvolumes",
                      manifests.released_volume(name, "Delete"))
        for i in range(40):
            self.write(f"{name}{i}", manifests.about_node(f"{name}{i % 4}"),
                       "Collected", kind="Warning" if i % 2 else "Normal")
        self.write(f"{name}pod", manifests.about_pod("p"), "NotOfTheCluster")
        for count in (2, 5, 6):
            for i in range(4):
                self.repeat(f"{name}{i}", count)
        self.wait_event("RegisteredNode", object_name=name)
        self.wait_event("VolumeFailedDelete", object_name=name)

    def wait_delivered(self, exporter, found, baseline, copies=1):
        def complete():
            expected = len(self.truth.occurrences(baseline)) * copies
            return exporter.own("sink_queued") == 0 and (
                len(found()) >= expected)
        processes.wait_until(complete, 40, "the store has it all", 0.3)
        self.assertEqual(exporter.own("sink_dropped_total"), 0)

    def compare(self, records, expected):
        # Records in flight when the exporter was killed may arrive twice.
        by_id = {}
        for record in records:
            self.assertEqual(by_id.setdefault(record[ID], record), record,
                             "a second delivery differs")
        self.assertEqual(set(by_id), {f"{frame.uid}/{frame.reading}"
                                      for frame, _ in expected})
        for frame, delta in expected:
            record = by_id[f"{frame.uid}/{frame.reading}"]
            wanted = {
                "k8s.event.uid": frame.uid, "k8s.event.name": frame.key[1],
                "k8s.event.namespace": frame.key[0],
                "k8s.event.reason": frame.reason, "body": frame.note,
                "k8s.event.count": frame.reading, "kube_event.delta": delta,
                "kube_event.scope": "cluster",
                "k8s.event.reporting_controller": frame.component,
                "severity": frame.type, "k8s.object.kind": frame.kind,
                "k8s.object.name": frame.object_name,
                "k8s.object.api_version": frame.api_version,
                "service.name": "kube-event-metrics",
                "k8s.cluster.name": "prod", "event": "k8s.event",
                "k8s.namespace.name": None, "k8s.node.name": None,
                "k8s.persistentvolume.name": None}
            entity = {"Node": "node", "PersistentVolume": "persistentvolume"}
            if frame.kind in entity:
                wanted[f"k8s.{entity[frame.kind]}.name"] = frame.object_name
            self.assertEqual({key: record.get(key) for key in wanted}, wanted)
            self.assertAlmostEqual(record["time"], frame.newest, delta=1e-3)

    def expect_order(self, records):
        order = collections.defaultdict(dict)
        for record in records:
            order[record["k8s.event.uid"]].setdefault(
                record["k8s.event.count"])
        for counts in order.values():
            self.assertEqual(list(counts), sorted(counts))

    def test_a_collector_gets_the_truth(self):
        control_plane.need("otelcol")
        target = collector.Collector(self.folder, self.plane.certificates)
        self.addCleanup(target.close)
        cert, key = self.plane.certificates.client("exporter")
        headers = self.folder.file("headers", "Authorization: Bearer wrong\n")
        exporter = self.start_with_sinks("collected", [{
            "name": name, "type": "otlp", "endpoint": target.endpoint,
            "encoding": name.split("-")[0], "compression": name.split("-")[1],
            "labels": {"format": name},
            "resource-attributes": {"k8s.cluster.name": "prod"},
            "headers-file": headers, "ca-file": self.plane.certificates.ca,
            "cert-file": cert, "key-file": key} for name in FORMATS])
        baseline = exporter.baselines()[""]
        self.write_history("collected")
        self.wait_failure(exporter, len(FORMATS) - 1)
        self.assertEqual(target.records(), [])
        # Another token; the sinks read the file for each request.
        self.folder.file("headers", f"Authorization: Bearer {collector.TOKEN}\n")
        self.wait_delivered(exporter, target.records, baseline, len(FORMATS))
        self.kill_and_restart(exporter)
        self.repeat("collected0", 9)
        self.wait_delivered(exporter, target.records, baseline, len(FORMATS))
        expected = self.truth.occurrences(baseline)
        for name in FORMATS:
            records = [one for one in target.records()
                       if one["format"] == name]
            self.compare(records, expected)
            self.expect_order(records)

    @staticmethod
    def found(store, text):
        """Records as those of the collector."""
        records = []
        for record in store.query(text):
            for key in ("k8s.event.count", "kube_event.delta"):
                record[key] = int(record[key])
            record["body"] = record.pop("_msg")
            record["event"] = record.pop("event_name")
            record["time"] = seconds(record.pop("_time"))
            record["severity"] = record.pop("severity_text")
            records.append(record)
        return records

    def test_a_store_without_a_collector(self):
        control_plane.need("victoria-logs")
        store = VictoriaLogs(self.folder)
        self.addCleanup(lambda: store.process.kill())
        exporter = self.start_with_sinks("stored", [{
            "name": "store", "type": "otlp", "endpoint": store.endpoint,
            "resource-attributes": {"k8s.cluster.name": "prod"}}],
            "--state.interval", "1s")
        baseline = exporter.baselines()[""]

        def everything():
            return self.found(store, "*")
        self.write_history("stored")
        self.kill_and_restart(exporter)
        self.write("later", manifests.about_node("stored1"), "Later")
        self.wait_delivered(exporter, everything, baseline)
        store.kill()
        self.write("down", manifests.about_node("stored2"), "Down", count=3)
        self.repeat("stored0", 9)
        self.wait_failure(exporter, 0)
        self.kill_and_restart(exporter)
        self.assertGreater(exporter.own("sink_queued"), 0)
        store.start()
        self.wait_delivered(exporter, everything, baseline)
        expected = self.truth.occurrences(baseline)
        self.compare(everything(), expected)

        node = [pair for pair in expected
                if pair[0].object_name == "stored1"]
        self.assertGreater(len(node), 10)
        self.compare(self.found(store, 'k8s.node.name:="stored1"'), node)
        down = [pair for pair in expected if pair[0].reason == "Down"]
        self.assertEqual([delta for _, delta in down], [3])
        self.compare(self.found(store, 'k8s.event.reason:="Down"'), down)
        times = sorted({frame.newest for frame, _ in expected})
        middle = (times[0] + times[-1]) / 2
        for since, until in ((times[0] - 1, middle), (middle, times[-1] + 1)):
            part = [pair for pair in expected
                    if since <= pair[0].newest < until]
            self.assertTrue(part)
            self.compare(self.found(
                store, f"_time:[{stamp(since)}, {stamp(until)})"), part)
        self.compare_dashboards(store, expected)

    def compare_dashboards(self, store, expected):
        """The rows with messages: all, and what the variables select."""
        def fits(frame, chosen):
            fields = {"kind": frame.kind, "node": frame.object_name,
                      "object_name": frame.object_name, "cluster": "prod",
                      "reason": frame.reason, "type": frame.type}
            return all(fields[name] in (
                [value] if isinstance(value, str) else value)
                for name, value in chosen.items())

        for uid, kinds, choices in (
                (shown.OVERVIEW, None, (
                    {}, {"kind": "PersistentVolume"}, {"type": "Warning"},
                    {"cluster": "prod"}, {"cluster": "dev"})),
                (shown.NODES, ["Node"], (
                    {}, {"node": ("stored1", "stored2")}, {"reason": "Down"},
                    {"node": "stored.1"})),
                (shown.STORAGE, ["PersistentVolume"], (
                    {}, {"object_name": "stored"}, {"object_name": "none"}))):
            dashboard = grafana.dashboards()[uid]
            panel, = [each for each in dashboard.logs
                      if each["title"] == "Messages (VictoriaLogs)"]
            for chosen in choices:
                viewer = grafana.Viewer(None, 0, 0, chosen=chosen)
                query = viewer.text(dashboard, panel["targets"][0]["expr"])
                wanted = [frame for frame, _ in expected
                          if (not kinds or frame.kind in kinds)
                          and fits(frame, chosen)]
                with self.subTest(uid, query=query):
                    self.assertEqual(bool(wanted), not {
                        "dev", "none", "stored.1"} & set(chosen.values()))
                    # A record may arrive twice, as in compare().
                    found = {one[ID]: one["_msg"]
                             for one in store.query(query)}
                    self.assertEqual(sorted(found.values()), sorted(
                        f"{frame.type} {frame.kind} {frame.object_name} "
                        f"{frame.reason}: {frame.note}" for frame in wanted))


if __name__ == "__main__":
    unittest.main(verbosity=2)
