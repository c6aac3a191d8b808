"""Metrics of the sinks, the history and the Lease on the generated day.

The collector of one sink is down for a while, and its queue is too small for
that. Then the Lease passes to the other replica, if there is one.
Used by history.py. rig/expected.py computes the values that the panels must
show.
"""

import bisect
import collections

OWN = "kube_event_metrics_sink_"
HISTORY = "kube_event_metrics_history_"
LEASE = "kube_event_metrics_lease_"
# Seconds before the end between which the collector was down.
GONE, BACK = 4.2 * 3600, 3.9 * 3600
ROOM = 20
TRY = 30
BYTES = 830
# Each sink with a receiver opens a connection in this many seconds.
CONNECTION = 2400
# Seconds before the end at which the Lease passed on, after failed requests.
TAKEN = 4.1 * 3600
FAILURES = 3
ROW_BYTES = 1200
# `wants` are attributes of the delivered occurrences. `room` is None if the
# receiver was never down.
Sink = collections.namedtuple("Sink", "name type wants room")
SINKS = (
    Sink("stdout", "log", {"scope": "cluster"}, None),
    Sink("store", "otlp", {"scope": "cluster"}, ROOM),
    Sink("infra", "mirror", {"scope": "cluster", "kind": "Node"}, None),
    Sink("trouble", "annotate", {"scope": "cluster", "kind": "Node",
                                 "type": "Warning"}, None),
    Sink("past", "history", {}, None))
CONNECTED = ("otlp", "mirror", "annotate")


class _Queue:
    """One sink of one exporter; each method returns a value at a time."""

    def __init__(self, sink, times, end):
        self.room = sink.room
        self.times = times
        self.gone, self.back = end - GONE, end - BACK

    def _missed(self, at):
        """Times of occurrences until `at` while the receiver was down."""
        if self.room is None:
            return []
        return self.times[bisect.bisect_left(self.times, self.gone):
                          bisect.bisect_right(self.times, min(at, self.back))]

    def _waiting(self, at):
        return self._missed(at)[-ROOM:] if at < self.back else []

    def queued(self, at):
        return len(self._waiting(at))

    def queued_bytes(self, at):
        return BYTES * self.queued(at)

    def oldest_age_seconds(self, at):
        waiting = self._waiting(at)
        return at - waiting[0] if waiting else 0

    def dropped(self, at):
        return max(0, len(self._missed(at)) - ROOM)

    def delivered_total(self, at):
        return (bisect.bisect_right(self.times, at) - self.dropped(at)
                - self.queued(at))

    def failures_total(self, at):
        missed = self._missed(at)
        if not missed:
            return 0
        return int(min(at, self.back) - missed[0]) // TRY + 1

    def retries_total(self, at):
        return max(0, self.failures_total(at) - (at < self.back))


def add_series(exporter):
    """Adds the series of one exporter of a History."""
    for sink in SINKS:
        times = [each.at for each in exporter.seen
                 if all(getattr(each, name) == value
                        for name, value in sink.wants.items())]
        queue = _Queue(sink, times, exporter.history.end)
        labels = {"sink": sink.name, "sink_type": sink.type}

        def add(name, kind, value, more=()):
            exporter.add(OWN + name, kind, {**labels, **dict(more)},
                         [(at, value(at)) for at in exporter.ticks])
        for name in ("queued", "queued_bytes", "oldest_age_seconds"):
            add(name, "gauge", getattr(queue, name))
        for name in ("delivered_total", "failures_total", "retries_total"):
            add(name, "counter", getattr(queue, name))
        add("dropped_total", "counter", queue.dropped,
            {"reason": "queue_full"})
        add("dropped_total", "counter", lambda _: 0, {"reason": "refused"})
        add("connections_total", "counter", lambda at, sink=sink: (
            at // CONNECTION - exporter.started // CONNECTION + 1
            if sink.type in CONNECTED else 0))
    _add_history(exporter)
    _add_lease(exporter)


def leads(exporters, instance, left):
    """Whether the replica delivers, `left` seconds before the end."""
    if left > TAKEN:
        return instance == exporters[0][0]
    # A single replica takes the Lease again when it has expired.
    return instance == exporters[-1][0] and (
        len(exporters) > 1 or left <= TAKEN - 120)


def _add_history(exporter):
    """Each occurrence is an Event of its own."""
    times = [each.at for each in exporter.seen]
    exporter.constant(HISTORY + "up", 1)
    exporter.constant(HISTORY + "oldest_timestamp_seconds", times[0])
    exporter.counter(HISTORY + "put_aside_total", lambda _: 0)
    for name, size in (("events", 1), ("bytes", ROW_BYTES)):
        exporter.add(HISTORY + name, "gauge", {},
                     [(at, size * bisect.bisect_right(times, at))
                      for at in exporter.ticks])


def _add_lease(exporter):
    end = exporter.history.end
    taken = end - TAKEN
    instance = exporter.target["instance"]
    exporter.add(LEASE + "leader", "gauge", {}, [
        (at, int(leads(exporter.cluster.exporters, instance, end - at)))
        for at in exporter.ticks])
    exporter.add(LEASE + "transitions", "gauge", {}, [
        (at, 3 + (at >= taken)) for at in exporter.ticks])
    exporter.counter(LEASE + "failures_total", lambda since: FAILURES * (
        exporter.started + since >= taken))
