#!/usr/bin/python3
"""The sink type history: exact over kills, bounded, and no harm to the counting.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_history.py

KEM_HISTORY_OCCURRENCES=1000000 makes the storms larger; the default is 20,000.
"""

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time
import unittest

from sink_case import SinkCase

OCCURRENCES = int(os.environ.get("KEM_HISTORY_OCCURRENCES", "20000"))
SUMS = ("SELECT e.uid, e.count, e.occurrences, sum(j.delta) FROM events AS e "
        "JOIN jumps AS j ON j.event = e.id GROUP BY e.id")


class HistoryTest(SinkCase):

    def keep(self, more="", path=None):
        self.history = path or self.path("history.db")
        self.config("sinks:\n- {name: past, type: history, queue-entries: "
                    f"1000000, queue-bytes: 1073741824, path: {self.history}"
                    f"{more}}}\n")

    def start_with_state(self):
        return self.start("--state.file", self.path("state"))

    def rows(self, sql):
        """As sqlite3 reads them while the exporter runs."""
        uri = f"file:{self.history}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def metric(self, exporter, name):
        return self.sample(exporter, f"kube_event_metrics_history_{name}")

    def expect_exact(self, exporter):
        """Each Event is there once, with all that happened to it."""
        self.expect_counted(exporter)
        self.assertTrue(
            self.until(lambda: self.sink_sample(exporter, "queued", "past") == 0,
                       300))
        found = {uid: (count, occurrences, jumps)
                 for uid, count, occurrences, jumps in self.rows(SUMS)}
        self.assertEqual(found, {f"uid-{name}": (count, count, count)
                                 for name, count in self.counts.items()})

    def test_kills_lose_and_repeat_nothing(self):
        self.keep()
        exporter = self.start_with_state()
        dice = random.Random(17)
        # At most 128 moments of each Event stay, so there are many Events.
        storm = threading.Thread(target=self.write_many, args=(dice,))
        storm.start()
        while storm.is_alive():
            time.sleep(dice.uniform(0.2, 2))
            exporter.kill()
            exporter.start(exporter.flags)
            exporter.wait_listening()
        storm.join()
        self.wait_ready(exporter)
        self.expect_exact(exporter)
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.metric(exporter, "put_aside_total"), 0)
        self.assertEqual(self.metric(exporter, "events"), len(self.counts))
        self.assertEqual(self.metric(exporter, "up"), 1)
        received = self.rows("SELECT min(received) FROM events")[0][0]
        self.assertAlmostEqual(self.metric(exporter, "oldest_timestamp_seconds"),
                               received / 1e6, places=2)

    def write_many(self, dice):
        """OCCURRENCES of them, four an Event on average."""
        for i in range(OCCURRENCES):
            node = f"n-{dice.randrange(20)}"
            self.happen(node, name=f"{node}.{dice.randrange(OCCURRENCES // 80)}")
            if i % 40 == 0:
                time.sleep(0.01)

    def test_it_is_counted_while_the_file_stays_small(self):
        self.keep(", max-size: 32MiB")
        exporter = self.start()
        text = " ".join(str(number) for number in range(700))
        for i in range(12000):
            self.happen("n-1", name=f"n-1.{i}", message=f"{i} {text}"[:3000])
            if i % 100 == 0:
                time.sleep(0.02)
                self.assertLessEqual(self.size(), 32 << 20)
        self.expect_counted(exporter)
        self.assertTrue(self.until(
            lambda: self.sink_sample(exporter, "queued", "past") == 0, 120))
        self.assertLessEqual(self.size(), 32 << 20)
        self.assertAlmostEqual(self.metric(exporter, "bytes"), self.size(),
                               delta=8 << 20)
        kept = [row[0] for row in self.rows("SELECT name FROM events")]
        self.assertLess(2000, len(kept))
        self.assertLess(len(kept), 11000)
        self.assertEqual(set(kept), {f"n-1.{i}" for i in
                                     range(12000 - len(kept), 12000)})

    def size(self):
        return sum(os.path.getsize(self.history + end) for end in ("", "-wal")
                   if os.path.exists(self.history + end))

    def test_a_full_disk_only_delays_it(self):
        disk = self.path("disk")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", disk],
                          check=False, capture_output=True).returncode:
            self.skipTest("needs the right to mount")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.keep(path=os.path.join(disk, "history.db"))
        exporter = self.start()
        self.happen("n-1")
        self.assertTrue(self.until(lambda: os.path.exists(self.history)))
        self.expect_exact(exporter)
        with open(os.path.join(disk, "fill"), "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while file.write(b"x" * 4096):
                    pass
        for i in range(3000):
            self.happen("n-2", name=f"n-2.{i % 300}")
        self.assertTrue(self.until(lambda: self.metric(exporter, "up") == 0))
        self.expect_counted(exporter)
        status, _, body = exporter.get("/readyz")
        self.assertEqual(status, 200)
        self.assertIn(b"history: " + self.history.encode() +
                      b": database or disk is full", body)
        os.remove(os.path.join(disk, "fill"))
        self.expect_exact(exporter)
        self.assertEqual(exporter.get("/readyz")[2], b"ok\n")

    def test_damage_is_put_aside(self):
        self.keep()
        with open(self.history, "wb") as file:
            file.write(b"SQLite format 3\0" + os.urandom(50000))
        exporter = self.start()
        self.happen("n-1")
        self.expect_exact(exporter)
        aside = [name for name in os.listdir(self.folder)
                 if name.startswith("history.db.unusable-")]
        self.assertEqual(len(aside), 1)
        self.assertEqual(self.metric(exporter, "put_aside_total"), 1)
        self.assertIn("History is unusable, starting a new one",
                      exporter.stderr())

    def test_a_folder_that_is_not_there(self):
        self.keep(path=self.path("later/history.db"))
        exporter = self.start()
        self.happen("n-1")
        self.expect_counted(exporter)
        self.assertTrue(self.until(lambda: self.metric(exporter, "up") == 0))
        self.assertIn(b"history: cannot create", exporter.get("/readyz")[2])
        os.mkdir(self.path("later"))
        self.expect_exact(exporter)

    def test_a_reload_adds_and_removes_it(self):
        self.config("sinks: []\n")
        exporter = self.start()
        self.assertIsNone(self.metric(exporter, "up"))
        self.keep()
        self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
        self.happen("n-1")
        self.expect_exact(exporter)
        moved = self.path("moved.db")
        self.keep(", keep: 2d", path=moved)
        self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
        self.counts.clear()
        self.happen("n-2")
        self.expect_exact(exporter)
        self.config("sinks: []\n")
        self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
        self.assertIsNone(self.metric(exporter, "up"))

    def test_sqlite3_shows_it(self):
        if shutil.which("sqlite3") is None:
            self.skipTest("sqlite3 is not installed")
        self.keep()
        exporter = self.start()
        self.happen("n-1", by=3)
        self.expect_exact(exporter)
        shown = subprocess.run(
            ["sqlite3", self.history, "SELECT kind, name, type, reason, count, "
             "occurrences FROM event_list"],
            capture_output=True, check=True, text=True)
        self.assertEqual(shown.stdout, "Node|n-1|Warning|Rebooted|3|3\n")


if __name__ == "__main__":
    unittest.main()
