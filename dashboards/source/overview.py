"""Kubernetes / Events / Cluster-scoped overview."""

from . import board, log_stores, look, messages, names, panels, places, planned
from . import queries as q

UID = "kube-event-cluster-overview"
CHOSEN = {"kind": "$kind", "type": "$type"}
WARNINGS = {"kind": "$kind", "type": "Warning"}
ALERT = "cluster, alertname, severity, object_name, reason"


def make():
    made = board.Board(
        UID, "Cluster-scoped overview",
        "What is happening to cluster-scoped objects now, and where do I "
        "drill down?",
        "Read from top to bottom. An object's name links to the dashboard of "
        "its kind.",
        [board.filter_by("kind", "Kind", names.LAST_SEEN),
         board.filter_by("type", "Type", names.LAST_SEEN),
         *log_stores.variables()],
        annotations={})
    urgent(made)
    usual(made)
    alerts(made)
    when(made)
    what(made)
    which(made)
    compare(made)
    routine(made)
    log_stores.rows(made, kind="$kind", type="$type")
    return made


def urgent(made):
    alerts_of = {severity: f"count({q.firing(ALERT, severity=severity)}) or "
                 "vector(0)" for severity in ("critical", "warning")}
    made.row(
        None, 3,
        (panels.number(
            "Firing alerts",
            "Alerts of kube-event-metrics that fire now. They are listed "
            "below. Always 0 if its alert rules are not installed in this "
            "data source.",
            alerts_of, look.steps((None, look.GOOD), (1, look.BAD)),
            overrides=[look.column("warning", (
                "thresholds", look.zero_is_good().build()))]), 6),
        (panels.number(
            "Critical events",
            "Occurrences of reasons with severity critical in the catalogue. "
            "A planned NotReady is not counted: the node was cordoned, "
            "drained or announced as leaving in the 30 minutes before. If it "
            "is not 0, open the object in the tables below.",
            critical(), look.steps((None, look.GOOD), (1, look.BAD)),
            steps=True), 6),
        (panels.number(
            "Nodes not ready",
            "Nodes whose latest readiness Event is NodeNotReady. Planned: "
            "cordoned, drained or announced as leaving in the 30 minutes "
            "before. Click to list them.",
            not_ready(), look.zero_is_good(1, 3),
            overrides=[look.column("planned", (
                "thresholds", look.plain().build()))],
            link=board.to_board("Show the nodes", "kube-event-nodes")), 6),
        (panels.number(
            "Exporter",
            "Whether every watch is in sync. If not, the numbers here are not "
            "updated. Click to check the exporter's health.",
            f"min({q.own('synced')}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("not in sync", look.BAD),
                                  "1": ("in sync", look.GOOD)})],
            link=board.to_board("Show the exporter's health",
                                "kube-event-exporter-health")), 6))


def critical():
    others = q.occurrences(kind="$kind", reason=names.without(
        names.CRITICAL, *names.NOT_READY))
    lost = planned.count_unplanned("NodeNotReady", names.NODE_CONTROLLER,
                                   kind_too="$kind")
    return f"({q.total_or_zero(others)}) + ({lost})"


def not_ready():
    now = q.still(q.last_seen(kind=names.NODE, reason=names.NOT_READY),
                  q.last_seen(kind=names.NODE, reason=names.READY_AGAIN))
    return {
        "unplanned": f"count({planned.only_unplanned(now, 'NodeNotReady')}) "
                     "or vector(0)",
        "planned": f"count({planned.only_planned(now, 'NodeNotReady')}) "
                   "or vector(0)"}


def usual(made):
    every = q.total_or_zero(q.occurrences(**WARNINGS))
    nodes = places.node_count(q.last_seen(kind=names.NODE))
    made.row(
        None, 3,
        (panels.number(
            "Warning events",
            "Occurrences of type Warning. The color depends on the number for "
            "each node and hour: a few are normal. Nodes are counted by "
            "kube-state-metrics, or else are those with an Event in the last "
            "day.",
            {"all": every, "per node/h":
             f"({every}) / ({nodes} or vector(1)) / ($__range_s / 3600)"},
            look.plain(), overrides=[look.column(
                "per node/h", ("decimals", 2), (
                    "thresholds", look.zero_is_good(0.1, 1).build()))]), 6),
        (panels.number(
            "Objects with a Warning",
            "Cluster-scoped objects with at least one Warning. Many Warnings "
            "about one object suggest a single cause. Warnings about many "
            "objects suggest a wider problem.",
            q.how_many(q.last_seen(**WARNINGS),
                       "cluster, api_group, kind, object_name"),
            look.zero_is_good(1, 10)), 6),
        (panels.number(
            "Reboots",
            "Rebooted nodes. Unplanned: not cordoned, drained or announced as "
            "leaving in the 30 minutes before. Click to list them.",
            {"unplanned": planned.count_unplanned("Rebooted", kind_too="$kind"),
             "all": q.total_or_zero(q.objects(
                 kind=names.NODE, kind_too="$kind", reason=names.REBOOTED))},
            look.zero_is_good(1, 5), steps=True,
            overrides=[look.column("all", (
                "thresholds", look.plain().build()))],
            link=board.to_board("Show the nodes", "kube-event-nodes")), 6),
        (panels.number(
            "Latest Warning",
            "Time of the latest Warning for a cluster-scoped object; empty if "
            "none in 24 h.",
            f"max({q.last_seen(**WARNINGS)}) * 1000",
            look.plain(), unit="dateTimeFromNow").no_value("none"), 6))


