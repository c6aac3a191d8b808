#!/usr/bin/python3
"""A sink that joins occurrences: exact sums, over kills and at a stop.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_sink_windows.py
"""

import collections
import json
import os
import random
import time
import unittest

from sink_case import SinkCase


class WindowTest(SinkCase):

    def join(self, every):
        self.config("sinks:\n"
                    f"- {{name: sums, type: log, path: {self.path('sums')}, "
                    f"every: {every}}}\n"
                    f"- {{name: all, type: log, path: {self.path('all')}}}\n")

    def start_with_state(self):
        exporter = self.start("--state.file", self.path("state"),
                              "--state.interval", "1s")
        self.assertTrue(self.until(lambda: os.path.exists(self.path("state"))))
        return exporter

    def lines(self, name):
        """{uid: [(delta, count)]}, in order"""
        found = collections.defaultdict(list)
        if os.path.exists(self.path(name)):
            with open(self.path(name), encoding="utf-8") as file:
                for line in file:
                    one = json.loads(line)
                    found[one["k8s.event.uid"]].append(
                        (one["kube_event.delta"], one["k8s.event.count"]))
        return dict(found)

    def sums(self, name):
        return {uid: sum(delta for delta, _ in lines)
                for uid, lines in self.lines(name).items()}

    def expected(self):
        return {f"uid-{name}": count for name, count in self.counts.items()}

    def stop(self, exporter):
        exporter.signal("TERM")
        code, _ = exporter.wait_exit(12)
        self.assertEqual(code, 0, exporter.stderr())

    def test_a_stop_delivers_one_record_for_each_event(self):
        self.join("24h")
        exporter = self.start()
        self.storm(1, 1000, random.Random(1))
        self.expect_counted(exporter)
        self.assertTrue(self.until(lambda: self.sums("all") == self.expected()))
        self.assertEqual(self.lines("sums"), {})
        self.assertEqual(self.sink_sample(exporter, "queued", "sums"),
                         len(self.counts))
        # Its window is not over, so nothing is late.
        self.assertEqual(
            self.sink_sample(exporter, "oldest_age_seconds", "sums"), 0)
        self.stop(exporter)
        self.assertEqual(self.lines("sums"), {
            uid: [(count, count)] for uid, count in self.expected().items()})

    def test_kills_keep_the_window(self):
        self.join("24h")
        exporter = self.start_with_state()
        for seed in range(3):
            self.storm(0.5, 1000, random.Random(seed))
            self.expect_counted(exporter)  # a scrape makes it durable
            exporter.kill()
            exporter.start(exporter.flags)
            self.wait_ready(exporter)
        self.happen("n-1")
        self.expect_counted(exporter)
        self.assertEqual(self.lines("sums"), {})
        self.stop(exporter)
        self.assertEqual(self.lines("sums"), {
            uid: [(count, count)] for uid, count in self.expected().items()})

    def test_short_windows_add_up(self):
        self.join("1s")
        exporter = self.start_with_state()
        begin = time.time()
        self.storm(4, 500, random.Random(5))
        self.expect_counted(exporter)
        self.assertTrue(self.until(
            lambda: self.sums("sums") == self.expected(), 20))
        windows = int(time.time()) - int(begin) + 1
        for uid, lines in self.lines("sums").items():
            self.assertLessEqual(len(lines), windows, uid)
        self.assertLess(sum(map(len, self.lines("sums").values())),
                        len(self.written) / 2)
        # Else the kill may come before an acknowledgement.
        self.assertTrue(self.until(
            lambda: self.sink_sample(exporter, "queued", "sums") == 0))
        exporter.kill()
        exporter.start(exporter.flags)
        self.wait_ready(exporter)
        self.happen("n-1")
        self.assertTrue(self.until(
            lambda: self.sums("sums") == self.expected(), 20))
        self.assertEqual(self.sink_sample(exporter, "dropped_total", "sums"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
