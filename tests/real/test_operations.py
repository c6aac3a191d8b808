"""Whole operations through the real exporter and the real rules.

tests/alerts/operations.yaml has the alerts that an on-call engineer expects from
each operation in clusters of 5, 50 and 500 nodes; this test compares exactly.
rig/operations.py has the operations, and rig/playback.py plays them and says
what is compressed. KEM_OPERATIONS names the operations to play (default: all),
KEM_SIZES the sizes.
"""

import concurrent.futures
import multiprocessing
import os
import shutil
import tempfile
import unittest

import yaml

from rig import (case, control_plane, incidents, playback, processes,
                 recording)
from rig.event_server import objects
from rig.recorders import Occurrence, Recorders

ROOT = playback.ROOT
SIZES = (5, 50, 500)
# With kube-state-metrics, and in smaller clusters also without, to save time.
VARIANTS = {5: 2, 50: 2, 500: 1}
PLANNED = "kube_event:node_disruption:planned_lead_seconds"
NODE = ("v1", "Node", "n1", "")


def table():
    with open(f"{ROOT}/tests/alerts/operations.yaml", encoding="utf-8") as file:
        return {row["operation"]: row for row in yaml.safe_load(file)}


def play(name, size, root=ROOT):
    """(the Play, what fired with kube-state-metrics, and without it)."""
    played = incidents.make(name, size)
    folder = processes.WorkFolder("operations")
    try:
        run = playback.Playback(played, folder, recording.Wanted(root))
        series = run.run().series(run.steps)
        state = recording.kube_state_metrics(played, run.steps)
        fired = [recording.firing(given, run.steps, root, played.interval)
                 for given in [series + state, series][:VARIANTS[size]]]
    except Exception:
        folder.keep = True
        raise
    finally:
        folder.close()
    played.happened = played.restarts = played.states = ()  # large
    return played, fired


def expected(row, played, state):
    """{(alert, labels): entry of the table}; state: with kube-state-metrics"""
    found = {}
    for entry in row.get("alerts", ()):
        if played.size not in entry.get("sizes", SIZES) or (
                entry.get("kube_state_metrics") and not state):
            continue
        labels = list(entry.get("labels", {}).items())
        names = [[("object_name", name)] for name in
                 played.roles[entry["role"]]] if "role" in entry else [[]]
        for name in names:
            found[entry["alert"], frozenset(labels + name)] = entry
    return found


def differences(row, played, fired, state=True):
    """What fired and was not expected, or did not and was, as text."""
    wanted = expected(row, played, state)
    interval = played.interval
    for key in sorted(set(wanted) | set(fired), key=str):
        alert, labels = key[0], dict(key[1])
        if key not in fired:
            yield f"{alert} {labels} did not fire"
            continue
        first, last, count = fired[key]
        shown = f"fired from {first / 60:.1f} to {last / 60:.1f} min"
        if key not in wanted:
            yield f"{alert} {labels} {shown}, but nothing was expected"
            continue
        entry = wanted[key]
        if (last - first) / interval + 1 != count:
            yield f"{alert} {labels} {shown} with gaps"
        open_end = last >= played.end - 2 * interval
        if open_end != ("ends" not in entry):
            yield f"{alert} {labels} {shown}, the end is at {played.end / 60}"
        for word, at in (("fires", first), ("ends", last)):
            if word not in entry:
                continue
            mark, low, high = entry[word]
            minutes = (at - played.marks[mark]) / 60
            if not low <= minutes <= high:
                yield (f"{alert} {labels} {shown}: {word} {minutes:.1f} min "
                       f"after {mark}, not {low} to {high}")


class TheirServer:
    """What Recorders write, in place of an EventServer."""

    def __init__(self):
        self.written = []

    def stamp(self, seconds, micro=False):
        return objects.stamp(seconds, micro)

    def write(self, event):
        self.written.append(event)

    def counts(self):
        return [event.get("count", event.get("series", {}).get("count"))
                for event in self.written]


