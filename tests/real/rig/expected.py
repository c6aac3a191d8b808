"""The values that key panels must show for a known history."""

import collections
import re

import yaml

from rig import day, day_sinks

OVERVIEW, NODES, STORAGE, LIFECYCLE, PLATFORM, HEALTH = (
    f"kube-event-{name}" for name in (
        "cluster-overview", "nodes", "storage", "node-lifecycle", "platform",
        "exporter-health"))
VOLUME_KINDS = ("PersistentVolume", "VolumeSnapshotContent",
                "VolumeGroupSnapshotContent")
PLANNED = 7200  # seconds
LIFECYCLE_KINDS = ("Node", "NodeClaim", "NodePool", "EC2NodeClass")


def critical_reasons():
    """The reasons with severity critical in the catalogue."""
    rows = ({**group, **row} for source in
            yaml.safe_load(day.CATALOGUE.read_text(encoding="utf-8"))
            for group in source["groups"] for row in group["rows"])
    return {reason for row in rows if row["severity"] == "critical"
            for reason in row["reasons"]}


def driver(component):
    """The component without the Pod name that a CSI provisioner appends."""
    return re.sub(r"^([a-z0-9-]+([.][a-z0-9-]+)+)_.+", r"\1", component)


class Rows:
    """A table: {values of `labels`: number}, the largest `limit` of them."""

    def __init__(self, labels, numbers, limit):
        self.labels = labels
        self.numbers = numbers
        self.limit = limit

    def match(self, shown):
        """(shown, wanted) numbers of the shown rows."""
        found = {tuple(dict(pairs).get(name, "") for name in self.labels):
                 value for pairs, value in shown.items()}
        count = min(self.limit, len(self.numbers))
        if len(found) != len(shown) or len(found) != count:
            raise AssertionError(f"{len(shown)} rows, not {count}")
        unknown = set(found) - set(self.numbers)
        if unknown:
            raise AssertionError(f"Rows that never happened: {unknown}")
        # The largest rows are shown; ties are shown in any order.
        wanted = sorted(self.numbers.values(), reverse=True)[:count]
        return (sorted(found.values(), reverse=True) + list(found.values()),
                wanted + [self.numbers[row] for row in found])


