"""Planned work on nodes by several tools, and disruptions that look alike.

Used by day.py. `planned()` returns which disruptions were planned by the
definition of alerts/README.md; rig/expected.py computes the panels from it.
"""

import collections

MINUTE = 60
HOUR = 3600
KURED, MANUAL, HANDLER, KARPENTER, SCALED, UNDONE, FORGOTTEN, TWICE, NOW = (
    f"ip-10-0-{1 + number % 3}-{11 + number}.ec2.internal"
    for number in range(9))
STAY = (KURED, MANUAL, UNDONE, FORGOTTEN, TWICE, NOW)
GONE = (HANDLER, KARPENTER, SCALED)

# Of each kind of sign, only the newest counts.
SIGNS = (
    ("NodeNotSchedulable", "Cordon", "Drain", "CordonAndDrain", "Reboot",
     "DisruptionTerminating", "ScaleDown"),
    ("SpotInterrupted", "SpotInterruption",
     "CapacityReservationInstanceInterrupted", "TerminatingOnInterruption",
     "ScheduledEvent", "SQSTermination", "ASGLifecycle", "VMEventScheduled"),
    ("FailedDraining", "TerminationGracePeriodExpiring",
     "AwaitingVolumeDetachment", "InstanceStopping", "InstanceTerminating",
     "StateChange"))
UNDOS = ("NodeSchedulable", "Uncordon", "CancelDrain",
         "ClusterAutoscalerCleanup", "ScaleDownFailed")
BEFORE, AFTER = 1800, 60


def _reboot(day, name, begin, minutes):
    """NotReady, and back after a while, still cordoned or not."""
    day.node(name, "kubelet", begin, "NodeNotReady")
    day.node(name, "node-controller", begin - 5, "NodeNotReady")
    back = begin - minutes * MINUTE
    day.node(name, "kubelet", back, "Rebooted", event_type="Warning")
    return back - 1


def _cordoned_reboot(day, name, begin, drain, minutes):
    """The kubelet repeats the cordon after the reboot."""
    day.node(name, "kubelet", begin, "NodeNotSchedulable")
    back = _reboot(day, name, begin - drain, minutes)
    day.node(name, "kubelet", back, "NodeNotSchedulable")
    day.start(name, back)
    day.node(name, "kubelet", back - 90, "NodeSchedulable")


def _removed(day, name, begin):
    day.node(name, "node-controller", begin, "NodeNotReady")
    day.node(name, "node-controller", begin - 50, "RemovingNode")


def work(day):
    """Adds all of it to the day."""
    _cordoned_reboot(day, KURED, 5.2 * HOUR, 4 * MINUTE, 3)
    _cordoned_reboot(day, MANUAL, 4.9 * HOUR, 20 * MINUTE, 12)
    day.node(HANDLER, "aws-node-termination-handler", 4.5 * HOUR,
             "CordonAndDrain")
    _removed(day, HANDLER, 4.5 * HOUR - 4 * MINUTE)
    begin = 4.2 * HOUR
    day.node(KARPENTER, "karpenter", begin, "DisruptionTerminating")
    day.about("Node", KARPENTER, "FailedDraining", "Warning", "karpenter",
              *range(int(begin) - 40, int(begin) - 42 * MINUTE, -2 * MINUTE))
    _removed(day, KARPENTER, begin - 43 * MINUTE)
    day.node(SCALED, "cluster-autoscaler", 3.3 * HOUR, "ScaleDown")
    _removed(day, SCALED, 3.3 * HOUR - 6 * MINUTE)
    day.node(NOW, "kubelet", 24 * MINUTE, "NodeNotSchedulable")
    day.node(NOW, "node-controller", 16 * MINUTE, "NodeNotReady")
    # Not planned: the cordon was undone, or is too old, or was another one.
    begin = 2.9 * HOUR
    day.node(UNDONE, "kubelet", begin, "NodeNotSchedulable")
    day.node(UNDONE, "kubelet", begin - 3 * MINUTE, "NodeSchedulable")
    day.start(UNDONE, _reboot(day, UNDONE, begin - 12 * MINUTE, 3))
    begin = 2.6 * HOUR
    day.node(FORGOTTEN, "kubelet", begin, "NodeNotSchedulable")
    back = _reboot(day, FORGOTTEN, begin - 50 * MINUTE, 4)
    day.start(FORGOTTEN, back)
    day.node(FORGOTTEN, "kubelet", back - 60, "NodeSchedulable")
    _cordoned_reboot(day, TWICE, 3.9 * HOUR, 5 * MINUTE, 3)
    day.start(TWICE, _reboot(day, TWICE, 1.2 * HOUR, 2))


def planned(occurrences):
    """{(node, reason, time)} of the planned disruptions of nodes."""
    times = collections.defaultdict(list)
    for each in occurrences:
        if each.kind == "Node":
            times[each.name, each.reason].append(each.at)

    def newest(name, reasons, until):
        return max((at for reason in reasons for at in times[name, reason]
                    if at <= until), default=float("-inf"))

    found = set()
    for name, reason in list(times):
        for at in list(times[name, reason]):
            leads = [at - newest(name, kind, at + AFTER) for kind in SIGNS]
            lead = min((lead for lead in leads if -AFTER <= lead <= BEFORE),
                       default=None)
            if lead is not None and lead <= at - newest(name, UNDOS, at):
                found.add((name, reason, at))
    return found
