"""Breaks each rule for dashboards once, in a small valid dashboard.

selftest.py runs it and also reports rules without an entry here.
"""

import copy

import dashboard_rules
import dashboards
import linter_rules

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SELECT = 'job=~"$job",instance=~"$instance",cluster=~"$cluster"'
COUNTER = "kube_event_occurrences_total"
RATE = (f'sum(rate({COUNTER}{{{SELECT},scope="cluster",reason="Rebooted"}}'
        "[$__rate_interval]))")

URL = f"kube_event_metrics_external_url_info{{{SELECT}}}"
TEXT = (f'label_replace({RATE} or {URL}, "text", '
        '"<a href=\'$1&since=$__from&until=$__to\'>Messages</a>", "url", "(.+)")')
NODES = f"sum(kube_node_info{{{SELECT}}})"


LINK = ("${__value.raw:raw}/?reason=${__data.fields.reason:percentencode}"
        "&since=${__from}&until=${__to}")


def variable(name, all_value):
    return {"type": "query", "name": name, "label": name.capitalize(),
            "datasource": SOURCE, "multi": True, "includeAll": True,
            "allValue": all_value, "refresh": 2,
            "query": f"label_values(kube_event_metrics_build_info, {name})"}


def panel(number, title, x, expr, kind="timeseries"):
    return {"id": number, "type": kind, "title": title, "description": "Look.",
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": 0, "w": 12, "h": 8},
            "fieldConfig": {"defaults": {"unit": "none", "color": {
                "mode": "fixed", "fixedColor": "blue"}}, "overrides": []},
            "targets": [{"refId": "A", "datasource": SOURCE, "expr": expr}]}


GOOD = {
    "uid": "kube-event-planted", "title": "Planted", "editable": False,
    "schemaVersion": 39, "refresh": "1m", "graphTooltip": 1,
    "tags": ["kube-event"], "timezone": "browser",
    "time": {"from": "now-6h", "to": "now"},
    "links": [{"title": "More", "type": "dashboards", "icon": "",
               "tooltip": "", "tags": ["kube-event"], "asDropdown": True,
               "targetBlank": False, "includeVars": True, "keepTime": True}],
    "annotations": {"list": [{
        "name": "Reboots", "datasource": SOURCE, "enable": True,
        "iconColor": "red", "textFormat": "{{text}}", "expr": TEXT}]},
    "templating": {"list": [
        {"type": "datasource", "name": "datasource", "label": "Data source",
         "query": "prometheus"},
        variable("cluster", ".*"), variable("job", ".+"),
        variable("instance", ".+")]},
    "panels": [
        panel(1, "Left", 0, RATE), panel(2, "Right", 12, RATE, "stat"),
        {"id": 3, "type": "row", "title": "Closed", "collapsed": True,
         "gridPos": {"x": 0, "y": 8, "w": 24, "h": 1}, "panels": [
             {**panel(4, "In it", 0, f"{RATE} or {NODES} or vector(0)"),
              "gridPos": {"x": 0, "y": 9, "w": 12, "h": 8}}]},
        {**panel(6, "Linked", 0, f"{RATE} or {URL}", "table"),
         "gridPos": {"x": 0, "y": 10, "w": 24, "h": 8},
         "transformations": [{"id": "organize", "options": {"renameByName": {
             "reason": "Reason", "messages": "Messages"}}}],
         "fieldConfig": {
             "defaults": {"unit": "none", "color": {
                 "mode": "fixed", "fixedColor": "blue"}},
             "overrides": [{
                 "matcher": {"id": "byName", "options": "Messages"},
                 "properties": [{"id": "links", "value": [{
                     "title": "Messages", "targetBlank": True, "url": LINK}]}],
             }]}},
        {"id": 5, "type": "row", "title": "Next", "collapsed": True,
         "gridPos": {"x": 0, "y": 9, "w": 24, "h": 1}, "panels": []}],
}
# The SDK does not know it; dashboards_exclusions.yaml has it too.
UNKNOWN = "annotations.list[].textFormat"
LEFT = ("panels", 0)
LINKED = ("panels", 3)
LINK_URL = (*LINKED, "fieldConfig", "overrides", 0, "properties", 0, "value", 0,
            "url")
EXPR = (*LEFT, "targets", 0, "expr")
CLUSTER, JOB, INSTANCE = (("templating", "list", at) for at in (1, 2, 3))