class Expected:
    """The last `seconds` of a history, in one cluster or in all (None)."""

    def __init__(self, history, seconds, cluster=None):
        self.history = history
        self.seconds = seconds
        self.cluster = cluster
        self.clusters = [each for each in history.clusters
                         if cluster in (None, each.name)]

    def _happened(self, **wanted):
        """(cluster, occurrence) pairs."""
        return [(each.name, occurrence) for each in self.clusters
                for occurrence in self.history.happened(
                    self.seconds, each.name, **wanted)]

    def _count(self, **wanted):
        return len(self._happened(**wanted))

    def _latest(self, **wanted):
        """In milliseconds; a gauge shows the latest ever."""
        return 1000 * max(each.at for cluster in self.clusters
                          for each in self.history.happened(
                              cluster=cluster.name, **wanted))

    def _objects(self, **wanted):
        return len({(cluster, each.api_group, each.kind, each.name)
                    for cluster, each in self._happened(**wanted)})

    def _active(self, reason, *ended_by):
        """Nodes whose latest `reason` is newer than all that end it."""
        active = 0
        for cluster in self.clusters:
            began, ended = {}, {}
            for each in cluster.occurrences:
                if each.kind == "Node" and each.reason == reason:
                    began[each.name] = each.at
                if each.kind == "Node" and each.reason in ended_by:
                    ended[each.name] = each.at
            active += sum(ended.get(name, 0) < at
                          for name, at in began.items())
        return active

    def _rows(self, names, limit, newest=False, **wanted):
        """By `names`: the count, or the time of the latest."""
        numbers = collections.defaultdict(int)
        for cluster, each in self._happened(**wanted):
            values = {"cluster": cluster, "object_name": each.name,
                      "reporting_component": driver(each.component)}
            row = tuple(values.get(name, getattr(each, name, None))
                        for name in names)
            if newest:
                numbers[row] = max(numbers[row], each.at * 1000)
            else:
                numbers[row] += 1
        return Rows(names, numbers, limit)

    def annotations(self, name):
        """The times that the annotation with this name must show.

        An occurrence is planned if the node was cordoned within two hours
        before.
        """
        reasons = {"reboots": ("Rebooted",), "not ready": ("NodeNotReady",),
                   "out of memory": ("SystemOOM", "OOMKilling")}
        what = name.lower().removeprefix("unplanned ")
        cordons = {(cluster, each.name, each.at) for cluster, each
                   in self._happened(reason="NodeNotSchedulable")}
        return {each.at for cluster, each in self._happened(
            kind="Node", reason=reasons[what])
                if not name.startswith("Unplanned") or not any(
                    (cluster, each.name) == cordon[:2] and
                    each.at - PLANNED < cordon[2] <= each.at
                    for cordon in cordons)}

    def _missed(self, sink, cluster, since):
        """Occurrences from `since` on while the sink's receiver was down."""
        if sink.room is None:
            return 0
        return len([each for each in self.history.happened(
            day_sinks.GONE, cluster.name, **sink.wants)
                    if max(since, self.history.end - day_sinks.GONE)
                    <= each.at < self.history.end - day_sinks.BACK])

    def _sinks(self):
        """(by sink: delivered, longest queue; by sink and reason: dropped).

        Each replica delivers independently. The first sample of a replica in
        Prometheus is not part of an increase."""
        delivered, longest = collections.Counter(), collections.Counter()
        dropped = collections.Counter()
        for sink in day_sinks.SINKS:
            for cluster in self.clusters:
                for _, age in cluster.exporters:
                    since = self.history.end - min(age - 60, self.seconds)
                    missed = self._missed(sink, cluster, since)
                    full = max(0, missed - day_sinks.ROOM)
                    delivered[sink.name,] += len([
                        each for each in self.history.happened(
                            self.seconds, cluster.name, **sink.wants)
                        if each.at > since]) - full
                    longest[sink.name,] = max(longest[sink.name,],
                                              missed - full)
                    if full:
                        dropped[sink.name, "queue_full"] += full
        return delivered, longest, dropped

    def over_time(self):
        """{(uid, title, refId, how): Rows}; `how` reduces the points."""
        _, longest, dropped = self._sinks()
        return {(HEALTH, "Queued", "A", max): Rows(("sink",), longest, 9),
                (HEALTH, "Failed, retried and dropped", "C", sum): Rows(
                    ("sink", "reason"), dropped, 9)}

    def panels(self):
        """{(uid, title, refId): number or Rows}"""
        not_ready = self._active("NodeNotReady", "NodeReady",
                                   "RemovingNode", "DeletingNode")
        node = {"kind": "Node"}
        warning = {"scope": "cluster", "type": "Warning"}
        volume = {"kind": VOLUME_KINDS, "type": "Warning"}
        rest = {**warning, "kind": [
            kind for kind in day.NAMES
            if kind not in VOLUME_KINDS + LIFECYCLE_KINDS]}
        exporters = [each for cluster in self.clusters
                     for each in cluster.exporters]
        return {
            (OVERVIEW, "Critical events", "A"): self._count(
                scope="cluster", reason=critical_reasons()),
            (OVERVIEW, "Warning events", "A"): self._count(**warning),
            (OVERVIEW, "Objects with a Warning", "A"):
                self._objects(**warning),
            (OVERVIEW, "Nodes not ready", "A"): not_ready,
            (OVERVIEW, "Latest Warning", "A"): self._latest(**warning),
            (OVERVIEW, "Exporter", "A"): 1,
            (OVERVIEW, "Reporting components", "A"): self._rows(
                ("reporting_component",), 10, scope="cluster"),
            (OVERVIEW, "Top reasons", "A"): self._rows(
                ("kind", "reason", "type", "reporting_component"), 25,
                scope="cluster"),
            (OVERVIEW, "Latest Event by object", "A"): self._rows(
                ("cluster", "kind", "object_name"), 50, True,
                scope="cluster"),
            (OVERVIEW, "Objects with the most Warnings", "A"): self._rows(
                ("cluster", "kind", "object_name"), 25, **warning),
            (NODES, "Not ready", "A"): not_ready,
            (NODES, "Reboots", "A"): self._count(reason="Rebooted", **node),
            (NODES, "System OOMs", "A"): self._count(
                reason=("SystemOOM", "OOMKilling"), **node),
            (NODES, "Cordoned", "A"): self._active(
                "NodeNotSchedulable", "NodeSchedulable", "RemovingNode"),
            (NODES, "Joined and left", "A"): self._count(
                reason="RegisteredNode", **node),
            (NODES, "Joined and left", "B"): self._count(
                reason="RemovingNode", **node),
            (NODES, "Events by node and reason", "A"): self._rows(
                ("cluster", "object_name", "reason", "type"), 100, **node),
            (NODES, "Latest Event by node and reason", "A"): self._rows(
                ("cluster", "object_name", "reason", "type",
                 "reporting_component"), 100, True, **node),
            (STORAGE, "Failed deletions", "A"): self._count(
                kind="PersistentVolume",
                reason=("VolumeFailedDelete", "VolumeFailedRecycle")),
            (STORAGE, "Objects with a Warning", "A"):
                self._objects(**volume),
            (STORAGE, "Snapshot failures", "A"): self._count(
                kind=VOLUME_KINDS[1:], type="Warning"),
            (STORAGE, "Repeated failures", "A"): self._rows(
                ("cluster", "kind", "object_name", "reason"), 25, **volume),
            (LIFECYCLE, "Nodes added", "A"): self._count(
                reason="RegisteredNode", **node),
            (LIFECYCLE, "Nodes removed", "A"): self._count(
                reason="RemovingNode", **node),
            (PLATFORM, "Warning events", "A"): self._count(**rest),
            (PLATFORM, "Objects with a Warning", "A"):
                self._objects(**rest),
            (PLATFORM, "Warnings by kind", "A"): self._rows(
                ("kind",), 8, **rest),
            (HEALTH, "Scrapes", "A"): 1,
            (HEALTH, "Running since", "A"): 1000 * max(
                self.history.end - age for _, age in exporters),
            (HEALTH, "Watches", "A"): 1,
            (HEALTH, "Overflowed", "A"): 0,
            (HEALTH, "Delivered", "A"): Rows(
                ("sink",), self._sinks()[0], 9)}
