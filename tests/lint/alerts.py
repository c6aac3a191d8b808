#!/usr/bin/python3
"""Alerts are complete: generated files are current, every alert has a runbook,
links and expressions are valid, and every known reason is covered or excused.
"""

import itertools
import json
import os
import re
import sys

import yaml

import tree

sys.path.insert(0, os.path.join(tree.OURS, "alerts"))
import importlib.machinery  # noqa: E402
import alert_rules  # noqa: E402

GENERATE = importlib.machinery.SourceFileLoader(
    "generate", os.path.join(tree.OURS, "alerts", "generate")).load_module()
DOCUMENT = "exporter/METRICS.md"
EXCUSES = "alerts/not-alerted.yaml"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation",
            "How to confirm that it is over", "When to silence"]
TEXTS = {"summary", "description", "runbook_url", "dashboard_url"}
# Only if the exporter exposes the URL of its pages: that URL, a page and since
# when. The label cluster selects the exporter.
EVENT_URL = re.compile(
    r'{{ with printf "kube_event_metrics_external_url_info{cluster=%q}" '
    r'\$labels\.cluster \| query }}{{ \. \| first \| label "url" }}'
    r'(/objects/[^/?]+/[^/?]+\?|/\?(?:\w+=[^&=]+&)+)'
    r'since={{ with query "time\(\) - \d+" }}{{ \. \| first \| value '
    r'\| printf "%\.0f" }}{{ end }}{{ end }}')
# Labels of the target and of the exporter's own metrics, for grouping.
LABELS = {"scope", "api_group", "kind", "object_namespace", "object_name",
          "reason", "type", "reporting_component"}
# Metrics of others, which alerts use where they are present, with the labels that
# they are grouped by.
OTHERS = {"kube_node_status_condition": {"node"},
          "kube_node_spec_unschedulable": {"node"},
          "kube_apiserver_clusterip_allocator_available_ips": {"cidr"},
          "kube_apiserver_clusterip_allocator_allocated_ips": {"cidr"},
          "kube_apiserver_nodeport_allocator_available_ports": set(),
          "kube_apiserver_nodeport_allocator_allocated_ports": set()}
GROUPED = LABELS | {"cluster", "job", "instance", "sink", "sink_type"}.union(
    *OTHERS.values())
BURST = "KubeEventClusterScopedWarningBurst"
COMPARISON = re.compile(r"[^!=<>](==|!=|<=|>=|<|>)[^=~]|\babsent\(")


def alternatives(pattern):
    """Every string that a regular expression of words, (a|b) and | matches."""
    for part in re.split(r"\|(?![^(]*\))", pattern):
        pieces = re.split(r"\(([^)]*)\)", part)
        yield from map("".join, itertools.product(
            *[piece.split("|") for piece in pieces]))


def texts(rule):
    """Problems of labels and annotations."""
    notes = rule.get("annotations", {})
    if set(rule.get("labels", {})) != {"severity"}:
        yield "its only label is severity"
    elif rule["labels"]["severity"] not in ("critical", "warning"):
        yield "severity is critical or warning"
    if "$value" in str(rule.get("labels")):
        yield "$value in a label creates a new alert for each value"
    if set(notes) - {"event_url"} != TEXTS:
        yield "its annotations are " + ", ".join(sorted(TEXTS))
        return
    if "{{" in notes["summary"] or not notes["summary"].endswith("."):
        yield "summary is one sentence without a template"
    object_named = re.search(r"by \([^)]*object_name", rule["expr"])
    aggregated = re.match(r"count|sum by \(cluster\)", rule["expr"])
    if (object_named and not aggregated
            and "$labels.object_name" not in notes["description"]):
        yield "description does not name the object"
    if "$labels.cluster" not in notes["description"]:
        yield "description does not name the cluster"


