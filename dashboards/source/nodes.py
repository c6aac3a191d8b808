"""Kubernetes / Events / Nodes."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-nodes"
NODES = {"kind": names.NODE}
CHOSEN = {"kind": names.NODE, "object_name": "$node"}
LISTED = {**CHOSEN, "reason": "$reason"}


def make():
    made = board.Board(
        UID, "Nodes",
        "Which nodes are unhealthy, flapping, rebooting, out of memory or "
        "disk, and was it planned?",
        "A reboot shortly after a cordon counts as planned. Select a node "
        "above to show only that node.",
        [board.node_filter(),
         board.filter_by("reason", "Reason", names.LAST_SEEN, kind=names.NODE)],
        annotations={"object_name": "$node"})
    headlines(made)
    readiness(made)
    pressure(made)
    agents(made)
    tables(made)
    state(made)
    return made


def reported(reason):
    return q.last_seen(**CHOSEN, reason=reason)


def cordoned():
    return reported(names.CORDONED)


def unplanned_reboots():
    gauge = q.last_seen(**CHOSEN, reason=names.REBOOTED)
    recent = q.newest(gauge, "cluster, object_name")
    return (f"count(({recent}) unless on (cluster, object_name) "
            f"(max by (cluster, object_name) ({cordoned()}) > "
            f"max by (cluster, object_name) ({gauge}) - 7200)) or vector(0)")


def headlines(made):
    made.row(
        None, 4,
        (panels.number(
            "Not ready",
            "Nodes whose latest readiness Event is NodeNotReady. Find them in "
            "the timeline, then run kubectl describe node.",
            q.how_many_still(q.last_seen(**CHOSEN, reason=names.NOT_READY),
                             q.last_seen(**CHOSEN, reason=names.READY_AGAIN)),
            look.zero_is_good(1, 3)), 4),
        (panels.number(
            "Under pressure",
            "Nodes that last reported a shortage of memory, disk or process "
            "IDs. Pods may be evicted. Free resources or add capacity.",
            " + ".join(
                f"({q.how_many_still(began, over)})" for began, over in
                zip(map(reported, names.PRESSURE),
                    map(reported, names.PRESSURE_OVER))),
            look.zero_is_good(1, 3)), 4),
        (panels.number(
            "Reboots",
            "Rebooted machines. Unplanned: not cordoned within two hours "
            "before. Read the kernel log of the previous boot.",
            {"all": q.total_or_zero(q.objects(**CHOSEN,
                                              reason=names.REBOOTED)),
             "unplanned": unplanned_reboots()},
            look.plain(), overrides=[look.column("unplanned", (
                "thresholds", look.zero_is_good(1, 5).build()))]), 4),
        (panels.number(
            "System OOMs",
            "Processes that the kernel killed because memory ran out. The "
            "Event's message names the process. Reserve more memory for the "
            "system.",
            q.total_or_zero(q.objects(**CHOSEN, reason=names.OUT_OF_MEMORY)),
            look.steps((None, look.GOOD), (1, look.BAD))), 4),
        (panels.number(
            "Cordoned",
            "Nodes whose latest scheduling Event is a cordon. Uncordon nodes "
            "after maintenance.",
            q.how_many_still(
                q.last_seen(**CHOSEN, reason=names.CORDONED),
                q.last_seen(**CHOSEN, reason=names.named(
                    "NodeSchedulable", names.LEFT))),
            look.plain()), 4),
        (panels.number(
            "Joined and left",
            "Registered and removed nodes. After a restart, "
            "kube-controller-manager registers every node again.",
            {"joined": q.total_or_zero(q.objects(**CHOSEN,
                                                 reason=names.JOINED)),
             "left": q.total_or_zero(q.objects(**CHOSEN, reason=names.LEFT))},
            look.plain()), 4))


def readiness(made):
    ready = look.colored(names.named("NodeReady"), look.GOOD, look.FIXED)
    lost = look.colored(names.NOT_READY, look.BAD, look.FIXED)
    lost_at = q.last_seen(**CHOSEN, reason=names.NOT_READY)
    made.row(
        "Readiness", 9,
        (panels.timeline(
            "Unplanned NotReady by node",
            "Red until a node is Ready again or removed. Nodes cordoned "
            "within two hours before are excluded. If many are red at once, "
            "check the network or the zone.",
            {"{{object_name}} {{cluster}}": q.unplanned(
                f"({q.since(lost_at, reported(names.READY_AGAIN))})",
                lost_at, cordoned())},
            {"0": ("Ready", look.GOOD), "1": ("Not ready", look.BAD)}), 12),
        (panels.bars(
            "Readiness changes",
            "A node that changes repeatedly is flapping. Check its kubelet "
            "log and heartbeats.",
            {"{{reason}}": q.bars(q.objects(
                **CHOSEN, reason=names.named("NodeNotReady", "NodeReady")),
                "reason")},
            overrides=[ready, lost]), 12))


def pressure(made):
    made.row(
        "Pressure and kernel", 8,
        (panels.bars(
            "Pressure and evictions",
            "Starts of memory, disk or process ID pressure, and evictions. "
            "Find what uses the resource. Check requests and thresholds.",
            {"{{reason}}": q.bars(q.objects(**CHOSEN, reason=(
                *names.PRESSURE, "EvictionThresholdMet")), "reason")},
            color=look.UNUSUAL), 8),
        (panels.bars(
            "Failures to free disk",
            "The kubelet cannot remove images or containers. Either other "
            "files fill the disk, or the container runtime is broken.",
            {"{{reason}}": q.bars(q.objects(**CHOSEN, reason=names.RECLAIM),
                                  "reason")}, color=look.UNUSUAL), 8),
        (panels.bars(
            "Kernel and hardware",
            "SystemOOM of the kubelet, and findings of node-problem-detector "
            "if installed. Red is critical: drain the node and replace the "
            "part.",
            {"{{reason}}": q.bars(q.objects(**CHOSEN, reason=(
                *names.OUT_OF_MEMORY, *names.PROBLEM_DETECTOR)), "reason")},
            color=look.UNUSUAL, overrides=look.by_severity()), 8))


def agents(made):
    starts = q.objects(**CHOSEN, reason="Starting")
    made.row(
        "Starts, reboots and configuration", 8,
        (panels.bars(
            "Reboots and starts of kubelet and kube-proxy",
            "A start without a reboot is an upgrade or a crash. If it "
            "repeats, read the log of the component.",
            {"{{reporting_component}}": q.bars(starts, "reporting_component"),
             "reboot": q.bars(q.objects(**CHOSEN, reason="Rebooted"),
                              "reason")},
            overrides=[look.column("reboot", (
                "color", {"mode": "fixed", "fixedColor": look.UNUSUAL}))]),
         10),
        (panels.rows(
            "Configuration and network",
            "Configuration problems of nodes in the last day, independent of the "
            "time range. They are reported once per start, so old ones still "
            "apply.",
            q.newest_known(50, q.last_seen(
                **CHOSEN, reason=names.CONFIGURATION),
                "cluster, object_name, reason, reporting_component"),
            ["object_name", "reason", "reporting_component", "cluster"],
            "Latest", link=board.to_node(),
            widths={"reason": 300, "reporting_component": 120}), 14))


def tables(made):
    made.row(
        "Nodes", 12,
        (panels.rows(
            "Events by node and reason",
            "A node far above the others has a problem of its own. Select it "
            "above.",
            q.top(100, q.objects(**LISTED),
                  "cluster, object_name, reason, type"),
            ["object_name", "reason", "cluster"], "Occurrences",
            link=board.to_node()), 10),
        (panels.rows(
            "Latest Event by node and reason",
            "Newest first. Select a node to see its history.",
            q.newest_first(
                100, q.last_seen(**LISTED),
                "cluster, object_name, reason, type, reporting_component"),
            ["object_name", "reason", "type", "reporting_component",
             "cluster"], "Latest", link=board.to_node(),
            widths={"reason": 195, "reporting_component": 228,
                    "cluster": 75, "Value": 118}), 14))


def state(made):
    def nodes_with(condition, status):
        return (f'sum by (condition) (max by (cluster, node, condition) '
                f'(kube_node_status_condition{{cluster=~"$cluster",'
                f'node=~"$node",condition{condition},status="{status}"}}))')
    made.row(
        "Compared with kube-state-metrics (optional)", 8,
        (panels.lines(
            "Nodes by condition (kube-state-metrics)",
            "Empty without kube-state-metrics in the same Prometheus. The "
            "Events above explain this state.",
            {"not Ready": nodes_with('="Ready"', "false"),
             "Ready unknown": nodes_with('="Ready"', "unknown"),
             "{{condition}}": nodes_with('=~".+Pressure|NetworkUnavailable"',
                                         "true")},
            "none", color=look.UNUSUAL), 24), collapsed=True)
