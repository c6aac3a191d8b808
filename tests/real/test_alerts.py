"""Every alert, checked by both promtools: it fires, resolves and stays
inactive.

The cases are in tests/alerts/<group>.yaml. Each runs unchanged, with a label
`cluster`, in two clusters, scraped from two replicas of the exporter, and
beside busy series of other reasons, kinds and types. The same alerts must fire
each time. This file adds cases over the whole catalogue in which nothing may
fire.
"""

import itertools
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

from rig import case, control_plane

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "alerts"))
import alert_rules  # noqa: E402

FILES = [f"{ROOT}/alerts/rules/{name}.yaml" for name in alert_rules.GROUPS]
# Short names of the families in the cases, and the default labels.
FAMILIES = {"seen": "kube_event_last_seen_timestamp_seconds",
            "objects": "kube_event_object_occurrences_total",
            "events": "kube_event_occurrences_total"}
TARGET = {"job": "kube-event-metrics", "instance": "10.0.0.12:9401"}
OTHER = {"instance": "10.0.0.13:9401", "pod": "kube-event-metrics-1"}
EVENT = {"scope": "cluster", "api_group": "", "kind": "Node",
         "type": "Warning", "reporting_component": "kubelet"}
URL = "https://events.example.com/x"
# The URL of the exporter, and that of another cluster's.
LINKED = {f'kube_event_metrics_external_url_info{{url="{url}"{more}}}': "1x3000"
          for url, more in ((URL, ""), ("https://other", ',cluster="other"'))}
ALIVE = 'kube_event_metrics_build_info{version="1"}'
SERIES = re.compile(r"(\w+)(?:\{(.*)\})?$")
LABEL = re.compile(r'(\w+)="([^"]*)"')


def series(short, values, **more):
    """One input series of promtool."""
    if not isinstance(values, str):
        raise TypeError(f"{short}: quote {values}: YAML reads 0x10 as 16")
    name, text = SERIES.match(short).groups()
    labels = dict(TARGET, **(EVENT if name in FAMILIES else {}))
    labels.update(LABEL.findall(text or ""), **more)
    inner = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{FAMILIES.get(name, name)}{{{inner}}}",
            "values": values}


def seconds(text):
    """Of a time of promtool such as 1h30m."""
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit]
               for number, unit in re.findall(r"(\d+)([dhms])", text))


def expectations(entry):
    """What the case expects, by time."""
    return entry["firing"] if "firing" in entry else entry["recorded"]


def variant(entry, ways, relabel):
    """A case with each series once for each way, a dict of labels."""
    inputs = [series(short, values, **way)
              for short, values in entry["series"].items() for way in ways]
    firing = {at: [dict(labels, **more) for labels in expected
                   for more in relabel(labels)]
              for at, expected in expectations(entry).items()}
    return {"series": inputs, "firing": firing}


def by_cluster(*names):
    return lambda labels: [{"cluster": name} for name in names]


def by_instance(labels):
    if "instance" not in labels:
        return [{}]
    return [{}, {"instance": OTHER["instance"]}]


def neighbours(entry, rule):
    """Busy series that differ in one label by which the rule selects.

    If a matcher were missing, they would fire the alert or suppress it.
    """
    chosen = [s for s in alert_rules.selectors(
        alert_rules.expand(ROOT, rule["expr"]))
              if s.metric in alert_rules.EVENTS]
    found = {}
    for short in entry["series"]:
        name, text = SERIES.match(short).groups()
        if name not in FAMILIES:
            continue
        labels = dict(EVENT, **dict(LABEL.findall(text)))
        for label in ("reason", "kind", "type", "scope"):
            # Only one alert is about namespaced objects too.
            if (all(s.names(label) for s in chosen) or label == "scope" and
                    "object_namespace" not in rule["expr"]):
                others = {"scope": "namespaced", "type": "Normal"
                          if labels["type"] == "Warning" else "Other"}
                other = {**labels, label: others.get(label, "Other")}
                inner = ",".join(f'{k}="{v}"' for k, v in other.items())
                found[f"{name}{{{inner}}}"] = (
                    "0+30x300" if name == "seen" else "0+1x300")
    return {"series": {**found, **entry["series"]},
            "firing": expectations(entry)}


