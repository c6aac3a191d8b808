#!/usr/bin/python3
"""Sinks: failing receivers, restarts, kills, mirrors, annotations.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_sinks.py

A small cluster sends occurrences while a receiver plays its faults. Whatever
the receiver does, the counters are exact, and the records that it took equal
those that the cluster wrote, compared by ID.
"""

import collections
import json
import os
import random
import unittest

from sink_case import RECOVERY, SinkCase
from receiver import compare

PEAK_MIB = 80


class ReceiverTest(SinkCase):
    """In protobuf; test_otlp.py does the same in JSON."""

    def check_every_fault(self, **kind):
        receiver = self.make_receiver(**kind)
        entry = self.otlp_entry(receiver) + ", queue-entries: 20000"
        if receiver.certificates:
            authority = receiver.certificates.authority("a")
            entry += f", ca-file: {authority}"
        self.config(f"sinks:\n- {entry}}}\n")
        exporter = self.start()
        faults = ("429", "500", "cut", "garbage", "cut-answer", "503")
        for fault in faults:
            receiver.next_answers += [fault, "slow", "garbage-body"]
        self.storm(8, 1200, random.Random(7))
        receiver.play("dead")
        self.storm(1, 1200, random.Random(8))
        self.assertGreater(len(self.written), 10000)
        self.expect_counted(exporter)
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "failures_total", "store") > len(faults)))
        receiver.play("up")
        self.expect_delivered(receiver)
        for fault in faults:
            self.assertEqual(receiver.answered[fault], 1)
        self.assertTrue(self.until(
            lambda: self.sink_sample(exporter, "queued", "store") == 0))
        self.assertEqual(self.sink_sample(exporter, "delivered_total", "store"),
                         len(self.written))
        self.assertEqual(self.sink_sample(exporter, "dropped_total", "store"), 0)
        self.assertEqual(self.sink_sample(exporter, "retries_total", "store"),
                         self.sink_sample(exporter, "failures_total", "store"))
        if not exporter.sanitized():
            self.assertLess(exporter.memory("VmHWM"), PEAK_MIB << 10)

    def test_every_fault_over_http(self):
        self.check_every_fault()

    def test_every_fault_over_tls(self):
        self.check_every_fault(tls=True)

    def test_every_fault_and_a_connection_for_each_request(self):
        self.check_every_fault(tls=True, closes_each=True)

    def test_a_full_queue_drops_the_oldest(self):
        receiver = self.make_receiver()
        receiver.play("dead")
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}, queue-entries: 300}}\n")
        exporter = self.start()
        self.storm(2, 500, random.Random(1))
        self.expect_counted(exporter)
        # Until an attempt fails, its batch is not part of the queue.
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "queued", "store") == 300))
        self.assertEqual(
            self.sink_sample(exporter, "dropped_total", "store",
                             reason="queue_full"), len(self.written) - 300)
        self.assertGreater(
            self.sink_sample(exporter, "oldest_age_seconds", "store"), 0)
        receiver.play("up")
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "delivered_total", "store") == 300))
        self.assertEqual(self.sink_sample(exporter, "queued", "store"), 0)
        self.assertEqual(compare(receiver.taken, dict(self.written[-300:])), [])

    def test_too_large_requests_are_split(self):
        receiver = self.make_receiver()
        receiver.most = 50
        receiver.play("dead")
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}}}\n")
        exporter = self.start()
        self.storm(1, 500, random.Random(4))
        self.expect_counted(exporter)
        receiver.play("up")
        self.expect_delivered(receiver)
        self.assertGreater(receiver.answered["413"], 2)
        self.assertEqual(self.sink_sample(exporter, "dropped_total", "store"), 0)

    def test_stops_at_once_while_a_receiver_hangs(self):
        receiver = self.make_receiver()
        receiver.play("mute")
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}}}\n")
        exporter = self.start()
        self.happen("n-1")
        self.assertTrue(self.until(lambda: receiver.answered["mute"] > 0))
        exporter.signal("TERM")
        code, seconds = exporter.wait_exit(12)
        self.assertEqual(code, 0, exporter.stderr())
        self.assertLess(seconds, 5)

    def test_wrong_headers_delay_delivery_until_fixed(self):
        receiver = self.make_receiver()
        self.config("X-Scope-OrgID: infra\n", "headers")
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}, "
                    "headers-file: headers}\n")
        exporter = self.start()
        self.happen("n-1")
        self.expect_delivered(receiver)
        self.config("no header at all\n", "headers")
        self.happen("n-1")
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "failures_total", "store") > 0))
        self.assertIn("line 1 must be a header", exporter.stderr())
        self.config("X-Scope-OrgID: other\n", "headers")
        self.expect_delivered(receiver)
        self.assertEqual([headers["x-scope-orgid"] for headers in receiver.headers],
                         ["infra", "other"])


