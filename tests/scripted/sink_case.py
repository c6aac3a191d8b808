"""The base of the sink tests: a small cluster, exporters, receivers, and the
Events written, to compare with what was counted and what was delivered.
"""

import collections
import os
import tempfile
import time
import unittest

import certs
import otlp
from cluster import Cluster
from exporter import Access, Exporter
from receiver import Receiver, compare

OBJECTS = "kube_event_object_occurrences_total"
SINK_METRICS = "kube_event_metrics_sink_"
NODES = 20
RECOVERY = 60  # seconds; a back-off ends within 30


class SinkCase(unittest.TestCase):

    # Of the sinks otlp, and of what their receivers expect.
    ENCODING, CONTENT_TYPE = "protobuf", otlp.PROTOBUF

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kem-sinks-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.cluster = Cluster([f"n-{i}" for i in range(NODES)])
        self.cluster.up()
        self.addCleanup(self.cluster.stop)
        self.counts = collections.Counter()  # by Event
        self.written = []  # (id, delta), in order
        self.first = {}  # when each of them began

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_receiver(self, tls=False, closes_each=False):
        receiver = Receiver(certs.Certificates(self.folder) if tls else None,
                            closes_each)
        self.addCleanup(receiver.stop)
        receiver.content_type = self.CONTENT_TYPE
        return receiver

    def otlp_entry(self, receiver):
        """An entry of `sinks`, without its closing brace."""
        default = self.CONTENT_TYPE == otlp.PROTOBUF
        return (f"{{name: store, type: otlp, endpoint: '{receiver.url}'" +
                ("" if default else f", encoding: {self.ENCODING}"))

    def config(self, text, name="config.yaml"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, *flags, name="exporter"):
        """Starts an exporter in a folder of its own."""
        folder = self.path(name)
        os.makedirs(folder, exist_ok=True)
        exporter = Exporter(os.path.abspath(os.environ["KEM_EXPORTER"]), folder)
        access = Access(folder, self.cluster, "anonymous")
        access.write_kubeconfig()
        self.addCleanup(exporter.kill)
        exporter.start(["--kubeconfig", access.kubeconfig,
                        "--web.listen-address=127.0.0.1:0",
                        "--metrics.initial-zero=0s", "--config.file",
                        self.path("config.yaml"), *flags])
        self.wait_ready(exporter)
        time.sleep(1.1)  # so that Events are newer than the baseline
        return exporter

    def wait_ready(self, exporter):
        exporter.wait_listening()
        self.assertTrue(
            self.until(lambda: exporter.get("/readyz")[0] ==
                       exporter.get("/metrics")[0] == 200, 20),
            f"not ready within 20 s: {exporter.stderr()[-500:]}")

    def mirrored(self, name):
        """The counts that the mirror of the Event `name` ever had."""
        return [change.core["count"] for change in self.cluster.store.history
                if change.core["metadata"]["namespace"] == "infra"
                and change.core["metadata"]["name"].startswith(f"{name}.")]

    def until(self, true, seconds=RECOVERY):
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def happen(self, node, name=None, reason="Rebooted", by=1, **more):
        """Writes an Event about a node with `by` more occurrences."""
        name = name or f"{node}.{reason}"
        self.counts[name] += by
        self.cluster.happen(name, node, reason, self.counts[name],
                            self.first.setdefault(name, time.time()), **more)
        self.written.append((f"uid-{name}/{self.counts[name]}", by))

    def storm(self, seconds, rate, dice):
        """`rate` occurrences a second, spread over all nodes."""
        begin, made, all_of_them = time.monotonic(), 0, int(seconds * rate)
        while made < all_of_them:
            passed = time.monotonic() - begin
            while made < min(passed * rate, all_of_them):
                self.happen(f"n-{dice.randrange(NODES)}",
                            reason=dice.choice(("Rebooted", "Evicted")),
                            by=dice.choice((1, 1, 1, 4)))
                made += 1
            time.sleep(0.01)

    def sample(self, exporter, metric, **labels):
        """The sum of the series with these labels; None if there are none."""
        values = [value for name, has, value in exporter.scrape()
                  if name == metric and labels.items() <= has.items()]
        return sum(values) if values else None

    def sink_sample(self, exporter, metric, sink, **labels):
        return self.sample(exporter, SINK_METRICS + metric, sink=sink, **labels)

    def expect_counted(self, exporter):
        total = sum(by for _, by in self.written)
        self.assertTrue(
            self.until(lambda: self.sample(exporter, OBJECTS) == total),
            f"{self.sample(exporter, OBJECTS)} counted of {total}")

    def expect_delivered(self, receiver, exactly_once=True):
        """The receiver has all that was written, in order for each object."""
        wanted = dict(self.written)
        longest = time.monotonic() + 5 * RECOVERY

        def complete():
            return wanted.keys() <= {one.id for one in receiver.taken}
        before = -1
        while len(receiver.taken) > before and time.monotonic() < longest:
            before = len(receiver.taken)
            if self.until(complete):
                break
        wrong = receiver.problems + compare(receiver.taken, wanted,
                                            exactly_once)
        self.assertFalse(wrong, f"{len(wrong)} of {len(wanted)}")
