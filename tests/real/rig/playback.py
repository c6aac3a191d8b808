"""Plays an operation through the exporter and the rules.

`Playback` feeds the occurrences to a scripted API server in steps of a scrape
interval, and reads /metrics after each. A last Event in each step, a counter of
steps, shows that the exporter has counted the others. `Recording` keeps every
sample under its simulated time; `firing` evaluates the rules on them with
promtool and returns when each alert fired.

What is compressed, and thereby not tested here:

- The exporter's own clock is the real one. The simulated times are in the past,
  so nothing is limited as being in the future. A Play with an anchor is as old
  as the real time at its anchor.
- Therefore --metrics.initial-zero is 0 and `Recording` delays new counters.
- Unobserved seconds are counted in real time: where they rise, the recording
  rises by the simulated time without a watch event.
- A watch does not end every few minutes; series do not retire after a day.
- Events that the exporter does not see in time (its metrics of lateness).
"""

import collections
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import yaml

from rig import control_plane, event_server, exporter, processes
from rig.recorders import Recorders

ROOT = os.path.dirname(os.path.dirname(event_server.SCRIPTED))
sys.path.insert(0, os.path.join(ROOT, "alerts"))
import alert_rules  # noqa: E402

STEP = 30
BOOKMARK = 60
QUIET_STEPS = 10  # a quiet exporter is still read every 5 minutes
INITIAL_ZERO = 75
STATUS, CORDONED = "kube_node_status_condition", "kube_node_spec_unschedulable"
AGE = 20 * 3600  # of the simulated time 0
OWN = "kube_event_metrics_"
UNOBSERVED = OWN + "unobserved_seconds_total"
STEP_SERIES = (b'kube_event_occurrences_total{scope="namespaced",api_group="",'
               b'kind="ConfigMap",object_namespace="simulation",reason="Step",'
               b'type="Normal",reporting_component="simulation"} ')
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ALERT = re.compile(r"\{((?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\} ([^\s,]+)")
_LISTENING = re.compile(r'msg="Listening on" address="?([^\s"]+)')

# first and last: simulated times at which an alert fired; count: evaluations.
Fired = collections.namedtuple("Fired", "first last count")


class Wanted:
    """Which series the rules select; the others are not recorded."""

    def __init__(self, root):
        self._selectors = collections.defaultdict(list)
        for _, rule in alert_rules.rules(root):
            for selector in alert_rules.selectors(rule["expr"]):
                self._selectors[selector.metric].append(selector)
        self._known = {}

    def __call__(self, name, labels):
        # No rule selects objects by their names.
        key = (name, *((label, value) for label, value in labels
                       if label != "object_name"))
        if key not in self._known:
            given = dict(labels)
            self._known[key] = any(
                all(selector.accepts(label, given.get(label, ""))
                    for label, _, _ in selector.matchers)
                for selector in self._selectors[name])
        return self._known[key]


