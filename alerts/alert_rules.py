"""Reads the alert rules from rules/*.yaml and the reasons that they cover.

Used by generate and by tests/lint/alerts.py. The selectors of an alert's
expression define which reasons of Events it covers.
"""

import functools
import os
import re

import yaml

GROUPS = ("nodes", "volumes", "lifecycle", "platform", "exporter")
CATALOGUE = "exporter/events/reason_catalogue.yaml"
EVENTS = ("kube_event_occurrences_total", "kube_event_object_occurrences_total",
          "kube_event_last_seen_timestamp_seconds", "kube_event_active")
PLANNED = "kube_event:node_disruption:planned_lead_seconds"
OWN = "https://github.com/kube-event-metrics/kube-event-metrics/blob/main/"
SELECTOR = re.compile(r"\b(kube_event_[a-z_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


def read(root, path):
    """The text of a file, or an empty string if it does not exist."""
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


@functools.lru_cache
def parse(text):
    return yaml.safe_load(text)


def rules(root):
    """(file name without .yaml, rule) of each rule, in order."""
    for name in GROUPS:
        for group in parse(read(root, f"alerts/rules/{name}.yaml"))["groups"]:
            for rule in group["rules"]:
                yield name, rule


def alerts(root):
    return [(name, rule) for name, rule in rules(root) if "alert" in rule]


def records(root):
    return [(name, rule) for name, rule in rules(root) if "record" in rule]


def record(root, name):
    """The expression of one recording rule."""
    return {rule["record"]: rule["expr"] for _, rule in records(root)}[name]


def split(expression):
    """(what fires, what suppresses): the latter follows `unless`, or is what a
    timestamp must be newer than."""
    expression = re.sub(r"> on \([^)]*\) group_left \(\)", "unless", expression)
    fires, silent, depth, since = "", "", 0, None
    for token in re.findall(r'"[^"]*"|\w+|\s+|.', expression):
        depth += (token == "(") - (token == ")")
        if since is not None and (depth < since or
                                  token == "or" and depth == since):
            since = None
        elif since is None and token == "unless":
            since = depth
        if since is None:
            fires += token
        else:
            silent += token
    return fires, silent


class Selector:
    """One vector selector, which may cover rows of the catalogue."""

    def __init__(self, metric, text):
        self.metric = metric
        self.matchers = MATCHER.findall(text or "")

    def accepts(self, label, value):
        """Whether the matchers of a label accept a value."""
        for name, operator, pattern in self.matchers:
            if name == label:
                found = (re.fullmatch(pattern, value) if "~" in operator
                         else pattern == value)
                if bool(found) == operator.startswith("!"):
                    return False
        return True

    def names(self, label):
        return any(name == label and not operator.startswith("!")
                   for name, operator, _ in self.matchers)

    def covers(self, row):
        """row: reason, kind, component, type; "any" is unknown."""
        if self.metric not in EVENTS:
            return False
        if not (self.names("reason") or
                self.names("kind") and row["kind"] != "any"):
            return False
        return self.selects(row)

    def selects(self, row):
        return all(self.accepts(label, row[field]) or row[field] == "any"
                   for label, field in (("scope", "scope"),
                                        ("api_group", "api_group"),
                                        ("reason", "reason"), ("kind", "kind"),
                                        ("type", "type"),
                                        ("reporting_component", "component")))


def selectors(text):
    return [Selector(*found) for found in SELECTOR.findall(text)]


def expand(root, expression):
    """The expression with that of each recording rule in place of its series."""
    for _, rule in records(root):
        expression = re.sub(re.escape(rule["record"]) + r"(\{[^}]*\})?",
                            lambda _, e=rule["expr"]: f"({e})", expression)
    return expression


def without_plan(expression):
    """The expression without what it excludes because it was planned."""
    return re.sub(re.escape(PLANNED) + r"(\{[^}]*\})?", "", expression)


def signs(root):
    """The expression of the signs of a plan.

    They are the part of the record without the label reason, up to the line at
    which it compares them with what undoes a plan.
    """
    text = record(root, PLANNED)
    return "".join(re.findall(r"by \(cluster, object_name\) (\(.*\))",
                              text[:text.index("\n<= on")]))


def metrics(expression):
    return sorted(set(re.findall(r"\bkube_\w+", expression)))


def reasons(root):
    """The catalogue, one dict for each combination of a row."""
    for source in parse(read(root, CATALOGUE)):
        for group in source["groups"]:
            for row in group["rows"]:
                full = {**group, **row}
                kinds = full["kinds"]
                for kind in [kinds] if kinds == "any" else kinds:
                    name, _, api_group = kind.partition(".")
                    for reason in full["reasons"]:
                        for kind_of_event in full["types"]:
                            yield {"reason": reason,
                                   "kind": name,
                                   "api_group": "any" if kind == "any"
                                   else api_group,
                                   "scope": full.get("scope", "any"
                                                     if kind == "any"
                                                     else "cluster"),
                                   "component": full["component"],
                                   "type": kind_of_event,
                                   "source": source["source"],
                                   "severity": full["severity"],
                                   "meaning": full["meaning"],
                                   "action": full["action"]}


def covered(text, catalogue):
    """The rows that the selectors in a part of an expression accept."""
    found = selectors(text)
    return [row for row in catalogue if any(s.covers(row) for s in found)]