def alerts(made):
    made.row(
        "Which alerts fire?", 6,
        (panels.rows(
            "Firing alerts by object",
            "Alerts of kube-event-metrics that fire now. The runbook of each "
            "is linked from the alert. Empty if none fires or if its rules are "
            "not installed in this data source.",
            messages.of_alerts(q.firing_since(ALERT), q.firing(ALERT)),
            ["severity", "alertname", "object_name", "reason", "cluster"],
            "Since", widths={"severity": 90, "alertname": 290, "reason": 145,
                             "cluster": 75, "Value": 110}, by_severity=True,
            pages=messages.of_alert())
         .no_value("No alert fires"), 24))


def when(made):
    made.row(
        "Over time", 9,
        (panels.bars(
            "Events by kind",
            "Occurrences in each interval. Start with a kind that suddenly "
            "grows.",
            {"{{kind}}": q.bars(q.occurrences(**CHOSEN), "kind")},
            overrides=look.by_name(names.KINDS)), 10),
        (panels.bars(
            "Warnings by reason",
            "Red is critical in the catalogue; other colors only tell reasons "
            "apart. Find the reason in the table below to see which component "
            "reports it.",
            {"{{reason}}": q.bars(q.occurrences(**WARNINGS), "reason")},
            overrides=look.by_name(names.reasons(types="Warning")),
            pages=messages.of_bar(),
            legend=look.legend(right=True)), 14))


def _top(keep, found):
    return f"topk by (severity) (25, {keep(q.with_severity(found))})"


def reasons():
    """All reasons; of disruptions of nodes, which may be planned, none."""
    return q.total_by_driver(
        q.occurrences(**CHOSEN, reason_not=(*names.NOT_READY,
                                            *names.REBOOTED)),
        "kind, reason, type, reporting_component")


def unplanned():
    """The same for disruptions that were not planned."""
    for reason, event_type, reporter in (
            ("NodeNotReady", "Normal", names.NODE_CONTROLLER),
            ("Rebooted", "Warning", "kubelet")):
        query = (f"sum by (reason) ({planned.unplanned(reason, reporter)})")
        for label, value in (("kind", names.NODE), ("type", event_type),
                             ("reporting_component", reporter)):
            query = f'label_replace({query}, "{label}", "{value}", "", "")'
        yield query


def what(made):
    made.row(
        "Which reasons?", 9,
        (panels.rows(
            "Top reasons",
            "The most frequent reasons, critical ones first. NodeNotReady and "
            "Rebooted are counted if they were not planned. Routine reasons "
            "are in the last row. REASONS.md lists what to do for each "
            "reason.",
            _top(q.problems, " or ".join((reasons(), *unplanned()))),
            ["severity", "kind", "reason", "reporting_component"],
            "Occurrences", widths={"reason": 0}, by_severity=True,
            steps=True), 24))


def routine(made):
    made.closed_row(
        "Routine events (severity info) and reporting components",
        (9, (panels.rows(
            "Top routine reasons",
            "Normal operation. Look here if you miss an Event, or to find what "
            "writes most Events.", _top(q.routine, reasons()),
            ["kind", "reason", "reporting_component"], "Occurrences",
            widths={"reason": 0}), 24)),
        (9, (panels.ranking(
            "Reporting components",
            "The components that report most. Check a component that is new "
            "here.",
            {"{{reporting_component}}":
             q.top_by_driver(10, q.occurrences(**CHOSEN))},
            look.NEUTRAL), 24)))


def which(made):
    latest = q.by_dashboard(q.with_severity(q.newest_of_each(
        50, q.last_seen(**CHOSEN), "cluster, kind, object_name",
        "reason, type")))
    noisiest = q.by_dashboard(q.top(
        25, q.objects(**WARNINGS), "cluster, kind, object_name"))
    made.row(
        "Which objects?", 10,
        (panels.rows(
            "Latest Event by object",
            "Newest first. Click a name to open the object's dashboard, or "
            "show to read its messages.",
            latest, ["severity", "kind", "object_name", "reason", "cluster",
                     "dashboard"],
            "Latest", link=board.to_any_object()), 24))
    made.row(
        None, 8,
        (panels.rows(
            "Objects with the most Warnings",
            "Start with the first. Repeated warnings rarely resolve on their "
            "own.",
            noisiest, ["kind", "object_name", "cluster", "dashboard"],
            "Warnings", color=look.UNUSUAL, link=board.to_any_object()), 24))


def compare(made):
    counter = q.occurrences(**WARNINGS)
    hour = f"sum({q.ONCE} (increase({counter}[1h])))"
    week = f"sum({q.ONCE} (increase({counter}[1h] offset 1w)))"
    made.row(
        "Is this more than usual?", 7,
        (panels.lines(
            "Warnings per hour, now and a week ago",
            "If the value is above the gray line, check what changed since "
            "last week. The gray line needs a week of data.",
            {"now": hour, "a week ago": week}, "none",
            overrides=[look.column("a week ago", (
                "color", {"mode": "fixed", "fixedColor": look.QUIET}))],
            legend=look.legend(("max",))), 24))