class RecordersTest(unittest.TestCase):
    """client-go's rules; ../../exporter tests their effect on counters."""

    def setUp(self):
        self.server = TheirServer()
        self.recorders = Recorders(self.server)

    def happen(self, times, reason="Full", component="kubelet",
               message=lambda number: "the same"):
        for number, at in enumerate(times):
            self.recorders.write(Occurrence(
                at, NODE, "Warning", reason, component, "n1",
                message(number)))

    def test_a_burst_is_limited_and_its_count_is_not(self):
        self.happen(range(0, 400, 10))
        self.assertEqual(self.server.counts(), list(range(1, 26)) + [31])

    def test_a_tenth_message_is_combined(self):
        self.happen(range(12), message=lambda number: f"pid {number}")
        self.assertEqual(self.server.counts(), [1] * 10 + [2, 3])
        self.assertIn("combined", self.server.written[-1]["message"])

    def test_a_new_process_counts_again(self):
        self.happen([0, 1])
        self.recorders.restart("kubelet", "n1")
        self.happen([2])
        self.assertEqual(self.server.counts(), [1, 2, 1])
        names = [event["metadata"]["name"] for event in self.server.written]
        self.assertEqual(names[0], names[1])
        self.assertNotEqual(names[1], names[2])

    def test_a_series_is_written_late(self):
        self.happen([0, 1, 2, 3], component="kube-proxy")
        self.assertEqual(self.server.counts(), [None, 2])
        self.recorders.flush(200)
        self.assertEqual(self.server.counts(), [None, 2])
        self.recorders.flush(400)
        self.assertEqual(self.server.counts(), [None, 2, 4])

    def test_kyverno_writes_single_events(self):
        self.happen([0, 1], component="kyverno-admission")
        self.assertEqual(self.server.counts(), [None, None])


class RecordingTest(unittest.TestCase):
    """The samples in promtool's notation, 30 s apart."""

    def setUp(self):
        self.recording = recording.Recording(1000, lambda name, labels: True)

    def add(self, step, *lines, born=0, gap=0):
        self.recording.add(step, "\n".join(lines).encode(), born, gap)

    def values(self, steps):
        return [values for _, values in self.recording.series(steps)]

    def test_a_known_counter_rises_at_once(self):
        self.add(0, 'kube_event_occurrences_total{a="b",empty=""} 0')
        self.add(2, 'kube_event_occurrences_total{a="b",empty=""} 3')
        self.assertEqual(self.recording.series(5), [(
            'kube_event_occurrences_total{a="b",job="kube-event-metrics",'
            'instance="10.0.0.12:9953"}', "0x1 3x2")])

    def test_a_new_counter_is_0_for_75_seconds(self):
        self.add(0)
        self.add(2, "kube_event_occurrences_total{} 1", born=50)
        self.add(3, "kube_event_occurrences_total{} 2")
        self.add(6, "kube_event_occurrences_total{} 3")
        self.assertEqual(self.values(8), ["_x2 0x2 2x0 3x1"])

    def test_times_are_relative(self):
        self.add(1, "kube_event_last_seen_timestamp_seconds{} 1010.5")
        self.assertEqual(self.values(2), ["_x1 10.5x0"])

    def test_the_series_of_an_ended_process_are_stale(self):
        self.add(0, 'kube_event_occurrences_total{a="b"} 1')
        self.recording.process(2)
        self.add(4, 'kube_event_occurrences_total{a="b"} 5')
        self.assertEqual(self.values(6), ["1x1 stale _x3", "_x4 5x1"])

    def test_unobserved_time_is_simulated_time(self):
        name = recording.UNOBSERVED
        self.add(0, f"{name} 0")
        self.add(1, f"{name} 0.8", gap=600)
        self.add(2, f"{name} 0.8", gap=600)
        self.assertEqual(self.values(3), ["0x0 600x1"])


