"""Kubernetes / Events / Nodes."""

from . import (board, log_stores, look, messages, names, panels, places,
               planned, states)
from . import queries as q

UID = "kube-event-nodes"
CHOSEN = {"kind": names.NODE, "object_name": "$node"}
ONE = {"object_name": "$node"}
LISTED = {**CHOSEN, "reason": "$reason"}
NARROW = {"zone": 0, "pool": 75, "instance_type": 110, "Value": 80}
KERNEL = (*names.OUT_OF_MEMORY, *names.named("OOMKilling"),
          *names.PROBLEM_DETECTOR)


def make():
    made = board.Board(
        UID, "Nodes",
        "Which nodes are unhealthy, flapping, rebooting, out of memory or "
        "disk, and was it planned?",
        "Planned: cordoned, drained or announced as leaving in the 30 minutes "
        "before. Select a node above to show only that node.",
        [board.node_filter(),
         board.filter_by("reason", "Reason", names.LAST_SEEN, kind=names.NODE),
         *log_stores.variables()],
        annotations={"object_name": "$node"})
    headlines(made)
    timelines(made)
    listed(made)
    pressure(made)
    configuration(made)
    tables(made)
    state(made)
    log_stores.rows(made, kind=names.NODE, name="$node", reason="$reason")
    return made


def reported(reason):
    return q.last_seen(**CHOSEN, reason=reason)


def still(began, *ended):
    return q.still(reported(began), reported(ended))


def not_ready():
    return still(names.NOT_READY, *names.READY_AGAIN)