class RestartTest(SinkCase):

    def start_with_state(self, receiver):
        self.config(f"sinks:\n- {{name: store, type: otlp, endpoint: "
                    f"'{receiver.url}', queue-entries: 50000}}\n")
        exporter = self.start("--state.file", self.path("state"),
                              "--state.interval", "1s")
        # With a state file, what follows is not part of a baseline.
        self.assertTrue(self.until(lambda: os.path.exists(self.path("state"))))
        return exporter

    def test_the_queue_survives_a_restart(self):
        receiver = self.make_receiver()
        receiver.play("dead")
        exporter = self.start_with_state(receiver)
        for signal in ("TERM", "KILL"):
            self.storm(1, 300, random.Random(2))
            self.expect_counted(exporter)  # a scrape saves what it shows
            exporter.signal(signal)
            exporter.wait_exit(12)
            self.storm(0.2, 300, random.Random(3))  # while it is down
            exporter.start(exporter.flags)
            self.wait_ready(exporter)
        self.expect_counted(exporter)
        self.assertEqual(self.sink_sample(exporter, "queued", "store"),
                         len(self.written))
        receiver.play("up")
        self.expect_delivered(receiver)

    def test_twenty_kills_lose_nothing(self):
        receiver = self.make_receiver()
        exporter = self.start_with_state(receiver)
        seed = random.randrange(10**6)
        print(f"kills with seed {seed}", flush=True)
        dice = random.Random(seed)
        for _ in range(20):
            receiver.play(dice.choice(("up", "up", "dead", "cut", "500")))
            self.storm(dice.random(), 400, dice)
            exporter.kill()
            exporter.start(exporter.flags)
        receiver.play("up")
        self.wait_ready(exporter)
        self.expect_counted(exporter)
        self.expect_delivered(receiver, exactly_once=False)
        again = len(receiver.taken) - len({one.id for one in receiver.taken})
        print(f"{len(self.written)} occurrences, 0 lost, {again} taken twice: "
              "the kill came before their acknowledgement")


class ReloadTest(SinkCase):

    def test_sinks_come_and_go(self):
        receiver = self.make_receiver()
        self.config("")
        exporter = self.start()
        self.happen("n-1")
        self.expect_counted(exporter)
        self.assertIsNone(self.sink_sample(exporter, "queued", "store"))
        self.config("sinks:\n- name: store\n  type: otlp\n"
                    f"  endpoint: '{receiver.url}'\n")
        self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
        self.happen("n-2")
        before, self.written = self.written, self.written[-1:]
        self.expect_delivered(receiver)
        self.written = before
        self.config("sinks:\n- name: store\n  type: otlp\n")
        status, _, body = exporter.get("/-/reload", method="POST")
        self.assertEqual(status, 500)
        self.assertIn("config.yaml line 2: the sink has no "
                      "endpoint", body.decode())
        self.assertEqual(self.sink_sample(exporter, "queued", "store"), 0)
        self.config("")
        self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
        self.happen("n-3")
        self.expect_counted(exporter)
        self.assertIsNone(self.sink_sample(exporter, "queued", "store"))
        self.assertEqual(len(receiver.taken), 1)


