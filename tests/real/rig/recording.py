"""The samples of an operation under their simulated times, and the rules on them.

`Recording` keeps what the exporter exposed. `kube_state_metrics` adds the state of
the nodes. `firing` evaluates the rules with promtool and returns when each alert
fired.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

from rig import control_plane, event_server, processes

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    event_server.SCRIPTED)), "alerts"))
import alert_rules  # noqa: E402

STEP = 30  # seconds between scrapes
INITIAL_ZERO = 75
STATUS, CORDONED = "kube_node_status_condition", "kube_node_spec_unschedulable"
OWN = "kube_event_metrics_"
UNOBSERVED = OWN + "unobserved_seconds_total"
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ALERT = re.compile(r"\{((?:[^\"{}]|\"(?:[^\"\\]|\\.)*\")*)\} ([^\s,]+)")

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
    found = [samples(line) for line in (done.stdout + done.stderr).split("\n")
             if line.strip().startswith("got: ")]
    if len(found) != (3 if done.returncode else 0):
        raise processes.RigError(done.stdout + done.stderr)
    first, last, count = found or ({}, {}, {})
    return {key: Fired(first[key], last[key], count[key]) for key in first}


def samples(line):
    """{(alert, labels): value} in a line of promtool."""
    found = {}
    for labels, value in _ALERT.findall(line):
        labels = dict(_LABEL.findall(labels))
        alert = labels.pop("alertname")
        for dropped in ("alertstate", "severity", "job", "instance"):
            labels.pop(dropped, None)
        found[alert, frozenset(labels.items())] = float(value)
    return found
