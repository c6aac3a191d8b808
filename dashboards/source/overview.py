"""Kubernetes / Events / Cluster-scoped overview."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-cluster-overview"
CHOSEN = {"scope": "cluster", "kind": "$kind", "type": "$type"}
WARNINGS = {"scope": "cluster", "kind": "$kind", "type": "Warning"}


def make():
    made = board.Board(
        UID, "Cluster-scoped overview",
        "What is happening to cluster-scoped objects now, and where do I drill "
        "down?",
        "Read from left to right and top to bottom; an object's name leads to "
        "the dashboard of its kind.",
        [board.filter_by("kind", "Kind", names.LAST_SEEN, scope="cluster"),
         board.filter_by("type", "Type", names.LAST_SEEN, scope="cluster")],
        marks={})
    headlines(made)
    when(made)
    what(made)
    which(made)
    compare(made)
    return made


def headlines(made):
    critical = {"scope": "cluster", "kind": "$kind", "reason": names.CRITICAL}
    made.row(
        None, 4,
        (panels.number(
            "Critical events",
            "Occurrences of the reasons that the catalogue calls critical, "
            "whatever their type: NodeNotReady is Normal. When it is not 0, "
            "find the object in the tables below and open it.",
            q.total_or_zero(q.occurrences(**critical)),
            look.steps((None, look.GOOD), (1, look.BAD))), 4),
        (panels.number(
            "Warning events",
            "Occurrences of type Warning. A few are normal; compare with last "
            "week at the bottom.",
            q.total_or_zero(q.occurrences(**WARNINGS)),
            look.zero_is_good(1, 100)), 4),
        (panels.number(
            "Objects with a Warning",
            "Cluster-scoped objects that a Warning was said about. One object "
            "with many Warnings is one cause; many objects with one each are a "
            "wider problem.",
            q.how_many(q.last_seen(**WARNINGS), "cluster, kind, object_name"),
            look.zero_is_good(1, 10)), 4),
        (panels.number(
            "Nodes not ready",
            "Nodes whose newest readiness event is NodeNotReady. Click to see "
            "which.",
            q.how_many_still(
                q.last_seen(kind=names.NODE, reason=names.NOT_READY),
                q.last_seen(kind=names.NODE, reason=names.READY_AGAIN)),
            look.zero_is_good(1, 3),
            link=board.to_board("Show the nodes", "kube-event-nodes")), 4),
        (panels.number(
            "Latest Warning",
            "When anything cluster-scoped was last warned of. It stays empty "
            "where there was none for a day.",
            f"max({q.last_seen(**WARNINGS)}) * 1000",
            look.plain(), unit="dateTimeFromNow").no_value("none"), 4),
        (panels.number(
            "Exporter",
            "Whether every watch is in sync. When it is not, the numbers here "
            "stand still: click for the exporter's health.",
            f"min({q.own('synced')}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("not in sync", look.BAD),
                                  "1": ("in sync", look.GOOD)})],
            link=board.to_board("Show the exporter's health",
                                "kube-event-exporter-health")), 4))


def when(made):
    made.row(
        "When", 9,
        (panels.bars(
            "Events by kind",
            "Occurrences in each interval. A kind that suddenly grows is where "
            "to look first.",
            {"{{kind}}": q.bars(q.occurrences(**CHOSEN), "kind")},
            overrides=look.apart("Node", "PersistentVolume", "NodeClaim",
                                 "ClusterPolicy")), 10),
        (panels.bars(
            "Warnings by reason",
            "Red is what the catalogue calls critical. Find the reason in the "
            "table below to learn who says it.",
            {"{{reason}}": q.bars(q.occurrences(**WARNINGS), "reason")},
            colour=look.UNUSUAL, overrides=look.by_severity(),
            legend=look.legend(right=True)), 14))


def what(made):
    made.row(
        "What", 10,
        (panels.rows(
            "Top reasons",
            "The most frequent reasons. Many of type Normal are fine; the "
            "reason's row in REASONS.md says what to do.",
            q.top_by_driver(25, q.occurrences(**CHOSEN),
                            "kind, reason, type, reporting_component"),
            ["kind", "reason", "type", "reporting_component"], "Occurrences",
            widths={"reason": 0}),
         14),
        (panels.ranking(
            "Reporting components",
            "The components that report most. One that is new here has changed "
            "or has trouble.",
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
        "Which object", 12,
        (panels.rows(
            "Latest event of each object",
            "Newest first. Click a name to see everything about the object.",
            latest,
            ["kind", "object_name", "reason", "type", "cluster", "dashboard"],
            "Latest", link=board.to_any_object(),
            widths={"kind": 174, "reason": 195, "type": 74, "cluster": 65,
                    "Value": 112}), 15),
        (panels.rows(
            "Objects with most Warnings",
            "Begin with the first: what repeats most is not mending itself.",
            noisiest, ["object_name", "cluster", "dashboard"],
            "Warnings", colour=look.UNUSUAL, link=board.to_any_object(),
            widths={"Value": 120}), 9))


def compare(made):
    counter = q.occurrences(**WARNINGS)
    hour = f"sum({q.ONCE} (increase({counter}[1h])))"
    week = f"sum({q.ONCE} (increase({counter}[1h] offset 1w)))"
    made.row(
        "Compared", 7,
        (panels.lines(
            "Warnings an hour, now and a week ago",
            "Above the grey line something is different from last week: look "
            "at what was changed since. The grey line needs a week of data.",
            {"now": hour, "a week ago": week}, "none", colour=look.UNUSUAL,
            overrides=[look.column("a week ago", (
                "color", {"mode": "fixed", "fixedColor": look.QUIET}))],
            legend=look.legend(("max",))), 24))
