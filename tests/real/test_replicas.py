"""Two exporters with a Lease deliver each occurrence once.

Both count on a real API server, and one of them delivers. Meanwhile the holder
is terminated and started again, killed, frozen for longer than its Lease, the
Lease is deleted, and the API server is killed. Each of the two writes what it delivers to files of
its own. Together these must have each occurrence: none is lost. A termination
repeats nothing. A kill or a freeze repeats at most one batch of each sink, with
the same ids.

KEM_REPLICAS_KILLS (3) and KEM_REPLICAS_ROLLOUTS (3) say how often,
KEM_REPLICAS_FREEZE (20) for how many seconds.
"""

import collections
import json
import os
import random
import signal
import sys
import threading
import time
import unittest

from rig import manifests, processes, sinks
from rig.api import ApiError
from rig.case import ClusterCase
from rig.exporter import ACCOUNT_NAMESPACE

KILLS = int(os.environ.get("KEM_REPLICAS_KILLS", "3"))
ROLLOUTS = int(os.environ.get("KEM_REPLICAS_ROLLOUTS", "3"))
FREEZE = float(os.environ.get("KEM_REPLICAS_FREEZE", "20"))
PATH = manifests.CORE_V1.format("default")
WRITES_PER_SECOND = 100
# A window has more than a batch, which is 512.
EVENTS = 2000
WINDOW = "12s"
# What a disturbance may repeat: a batch has what comes in a second, and on a
# slow machine in a few.
REPEATED = 4 * WRITES_PER_SECOND
# Until another replica takes the Lease of one that is gone, and delivers.
TAKEOVER = 45


class Writer(threading.Thread):
    """Repeats Events of nodes until close(); not while the API is away."""

    def __init__(self, api, prefix):
        super().__init__(daemon=True)
        self._api, self._prefix = api, prefix
        self._end = threading.Event()
        self.writes = 0
        self.start()

    def run(self):
        counts = collections.Counter()
        while not self._end.wait(1 / WRITES_PER_SECOND):
            name = f"{self._prefix}-{self.writes % EVENTS}"
            count = counts[name] + 1
            try:
                if count == 1:
                    self._api.post(PATH, manifests.legacy_event(
                        name, manifests.about_node(name), "Replicated"))
                else:
                    self._api.patch(f"{PATH}/{name}", {"count": count})
            except ApiError as error:
                if error.status != 409:  # of the try before
                    continue
            except OSError:
                continue
            counts[name] = count
            self.writes += 1

    def close(self):
        self._end.set()
        self.join()


