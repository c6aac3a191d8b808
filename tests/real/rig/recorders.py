"""What recorders of Events write: names, counts, series, rate limits.

An `Occurrence` is what happened at a simulated time; `Recorders.write` turns
each into at most one write to an EventServer. The kinds of recorders:

- legacy: client-go's tools/record, of the kubelet and most controllers. Equal
  Events raise a count; ten different messages in ten minutes are combined; a
  token bucket for each object lets 25 through and then one in 5 minutes, and the
  count of the next one includes those held back.
- series: client-go's tools/events, of the scheduler and kube-proxy. The second
  occurrence makes a series; later ones are written every 6 minutes.
- single: writers that create a new Event for each occurrence (Kyverno).
"""

import collections

from rig.event_server import objects

# `about`: (apiVersion, kind, name, namespace). `skew`: seconds by which the
# writer's clock is ahead. `host`: the node of a writer that runs on each.
Occurrence = collections.namedtuple(
    "Occurrence", "at about type reason component host message skew",
    defaults=("", "", 0))
SINGLE = ("kyverno-admission", "kyverno-scan", "tenant")
SERIES = ("kube-proxy", "default-scheduler")
BURST, REFILL = 25, 300
DISTINCT, SIMILAR_SECONDS = 10, 600
FINISH, REFRESH = 360, 1800
# The kubelet writes these without the Node's uid, so they share a bucket.
WITHOUT_UID = ("EvictionThresholdMet", "FreeDiskSpaceFailed", "SystemOOM",
               "InvalidDiskCapacity", "CheckLimitsForResolvConf", "Shutdown",
               "NodeAllocatableEnforced")
COMBINED = "(combined from similar events): "


class _Legacy:
    """The correlator of one process."""

    def __init__(self, recorders):
        self._recorders = recorders
        self._counts = {}  # key -> [name, count, first]
        self._similar = {}  # key without message -> [messages, last]
        self._buckets = {}  # object and type -> (tokens, time)

    def record(self, each):
        similar = (each.about, each.type, each.reason)
        messages, last = self._similar.get(similar, (set(), each.at))
        if each.at - last > SIMILAR_SECONDS:
            messages = set()
        messages.add(each.message)
        self._similar[similar] = (messages, each.at)
        message = each.message
        if len(messages) >= DISTINCT:
            messages.pop()
            message = COMBINED + each.message
            key = (*similar, COMBINED)
        else:
            key = (*similar, each.message)
        now = each.at + each.skew
        entry = self._counts.setdefault(
            key, [self._recorders.name(each), 0, now])
        entry[1] += 1
        if self._may_write(each):
            name, count, first = entry
            self._recorders.put(each, name, message, count=count,
                                first=first, last=now)

    def _may_write(self, each):
        bucket = (each.about, each.type, each.reason in WITHOUT_UID)
        tokens, at = self._buckets.get(bucket, (BURST, each.at))
        tokens = min(BURST, tokens + (each.at - at) / REFILL)
        allowed = tokens >= 1
        self._buckets[bucket] = (tokens - allowed, each.at)
        return allowed


class _Series:
    """The recorder of one process; `flush` is called again and again."""

    def __init__(self, recorders):
        self._recorders = recorders
        self._open = {}  # key -> [name, first, occurrence, count, written]
        self._finished = self._refreshed = 0

    def record(self, each):
        key = (each.about, each.type, each.reason)
        entry = self._open.get(key)
        if entry is None:
            entry = self._open[key] = [self._recorders.name(each),
                                       each.at + each.skew, each, 1, 1]
            self._recorders.put(each, entry[0], each.message, first=entry[1])
            return
        entry[2] = each
        entry[3] += 1
        if entry[3] == 2:
            self._write(entry)

    def flush(self, now):
        refresh = now - self._refreshed >= REFRESH
        if now - self._finished < FINISH:
            return
        self._finished = now
        self._refreshed = now if refresh else self._refreshed
        for key, entry in list(self._open.items()):
            over = now - entry[2].at > FINISH
            if (over or refresh) and entry[3] > entry[4]:
                self._write(entry)
            if over:
                del self._open[key]

    def _write(self, entry):
        name, first, each, count, _ = entry
        entry[4] = count
        self._recorders.put(each, name, each.message, first=first,
                            last=each.at + each.skew, series=count)


class _Single:
    def __init__(self, recorders):
        self._recorders = recorders

    def record(self, each):
        self._recorders.put(each, self._recorders.name(each), each.message,
                            first=each.at + each.skew)


class Recorders:
    """The recorders of a cluster, one for each process that writes Events."""

    def __init__(self, server):
        self._server = server
        self._processes = {}
        self._made = 0

    def write(self, each):
        process = (each.component, each.host)
        if process not in self._processes:
            style = (_Single if each.component in SINGLE else
                     _Series if each.component in SERIES else _Legacy)
            self._processes[process] = style(self)
        self._processes[process].record(each)

    def restart(self, component, host):
        """The process forgets what it has written."""
        self._processes.pop((component, host), None)

    def flush(self, now):
        for recorder in self._processes.values():
            if isinstance(recorder, _Series):
                recorder.flush(now)

    def name(self, each):
        """A new name as client-go makes it."""
        self._made += 1
        return f"{each.about[2]}.{0x18a0c0de00000000 + self._made:x}"

    def put(self, each, name, message, first, last=None, count=None,
            series=None):
        version, kind, about, namespace = each.about
        stamp = self._server.stamp
        involved = {"kind": kind, "name": about, "apiVersion": version,
                    "uid": objects.make_uid(f"{kind}/{about}")}
        if namespace:
            involved["namespace"] = namespace
        event = {
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace or "default"},
            "involvedObject": involved, "reason": each.reason,
            "message": message, "type": each.type,
            "reportingComponent": each.component,
            "reportingInstance": each.host or f"{each.component}-0"}
        if count is None:
            event.update(source={}, firstTimestamp=None, lastTimestamp=None,
                         eventTime=stamp(first, True), action="Acting")
            if series:
                event["series"] = {"count": series,
                                   "lastObservedTime": stamp(last, True)}
        else:
            event.update(source={"component": each.component,
                                 "host": each.host},
                         firstTimestamp=stamp(first),
                         lastTimestamp=stamp(last), eventTime=None,
                         count=count)
        self._server.write(event)

