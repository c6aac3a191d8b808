"""Everything at once, at random, for two minutes: is each counter still exact?

Writers create, repeat, edit and delete Events, 200 changes a second, and keep
the truth. Meanwhile the exporter is killed and terminated (and started again
at once, with the same state file and port), its calls to the disk fail, its
wire is cut, the API server is killed, and etcd's history is compacted away. A
watcher scrapes every 200 ms and records each counter that falls or disappears;
a real Prometheus scrapes every second. At the end every sample of the four
families must equal the truth, and so must the values that Prometheus stored,
and its increase().

The test must not require what no client can know. While etcd has the history, a
client that was disconnected gets all of it, deletions too, so anything may
happen at any time. After a compaction the client gets a list of what is left.
The occurrences of an Event between the client's last watch event and the
deletion are lost. So around a compaction the writers delete nothing: from the
moment that the exporter has seen and saved all deleted Events (two save
intervals later) until it has seen and saved the list. They continue to create
and repeat Events, because the list has those.

Prometheus' increase() multiplies the difference by (s + e) / s: s is the time
from the first to the last stored sample of a series, e the extrapolation on
both sides. The first sample of each series is 0 (catalog, initial zero), so
there is no extrapolation before it. After the last sample it is at most 1.1
mean distances between samples. For each series this means
truth <= increase() <= truth * (1 + 1.1 * mean distance / s).

KEM_CHAOS_SECONDS (120) sets the duration, KEM_CHAOS_SEED repeats the choices of
an earlier run, KEM_CHAOS_FAULTS=cut,server,... selects faults.
"""

import collections
import errno
import os
import random
import subprocess
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
# Relative frequencies.
FAULTS = {"kill": 28, "term": 18, "disk": 16, "cut": 22, "server": 6,
          "compact": 10}
# libfiu's names of what the exporter calls to write its state, and errno.
DISK_CALLS = ("posix/io/rw/pwrite", "posix/io/rw/pwrite/reduce",
              "posix/io/sync/fdatasync", "posix/io/sync/fsync",
              "posix/io/dir/rename")