class ReplicasTest(ClusterCase):

    leases = f"/apis/coordination.k8s.io/v1/namespaces/{ACCOUNT_NAMESPACE}/leases"

    def start_replicas(self, prefix):
        self.dice = random.Random(prefix)
        self.lease = f"{prefix}-lease"
        self.replicas = [self.replica(f"{prefix}-{i}") for i in (1, 2)]
        self.baseline = max(replica.baselines()[""]
                            for replica in self.replicas)
        processes.wait_until(self.leader, TAKEOVER, "one of them leads")
        self.writer = Writer(self.api, prefix)
        self.addCleanup(self.writer.close)

    def path(self, name, sink):
        return os.path.join(self.folder.path, f"{name}-{sink}.json")

    def replica(self, name):
        sinks.may_lead(self.api, name, ACCOUNT_NAMESPACE, self.lease)
        config = self.folder.file(f"{name}-config.yaml", json.dumps({"sinks": [
            {"name": sink, "type": "log", "path": self.path(name, sink), **more}
            for sink, more in (("lines", {}), ("sums", {"every": WINDOW}))]}))
        return self.exporter(
            name, "--config.file", config,
            "--state.file", self.folder.file(f"{name}.state"),
            "--replicas.lease", f"{ACCOUNT_NAMESPACE}/{self.lease}",
            listen=f"127.0.0.1:{processes.free_port()}")

    def leads(self, replica):
        return replica.process.running() and replica.own("lease_leader") == 1

    def leader(self):
        return next((one for one in self.replicas if self.leads(one)), None)

    def other(self, replica):
        return next(one for one in self.replicas if one is not replica)

    def delivered(self, sink):
        """[(id, uid, first count, last count)] of both replicas' lines."""
        found = []
        for replica in self.replicas:
            try:
                with open(self.path(replica.name, sink), encoding="utf-8") as lines:
                    text = lines.read()
            except FileNotFoundError:
                continue
            for line in text.splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue  # cut by a kill, and written again
                last = record["k8s.event.count"]
                found.append((record["log.record.uid"], record["k8s.event.uid"],
                              last - record["kube_event.delta"] + 1, last))
        return found

    def missing(self, sink):
        """[(uid, count)] that no line of a sink has."""
        there = {(uid, count) for _, uid, first, last in self.delivered(sink)
                 for count in range(first, last + 1)}
        return [(frame.uid, count)
                for frame, delta in self.truth.occurrences(self.baseline)
                for count in range(frame.reading - delta + 1, frame.reading + 1)
                if (frame.uid, count) not in there]

    def repeated(self, sink):
        """The lines of a sink that another line covers, by id."""
        seen, again = set(), []
        for identity, uid, first, last in self.delivered(sink):
            counts = {(uid, count) for count in range(first, last + 1)}
            if counts & seen:
                again.append(identity)
            seen |= counts
        return again

    def wait_all_delivered(self):
        self.writer.close()
        for sink in ("lines", "sums"):
            processes.wait_until(lambda sink=sink: not self.missing(sink),
                                 TAKEOVER, f"{sink} has all", 0.5)

    def wait_turn_of(self, *replicas):
        """Waits until one of them leads, and has delivered something."""
        processes.wait_until(lambda: any(map(self.leads, replicas)), TAKEOVER,
                             f"{replicas[0].name} leads")
        before = len(self.delivered("lines"))
        processes.wait_until(lambda: len(self.delivered("lines")) > before,
                             TAKEOVER, f"{replicas[0].name} delivers")

    def restart(self, replica):
        replica.start_again()
        replica.wait_ready()

    def report(self, what, begin, disturbed):
        repeats = {sink: len(self.repeated(sink)) for sink in ("lines", "sums")}
        lines = len(self.delivered("lines"))
        print(f"  {what}: {disturbed} in {time.monotonic() - begin:.0f} s, "
              f"{self.writer.writes} occurrences, {lines} lines, repeated "
              f"{repeats}", file=sys.stderr, flush=True)
        return repeats

    def expect_same_ids(self):
        # A line that repeats an occurrence of `lines` has its id.
        lines = collections.Counter(
            (uid, last) for _, uid, first, last in self.delivered("lines"))
        ids = collections.Counter(
            identity for identity, *_ in self.delivered("lines"))
        self.assertEqual(sorted(lines.values()), sorted(ids.values()))

    def test_a_rollout_repeats_and_loses_nothing(self):
        self.start_replicas("rollout")
        begin = time.monotonic()
        for _ in range(ROLLOUTS):
            leader = self.leader()
            time.sleep(2)
            self.assertEqual(leader.process.stop(12), 0)
            self.wait_turn_of(self.other(leader))
            self.restart(leader)
        # The other one, within a window, and then both.
        follower = self.other(self.leader())
        self.assertEqual(follower.process.stop(12), 0)
        self.restart(follower)
        time.sleep(3)
        for replica in (follower, self.other(follower)):
            self.assertEqual(replica.process.stop(12), 0)
        time.sleep(2)
        for replica in self.replicas:
            replica.start_again()
        for replica in self.replicas:
            processes.wait_until(replica.ready, 30, f"{replica.name} is ready")
        self.wait_all_delivered()
        repeats = self.report("rollouts", begin, ROLLOUTS)
        self.assertEqual(repeats, {"lines": 0, "sums": 0})
        self.expect_least_rights()

    def test_kills_repeat_a_batch_at_most(self):
        self.start_replicas("kill")
        begin = time.monotonic()
        for i in range(KILLS):
            leader = self.leader()
            time.sleep(self.dice.random() * 2)
            leader.process.kill()
            if i % 3 == 2:
                # Both wait for the Lease, and it may be the first.
                self.restart(leader)
                self.wait_turn_of(*self.replicas)
            else:
                self.wait_turn_of(self.other(leader))
                self.restart(leader)
        self.wait_all_delivered()
        repeats = self.report("kills", begin, KILLS)
        for sink, count in repeats.items():
            self.assertLessEqual(count, KILLS * REPEATED, sink)
        self.expect_same_ids()

    def test_a_frozen_holder_and_a_killed_api_server(self):
        self.start_replicas("frozen")
        begin = time.monotonic()
        leader = self.leader()
        os.kill(leader.process.pid, signal.SIGSTOP)
        self.wait_turn_of(self.other(leader))
        time.sleep(max(0.0, FREEZE - (time.monotonic() - begin)))
        os.kill(leader.process.pid, signal.SIGCONT)
        time.sleep(3)
        self.assertFalse(self.leads(leader))
        self.assertTrue(self.leads(self.other(leader)))
        self.api.delete(f"{self.leases}/{self.lease}")
        processes.wait_until(self.leader, TAKEOVER, "one of them leads")
        self.plane.kill_api_server()
        time.sleep(2)
        self.plane.start_api_server()
        processes.wait_until(self.leader, TAKEOVER, "one of them leads")
        time.sleep(5)
        self.wait_all_delivered()
        repeats = self.report("faults", begin, 3)
        for sink, count in repeats.items():
            self.assertLessEqual(count, 3 * REPEATED, sink)
        self.expect_same_ids()

    def expect_least_rights(self):
        for replica in self.replicas:
            asked = {(request.verb, request.path)
                     for request in replica.audit().requests(replica.user)
                     if "leases" in request.path}
            self.assertLessEqual(asked, {
                ("get", f"{self.leases}/{self.lease}"),
                ("update", f"{self.leases}/{self.lease}"),
                ("create", self.leases)})


if __name__ == "__main__":
    unittest.main(verbosity=2)
