"""Kubernetes / Events / Storage."""

from . import board, log_stores, look, messages, names, panels, states
from . import queries as q

UID = "kube-event-storage"
CHOSEN = {"kind": "$kind", "object_name": "$object_name"}
WARNINGS = {**CHOSEN, "type": "Warning"}


def make():
    made = board.Board(
        UID, "Storage",
        "Which PersistentVolumes and snapshot contents fail to bind, delete, "
        "mount or snapshot?",
        "Events of claims are namespaced and not shown here.",
        [board.variable(
            "kind", "Kind", "Shows only this kind.",
            board.values_of("kind", q.last_seen(kind=names.STORAGE)),
            names.STORAGE),
         board.filter_by("object_name", "Object", names.LAST_SEEN,
                         kind="$kind"),
         *log_stores.variables()])
    headlines(made)
    made.row(
        "Over time", 8,
        (panels.bars(
            "Storage events by reason",
            "A reason that repeats every few minutes is a retry that needs a "
            "fix.",
            {"{{reason}} ({{kind}})": q.bars(q.objects(**CHOSEN),
                                             "kind, reason")},
            overrides=look.by_name(names.reasons(
                kinds=names.STORAGE.split("|"))),
            pages=messages.of_bar(messages.KIND)), 14),
        (panels.bars(
            "Warnings by driver",
            "Warnings by reporting component. If only one CSI driver is "
            "listed, check its storage and permissions.",
            {"{{reporting_component}}": q.bars_by_driver(
                q.objects(**WARNINGS))},
            overrides=look.by_name(names.COMPONENTS)),
         10))
    timelines(made)
    tables(made)
    state(made)
    log_stores.rows(made, kind="$kind", name="$object_name")
    return made


def headlines(made):
    made.row(
        None, 4,
        (panels.number(
            "Failed deletions",
            "Storage that could not be deleted or recycled and still incurs "
            "costs. The Event's message contains the driver's error.",
            q.total_or_zero(q.objects(**CHOSEN, reason=names.FAILED_DELETE)),
            look.steps((None, look.GOOD), (1, look.BAD))), 6),
        (panels.number(
            "Objects with a Warning",
            "Volumes and snapshot contents with at least one Warning. Start "
            "with the table of repeated failures.",
            q.how_many(q.last_seen(**WARNINGS), "cluster, kind, object_name"),
            look.zero_is_good(1, 10)), 6),
        (panels.number(
            "Snapshot failures",
            "Snapshots that could not be created, checked or deleted. Backups "
            "that use them fail.",
            q.total_or_zero(q.selector(
                names.OBJECTS, kind="Volume.*SnapshotContent",
                object_name="$object_name", type="Warning")),
            look.zero_is_good()), 6),
        (panels.number(
            "Latest Warning",
            "Time of the latest storage Warning. Empty if there was none for "
            "a day.",
            f"max({q.last_seen(**WARNINGS)}) * 1000", look.plain(),
            unit="dateTimeFromNow").no_value("none"), 6))


def timelines(made):
    made.row(
        "Since when, and still?", 9,
        (panels.timeline(
            "Events and phases by object",
            "The objects with the newest Warnings. Each Event is shown for 15 "
            "minutes, so a lane without gaps is an operation that is retried. "
            "The phases of PersistentVolumes need kube-state-metrics. Failed: "
            "the deletion failed. Released: the claim is gone.",
            {states.LEGEND: states.pulses(CHOSEN, 10),
             f"{states.LEGEND} phase": states.phases("$object_name", 10)},
            {**states.PULSES, **states.PHASES}, objects=True), 24))


def tables(made):
    by = "cluster, kind, object_name, reason, reporting_component"
    made.row(
        "Which objects?", 7,
        (panels.rows(
            "Latest failures",
            "Newest first. To read the message, click show, or run kubectl "
            "get events -n default and filter by the object's name.",
            q.newest_first(50, q.last_seen(**WARNINGS), by, q.by_driver),
            ["kind", "object_name", "reason", "reporting_component",
             "cluster"], "Latest", link=board.only_here(UID)), 24))
    made.row(
        None, 7,
        (panels.rows(
            "Repeated failures",
            "The most frequent failures. Start here.",
            q.top(25, q.objects(**WARNINGS),
                  "cluster, kind, object_name, reason"),
            ["kind", "object_name", "reason", "cluster"], "Occurrences",
            color=look.UNUSUAL, link=board.only_here(UID)), 24))


def state(made):
    made.closed_row(
        "Compared with kube-state-metrics (optional)",
        (8, (panels.lines(
            "PersistentVolumes by phase (kube-state-metrics)",
            "Empty without kube-state-metrics in the same Prometheus. A "
            "failed deletion leaves a volume in phase Failed.",
            {"{{phase}}": "sum by (phase) (max by (cluster, persistentvolume, "
             'phase) (kube_persistentvolume_status_phase{cluster=~"$cluster",'
             'persistentvolume=~"$object_name"}))'},
            "none", overrides=[
                *look.apart("Bound", "Available", "Pending", "Released"),
                look.colored(["Failed"], look.BAD, look.FIXED)]), 24)))
