"""Metrics of four sinks on the generated day.

The collector of one is down for a while, and its queue is too small for that.
Used by history.py. rig/expected.py computes the values that the panels must
show.
"""

import bisect
import collections

OWN = "kube_event_metrics_sink_"
# Seconds before the end between which the collector was down.
GONE, BACK = 4.2 * 3600, 3.9 * 3600
ROOM = 20
TRY = 30
BYTES = 830
# `wants` are attributes of the delivered occurrences. `room` is None if the
# receiver was never down.
Sink = collections.namedtuple("Sink", "name type wants room")
SINKS = (
    Sink("stdout", "log", {"scope": "cluster"}, None),
    Sink("store", "otlp", {"scope": "cluster"}, ROOM),
    Sink("infra", "mirror", {"scope": "cluster", "kind": "Node"}, None),
    Sink("trouble", "annotate", {"scope": "cluster", "kind": "Node",
                                 "type": "Warning"}, None))


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
