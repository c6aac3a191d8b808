"""Kubernetes / Events / Autoscaling and node lifecycle."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-node-lifecycle"
NODES = {"kind": names.NODE, "object_name": "$object_name"}
REPORTED = {**NODES, "reporting_component": "$reporting_component"}
ALL = {"kind": names.LIFECYCLE, "object_name": "$object_name",
       "reporting_component": "$reporting_component",
       "reason": names.LIFECYCLE_REASONS}


def make():
    known = {"kind": names.LIFECYCLE, "reason": names.LIFECYCLE_REASONS}
    made = board.Board(
        UID, "Autoscaling and node lifecycle",
        "Why are nodes added and removed: autoscaler, Karpenter, spot "
        "interruptions, cloud deletions?",
        "Cluster-wide Events of cluster-autoscaler concern a ConfigMap and "
        "are not shown here.",
        [board.filter_by("reporting_component", "Reported by", names.LAST_SEEN,
                         **known),
         board.filter_by("object_name", "Object", names.LAST_SEEN, **known)])
    headlines(made)
    flow(made)
    made.row(
        "Detail", 11,
        (panels.rows(
            "Latest lifecycle events",
            "Newest first. Read upward to see what led to the removal of a "
            "node.",
            q.newest_first(
                100, q.last_seen(**ALL), "cluster, kind, object_name, reason, "
                "type, reporting_component"),
            ["kind", "object_name", "reason", "type", "reporting_component",
             "cluster"], "Latest", link=board.only_here(UID)), 24))
    made.row(
        None, 9,
        (panels.rows(
            "Repeated Warnings",
            "Operations that are retried. Check PodDisruptionBudgets, "
            "do-not-disrupt annotations and limits of the provider.",
            q.top(25, q.objects(**ALL, type="Warning"), "cluster, kind, "
                  "object_name, reason, reporting_component"),
            ["kind", "object_name", "reason", "reporting_component",
             "cluster"], "Occurrences", color=look.UNUSUAL,
            link=board.only_here(UID)), 24))
    return made


def headlines(made):
    made.row(
        None, 4,
        (panels.number(
            "Nodes added",
            "Registered nodes. After a restart, kube-controller-manager "
            "registers every node again.",
            q.total_or_zero(q.objects(**NODES, reason=names.JOINED)),
            look.plain()), 6),
        (panels.number(
            "Nodes removed",
            "Deleted Node objects. If you did not expect this, see \"Why "
            "nodes leave\".",
            q.total_or_zero(q.objects(**NODES, reason=names.LEFT)),
            look.plain()), 6),
        (panels.number(
            "Interruption notices",
            "Notices of the cloud provider: spot, maintenance, health. If "
            "there are many at once, use more instance types and zones.",
            q.total_or_zero(q.objects(**REPORTED, reason=names.INTERRUPTION)),
            look.zero_is_good(1, 5)), 6),
        (panels.number(
            "Failed drains and scale-downs",
            "Nodes that could not be drained. Check PodDisruptionBudgets and "
            "cloud errors.",
            q.total_or_zero(q.objects(**REPORTED, reason=names.DRAIN_FAILED)),
            look.steps((None, look.GOOD), (1, look.BAD))), 6))


def flow(made):
    made.row(
        "Over time", 8,
        (panels.bars(
            "Nodes added and removed",
            "Green nodes were added, orange nodes removed. If both repeat, "
            "check consolidation.",
            {"joined": q.bars(q.objects(**NODES, reason=names.JOINED),
                              "reason"),
             "left": q.bars(q.objects(**NODES, reason=names.LEFT), "reason")},
            overrides=[look.column("joined", (
                "color", {"mode": "fixed", "fixedColor": look.GOOD})),
                look.column("left", (
                    "color", {"mode": "fixed", "fixedColor": look.UNUSUAL}))]),
         8),
        (panels.bars(
            "Why nodes leave",
            "Blue is planned. Orange is caused by the cloud provider.",
            {"{{reason}}": q.bars(q.objects(**REPORTED, reason=(
                *names.DEPARTURE, *names.INTERRUPTION)), "reason")},
            color=look.NEUTRAL, overrides=[
                look.colored(names.INTERRUPTION, look.UNUSUAL)]), 8),
        (panels.bars(
            "Blocked provisioning and drains",
            "Nodes that cannot be created or drained. For "
            "InsufficientCapacityError and NoCompatibleInstanceTypes, relax "
            "the requirements.",
            {"{{reason}}": q.bars(q.objects(
                **{**ALL, "reason": names.BLOCKED}), "reason")},
            color=look.UNUSUAL, overrides=look.by_severity()), 8))