class Recording:
    """The samples of one process after the other, by step."""

    def __init__(self, epoch, wanted):
        self._epoch = epoch
        self._wanted = wanted
        self._changes = {}  # series -> [(step, value)]
        self._birth = {}  # series -> simulated time
        self._lines = set()
        self._parsed = {}  # text of a series -> full name, or None
        self._instance = 0
        self._first = True
        self._unobserved = [0.0, 0.0]  # as exposed, as recorded

    def process(self, step):
        """The exporter has ended; another has another address."""
        for changes in self._changes.values():
            if changes[-1][1] is not None:
                changes.append((step, None))
        self._lines, self._parsed = set(), {}
        self._instance += 1
        self._first = True
        self._unobserved = [0.0, 0.0]

    def add(self, step, body, born, gap):
        """`born`: when its new series began; `gap`: time without events."""
        lines = set(body.split(b"\n"))
        for line in lines - self._lines:
            if line.startswith(b"kube_event_"):
                text, _, value = line.rpartition(b" ")
                self._note(step, text, float(value), born, gap)
        self._lines = lines
        self._first = False

    def _note(self, step, text, value, born, gap):
        if text not in self._parsed:
            self._parsed[text] = self._read(text)
        series = self._parsed[text]
        if series is None:
            return
        name = series.partition("{")[0]
        if name.endswith("_timestamp_seconds"):
            value = round(value - self._epoch, 3)
        elif name == UNOBSERVED and value > self._unobserved[0]:
            self._unobserved = [value, self._unobserved[1] + gap]
        if name == UNOBSERVED:
            value = self._unobserved[1]
        elif series not in self._changes and not self._first and (
                name.endswith("occurrences_total")):
            self._birth[series] = born
        self._changes.setdefault(series, []).append((step, value))

    def _read(self, text):
        name, _, inner = text.decode().partition("{")
        labels = _LABEL.findall(inner)
        if not self._wanted(name, labels):
            return None
        labels += [("job", "kube-event-metrics"),
                   ("instance", f"10.0.0.{12 + self._instance}:9953")]
        return name + "{" + ",".join(f'{label}="{value}"' for label, value
                                     in labels if value) + "}"

    def series(self, steps):
        """[(series, values in promtool's notation)]; not the many counters
        that stay 0."""
        return [(series, _notation(self._shown(series, changes), steps))
                for series, changes in self._changes.items()
                if series.startswith(OWN) or any(value for _, value in changes)]

    def _shown(self, series, changes):
        """The changes of a series; a new counter is 0 for a while."""
        if series not in self._birth:
            return changes
        shown = min([-(-(self._birth[series] + INITIAL_ZERO) // STEP)] +
                    [step for step, value in changes if value is None])
        value = [value for step, value in changes if step <= shown][-1]
        return ([(changes[0][0], 0), (int(shown), value)] +
                [each for each in changes if each[0] > shown])


def _notation(changes, steps):
    """(step, value) as promtool has it; None: the series ends."""
    words = [f"_x{changes[0][0]}"] if changes[0][0] else []
    for number, (step, value) in enumerate(changes):
        until = min(steps, changes[number + 1][0]
                    if number + 1 < len(changes) else steps)
        if until <= step:
            continue
        if value is None:
            words.append("stale")
            words += [f"_x{until - step - 1}"] if until > step + 1 else []
        else:
            text = f"{value:.0f}" if value == int(value) else repr(value)
            words.append(f"{text}x{until - step - 1}")
    return " ".join(words)


class Playback:
    """One operation, played in `folder`; `run` returns its Recording."""

    def __init__(self, play, folder, wanted):
        self.play = play
        age = play.anchor if play.anchor is not None else AGE
        self.server = event_server.EventServer(int(time.time() - age))
        self.recorders = Recorders(self.server)
        self.recording = Recording(self.server.epoch, wanted)
        self.steps = int(play.end // STEP) + 1
        self._folder = folder
        self._flags = list(play.flags)
        if play.keeps_state:
            self._flags += ["--state.file", folder.file("state")]
        self._process = self._connection = None
        self._body = b""
        self._step = 0
        self._counted = 0  # occurrences of STEP that the exporter has
        self._away_until = 0  # step until which the exporter is down

    def run(self):
        queue = sorted(
            [(each.at, 1, number, each)
             for number, each in enumerate(self.play.happened)] +
            [(restart[0], 0, number, restart)
             for number, restart in enumerate(self.play.restarts)] +
            [(fault[0], 2, number, fault)
             for number, fault in enumerate(self.play.faults)])
        position = 0
        self._start()
        try:
            self._read(True)
            for self._step in range(1, self.steps):
                limit = self._step * STEP
                begin = position
                while position < len(queue) and queue[position][0] <= limit:
                    self._apply(queue[position])
                    position += 1
                self._tick(limit, position > begin)
        finally:
            self._end()
            self.server.stop()
        return self.recording

    def _apply(self, entry):
        at, order, _, what = entry
        self.server.now = at
        if order == 0:
            self.recorders.restart(*what[1:])
        elif order == 1:
            self.recorders.write(what)
        else:
            getattr(self, what[1])(*what[2:])

    def _tick(self, now, changed):
        self.server.now = now
        self.recorders.flush(now)
        changed |= self.server.expire()
        if now % BOOKMARK == 0:
            self.server.bookmark()
        if self._away_until:
            if self._step < self._away_until:
                return
            self._away_until = 0
            self._start()
            changed = True
        self._read(changed or self._step % QUIET_STEPS == 0)

    def _read(self, scrape):
        """Waits until everything is counted, and records the metrics."""
        if not scrape:
            return
        if self.server.serving:
            self._write_step()
            self._counted += 1
            processes.wait_until(self._scrape, 30,
                                 "the exporter counts a step", 0.002)
        else:
            self._scrape()
        self.recording.add(self._step, self._body, self.server.now,
                           self.server.gap)

    def _write_step(self):
        stamp = self.server.stamp
        before = self.server.live.get(("simulation", "step"), {"count": 0})
        self.server.write({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": "step", "namespace": "simulation"},
            "involvedObject": {"kind": "ConfigMap", "name": "step",
                               "namespace": "simulation"},
            "reason": "Step", "type": "Normal", "message": "one more step",
            "count": before["count"] + 1, "firstTimestamp": stamp(0),
            "lastTimestamp": stamp(self.server.now),
            "source": {"component": "simulation"},
            "reportingComponent": "simulation"})

    def _scrape(self):
        """Reads the metrics; whether the last step is counted."""
        self._connection.request("GET", "/metrics")
        answer = self._connection.getresponse()
        self._body = answer.read()
        if answer.status != 200:
            raise processes.RigError(f"/metrics: {answer.status}")
        return STEP_SERIES + b"%d\n" % self._counted in self._body

    def _start(self):
        self._process = processes.Process(
            self._folder, f"exporter-{self._step}",
            [exporter.binary(), "--apiserver", self.server.url,
             "--web.listen-address", "127.0.0.1:0",
             "--metrics.initial-zero", "0s", *self._flags])
        address = processes.wait_until(self._address, 15, "the exporter runs",
                                       0.02)
        self._connection = http.client.HTTPConnection(address, timeout=20)
        self.server.wait_watched()

    def _end(self):
        self._connection.close()
        return self._process.stop(12)

    def _address(self):
        self._process.expect_running()
        found = _LISTENING.search(self._process.log())
        return found and found.group(1)

    # Faults, named by Play.faults.

    def down(self):
        self.server.down()

    def up(self):
        self.server.up()
        self.server.wait_watched()

    def back_up(self):
        self.server.back_up()

    def restore(self):
        self.server.restore()
        self.up()

    def restart(self, seconds):
        """Another exporter runs after that time, if any with its state."""
        if self._end() != 0:
            raise processes.RigError("the exporter failed at SIGTERM")
        self.server.drop()
        self.recording.process(self._step)
        self._away_until = self._step + -(-seconds // STEP)
        if not self.play.keeps_state:
            self._counted = 0


def kube_state_metrics(play, steps):
    """[(series, values)] that kube-state-metrics exposes about the nodes."""
    shown = {}  # series -> [(step, value)]
    nodes = {}
    for at, name, changed in sorted(play.states, key=lambda state: state[0]):
        now = nodes.setdefault(name, {})
        now.update(changed)
        step = -(-int(at) // STEP)
        labels = f'{{node="{name}",job="kube-state-metrics"'
        values = {f'{STATUS}{labels},condition="Ready",status="{status}"}}':
                  now["status"] and int(now["status"] == status)
                  for status in ("true", "false", "unknown")}
        values[f"{CORDONED}{labels}}}"] = now["status"] and int(now["cordoned"])
        for series, value in values.items():
            shown.setdefault(series, []).append((step, value))
    return [(series, _notation(changes, steps))
            for series, changes in shown.items()]


def firing(series, steps, root, interval):
    """{(alert, frozenset of label pairs): Fired} by promtool."""
    end = f"{(steps - 1) * STEP}s"
    files = [f"{root}/alerts/rules/{name}.yaml" for name in alert_rules.GROUPS]
    groups = []
    for path in files:
        with open(path, encoding="utf-8") as file:
            groups += [group["name"] for group in yaml.safe_load(file)["groups"]]
    record = {"groups": [{"name": "simulation", "rules": [{
        "record": "simulation:firing",
        "expr": 'timestamp(ALERTS{alertstate="firing"})'}]}]}
    test = {
        "rule_files": [*files, "record.yaml"],
        "evaluation_interval": f"{interval}s",
        # The worst order: a group that needs what one above it records has to
        # take that of the evaluation before.
        "group_eval_order": [*reversed(groups), "simulation"],
        "tests": [{
            "interval": f"{STEP}s",
            "input_series": [{"series": name, "values": values}
                             for name, values in series],
            # Nothing is expected, so promtool prints what there is.
            "promql_expr_test": [
                {"expr": f"{name}_over_time(simulation:firing[{end}])",
                 "eval_time": end, "exp_samples": []}
                for name in ("min", "max", "count")]}]}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("record", record), ("test", test)):
            with open(f"{folder}/{name}.yaml", "w", encoding="utf-8") as file:
                json.dump(content, file)  # is YAML, and fast
        done = subprocess.run(
            [control_plane.tool("promtool"), "test", "rules",
             f"{folder}/test.yaml"],
            capture_output=True, text=True, check=False)
    found = [_samples(line) for line in (done.stdout + done.stderr).split("\n")
             if line.strip().startswith("got: ")]
    if len(found) != (3 if done.returncode else 0):
        raise processes.RigError(done.stdout + done.stderr)
    first, last, count = found or ({}, {}, {})
    return {key: Fired(first[key], last[key], count[key]) for key in first}


def _samples(line):
    samples = {}
    for labels, value in _ALERT.findall(line):
        labels = dict(_LABEL.findall(labels))
        alert = labels.pop("alertname")
        for dropped in ("alertstate", "severity", "job", "instance"):
            labels.pop(dropped, None)
        samples[alert, frozenset(labels.items())] = float(value)
    return samples
