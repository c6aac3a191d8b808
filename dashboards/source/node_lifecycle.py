"""Kubernetes / Events / Autoscaling and node lifecycle."""

from . import board, look, messages, names, panels, places, states
from . import queries as q

UID = "kube-event-node-lifecycle"
NODES = {"kind": names.NODE, "object_name": "$object_name"}
REPORTED = {**NODES, "reporting_component": "$reporting_component"}
ALL = {"kind": names.LIFECYCLE, "object_name": "$object_name",
       "reporting_component": "$reporting_component",
       "reason": names.LIFECYCLE_REASONS}
NARROW = {"zone": 0, "pool": 75, "instance_type": 110, "Value": 80}
LEAVING = (*names.DEPARTURE, *names.INTERRUPTION)


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
    lives(made)
    made.row(
        "What happened to each?", 11,
        (panels.rows(
            "Latest lifecycle events",
            "Newest first. Read upward to see what led to the removal of a "
            "node.",
            q.with_severity(q.newest_first(
                100, q.last_seen(**ALL), "cluster, kind, object_name, reason, "
                "type, reporting_component")),
            ["severity", "kind", "object_name", "reason",
             "reporting_component", "cluster"], "Latest",
            link=board.only_here(UID), widths={"kind": 125}), 24))
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


def lives(made):
    left = q.newest(q.last_seen(**NODES, reason=names.LEFT),
                    "cluster, object_name")
    made.row(
        "Which nodes come and go?", 11,
        (panels.timeline(
            "Life of each node",
            "The 20 nodes that joined or left last. A long joining phase: "
            "check the bootstrap and the network plugin. A long drain: check "
            "PodDisruptionBudgets.",
            {states.LEGEND: states.lives(NODES)}, states.LIVES,
            objects=True, kind=names.NODE), 14),
        (panels.rows(
            "Where were nodes removed?",
            "If the cloud provider takes back one instance type or zone, use "
            "more of them. Zone, pool and type need node labels of "
            "kube-state-metrics.",
            places.counted(left), ["zone", "pool", "instance_type"], "Nodes",
            widths=NARROW), 10))


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
            "Failed removals",
            "Nodes that could not be drained or removed. FailedDraining of "
            "Karpenter is not counted: it repeats while a drain waits for "
            "Pods. Check PodDisruptionBudgets and cloud errors.",
            q.total_or_zero(q.objects(**REPORTED, reason=names.DRAIN_FAILED)),
            look.steps((None, look.GOOD), (1, look.BAD))), 6))


def flow(made):
    made.row(
        "Over time", 9,
        (panels.bars(
            "Nodes added and removed",
            "If nodes keep joining and leaving, check consolidation.",
            {"joined": q.bars(q.objects(**NODES, reason=names.JOINED),
                              "reason"),
             "left": q.bars(q.objects(**NODES, reason=names.LEFT), "reason")},
            overrides=look.apart("joined", "left")), 7),
        (panels.bars(
            "Why nodes leave",
            "Reasons of the cloud provider begin with Spot, Instance or "
            "Capacity; the others are decisions in the cluster.",
            {"{{reason}}": q.bars(q.objects(**REPORTED, reason=LEAVING),
                                  "reason")},
            overrides=look.by_name(LEAVING),
            pages=messages.of_bar(names.NODE)), 10),
        (panels.bars(
            "Blocked provisioning and drains",
            "Nodes that cannot be created or drained. For "
            "InsufficientCapacityError and NoCompatibleInstanceTypes, relax "
            "the requirements.",
            {"{{reason}}": q.bars(q.objects(
                **{**ALL, "reason": names.BLOCKED}), "reason")},
            overrides=look.by_name(names.BLOCKED),
            pages=messages.of_bar()), 7))