def event_url(root, rule):
    """Problems of the link to the messages, which alerts about Events have."""
    url = rule.get("annotations", {}).get("event_url")
    about = any(s.metric in alert_rules.EVENTS for s in alert_rules.selectors(
        alert_rules.expand(root, rule["expr"])))
    if about != (url is not None):
        yield ("event_url is missing" if about else
               "event_url of an alert that is not about Events")
    if not url:
        return
    found = EVENT_URL.fullmatch(url)
    if not found:
        yield "event_url is not the URL of the exporter, a page and since"
        return
    values = re.findall(r"{{(.*?)}}", found.group(1))
    if any(not re.fullmatch(r" \$labels\.\w+ \| urlquery ", value)
           for value in values):
        yield "event_url has a value without urlquery"
    if ("$labels.object_name" in rule["annotations"].get("description", "")
            and "$labels.object_name" not in found.group(1)):
        yield "event_url does not lead to the object"


def links(root, rule):
    notes = rule.get("annotations", {})
    path = f"alerts/runbooks/{rule['alert']}.md"
    if notes.get("runbook_url") != alert_rules.OWN + path:
        yield f"runbook_url is {alert_rules.OWN}{path}"
    if not tree.files(root, ".json", under=("dashboards/json",)):
        return
    found = re.match(r"/d/([a-z-]+)", notes.get("dashboard_url", ""))
    board = f"dashboards/json/{found.group(1) if found else ''}.json"
    try:
        variables = {v["name"] for v in
                     json.loads(tree.read(root, board))["templating"]["list"]}
    except (ValueError, KeyError):
        yield f"dashboard_url leads to no dashboard: {board}"
        return
    for name in re.findall(r"[?&]var-(\w+)=", notes["dashboard_url"]):
        if name not in variables:
            yield f"dashboard_url: {board} has no variable {name}"


def expression(root, rule, metrics, catalogue):
    """Problems of the PromQL that promtool does not detect."""
    expr = alert_rules.expand(root, rule["expr"])
    bare = re.sub(r'"[^"]*"', '""', expr)
    if not COMPARISON.search(bare):
        yield "compares with nothing"
    if "absent" in bare and "for" not in rule:
        yield "absent() needs a for: one missed scrape would fire it"
    for found in re.findall(r"\b(kube_[a-z_]+|process_[a-z_]+|up)\b", bare):
        if found not in metrics and found not in OTHERS:
            yield f"no such metric: {found}"
    for words in re.findall(r"\b(?:by|on) \(([^)]+)\)", bare):
        named = set(re.split(r",\s*", words))
        if "cluster" not in named:
            yield f"({words}) omits the cluster"
        for label in sorted(named - GROUPED):
            yield f"no such label: {label}"
    by_namespace = re.search(r"by \([^)]*object_namespace", bare)
    for selector in alert_rules.selectors(expr):
        if selector.metric not in alert_rules.EVENTS:
            continue
        # Whoever can write Events in one namespace moves all other series.
        if not (by_namespace or selector.names("object_namespace")
                or ("scope", "=", "cluster") in selector.matchers):
            yield 'selects neither scope="cluster" nor by object_namespace'
        if (("kind", "=", "Node") in selector.matchers
                and ("api_group", "=", "") not in selector.matchers):
            yield 'kind="Node" without api_group="" selects other Nodes too'
        for label, operator, value in selector.matchers:
            if label not in LABELS:
                yield f"no such label: {label}"
            field = "component" if label == "reporting_component" else label
            if field not in ("reason", "kind", "component"):
                continue
            for word in (alternatives(value) if "~" in operator else [value]):
                if not any(row[field] == word for row in catalogue):
                    yield f"the catalogue has no {field} {word}"


def firing(root, rules):
    """The selectors of what fires these alerts."""
    return [s for rule in rules for s in alert_rules.selectors(
        alert_rules.split(alert_rules.expand(
            root, alert_rules.without_plan(rule["expr"])))[0])]


