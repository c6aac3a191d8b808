"""Everything at once, at random, for two minutes: is each counter still exact?

Writers create, repeat, edit and delete Events, 200 changes a second, and keep
the truth. Meanwhile the exporter is killed and terminated (and started again
at once, with the same state file and port), its wire is cut, the API server is
killed, and etcd's history is compacted away. A watcher scrapes every 200 ms
and notes each counter that falls or goes; a real Prometheus scrapes each
second. At the end every sample of the four families must equal the truth, and
what Prometheus stored, and its increase(), must agree with it.

What no client can know must not be asked for. While etcd has the history, a
client that was away is told all of it, deletions too, and anything may happen
at any time. Once history is compacted away the client gets a list of what is
left, and whatever an Event counted between the client's last news and its
deletion is gone for good. So around a compaction the writers delete nothing,
from before the exporter surely knows (and has surely saved, two save intervals
later) all deleted Events, until it surely knows and saved that list. They go
on to create and repeat meanwhile: that is in the list.

Prometheus' increase() multiplies what it saw by (s + e) / s: s is the time
from a series' first to its last stored sample, e what it adds on both sides.
Each series' first sample is 0 (catalogue, initial zero), so nothing is added on
its side; on the other it is at most 1.1 mean distances between samples. So
truth <= increase() <= truth * (1 + 1.1 * mean distance / s), for each series.

KEM_CHAOS_SECONDS (120) makes it longer, KEM_CHAOS_SEED repeats the choices of
an earlier run, KEM_CHAOS_FAULTS=cut,server,... leaves others out.
"""

import collections
import os
import random
import sys
import time
import unittest

from rig import control_plane, manifests, processes, truth
from rig.case import ClusterCase
from rig.chaos_writer import Writers, newest
from rig.prometheus import Prometheus
from rig.watcher import COUNTERS, Watcher
from rig.wire import Wire

SECONDS = float(os.environ.get("KEM_CHAOS_SECONDS", "120"))
SEED = os.environ.get("KEM_CHAOS_SEED") or str(random.randrange(10**6))
# How often, in the long run.
FAULTS = {"kill": 32, "term": 22, "cut": 26, "server": 8, "compact": 12}
CHANGES_PER_SECOND = 200
SAVE_SECONDS = 1
# Of a new series; longer than two scrapes and a restart.
INITIAL_ZERO_SECONDS = 6
RECOVERY_SECONDS = 75


def say(text):
    print(text, file=sys.stderr, flush=True)


