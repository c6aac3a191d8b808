"""The values that key panels must show for a known history."""

import collections

from rig import day, day_alerts, day_drains, day_kube_state, day_sinks
from rig.expected_rows import CRITICAL, SEVERITIES, SUFFERED, Rows, driver

OVERVIEW, NODES, STORAGE, LIFECYCLE, PLATFORM, HEALTH = (
    f"kube-event-{name}" for name in (
        "cluster-overview", "nodes", "storage", "node-lifecycle", "platform",
        "exporter-health"))
VOLUME_KINDS = ("PersistentVolume", "VolumeSnapshotContent",
                "VolumeGroupSnapshotContent")
CONTROLLER = "node-controller"
EVENT_TTL = 3600
WEEK = 7 * day.DAY
LIFECYCLE_KINDS = ("Node", "NodeClaim", "NodePool", "EC2NodeClass")


class Expected:
    """The last `seconds` of a history, in one cluster or in all (None)."""

    def __init__(self, history, seconds, cluster=None):
        self.history = history
        self.seconds = seconds
        self.cluster = cluster
        self.clusters = [each for each in history.clusters
                         if cluster in (None, each.name)]
        self.planned = {each.name: day_drains.planned(each.occurrences)
                        for each in self.clusters}

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

    def _still(self, reason, *ended_by):
        """{(cluster, node): when} of the nodes whose latest `reason` is newer
        than all that end it."""
        active = {}
        for cluster in self.clusters:
            began, ended = {}, {}
            for each in cluster.occurrences:
                if each.kind == "Node" and each.reason == reason:
                    began[each.name] = each.at
                if each.kind == "Node" and each.reason in ended_by:
                    ended[each.name] = each.at
            active.update({(cluster.name, name): at
                           for name, at in began.items()
                           if ended.get(name, 0) < at})
        return active

    def _active(self, reason, *ended_by):
        return len(self._still(reason, *ended_by))

    def _not_ready(self, planned):
        return {node: at for node, at in self._still(
            "NodeNotReady", "NodeReady", "RemovingNode",
            "DeletingNode").items()
                if ((node[1], "NodeNotReady", at)
                    in self.planned[node[0]]) == planned}

    def _unplanned(self, reason, **wanted):
        """(cluster, occurrence) of disruptions that were not planned."""
        return [(cluster, each) for cluster, each in self._happened(
            kind="Node", reason=reason, **wanted)
                if (each.name, reason, each.at) not in self.planned[cluster]]

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
        """The times that the annotation with this name must show."""
        if name == "Firing alerts":
            return {at for cluster in self.clusters
                    for alert in day_alerts.of_cluster(cluster.name)
                    for at in day_alerts.times(alert, self.history.end)}
        wanted = {"reboots": {"reason": "Rebooted"},
                  "out of memory": {"reason": "SystemOOM"},
                  "not ready": {"reason": "NodeNotReady",
                                "component": CONTROLLER}}[
                      name.lower().removeprefix("unplanned ")]
        found = (self._unplanned(**wanted) if name.startswith("Unplanned")
                 else self._happened(kind="Node", **wanted))
        return {each.at for _, each in found}

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
                    ("sink", "reason"), dropped, 9),
                (HEALTH, "Lease", "A", sum): Rows(
                    (), {(): len(self.clusters)}, 1),
                (HEALTH, "Lease", "B", sum): Rows(
                    (), {(): day_sinks.FAILURES * len([
                        each for cluster in self.clusters
                        for each in cluster.exporters])}, 1)}

    def _reasons(self, routine):
        """By severity; of disruptions, only those that were not planned."""
        names = ("severity", "kind", "reason", "type", "reporting_component")
        numbers = collections.defaultdict(int)
        found = [each for _, each in self._happened(scope="cluster")
                 if each.reason not in ("NodeNotReady", "Rebooted")]
        if not routine:
            found += [each for _, each in (
                *self._unplanned("NodeNotReady", component=CONTROLLER),
                *self._unplanned("Rebooted"))]
        for each in found:
            severity = SEVERITIES[each.reason, each.type]
            if routine == (severity == 3):
                numbers[str(severity), each.kind, each.reason, each.type,
                        driver(each.component)] += 1
        return Rows(names, numbers, 25, each="severity")

    def _node_count(self):
        return len([name for cluster in self.clusters
                    for name in cluster.nodes
                    if name not in day_kube_state.removed_at(cluster)])

    def _place(self, cluster_name, node, seconds=0):
        """(zone, pool, instance type) if kube-state-metrics had the node
        within these seconds."""
        cluster = next(each for each in self.clusters
                       if each.name == cluster_name)
        gone = day_kube_state.removed_at(cluster).get(
            node, self.history.end + 1)
        known = self.history.end - min(seconds, day_kube_state.SECONDS)
        if node not in cluster.nodes or gone <= known:
            return "", "", ""
        zone, pool = day_kube_state.place(node)
        return zone, pool, day_kube_state.TYPES[pool]

    def _by_place(self, nodes):
        """How many of the (cluster, node) are in each place."""
        return Rows(("zone", "pool", "instance_type"), collections.Counter(
            self._place(*node, self.seconds) for node in nodes), 99)

    def _troubled(self):
        return {(cluster, each.name) for cluster, each in (
            *self._unplanned("NodeNotReady", component=CONTROLLER),
            *self._unplanned("Rebooted"),
            *self._happened(kind="Node", reason=SUFFERED))}

    def _listed(self):
        """The nodes with a problem now, and since when."""
        states = {"not ready": self._not_ready(False),
                  "not ready, planned": self._not_ready(True),
                  "cordoned": self._still(
                      "NodeNotSchedulable", "NodeSchedulable", "RemovingNode")}
        return Rows(
            ("cluster", "object_name", "state", "zone", "pool",
             "instance_type"),
            {(*node, state, *self._place(*node, self.seconds)): at * 1000
             for state, nodes in states.items()
             for node, at in nodes.items()}, 99)

    def _alerts(self, **wanted):
        """{(cluster, alert, severity, object): since}"""
        return {(cluster.name, alert.name, alert.severity,
                 alert.labels.get("object_name", "")):
                1000 * day_alerts.times(alert, self.history.end)[0]
                for cluster in self.clusters
                for alert in day_alerts.of_cluster(cluster.name)
                if alert.until is None and all(
                    getattr(alert, name) == value
                    for name, value in wanted.items())}

    def _held(self):
        """{kind: Event objects}: one for each object, for an hour."""
        return collections.Counter(kind for kind, *_ in {
            (each.kind, each.reason, each.type, each.component,
             each.namespace, cluster.name, each.name)
            for cluster in self.clusters for each in self.history.happened(
                EVENT_TTL, cluster.name)})

    def _tracked(self):
        return max(len(self.history.happened(EVENT_TTL, cluster.name))
                   for cluster in self.clusters)

    def panels(self):
        """{(uid, title, refId): number or Rows}"""
        return {**self._overview(), **self._nodes(), **self._storage(),
                **self._lifecycle(), **self._platform(), **self._health()}

    def _overview(self):
        warning = {"scope": "cluster", "type": "Warning"}
        lost = len(self._unplanned("NodeNotReady", component=CONTROLLER))
        warnings = self._count(**warning)
        last_week = self.history.end - WEEK
        return {
            (OVERVIEW, "Firing alerts", "A"):
                len(self._alerts(severity="critical")),
            (OVERVIEW, "Firing alerts", "B"):
                len(self._alerts(severity="warning")),
            (OVERVIEW, "Firing alerts by object", "A"): Rows(
                ("cluster", "alertname", "severity", "object_name"),
                self._alerts(), 99),
            (OVERVIEW, "Critical events", "A"): lost + self._count(
                scope="cluster", reason=CRITICAL - {"NodeNotReady"}),
            (OVERVIEW, "Warning events", "A"): warnings,
            (OVERVIEW, "Warning events", "B"):
                warnings / self._node_count() / (self.seconds / 3600),
            (OVERVIEW, "Objects with a Warning", "A"):
                self._objects(**warning),
            (OVERVIEW, "Nodes not ready", "A"): len(self._not_ready(False)),
            (OVERVIEW, "Nodes not ready", "B"): len(self._not_ready(True)),
            (OVERVIEW, "Reboots", "A"): len(self._unplanned("Rebooted")),
            (OVERVIEW, "Reboots", "B"): self._count(reason="Rebooted"),
            (OVERVIEW, "Latest Warning", "A"): self._latest(**warning),
            (OVERVIEW, "Exporter", "A"): 1,
            (OVERVIEW, "Reporting components", "A"): self._rows(
                ("reporting_component",), 10, scope="cluster"),
            (OVERVIEW, "Top reasons", "A"): self._reasons(routine=False),
            (OVERVIEW, "Top routine reasons", "A"):
                self._reasons(routine=True),
            (OVERVIEW, "Latest Event by object", "A"): self._rows(
                ("cluster", "kind", "object_name"), 50, True,
                scope="cluster"),
            (OVERVIEW, "Objects with the most Warnings", "A"): self._rows(
                ("cluster", "kind", "object_name"), 25, **warning),
            (OVERVIEW, "Warnings per hour, now and a week ago", "B"): len([
                at for cluster in self.clusters for at in cluster.last_week
                if last_week - 3600 < at <= last_week])}

    def _nodes(self):
        node = {"kind": "Node"}
        return {
            (NODES, "Not ready", "A"): len(self._not_ready(False)),
            (NODES, "Not ready", "B"): len(self._not_ready(True)),
            (NODES, "Reboots", "A"): len(self._unplanned("Rebooted")),
            (NODES, "Reboots", "B"): self._count(reason="Rebooted", **node),
            (NODES, "System OOMs", "A"): self._count(reason="SystemOOM",
                                                     **node),
            (NODES, "Cordoned", "A"): self._active(
                "NodeNotSchedulable", "NodeSchedulable", "RemovingNode"),
            (NODES, "Joined and left", "A"): self._count(
                reason="RegisteredNode", **node),
            (NODES, "Joined and left", "B"): self._count(
                reason="RemovingNode", **node),
            (NODES, "Where are nodes with a problem?", "A"):
                self._by_place(self._troubled()),
            (NODES, "Nodes that are not ready, cordoned or under pressure "
                    "now", "A"): self._listed(),
            (NODES, "Events by node and reason", "A"): self._rows(
                ("cluster", "object_name", "reason", "type"), 100, **node),
            (NODES, "Latest Event by node and reason", "A"): self._rows(
                ("cluster", "object_name", "reason", "type",
                 "reporting_component"), 100, True, **node)}

    def _storage(self):
        volume = {"kind": VOLUME_KINDS, "type": "Warning"}
        return {
            (STORAGE, "Failed deletions", "A"): self._count(
                kind="PersistentVolume",
                reason=("VolumeFailedDelete", "VolumeFailedRecycle")),
            (STORAGE, "Objects with a Warning", "A"):
                self._objects(**volume),
            (STORAGE, "Snapshot failures", "A"): self._count(
                kind=VOLUME_KINDS[1:], type="Warning"),
            (STORAGE, "Repeated failures", "A"): self._rows(
                ("cluster", "kind", "object_name", "reason"), 25, **volume)}

    def _lifecycle(self):
        node = {"kind": "Node"}
        return {
            (LIFECYCLE, "Nodes added", "A"): self._count(
                reason="RegisteredNode", **node),
            (LIFECYCLE, "Nodes removed", "A"): self._count(
                reason="RemovingNode", **node),
            (LIFECYCLE, "Where were nodes removed?", "A"):
                self._by_place({(cluster, each.name) for cluster, each in
                                self._happened(reason="RemovingNode")})}

    def _platform(self):
        rest = {"scope": "cluster", "type": "Warning", "kind": [
            kind for kind in day.NAMES
            if kind not in VOLUME_KINDS + LIFECYCLE_KINDS]}
        return {
            (PLATFORM, "Warning events", "A"): self._count(**rest),
            (PLATFORM, "Objects with a Warning", "A"):
                self._objects(**rest),
            (PLATFORM, "Warnings by kind", "A"): self._rows(
                ("kind",), 8, **rest)}

    def _health(self):
        exporters = [each for cluster in self.clusters
                     for each in cluster.exporters]
        namespaces = self._rows(("namespace",), 10, scope="namespaced")
        return {
            (HEALTH, "Scrapes", "A"): 1,
            (HEALTH, "Running since", "A"): 1000 * max(
                self.history.end - age for _, age in exporters),
            (HEALTH, "Watches", "A"): 1,
            (HEALTH, "Overflowed", "A"): 0,
            (HEALTH, "Events held", "A"): self._tracked(),
            (HEALTH, "Events held by kind", "A"): Rows(
                ("kind",), {(kind,): number for kind, number in
                            self._held().items()}, 10),
            (HEALTH, "Who writes most", "A"): self._rows(
                ("reporting_component",), 10),
            (HEALTH, "Namespaces with most occurrences", "A"): Rows(
                ("object_namespace",), namespaces.numbers, 10),
            (HEALTH, "Delivered", "A"): Rows(
                ("sink",), self._sinks()[0], 9),
            (HEALTH, "Connections per hour", "A"): Rows(
                ("sink",), {(sink.name,): 3600 / day_sinks.CONNECTION
                            if sink.type in day_sinks.CONNECTED else 0
                            for sink in day_sinks.SINKS}, 9),
            (HEALTH, "Delivering replica", "A"): Rows(
                ("instance",), {(name,): int(day_sinks.leads(
                    cluster.exporters, name, 0))
                                for cluster in self.clusters
                                for name, _ in cluster.exporters}, 9),
            (HEALTH, "Files put aside", "A"): 0,
            (HEALTH, "Events", "A"): Rows(
                ("instance",), self._stored(), 9),
            (HEALTH, "Size", "A"): Rows(
                ("instance",), {name: day_sinks.ROW_BYTES * number for
                                name, number in self._stored().items()}, 9)}

    def _stored(self):
        """{(instance,): Events in its history}"""
        return {(name,): len(self.history.happened(age, cluster.name))
                for cluster in self.clusters
                for name, age in cluster.exporters}