DISK_ERRORS = (errno.EIO, errno.ENOSPC)
LIBFIU = "/usr/lib/fiu/fiu_{}_preload.so"
CHANGES_PER_SECOND = 200
SAVE_SECONDS = 1
# For a new series; longer than two scrapes and a restart.
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
        self.settled = 0
        self.done = collections.Counter()

    def test_counters_are_exact_through_chaos(self):
        writers = Writers(self.api, SEED, 4, CHANGES_PER_SECOND)
        writers.create_some(15)
        # The recorder does not survive a compaction together with a restart.
        self.recorder.close()
        self.environment = {
            "LD_PRELOAD": f"{LIBFIU.format('run')} {LIBFIU.format('posix')}",
            "FIU_CTRL_FIFO": self.folder.file("fiu")}
        chaotic = self.chaotic = self.exporter(
            "chaos", "--state.file", self.folder.file("exporter.state"),
            "--state.interval", f"{SAVE_SECONDS}s",
            environment=self.environment,
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
        time.sleep(1.1)  # so that stories are newer than the baseline
        self.book = writers.book
        writers.start()
        begin = time.monotonic()
        self.play(writers, begin + SECONDS)
        changes = writers.stop()
        say(f"chaos: {sum(changes.values())} changes in "
            f"{time.monotonic() - begin:.0f} s {dict(changes)}, faults "
            f"{dict(self.done)}, {self.book.total()} occurrences")
        self.expect_exact()
        # Wait until the last value is stored.
        time.sleep(INITIAL_ZERO_SECONDS + 3)
        self.assertEqual(watcher.stop(), [])
        say(f"chaos: {watcher.scrapes} scrapes, {watcher.missed} got no answer, "
            f"longest gap {watcher.longest_gap:.1f} s")
        self.expect_stored(prometheus, time.monotonic() - begin + 30)
        if self.done["disk"]:
            failed = chaotic.process.log().count("Saving the state failed")
            say(f"chaos: {failed} saves failed")
            self.assertGreater(failed, 0)
        self.assertGreater(sum(changes.values()), SECONDS * 50)

    def play(self, writers, until):
        """Plays faults: each once, in random order, then by frequency."""
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
        # Also while it starts, loads its state, or catches up.
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
        self.wire.restore()

    def server(self):
        self.plane.kill_api_server()
        time.sleep(self.dice.uniform(0, 0.5))
        self.plane.start_api_server()

    def disk(self):
        """Some calls to the disk fail, in any mixture, perhaps through an end
        and a start."""
        error = self.dice.choice(DISK_ERRORS)
        chance = self.dice.choice((0.2, 0.7, 1))
        calls = self.dice.sample(DISK_CALLS,
                                 self.dice.randint(1, len(DISK_CALLS)))
        rules = [f"enable_random name={call},probability={chance},"
                 f"failinfo={error}" for call in calls]
        self.control(rules)
        self.environment["FIU_ENABLE"] = "\n".join(rules)
        time.sleep(self.dice.uniform(0.5, 4))
        how = self.dice.choice(("", "kill", "term"))
        if how:
            getattr(self, how)()
            time.sleep(self.dice.uniform(0, 2))
        del self.environment["FIU_ENABLE"]
        self.control([f"disable name={call}" for call in calls])

    def control(self, rules):
        """Sends `rules` to libfiu in the exporter, once it has started."""
        pid = str(self.chaotic.process.pid)
        pipe = f"{self.environment['FIU_CTRL_FIFO']}-{pid}.in"
        processes.wait_until(lambda: os.path.exists(pipe), 10, "libfiu")
        command = ["fiu-ctrl", "-f", self.environment["FIU_CTRL_FIFO"]]
        for rule in rules:
            command += ["-c", rule]
        subprocess.run([*command, pid], check=True, timeout=10)

    def compact(self, writers):
        """Compacts the history while the exporter is cut off: a 410."""
        writers.pause_deletes()
        self.settle()
        how = self.dice.choice(("cut", "kill", "term"))
        self.wire.cut()
        time.sleep(self.dice.uniform(0.3, 1.5))
        if how != "cut":
            getattr(self, how)()
        self.plane.compact_etcd()
        time.sleep(self.dice.uniform(0, 0.3))
        self.wire.restore()
        self.settle()
        writers.resume_deletes()

    def settle(self):
        """Waits until the exporter has seen and saved all changes so far."""
        self.settled += 1
        event = self.api.post(
            manifests.CORE_V1.format("default"), manifests.legacy_event(
                f"settle-{self.settled}", manifests.about_node("settle"),
                "Settle"))
        labels = truth.Labels("cluster", "", "Node", "", "settle", "Settle",
                              "Normal", "kem-test")
        self.book.note(labels, 1, newest(event), 1)
        wanted = frozenset(labels._asdict().items()) - {
            ("object_name", "settle")}

        def known():
            active = self.chaotic.samples().get(truth.ACTIVE, {})
            return active.get(wanted, 0) >= self.settled
        processes.wait_until(known, RECOVERY_SECONDS, "the last Event is known")
        time.sleep(2 * SAVE_SECONDS + 0.2)

    # The verdict.

    def differences(self):
        # The API server may write an Event about its own Service when it starts.
        return [line for line in truth.differences(self.book.expected(),
                                                   self.chaotic.samples())
                if "ipallocator-repair-controller" not in line]

    def expect_exact(self):
        # After the last fault it may not be listening yet.
        processes.wait_until(self.chaotic.samples, RECOVERY_SECONDS, "a scrape")
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            wrong = self.differences()
            if not wrong:
                break
            if time.monotonic() > deadline:
                self.fail(f"not exact, seed {SEED}:\n" + "\n".join(wrong))
            time.sleep(0.25)
        time.sleep(2)
        self.assertEqual(self.differences(), [])
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
                # For Prometheus an empty label is no label.
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