class PlaybackTest(unittest.TestCase):

    def test_only_selected_series_are_recorded(self):
        wanted = recording.Wanted(ROOT)
        node = [("scope", "cluster"), ("kind", "Node"), ("object_name", "n")]
        seen = "kube_event_last_seen_timestamp_seconds"
        self.assertTrue(wanted(seen, node + [("reason", "NodeNotReady")]))
        self.assertFalse(wanted(seen, node + [("reason", "Unheard")]))
        self.assertFalse(wanted("kube_event_active", node))

    def test_the_output_of_promtool_is_read(self):
        line = ('got: {alertname="A", alertstate="firing", object_name="a \\"}",'
                ' severity="critical"} 1.5E+02, {alertname="B"} 3E+01')
        self.assertEqual(recording.samples(line), {
            ("A", frozenset({("object_name", 'a \\"}')})): 150,
            ("B", frozenset()): 30})


class ComparisonTest(unittest.TestCase):
    """differences() notices whatever differs."""

    ROW = {"alerts": [{"alert": "A", "role": "lost", "fires": ["loss", 5, 7],
                       "ends": ["return", 0, 1]}]}
    KEY = ("A", frozenset({("object_name", "node-1")}))

    def differing(self, fired):
        played = incidents.Play("x", 50)
        played.roles["lost"] = ["node-1"]
        played.marks.update({"loss": 60, "return": 1200})
        played.end = 3600
        return list(differences(self.ROW, played, fired))

    def fired(self, first=390, last=1230, count=29):
        return {self.KEY: recording.Fired(first, last, count)}

    def test_as_expected(self):
        self.assertEqual(self.differing(self.fired()), [])

    def test_differences(self):
        for name, fired in (
                ("nothing", {}), ("too early", self.fired(300, count=32)),
                ("too long", self.fired(last=1320, count=32)),
                ("gaps", self.fired(count=20)),
                ("for ever", self.fired(last=3600, count=108)),
                ("another", {**self.fired(), ("B", frozenset()):
                             recording.Fired(60, 60, 1)})):
            with self.subTest(name):
                self.assertTrue(self.differing(fired))


class OperationsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        case.find_tools()
        control_plane.need("promtool")

    def test_the_table_lists_all_operations(self):
        self.assertEqual(sorted(table()), sorted(incidents.OPERATIONS))

    def test_normal_operations_expect_no_alerts(self):
        for name, row in table().items():
            with self.subTest(name):
                self.assertIn(row["kind"], ("normal", "incident"))
                self.assertFalse(row["kind"] == "normal" and "alerts" in row)

    def assert_as_expected(self, *arguments):
        lines = list(differences(*arguments))
        if lines:
            self.fail(f"{len(lines)} differences, the first of them:\n" +
                      "\n".join(lines[:8]))

    def test_alerts_of_each_operation(self):
        rows = table()
        chosen = os.environ.get("KEM_OPERATIONS", " ".join(rows)).split()
        sizes = os.environ.get("KEM_SIZES", "500 50 5").split()
        # Processes, because playing and promtool both take CPU time.
        with concurrent.futures.ProcessPoolExecutor(
                2, multiprocessing.get_context("spawn")) as pool:
            jobs = {(name, size): pool.submit(play, name, int(size))
                    for size in sizes for name in chosen}
            for (name, size), job in jobs.items():
                with self.subTest(operation=name, nodes=size):
                    played, variants = job.result()
                    for fired, state in zip(variants, (True, False)):
                        with self.subTest(kube_state_metrics=state):
                            self.assert_as_expected(rows[name], played, fired,
                                                    state)

    def test_a_rule_that_ignores_the_plan_is_noticed(self):
        with tempfile.TemporaryDirectory() as root:
            shutil.copytree(f"{ROOT}/alerts", f"{root}/alerts")
            path = f"{root}/alerts/rules/nodes.yaml"
            with open(path, encoding="utf-8") as file:
                text = file.read()
            cut = text.replace(f"record: {PLANNED}", "record: unused")
            self.assertNotEqual(text, cut)
            with open(path, "w", encoding="utf-8") as file:
                file.write(cut)
            played, variants = play("rolling-upgrade", 5, root)
        for fired in variants:
            self.assertIn("KubeEventNodeUnplannedReboot", "\n".join(
                differences(table()["rolling-upgrade"], played, fired)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