def variants(entry, rule=None):
    yield "plain", variant(entry, [{}], lambda labels: [{}])
    if entry.get("as_it_is"):
        return
    if rule:
        yield "busy neighbours", variant(neighbours(entry, rule), [{}],
                                         lambda labels: [{}])
    one, two = {"cluster": "a"}, {"cluster": "b"}
    yield "a cluster", variant(entry, [one], by_cluster("a"))
    yield "two clusters", variant(entry, [one, two], by_cluster("a", "b"))
    yield "two replicas", variant(entry, [{}, OTHER], by_instance)


def group(name, alert, made, texts=None):
    """One test group of promtool; `texts` is (time, labels, annotations)."""
    only = f'alertname="{alert}",' if alert else ""
    tests = {"name": name, "interval": "30s", "input_series": made["series"],
             "promql_expr_test": [
                 {"expr": f'ALERTS{{{only}alertstate="firing"}}',
                  "eval_time": at,
                  "exp_samples": [{"labels": "ALERTS{" + ",".join(
                      f'{key}="{value}"' for key, value in labels.items())
                      + "}", "value": 1} for labels in expected]}
                 for at, expected in made["firing"].items()]}
    if texts:
        at, labels, annotations = texts
        tests["alert_rule_test"] = [{
            "alertname": alert, "eval_time": at, "exp_alerts": [
                {"exp_labels": labels, "exp_annotations": annotations}]}]
    return tests


def recorded(name, record, made):
    """One test group of promtool for the series of a recording rule."""
    return {"name": name, "interval": "30s", "input_series": made["series"],
            "promql_expr_test": [
                {"expr": record, "eval_time": at, "exp_samples": [
                    {"labels": record + "{" + ",".join(
                        f'{key}="{value}"' for key, value in labels.items()
                        if key != "value") + "}", "value": labels["value"]}
                    for labels in expected]}
                for at, expected in made["firing"].items()]}


def complete(alert, rule, made):
    """Adds the labels that every alert has."""
    for expected in made["firing"].values():
        for labels in expected:
            labels.update(alertname=alert, alertstate="firing",
                          **rule["labels"])
    return made


def annotated(entry, rule, linked=False):
    """The annotations that a case expects, with those that never vary.

    `linked`: the exporter has a URL; a case has the page. Without one, there is
    no link.
    """
    if "texts" not in entry:
        return None
    notes = rule["annotations"]
    at = next(at for at, expected in entry["firing"].items() if expected)
    labels = dict(entry["firing"][at][0], **rule["labels"])
    annotations = {"summary": notes["summary"],
                   "runbook_url": notes["runbook_url"], **entry["texts"]}
    if "event_url" in notes:
        before = re.search(r"time\(\) - (\d+)", notes["event_url"])
        since = seconds(at) - int(before[1])
        annotations["event_url"] = (
            f"{URL}{annotations['event_url']}since={since}" if linked else "")
    return at, labels, annotations


def everything(values, seen):
    """Every series of the catalogue, as `values` for counters."""
    found = {ALIVE: "1x200"}
    for row in alert_rules.reasons(ROOT):
        labels = (f'kind="{row["kind"]}",reason="{row["reason"]}",'
                  f'type="{row["type"]}",'
                  f'reporting_component="{row["component"]}"')
        found[f"events{{{labels}}}"] = values
        found[f'objects{{{labels},object_name="x"}}'] = values
        found[f'seen{{{labels},object_name="x"}}'] = seen
    return found


QUIET = {"5m": [], "10m": [], "12m": [], "16m": [], "25m": [], "45m": []}
OLD = -90000
# Nothing happens in these cases, so nothing may fire.
INNOCENT = {
    "the first scrape of an exporter that has counted for weeks":
        everything("_x10 5000x150", f"_x10 {OLD}x150"),
    "the exporter restarts without a state file":
        everything("5000x20 _x4 0x130", f"{OLD}x20 _x4 {OLD}x130"),
    "the exporter restarts and old Events have expired":
        everything("5000x20 _x160", f"{OLD}x20 _x160"),
    "the exporter restarts with its state file":
        everything("5000x20 _x4 5000x130", f"{OLD}x20 _x4 {OLD}x130"),
    "Prometheus was down for ten minutes and restarts":
        everything("5000x10 _x20 5000x130", f"{OLD}x10 _x20 {OLD}x130"),
}


class AlertsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        case.find_tools()
        cls.rules = {rule["alert"]: rule
                     for _, rule in alert_rules.alerts(ROOT)}
        cls.records = {rule["record"]: rule
                       for _, rule in alert_rules.records(ROOT)}
        cls.cases = []
        for name in alert_rules.GROUPS:
            with open(f"{ROOT}/tests/alerts/{name}.yaml",
                      encoding="utf-8") as file:
                cls.cases += yaml.safe_load(file)

    def promtool(self, *arguments):
        """Runs every installed promtool; each must succeed."""
        names = [name for name in ("promtool", "promtool-debian")
                 if control_plane.tool(name)]
        if not names:
            control_plane.need("promtool")
        for name in names:
            with self.subTest(name):
                done = subprocess.run([control_plane.tool(name), *arguments],
                                      capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 0,
                                 done.stdout + done.stderr)

    def run_tests(self, groups, only=None):
        """Runs tests of promtool, with the rules `only` in place of all."""
        with tempfile.TemporaryDirectory() as folder:
            files = FILES
            if only:
                files = [os.path.join(folder, "rules.yaml")]
                with open(files[0], "w", encoding="utf-8") as file:
                    yaml.safe_dump({"groups": [{"name": "tested",
                                                "rules": only}]}, file)
            path = os.path.join(folder, "tests.yaml")
            with open(path, "w", encoding="utf-8") as file:
                yaml.safe_dump({"rule_files": files, "tests": groups,
                                "evaluation_interval": "30s"}, file)
            self.promtool("test", "rules", path)

    def with_records(self, rule):
        """The records that a rule needs, and the rule."""
        return [record for name, record in self.records.items()
                if name in rule["expr"]] + [rule]

    def test_the_rules_are_rules(self):
        self.promtool("check", "rules", *FILES)

    def test_what_fires_in_each_case(self):
        for alert, rule in self.rules.items():
            groups = []
            for entry in self.cases:
                if entry.get("alert") != alert:
                    continue
                for name, made in variants(entry, rule):
                    texts = annotated(entry, rule) if name == "plain" else None
                    groups.append(group(
                        f"{alert}: {entry['case']}; {name}", alert,
                        complete(alert, rule, made), texts))
                if "event_url" in rule["annotations"] and "texts" in entry:
                    made = variant({**entry, "series": {
                        **entry["series"], **LINKED}}, [{}], lambda _: [{}])
                    groups.append(group(
                        f"{alert}: {entry['case']}; with links", alert,
                        complete(alert, rule, made),
                        annotated(entry, rule, linked=True)))
            # All rules together would take minutes, and test_operations.py
            # evaluates them so.
            self.run_tests(groups, only=self.with_records(rule))

    def test_what_is_recorded_in_each_case(self):
        for record, rule in self.records.items():
            groups = [recorded(f"{record}: {entry['case']}; {name}", record,
                               made)
                      for entry in self.cases if entry.get("record") == record
                      for name, made in variants(entry, rule)]
            self.run_tests(groups, only=[rule])

    def test_nothing_fires_when_nothing_happens(self):
        groups = []
        for name, made in INNOCENT.items():
            entry = {"series": made, "firing": QUIET}
            groups += [group(f"{name}; {way}", None, expanded)
                       for way, expanded in variants(entry)
                       if way in ("plain", "two replicas")]
        self.run_tests(groups)

    def test_every_alert_has_its_cases(self):
        for alert in self.rules:
            with self.subTest(alert):
                mine = [entry["firing"] for entry in self.cases
                        if entry.get("alert") == alert]
                ends = [[bool(expected) for expected in firing.values()]
                        for firing in mine]
                self.assertTrue(any(
                    fired and not after for times in ends
                    for fired, after in itertools.pairwise(times)),
                    "no case in which it fires and resolves")
                self.assertTrue(any(not any(times) for times in ends),
                                "no case in which it stays inactive")
                self.assertTrue(any("texts" in entry for entry in self.cases
                                    if entry.get("alert") == alert),
                                "no case checks its annotations")
        self.assertEqual(set(self.records),
                         {entry.get("record") for entry in self.cases} - {None})


if __name__ == "__main__":
    unittest.main(verbosity=2)