class ClusterTest(SinkCase):
    """The sinks that write to the API server."""

    MIRROR = "- {name: infra, type: mirror, namespace: infra}\n"
    ANNOTATE = "- {name: annotated, type: annotate, filter: {kinds: [Node]}}\n"

    def mirrors(self):
        return {event["involvedObject"]["name"]: event["count"]
                for event in self.cluster.events_in("infra")}

    def wrote(self, method, part):
        return sum(one == method and part in path
                   for one, path, _ in self.cluster.writes)

    def test_a_mirror_follows_and_no_exporter_counts_it(self):
        self.config("sinks:\n" + self.MIRROR)
        exporters = [self.start(name=name) for name in ("one", "two")]
        self.happen("n-1", by=2)
        self.happen("n-2")
        self.assertTrue(self.until(lambda: self.mirrors() == {
            "n-1": 2, "n-2": 1}), self.mirrors())
        self.happen("n-1", by=3)
        self.assertTrue(self.until(lambda: self.mirrors() == {
            "n-1": 5, "n-2": 1}), self.mirrors())
        for exporter in exporters:
            self.assertTrue(self.until(lambda one=exporter: self.sink_sample(
                one, "delivered_total", "infra") == 3))
            self.expect_counted(exporter)
            self.assertGreater(self.sample(
                exporter, "kube_event_metrics_filtered_occurrences_total"), 5)
        self.assertEqual(len(self.cluster.events_in("infra")), 2)
        mirror, = (event for event in self.cluster.events_in("infra")
                   if event["involvedObject"]["name"] == "n-1")
        self.assertEqual(mirror["involvedObject"], {
            "apiVersion": "v1", "kind": "Node", "name": "n-1",
            "namespace": "infra"})
        self.assertEqual(mirror["related"]["uid"], "n-1")
        self.assertEqual(mirror["source"],
                         {"component": "kubelet", "host": "n-1"})

    def test_a_backlog_never_lowers_a_mirror(self):
        """One replica is behind by 200 occurrences, more than a batch."""
        self.config("sinks:\n" + self.MIRROR)
        ahead, behind = (self.start(name=name) for name in ("one", "two"))
        behind.signal("STOP")
        for _ in range(200):
            self.happen("n-1")
        self.assertTrue(self.until(lambda: self.mirrors() == {"n-1": 200}))
        written = [one for one, _, _ in self.cluster.writes]
        behind.signal("CONT")
        for exporter in (ahead, behind):
            self.assertTrue(self.until(lambda one=exporter: self.sink_sample(
                one, "delivered_total", "infra") == 200))
            self.assertEqual(
                self.sink_sample(exporter, "connections_total", "infra"), 1)
        counts = self.mirrored("n-1.Rebooted")
        self.assertEqual(counts, sorted(counts))
        # It reads once for each of its batches, and writes nothing.
        caught_up = [one for one, _, _ in
                     self.cluster.writes[len(written):]]
        self.assertNotIn("PATCH", caught_up)
        self.assertGreaterEqual(caught_up.count("GET"), 200 // 64)
        self.assertEqual(len(self.cluster.writers), 2)
        print(f"ahead: {collections.Counter(written)}, "
              f"behind: {collections.Counter(caught_up)}")

    def test_mirrors_wait_until_writes_are_allowed(self):
        self.config("sinks:\n" + self.MIRROR)
        exporter = self.start()
        for code in (403, 404, 409, 429, 500):
            self.cluster.answers = {"/infra/": code}
            self.happen("n-1")
            failures = self.sink_sample(exporter, "failures_total", "infra")
            self.assertTrue(self.until(lambda: self.sink_sample(
                exporter, "failures_total", "infra") > failures), code)
            self.cluster.answers = {}
            self.assertTrue(self.until(lambda: self.mirrors() == {
                "n-1": len(self.written)}), code)
        self.assertEqual(
            self.sink_sample(exporter, "dropped_total", "infra"), 0)
        self.cluster.answers = {"/infra/": 422}
        self.happen("n-2")
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "dropped_total", "infra", reason="refused") == 1))
        self.assertIn("refused occurrences", exporter.stderr())
        self.expect_counted(exporter)

    def test_a_node_is_annotated_once_a_minute(self):
        self.config("sinks:\n" + self.ANNOTATE)
        exporter = self.start()
        for _ in range(5):
            self.happen("n-1")
        self.happen("n-2", reason="Evicted")
        self.happen("gone")
        annotated = self.cluster.annotated
        self.assertTrue(self.until(lambda: annotated["n-1"] and annotated["n-2"]))
        key = "kube-event-metrics/trouble"
        self.assertEqual(annotated["n-2"]["labels"], {key: "Evicted"})
        trouble = json.loads(annotated["n-2"]["annotations"][key])
        self.assertEqual((trouble["reason"], trouble["count"]), ("Evicted", 1))
        for _ in range(5):
            self.happen("n-1")
        self.happen("n-3")
        self.assertTrue(self.until(lambda: annotated["n-3"]))
        self.assertLessEqual(self.wrote("PATCH", "/nodes/n-1"), 1)
        self.assertEqual(self.wrote("PATCH", "/nodes/gone"), 0)
        self.assertEqual(self.sink_sample(exporter, "failures_total", "annotated"), 0)
        self.expect_counted(exporter)


class LogTest(SinkCase):

    def lines(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_a_file_that_is_moved_away(self):
        self.config("sinks:\n- {name: audit, type: log, path: log}\n")
        exporter = self.start()
        self.happen("n-1", by=3)
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "delivered_total", "audit") == 1))
        os.rename(self.path("log"), self.path("log.1"))
        self.happen("n-2")
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "delivered_total", "audit") == 2))
        (one,), (two,) = self.lines("log.1"), self.lines("log")
        self.assertEqual((one["k8s.object.name"], one["kube_event.delta"]),
                         ("n-1", 3))
        self.assertEqual(two["k8s.object.name"], "n-2")
        self.assertEqual([one["log.record.uid"], two["log.record.uid"]],
                         [event_id for event_id, _ in self.written])

    def test_kills_cut_no_line(self):
        """Except the line that a kill interrupts."""
        self.config("sinks:\n- {name: audit, type: log, path: log}\n")
        exporter = self.start("--state.file", self.path("state"),
                              "--state.interval", "1s")
        self.assertTrue(self.until(lambda: os.path.exists(self.path("state"))))
        dice = random.Random(5)
        for _ in range(5):
            self.storm(dice.random(), 1000, dice)
            exporter.kill()
            with open(self.path("log"), "a", encoding="utf-8") as file:
                file.write('{"time":"2026-')  # as a kill inside a line would
            exporter.start(exporter.flags)
        self.wait_ready(exporter)
        self.expect_counted(exporter)
        self.assertTrue(self.until(
            lambda: self.sink_sample(exporter, "queued", "audit") == 0))
        ids, cut = set(), 0
        with open(self.path("log"), encoding="utf-8") as file:
            for line in file:
                try:
                    ids.add(json.loads(line)["log.record.uid"])
                except ValueError:
                    cut += 1
        self.assertEqual(ids, {event_id for event_id, _ in self.written})
        self.assertIn(cut, range(1, 6))


if __name__ == "__main__":
    unittest.main()