def burst(root, rules, catalogue):
    """Reasons that fire the alert on many Warnings beside their own alert."""
    others = firing(root, [r for r in rules if r["alert"] != BURST])
    for rule in rules:
        for selector in firing(root, [rule] if rule["alert"] == BURST else []):
            for row in catalogue:
                own = any(s.covers(row) for s in others)
                if ((own or row["severity"] == "info")
                        and row["scope"] == "cluster"
                        and selector.selects(row)):
                    yield (f"alerts: {BURST} selects {row['reason']} of "
                           f"{row['kind']}, "
                           + ("which has an alert" if own else "an info"))


def coverage(root, rules, excuses, catalogue):
    """Reasons that no alert selects, and entries that are not needed."""
    open_rows = []
    named = firing(root, rules)
    for row in catalogue:
        if row["severity"] != "info" and not any(s.covers(row) for s in named):
            open_rows.append(row)
    fields = {"reasons": "reason", "kinds": "kind", "sources": "source"}
    unused = []
    for number, entry in enumerate(excuses, 1):
        if not entry.get("why") or not set(entry) & set(fields):
            yield f"{EXCUSES}: entry {number} lacks why, or what it excuses"
        used = set()
        for row in list(open_rows):
            if all(row[field] in entry[key]
                   for key, field in fields.items() if key in entry):
                open_rows.remove(row)
                used |= {(k, row[f]) for k, f in fields.items()}
        unused += [(number, word) for key in fields
                   for word in entry.get(key, []) if (key, word) not in used]
    for number, word in unused:
        yield (f"{EXCUSES}: entry {number} excuses {word}, which is covered, "
               "unknown or excused before")
    for row in open_rows:
        yield (f"alerts: no alert names {row['reason']} of {row['kind']} "
               f"({row['component']}, {row['type']}), nor does {EXCUSES}")


def runbooks(root, names):
    there = {os.path.basename(path)[:-3]
             for path in tree.files(root, ".md", under=("alerts/runbooks",))}
    for name in sorted(there - names):
        yield f"alerts/runbooks/{name}.md: no such alert"
    for name in sorted(names):
        path = f"alerts/runbooks/{name}.md"
        text = tree.read(root, path)
        if name not in there:
            yield f"{path}: the alert has no runbook"
        elif re.findall(r"^## (.*)$", text, re.M) != SECTIONS:
            yield f"{path}: its sections are {', '.join(SECTIONS)}"
        for line in text.splitlines():
            if re.search(r"kubectl get (events|ev)\b(?!.* (-n|-A)\b)", line):
                yield f"{path}: name the namespace of the Events: {line}"


def problems(root):
    try:
        rules = list(alert_rules.alerts(root))
        catalogue = list(alert_rules.reasons(root))
        excuses = yaml.safe_load(tree.read(root, EXCUSES))
        for path in GENERATE.stale(root):
            yield f"{path}: is out of date; run alerts/generate"
    except (yaml.YAMLError, KeyError, TypeError) as error:
        yield f"alerts: {error!r}"
        return
    metrics = set(re.findall(r"`(\w+)`", tree.read(root, DOCUMENT))) | {"up"}
    names = [rule["alert"] for _, rule in rules]
    for file, rule in alert_rules.records(root):
        for problem in expression(root, rule, metrics, catalogue):
            yield f"alerts/rules/{file}.yaml: {rule['record']}: {problem}"
    for file, rule in rules:
        name = rule["alert"]
        where = f"alerts/rules/{file}.yaml: {name}"
        if names.count(name) > 1:
            yield f"{where}: another alert has that name"
        for problem in itertools.chain(texts(rule), links(root, rule),
                                       event_url(root, rule),
                                       expression(root, rule, metrics,
                                                  catalogue)):
            yield f"{where}: {problem}"
    yield from runbooks(root, set(names))
    alerts = [rule for _, rule in rules]
    yield from coverage(root, alerts, excuses, catalogue)
    yield from burst(root, alerts, catalogue)


if __name__ == "__main__":
    tree.main(problems)
