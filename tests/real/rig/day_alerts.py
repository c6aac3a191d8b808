"""The alerts that Prometheus wrote down on the generated day."""

import collections

from rig import day

STEP = 60
# From and until: seconds before the end; None: still firing.
Alert = collections.namedtuple("Alert", "cluster name severity labels since "
                                        "until")
MINUTE, HOUR = 60, 3600


def _node(name, **more):
    return {"object_name": name, **more}


ALERTS = (
    *(Alert("east", "KubeEventNodeNotReady", "warning", _node(name),
            minutes * MINUTE, None)
      for name, minutes in zip(day.SILENT, (21, 9))),
    *(Alert("east", "KubeEventPersistentVolumeReclaimFailed", "warning",
            {"kind": "PersistentVolume", "object_name": name,
             "reason": "VolumeFailedDelete"}, hours * HOUR, None)
      for name, hours in zip(day.VOLUMES, (3.8, 1.6))),
    Alert("east", "KubeEventNodeInterruptionStorm", "critical", {},
          49 * MINUTE, 32 * MINUTE),
    Alert("east", "KubeEventNodeSystemOOM", "warning", _node(day.NO_MEMORY),
          109 * MINUTE, 86 * MINUTE),
    Alert("west", "KubeEventNodeNotReady", "warning", _node(day.NODES[5]),
          10 * MINUTE, None),
    Alert("west", "KubeEventManyNodesNotReady", "critical", {}, 9 * MINUTE,
          None))


def of_cluster(name):
    """Without cluster labels, the only cluster is the large one."""
    return [each for each in ALERTS if each.cluster == (name or "east")]


def times(alert, end):
    """When Prometheus evaluated it as firing."""
    begin = end - int(alert.since)
    return [at for at in range(begin - begin % STEP, end + 1, STEP)
            if alert.until is None or at < end - alert.until]


def add_series(history, cluster):
    for alert in of_cluster(cluster.name):
        labels = {"alertname": alert.name, "severity": alert.severity,
                  "cluster": cluster.name, **alert.labels}
        firing = times(alert, history.end)
        history.add("ALERTS", "", {**labels, "alertstate": "firing"},
                    [(at, 1) for at in firing])
        history.add("ALERTS_FOR_STATE", "", labels,
                    [(at, firing[0]) for at in firing])