# rule, path in the dashboard, new value (None: removed)
PLANTS = [
    ("template-datasource-rule", ("templating", "list", 0, "name"), "source"),
    ("template-job-rule", (*JOB, "allValue"), ".*"),
    ("template-instance-rule", (*INSTANCE, "multi"), False),
    ("template-label-promql-rule", (*JOB, "query"), "label_values(up{, job)"),
    ("template-on-time-change-reload-rule", (*JOB, "refresh"), 1),
    ("panel-datasource-rule", (*LEFT, "datasource", "uid"), "mine"),
    ("panel-title-description-rule", (*LEFT, "description"), ""),
    ("panel-units-rule", (*LEFT, "fieldConfig", "defaults", "unit"), "io/s"),
    ("panel-no-targets-rule", (*LEFT, "targets"), []),
    ("target-logql-rule", (*LEFT, "targets", 0, "datasource"),
     {"type": "loki", "uid": "${datasource}"}),
    ("target-logql-auto-rule", EXPR, RATE.replace("$__rate_interval",
                                                  "$__auto")),
    ("target-promql-rule", EXPR, RATE + ")"),
    ("target-rate-interval-rule", EXPR, RATE.replace("$__rate_interval",
                                                     "5m")),
    ("target-job-rule", EXPR, RATE.replace('job=~"$job",', "")),
    ("target-instance-rule", EXPR, RATE.replace("$instance", "a")),
    ("target-counter-agg-rule", EXPR, f"sum({COUNTER}{{{SELECT}}})"),
    ("uneditable-dashboard", ("editable",), True),
    ("unique-panel-ids", (*LEFT, "id"), 2),
    ("grid", (*LEFT, "gridPos", "w"), 13),
    ("grid", ("panels", 1, "gridPos", "w"), 13),
    ("grid", ("panels", 2, "panels", 0, "gridPos", "w"), 25),
    ("variables-used", EXPR, RATE.replace("Rebooted", "$reason")),
    ("variables-used", (*JOB, "name"), "jobs"),
    ("links", (*LEFT, "description"), "See /d/kube-event-none."),
    ("descriptions", ("panels", 1, "title"), None),
    ("conventions", ("schemaVersion",), 42),
    ("conventions", (*CLUSTER, "allValue"), ".+"),
    ("conventions", ("links", 0, "keepTime"), False),
    ("annotations-parse", ("annotations", "list", 0, "expr"), "sum("),
    ("cluster-selected", EXPR, RATE.replace(',cluster=~"$cluster"', "")),
    ("scope-selected", EXPR, RATE.replace(',scope="cluster"', "")),
    ("metrics-exist", EXPR, RATE.replace("occurrences", "planted")),
    ("metrics-exist", EXPR, RATE.replace("reason=", "node=")),
    ("metrics-exist", ("annotations", "list", 0, "expr"),
     RATE.replace("occurrences", "planted")),
    ("reasons-exist", EXPR, RATE.replace("Rebooted", "Planted")),
    ("optional-panels", EXPR, NODES),
    ("optional-panels", EXPR, f"{RATE} * on () group_left () {NODES}"),
    ("severe-colors", (*LEFT, "fieldConfig", "defaults", "color",
                       "fixedColor"), "dark-orange"),
    ("node-group", EXPR, RATE.replace("reason=", 'kind="Node",reason=')),
    ("size", (*LEFT, "description"), "x" * 250_000),
    ("no-rainbow", (*LEFT, "fieldConfig", "defaults", "color", "mode"),
     "palette-classic"),
    ("messages-linked", (*LINKED, "fieldConfig", "overrides"), []),
    ("messages-linked", (*LINKED, "targets", 0, "expr"), RATE),
    ("messages-linked", (*LINKED, "transformations", 0, "options",
                         "renameByName", "object_name"), "Object"),
    ("messages-linked", LINK_URL, LINK.replace(":percentencode", "")),
    ("messages-linked", LINK_URL, LINK.replace("&until=${__to}", "")),
    ("messages-linked", LINK_URL, LINK.replace("${__value.raw:raw}", "")),
    ("messages-linked", (*LEFT, "targets", 0, "legendFormat"),
     "{{object_name}}{{mark}}"),
    ("messages-linked", (*LEFT, "targets", 0, "legendFormat"),
     "{{reason}}"),
    ("messages-linked", ("annotations", "list", 0, "textFormat"), "{{reason}}"),
    ("messages-linked", ("annotations", "list", 0, "expr"), RATE),
    ("schema", (*LEFT, "gridPos", "ww"), 12),
    ("schema", (*LEFT, "fieldConfig", "defaults", "units"), "s"),
]


def changed(path, value):
    board = copy.deepcopy(GOOD)
    at = board
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return board


def failures(root):
    """Undetected plants, and rules without a plant."""
    dashboards.enable_packages(root)
    known = dashboards.known(root, ["kube-event-planted"])
    for rule, place, text in dashboards.broken(GOOD, known):
        if (rule, place) == ("schema", UNKNOWN):
            continue
        yield f"a good dashboard breaks {rule}: {place}: {text}"
    for rule, path, value in PLANTS:
        found = {r for r, _, _ in dashboards.broken(changed(path, value),
                                                    known)}
        if rule not in found:
            yield f"{rule} does not detect {value!r} at {path}: {found}"
    rules = {*linter_rules.RULES, *dashboard_rules.RULES, "schema"}
    for rule in sorted(rules - {plant[0] for plant in PLANTS}):
        yield f"nothing planted breaks {rule}"