def headlines(made):
    made.row(
        None, 4,
        (panels.number(
            "Not ready",
            "Nodes whose latest readiness Event is NodeNotReady. They are "
            "listed below. Run kubectl describe node.",
            {kind: f"count({keep(not_ready(), 'NodeNotReady', **ONE)}) or "
             "vector(0)" for kind, keep in (
                 ("unplanned", planned.only_unplanned),
                 ("planned", planned.only_planned))},
            look.zero_is_good(1, 3), overrides=[look.column("planned", (
                "thresholds", look.plain().build()))]), 4),
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
            "Rebooted nodes. After an unplanned reboot, read the kernel log of "
            "the previous boot.",
            {"unplanned": planned.count_unplanned("Rebooted", **ONE),
             "all": q.total_or_zero(q.objects(**CHOSEN,
                                              reason=names.REBOOTED))},
            look.zero_is_good(1, 5), steps=True,
            overrides=[look.column("all", (
                "thresholds", look.plain().build()))]), 4),
        (panels.number(
            "System OOMs",
            "Nodes that ran out of memory, so that the kernel killed a "
            "process. OOM kills of containers at their own limit are not "
            "counted. The Event's message names the process. Reserve more "
            "memory for the system.",
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


def timelines(made):
    made.row(
        "Since when, and together?", 13,
        (panels.timeline(
            "State by node",
            "The worst state of each node, for the 20 nodes with the newest "
            "problems. If many turn red at once, check the network or the "
            "zone. A reboot is shown for 5 minutes.",
            {states.LEGEND: states.nodes(CHOSEN)}, states.NODE_STATES,
            objects=True, kind=names.NODE), 14),
        ([(by_place(), 6), (changes(), 7)], 10))
    made.row(
        None, 7,
        (panels.timeline(
            "States of the selected nodes",
            "The worst state of all selected nodes in each lane. Select one "
            "node above to see its history.",
            states.node_lanes(CHOSEN), states.NODE_STATES), 24))


def by_place():
    return panels.rows(
        "Where are nodes with a problem?",
        "Nodes that were NotReady or rebooted without a plan, or short of "
        "memory or disk, or with a hardware problem. If all are in one zone "
        "or pool, look there. Zone, pool and type need node labels of "
        "kube-state-metrics.",
        places.counted(troubled()), ["zone", "pool", "instance_type"],
        "Nodes", steps=True, widths=NARROW)


def changes():
    counted = q.objects(**CHOSEN, reason=names.named("NodeNotReady",
                                                     "NodeReady"))
    return panels.bars(
        "Readiness changes",
        "A node that changes repeatedly is flapping. Check its kubelet log "
        "and heartbeats.",
        {"{{reason}}": q.bars(counted, "reason")},
        overrides=[look.colored(["NodeReady"], look.GOOD, look.FIXED),
                   look.colored(names.NOT_READY, look.BAD, look.FIXED)],
        pages=messages.of_bar(names.NODE))


def troubled():
    """Nodes that had an unplanned disruption or suffered."""
    by = "cluster, object_name"
    lost = planned.unplanned("NodeNotReady", names.NODE_CONTROLLER, **ONE)
    rebooted = planned.unplanned("Rebooted", **ONE)
    suffered = q.newest(reported(names.SUFFERING), by)
    return " or ".join((f"max by ({by}) ({lost})",
                        f"max by ({by}) ({rebooted})", suffered))


def listed(made):
    """What is wrong now, with the place of each node."""
    now = {
        "not ready": planned.only_unplanned(not_ready(), "NodeNotReady", **ONE),
        "not ready, planned": planned.only_planned(
            not_ready(), "NodeNotReady", **ONE),
        "cordoned": still(names.CORDONED, "NodeSchedulable", names.LEFT),
        **{title: still(began, over, names.LEFT) for title, began, over in zip(
            ("disk pressure", "memory pressure", "PID pressure"),
            names.PRESSURE, names.PRESSURE_OVER)}}
    found = " or ".join(
        f'label_replace({query}, "state", "{state}", "", "")'
        for state, query in now.items())
    made.row(
        None, 8,
        (panels.rows(
            "Nodes that are not ready, cordoned or under pressure now",
            "Newest first. If many have the same zone or pool, look there. "
            "Uncordon nodes after maintenance. Zone, pool and type need node "
            "labels of kube-state-metrics.",
            f"({places.located(found)}) * 1000",
            ["object_name", "state", "zone", "pool", "instance_type",
             "cluster"], "Since", link=board.to_node(), kind=names.NODE), 24))


def pressure(made):
    made.row(
        "Pressure, kernel and starts", 7,
        (panels.bars(
            "Pressure and evictions",
            "Starts of memory, disk or process ID pressure, and evictions. "
            "Find what uses the resource. Check requests and thresholds.",
            {"{{reason}}": q.bars(q.objects(**CHOSEN, reason=(
                *names.PRESSURE, "EvictionThresholdMet")), "reason")},
            overrides=look.by_name(
                (*names.PRESSURE, "EvictionThresholdMet")),
            pages=messages.of_bar(names.NODE)), 12),
        (panels.bars(
            "Failures to free disk",
            "The kubelet cannot remove images or containers. Either other "
            "files fill the disk, or the container runtime is broken.",
            {"{{reason}}": q.bars(q.objects(**CHOSEN, reason=names.RECLAIM),
                                  "reason")},
            overrides=look.by_name(names.RECLAIM),
            pages=messages.of_bar(names.NODE)), 12))
    made.row(
        None, 7,
        (panels.bars(
            "Kernel and hardware",
            "SystemOOM of the kubelet, and findings of node-problem-detector "
            "if installed. OOMKilling also occurs for a container at its own "
            "limit. Red is critical: drain the node and replace the part.",
            {"{{reason}}": q.bars(q.objects(**CHOSEN, reason=KERNEL),
                                  "reason")},
            overrides=look.by_name(KERNEL),
            pages=messages.of_bar(names.NODE)), 12),
        (starts(), 12))


def starts():
    counted = q.objects(**CHOSEN, reason="Starting")
    return panels.bars(
        "Reboots and starts of kubelet and kube-proxy",
        "A start without a reboot is an upgrade or a crash. If it repeats, "
        "read the log of the component.",
        {"{{reporting_component}}": q.bars(counted, "reporting_component"),
         "reboot": q.bars(q.objects(**CHOSEN, reason="Rebooted"), "reason")},
        overrides=look.apart("kubelet", "kube-proxy", "reboot"))


def configuration(made):
    made.row(
        "Which settings are wrong?", 7,
        (panels.rows(
            "Configuration and network",
            "Configuration problems of nodes in the last day, independent of the "
            "time range. They are reported once per start, so old ones still "
            "apply.",
            q.newest_known(50, q.last_seen(
                **CHOSEN, reason=names.CONFIGURATION),
                "cluster, object_name, reason, reporting_component"),
            ["object_name", "reason", "reporting_component", "cluster"],
            "Latest", link=board.to_node(), widths={"reason": 310},
            kind=names.NODE), 24))


def tables(made):
    made.row(
        "Which nodes?", 10,
        (panels.rows(
            "Events by node and reason",
            "A node far above the others has a problem of its own. Select it "
            "above.",
            q.top(100, q.objects(**LISTED),
                  "cluster, object_name, reason, type"),
            ["object_name", "reason", "cluster"], "Occurrences",
            widths={"reason": 310}, link=board.to_node(),
            kind=names.NODE), 24))
    made.row(
        None, 10,
        (panels.rows(
            "Latest Event by node and reason",
            "Newest first. Select a node to see its history.",
            q.with_severity(q.newest_first(
                100, q.last_seen(**LISTED),
                "cluster, object_name, reason, type, reporting_component")),
            ["severity", "object_name", "reason", "reporting_component",
             "cluster"], "Latest", link=board.to_node(), kind=names.NODE), 24))


def state(made):
    def nodes_with(condition, status):
        return (f'sum by (condition) (max by (cluster, node, condition) '
                f'(kube_node_status_condition{{cluster=~"$cluster",'
                f'node=~"$node",condition{condition},status="{status}"}}))')
    made.closed_row(
        "Compared with kube-state-metrics (optional)",
        (8, (panels.lines(
            "Nodes by condition (kube-state-metrics)",
            "Empty without kube-state-metrics in the same Prometheus. The "
            "Events above explain this state.",
            {"not Ready": nodes_with('="Ready"', "false"),
             "Ready unknown": nodes_with('="Ready"', "unknown"),
             "{{condition}}": nodes_with('=~".+Pressure|NetworkUnavailable"',
                                         "true")},
            "none", overrides=look.apart(
                "not Ready", "Ready unknown", "MemoryPressure",
                "DiskPressure", "PIDPressure", "NetworkUnavailable")), 24)))
