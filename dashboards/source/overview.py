"""Kubernetes / Events / Cluster-scoped overview."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-cluster-overview"
CHOSEN = {"kind": "$kind", "type": "$type"}
WARNINGS = {"kind": "$kind", "type": "Warning"}


def make():
    made = board.Board(
        UID, "Cluster-scoped overview",
        "What is happening to cluster-scoped objects now, and where do I "
        "drill down?",
        "Read from left to right and top to bottom. An object's name links to "
        "the dashboard of its kind.",
        [board.filter_by("kind", "Kind", names.LAST_SEEN),
         board.filter_by("type", "Type", names.LAST_SEEN)],
        annotations={})
    headlines(made)
    when(made)
    what(made)
    which(made)
    compare(made)
    return made


def headlines(made):
    critical = {"kind": "$kind", "reason": names.CRITICAL}
    made.row(
        None, 4,
        (panels.number(
            "Critical events",
            "Occurrences of reasons with severity critical in the catalogue. "
            "Includes type Normal, such as NodeNotReady. If it is not 0, open "
            "the object in the tables below.",
            q.total_or_zero(q.occurrences(**critical)),
            look.steps((None, look.GOOD), (1, look.BAD))), 4),
        (panels.number(
            "Warning events",
            "Occurrences of type Warning. A few are normal. Compare with last "
            "week at the bottom.",
            q.total_or_zero(q.occurrences(**WARNINGS)),
            look.zero_is_good(1, 100)), 4),
        (panels.number(
            "Objects with a Warning",
            "Cluster-scoped objects with at least one Warning. Many Warnings "
            "about one object suggest a single cause. Warnings about many "
            "objects suggest a wider problem.",
            q.how_many(q.last_seen(**WARNINGS), "cluster, kind, object_name"),
            look.zero_is_good(1, 10)), 4),
        (panels.number(
            "Nodes not ready",
            "Nodes whose latest readiness Event is NodeNotReady. Click to "
            "list them.",
            q.how_many_still(
                q.last_seen(kind=names.NODE, reason=names.NOT_READY),
                q.last_seen(kind=names.NODE, reason=names.READY_AGAIN)),
            look.zero_is_good(1, 3),
            link=board.to_board("Show the nodes", "kube-event-nodes")), 4),
        (panels.number(
            "Latest Warning",
            "Time of the latest Warning about a cluster-scoped object. Empty "
            "if there was none for a day.",
            f"max({q.last_seen(**WARNINGS)}) * 1000",
            look.plain(), unit="dateTimeFromNow").no_value("none"), 4),
        (panels.number(
            "Exporter",
            "Whether every watch is in sync. If not, the numbers here are not "
            "updated. Click to check the exporter's health.",
            f"min({q.own('synced')}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("not in sync", look.BAD),
                                  "1": ("in sync", look.GOOD)})],
            link=board.to_board("Show the exporter's health",
                                "kube-event-exporter-health")), 4))


def when(made):
    made.row(
        "Over time", 9,
        (panels.bars(
            "Events by kind",
            "Occurrences in each interval. Start with a kind that suddenly "
            "grows.",
            {"{{kind}}": q.bars(q.occurrences(**CHOSEN), "kind")},
            overrides=look.apart("Node", "PersistentVolume", "NodeClaim",
                                 "ClusterPolicy")), 10),
        (panels.bars(
            "Warnings by reason",
            "Red is critical in the catalogue. Find the reason in the table "
            "below to see which component reports it.",
            {"{{reason}}": q.bars(q.occurrences(**WARNINGS), "reason")},
            color=look.UNUSUAL, overrides=look.by_severity(),
            legend=look.legend(right=True)), 14))


def what(made):
    made.row(
        "By reason and component", 10,
        (panels.rows(
            "Top reasons",
            "The most frequent reasons. Many of type Normal are fine. "
            "REASONS.md lists what to do for each reason.",
            q.top_by_driver(25, q.occurrences(**CHOSEN),
                            "kind, reason, type, reporting_component"),
            ["kind", "reason", "type", "reporting_component"], "Occurrences",
            widths={"reason": 0}),
         14),
        (panels.ranking(
            "Reporting components",
            "The components that report most. Check a component that is new "
            "here.",
            {"{{reporting_component}}":
             q.top_by_driver(10, q.occurrences(**CHOSEN))},
            look.NEUTRAL), 10))


def which(made):
    latest = q.by_dashboard(q.newest_of_each(
        50, q.last_seen(**CHOSEN), "cluster, kind, object_name",
        "reason, type"))
    noisiest = q.by_dashboard(q.top(
        25, q.objects(**WARNINGS), "cluster, kind, object_name"))
    made.row(
        "By object", 12,
        (panels.rows(
            "Latest Event by object",
            "Newest first. Click a name to open the object's dashboard.",
            latest,
            ["kind", "object_name", "reason", "type", "cluster", "dashboard"],
            "Latest", link=board.to_any_object(),
            widths={"kind": 174, "reason": 195, "type": 74, "cluster": 65,
                    "Value": 112}), 15),
        (panels.rows(
            "Objects with the most Warnings",
            "Start with the first. The most frequent problem does not resolve "
            "by itself.",
            noisiest, ["object_name", "cluster", "dashboard"],
            "Warnings", color=look.UNUSUAL, link=board.to_any_object(),
            widths={"Value": 120}), 9))


def compare(made):
    counter = q.occurrences(**WARNINGS)
    hour = f"sum({q.ONCE} (increase({counter}[1h])))"
    week = f"sum({q.ONCE} (increase({counter}[1h] offset 1w)))"
    made.row(
        "Comparison", 7,
        (panels.lines(
            "Warnings per hour, now and a week ago",
            "If the value is above the gray line, check what changed since "
            "last week. The gray line needs a week of data.",
            {"now": hour, "a week ago": week}, "none", color=look.UNUSUAL,
            overrides=[look.column("a week ago", (
                "color", {"mode": "fixed", "fixedColor": look.QUIET}))],
            legend=look.legend(("max",))), 24))
