"""Kubernetes / Events / Autoscaling and node lifecycle."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-node-lifecycle"
NODES = {"kind": names.NODE, "object_name": "$object_name"}
SAID = {**NODES, "reporting_component": "$reporting_component"}
ALL = {"kind": names.LIFECYCLE, "object_name": "$object_name",
       "reporting_component": "$reporting_component",
       "reason": names.LIFECYCLE_REASONS}


def make():
    known = {"kind": names.LIFECYCLE, "reason": names.LIFECYCLE_REASONS}
    made = board.Board(
        UID, "Autoscaling and node lifecycle",
        "Why are nodes coming and going: autoscaler, Karpenter, spot "
        "interruptions, cloud deletions?",
        "What cluster-autoscaler says of the whole cluster is about a "
        "ConfigMap, hence not here.",
        [board.filter_by("reporting_component", "Reported by", names.LAST_SEEN,
                         **known),
         board.filter_by("object_name", "Object", names.LAST_SEEN, **known)])
    headlines(made)
    flow(made)
    made.row(
        "Detail", 11,
        (panels.rows(
            "Latest lifecycle events",
            "Newest first: read upwards what led to a node's end.",
            q.newest_first(
                100, q.last_seen(**ALL), "cluster, kind, object_name, reason, "
                "type, reporting_component"),
            ["kind", "object_name", "reason", "type", "reporting_component",
             "cluster"], "Latest", link=board.only_here(UID)), 24))
    made.row(
        None, 9,
        (panels.rows(
            "Repeated Warnings",
            "What is tried again and again. Look for PodDisruptionBudgets, "
            "do-not-disrupt annotations and limits at the provider.",
            q.top(25, q.objects(**ALL, type="Warning"), "cluster, kind, "
                  "object_name, reason, reporting_component"),
            ["kind", "object_name", "reason", "reporting_component",
             "cluster"], "Occurrences", colour=look.UNUSUAL,
            link=board.only_here(UID)), 24))
    return made


def headlines(made):
    made.row(
        None, 4,
        (panels.number(
            "Nodes added",
            "Nodes that were registered. After kube-controller-manager "
            "restarts it registers every node again.",
            q.total_or_zero(q.objects(**NODES, reason=names.JOINED)),
            look.plain()), 6),
        (panels.number(
            "Nodes removed",
            "Node objects that were deleted. When you did not expect it, the "
            "chart of reasons tells who wanted it.",
            q.total_or_zero(q.objects(**NODES, reason=names.LEFT)),
            look.plain()), 6),
        (panels.number(
            "Interruption notices",
            "What the cloud announced: spot, maintenance, health. Many at "
            "once: spread over more instance types and zones.",
            q.total_or_zero(q.objects(**SAID, reason=names.INTERRUPTION)),
            look.zero_is_good(1, 5)), 6),
        (panels.number(
            "Failed drains and scale-downs",
            "Nodes that could not be emptied. Look for PodDisruptionBudgets "
            "and for errors of the cloud.",
            q.total_or_zero(q.objects(**SAID, reason=names.DRAIN_FAILED)),
            look.steps((None, look.GOOD), (1, look.BAD))), 6))


def flow(made):
    made.row(
        "Flow", 8,
        (panels.bars(
            "Arrivals and departures",
            "Green nodes come, orange nodes go. Both at once, again and again, "
            "is churn: look at consolidation.",
            {"joined": q.bars(q.objects(**NODES, reason=names.JOINED),
                              "reason"),
             "left": q.bars(q.objects(**NODES, reason=names.LEFT), "reason")},
            overrides=[look.column("joined", (
                "color", {"mode": "fixed", "fixedColor": look.GOOD})),
                look.column("left", (
                    "color", {"mode": "fixed", "fixedColor": look.UNUSUAL}))]),
         8),
        (panels.bars(
            "Why nodes go",
            "Blue is planned, orange comes from the cloud.",
            {"{{reason}}": q.bars(q.objects(**SAID, reason=(
                *names.DEPARTURE, *names.INTERRUPTION)), "reason")},
            colour=look.NEUTRAL, overrides=[
                look.coloured(names.INTERRUPTION, look.UNUSUAL)]), 8),
        (panels.bars(
            "What blocks",
            "Nodes that cannot be made or emptied. InsufficientCapacityError "
            "and NoCompatibleInstanceTypes want wider requirements.",
            {"{{reason}}": q.bars(q.objects(
                **{**ALL, "reason": names.BLOCKED}), "reason")},
            colour=look.UNUSUAL, overrides=look.by_severity()), 8))
