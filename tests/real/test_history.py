"""The sink history: the file, the API and the pages have the truth."""

import collections
import html
import json
import sqlite3
import unittest
import urllib.parse
import uuid

from rig import manifests, processes
from rig.sink_case import SinkCase

QUERY = """SELECT e.uid, o.kind, o.name, r.reason, r.type,
  r.reporting_component, e.message, e.count, e.occurrences
  FROM events AS e JOIN objects AS o ON o.id = e.object
  JOIN reasons AS r ON r.id = e.reason"""


def rows_of_truth(occurrences):
    """The same columns: of the last watch event, with the sum of deltas."""
    last, sums = {}, collections.Counter()
    for frame, delta in occurrences:
        last[frame.uid] = frame
        sums[frame.uid] += delta
    return sorted((uid, frame.kind, frame.object_name, frame.reason,
                   frame.type, frame.component, frame.note, frame.reading,
                   sums[uid]) for uid, frame in last.items())


class HistoryTest(SinkCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plane.start_controller_manager()

    def write_events(self, name):
        """Of controllers about a Node and a volume, and Events by hand."""
        self.add_node(name)
        self.api.post("/api/v1/persistentvolumes",
                      manifests.released_volume(name, "Delete"))
        for i in range(40):
            self.write(f"{name}{i}", manifests.about_node(f"{name}{i % 4}"),
                       "Kept" if i % 3 else "Held",
                       kind="Warning" if i % 2 else "Normal")
        self.write(f"{name}pod", manifests.about_pod("p"), "NotOfTheCluster")
        self.wait_event("RegisteredNode", object_name=name)
        self.wait_event("VolumeFailedDelete", object_name=name)

    def rows(self):
        """What another program reads while the exporter runs."""
        file = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return sorted((str(uuid.UUID(bytes=uid)), *rest)
                          for uid, *rest in file.execute(QUERY))
        finally:
            file.close()

    def wait_truth(self, exporter, baseline):
        def complete():
            return self.rows() == rows_of_truth(
                self.truth.occurrences(baseline))
        processes.wait_until(complete, 40, "the file has the truth", 0.3)
        self.assertEqual(exporter.own("sink_dropped_total"), 0)

    def found(self, exporter, **query):
        """The Events of all pages of an answer, as rows."""
        events, cursor = [], ""
        while True:
            text = urllib.parse.urlencode({**query, "cursor": cursor})
            status, body = exporter.fetch(f"/api/v1/events?{text}")
            self.assertEqual(status, 200, body)
            data = json.loads(body)["data"]
            events += data["events"]
            cursor = data.get("next", "")
            if not cursor:
                break
        times = [event["receivedTimestamp"] for event in events]
        self.assertEqual(times, sorted(times, reverse=True))
        return [(event["metadata"]["uid"], event["involvedObject"]["kind"],
                 event["involvedObject"]["name"], event["reason"],
                 event["type"], event["reportingComponent"], event["message"],
                 event["count"], sum(occurrence["count"] for occurrence
                                     in event["occurrences"]))
                for event in events]

    def test_file_api_and_pages_have_the_truth(self):
        self.path = self.folder.file("history.db")
        exporter = self.start_with_sinks("kept", [
            {"name": "history", "type": "history", "path": self.path}],
            "--state.interval", "1s")
        baseline = exporter.baselines()[""]
        self.write_events("kept")
        self.kill_and_restart(exporter)
        for count in (2, 5, 6):
            for i in range(4):
                self.repeat(f"kept{i}", count)
        self.kill_and_restart(exporter)
        self.repeat("kept0", 9)
        self.wait_truth(exporter, baseline)
        self.assertGreaterEqual(len(self.rows()), 42)
        # A controller may repeat its Event at any time.
        for _ in range(5):
            before = self.rows()
            try:
                return self.compare(exporter, before)
            except AssertionError:
                if self.rows() == before:
                    raise
        self.fail("the Events of controllers never rest")

    def compare(self, exporter, expected):
        self.assertEqual(sorted(self.found(exporter, limit=500)), expected)
        # In pages: each Event once.
        self.assertEqual(sorted(self.found(exporter, limit=5)), expected)
        for query, wanted in (
                ({"kind": "Node", "name": "kept1"},
                 [row for row in expected if row[2] == "kept1"]),
                ({"reason": "Held", "type": "Warning"},
                 [row for row in expected
                  if (row[3], row[4]) == ("Held", "Warning")]),
                ({"component": "node-controller"},
                 [row for row in expected if row[5] == "node-controller"]),
                ({"q": "registered"},
                 [row for row in expected if "Registered" in row[6]])):
            self.assertTrue(wanted, query)
            self.assertEqual(sorted(self.found(exporter, **query)), wanted,
                             query)
        objects = json.loads(exporter.fetch("/api/v1/objects?limit=500")[1])
        self.assertEqual(
            {(one["kind"], one["name"]): one["events"]
             for one in objects["data"]["objects"]},
            collections.Counter(row[1:3] for row in expected))

        for kind, name in (("Node", "kept"), ("Node", "kept1"),
                           ("PersistentVolume", "kept")):
            status, page = exporter.fetch(f"/objects/{kind}/{name}")
            self.assertEqual(status, 200)
            text = html.unescape(page)
            rows = [row for row in expected if row[1:3] == (kind, name)]
            self.assertTrue(rows)
            for row in rows:
                self.assertIn(row[3], text)
                self.assertIn(row[6], text)
        status, page = exporter.fetch("/?reason=VolumeFailedDelete&since=1h")
        self.assertEqual(status, 200)
        volume = [row for row in expected if row[3] == "VolumeFailedDelete"]
        self.assertIn(volume[0][6], html.unescape(page))
        self.assertNotIn("RegisteredNode", page)


if __name__ == "__main__":
    unittest.main(verbosity=2)