class ChaosTest(ClusterCase):

    API_SERVER_FLAGS = {"event_ttl": "12h"}

    def setUp(self):
        control_plane.need("prometheus")
        say(f"chaos: KEM_CHAOS_SEED={SEED} KEM_CHAOS_SECONDS={SECONDS:g}")
        self.dice = random.Random(SEED)
        self.wire = Wire(self.plane.port)
        self.addCleanup(self.wire.cut)
        self.api.post("/api/v1/namespaces", {"metadata": {"name": "chaos"}})
        self.marks = 0
        self.done = collections.Counter()

    def test_counters_are_exact_through_chaos(self):
        writers = Writers(self.api, SEED, 4, CHANGES_PER_SECOND)
        writers.create_some(15)
        # The recorder cannot follow through compactions that meet restarts.
        self.recorder.close()
        chaotic = self.chaotic = self.exporter(
            "chaos", "--state.file", self.folder.file("exporter.state"),
            "--state.interval", f"{SAVE_SECONDS}s",
            server=f"https://127.0.0.1:{self.wire.port}",
            initial_zero=f"{INITIAL_ZERO_SECONDS}s",
            listen=f"127.0.0.1:{processes.free_port()}")
        prometheus = Prometheus(self.folder, "prometheus",
                                control_plane.tool("prometheus"),
                                chaotic.address)
        self.addCleanup(prometheus.close)
        processes.wait_until(lambda: prometheus.query("up == 1"), 20, "up")
        watcher = Watcher(chaotic)
        self.addCleanup(watcher.stop)
        time.sleep(1.1)  # Stories begin after the second of the baseline.
        self.book = writers.book
        writers.start()
        begin = time.monotonic()
        self.play(writers, begin + SECONDS)
        changes = writers.stop()
        say(f"chaos: {sum(changes.values())} changes in "
            f"{time.monotonic() - begin:.0f} s {dict(changes)}, faults "
            f"{dict(self.done)}, {self.book.total()} occurrences")
        self.expect_exact()
        # The last value has to be stored as well.
        time.sleep(INITIAL_ZERO_SECONDS + 3)
        self.assertEqual(watcher.stop(), [])
        say(f"chaos: {watcher.scrapes} scrapes, {watcher.missed} found nobody, "
            f"longest gap {watcher.longest_gap:.1f} s")
        self.expect_stored(prometheus, time.monotonic() - begin + 30)
        self.assertGreater(sum(changes.values()), SECONDS * 50)

    def play(self, writers, until):
        """Faults in a row: each of them once, in any order, then as it comes."""
        chosen = os.environ.get("KEM_CHAOS_FAULTS", ",".join(FAULTS))
        faults = [name for name in FAULTS if name in chosen.split(",")]
        first = list(faults)
        self.dice.shuffle(first)
        while time.monotonic() < until:
            time.sleep(self.dice.choice((0.05, 0.3, 1, 2.5)) *
                       self.dice.uniform(0.5, 1.5))
            name = first.pop() if first else self.dice.choices(
                faults, [FAULTS[one] for one in faults])[0]
            self.done[name] += 1
            if name == "compact":
                self.compact(writers)
            else:
                getattr(self, name)()

    # The faults.

    def kill(self):
        # Also while it starts, reads its state, or catches up.
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            self.chaotic.process.kill()
            self.chaotic.start_again()
            time.sleep(self.dice.uniform(0, 0.3))

    def term(self):
        self.assertEqual(self.chaotic.process.stop(12), 0, "after SIGTERM")
        self.chaotic.start_again()

    def cut(self):
        self.wire.cut()
        time.sleep(self.dice.uniform(0, 1.5))
        self.wire.mend()

    def server(self):
        self.plane.kill_api_server()
        time.sleep(self.dice.uniform(0, 0.5))
        self.plane.start_api_server()

    def compact(self, writers):
        """History goes while the exporter is away: 410, whatever it asks."""
        writers.pause_deletes()
        self.settle()
        how = self.dice.choice(("cut", "kill", "term"))
        self.wire.cut()
        time.sleep(self.dice.uniform(0.3, 1.5))
        if how != "cut":
            getattr(self, how)()
        self.plane.compact_etcd()
        time.sleep(self.dice.uniform(0, 0.3))
        self.wire.mend()
        self.settle()
        writers.resume_deletes()

    def settle(self):
        """Until the exporter knows, and has saved, all that was so far."""
        self.marks += 1
        event = self.api.post(
            manifests.CORE_V1.format("default"), manifests.legacy_event(
                f"mark-{self.marks}", manifests.about_node("mark"), "Mark"))
        labels = truth.Labels("cluster", "", "Node", "", "mark", "Mark",
                              "Normal", "kem-test")
        self.book.note(labels, 1, newest(event), 1)
        wanted = frozenset(labels._asdict().items()) - {("object_name", "mark")}

        def known():
            active = self.chaotic.samples().get(truth.ACTIVE, {})
            return active.get(wanted, 0) >= self.marks
        processes.wait_until(known, RECOVERY_SECONDS, "the mark is known")
        time.sleep(2 * SAVE_SECONDS + 0.2)

    # The verdict.

    def expect_exact(self):
        # A last fault may have left it started but not yet listening.
        processes.wait_until(self.chaotic.samples, RECOVERY_SECONDS, "a scrape")
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            wrong = truth.differences(self.book.expected(),
                                      self.chaotic.samples())
            if not wrong:
                break
            if time.monotonic() > deadline:
                self.fail(f"not exact, seed {SEED}:\n" + "\n".join(wrong))
            time.sleep(0.25)
        time.sleep(2)
        self.assertEqual(truth.differences(self.book.expected(),
                                           self.chaotic.samples()), [])
        text = self.chaotic.metrics_text()
        say("chaos: exact; of this process: " + ", ".join(
            line for line in text.splitlines() if line.startswith(
                ("kube_event_metrics_watches_total",
                 "kube_event_metrics_lists_total")) and
            not line.endswith(" 0")))

    def expect_stored(self, prometheus, window):
        span, worst = f"[{window:.0f}s]", 0.0
        for family in COUNTERS:
            stored = prometheus.samples(family + span)
            increased = prometheus.query(f"increase({family}{span})")
            for pairs, true in self.book.expected()[family].items():
                # Prometheus takes an empty label for no label.
                pairs = frozenset(pair for pair in pairs if pair[1])
                times, values = zip(*stored[pairs])
                self.assertEqual(list(values), sorted(values), "a reset")
                self.assertEqual((values[0], values[-1]), (0, true),
                                 f"{family} {sorted(pairs)}")
                slack = 1.1 / (len(times) - 1)  # one mean distance is s/(n-1)
                self.assertGreaterEqual(increased[pairs], true * (1 - 1e-9))
                self.assertLessEqual(increased[pairs], true * (1 + slack))
                if true:
                    worst = max(worst, increased[pairs] / true - 1)
            total = sum(self.book.expected()[family].values())
            say(f"chaos: {family}: truth {total:.0f}, increase() "
                f"{sum(increased.values()):.1f}, at most {worst:.2%} over "
                "for a series")


if __name__ == "__main__":
    unittest.main(verbosity=2)
