"""An API server in this process that serves Events at a simulated time.

It is the scripted API server (tests/scripted) with lists and watches of its own.
The test writes Events into it (`write`) and it sends them to the open watch at
once. Events expire as in a cluster (`expire`); `down`, `up` and `restore` are its
faults. One client at a time may watch.
"""

import bisect
import json
import os
import sys
import threading

from rig import processes

SCRIPTED = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "scripted")
sys.path.insert(0, SCRIPTED)
import apiserver  # noqa: E402
import discovery  # noqa: E402
import objects  # noqa: E402
import wire  # noqa: E402

FIRST_VERSION = 1000
TTL = 3600
CUSTOM = ("karpenter.sh/v1 nodeclaims NodeClaim C",
          "karpenter.sh/v1 nodepools NodePool C",
          "cert-manager.io/v1 clusterissuers ClusterIssuer C",
          "kyverno.io/v1 clusterpolicies ClusterPolicy C",
          "snapshot.storage.k8s.io/v1 volumesnapshotcontents "
          "VolumeSnapshotContent C")


def _frame(kind, event):
    return json.dumps({"type": kind, "object": event},
                      separators=(",", ":")).encode() + b"\n"


class EventServer(apiserver.Server):
    """`epoch`: Unix time of the simulated time 0; `now`: the simulated time."""

    def __init__(self, epoch):
        super().__init__(discovery.Discovery(extra=CUSTOM))
        self.epoch = epoch
        self.now = 0
        self.version = FIRST_VERSION
        self.gap = 0  # simulated seconds without a watch event before a list
        self.serving = False
        self._last_sent = 0
        self.live = {}  # (namespace, name) -> Event
        self.counts = {}  # the same key -> occurrences reported so far
        self._written = {}  # the same key -> simulated time of its last write
        self._versions, self._frames = [], []
        self._lock = threading.Condition()
        self._stream = None
        self._backup = None
        self.up()

    def stamp(self, seconds, micro=False):
        return objects.stamp(self.epoch + seconds, micro)

    def write(self, event):
        """Creates or replaces an Event at the time `now`."""
        metadata = event["metadata"]
        key = (metadata["namespace"], metadata["name"])
        old = self.live.get(key)
        for name, new in (("uid", objects.make_uid(f"{key} {self.now}")),
                          ("creationTimestamp", self.stamp(self.now))):
            metadata[name] = old["metadata"][name] if old else new
        self.counts[key] = event.get("count") or event.get(
            "series", {"count": 1})["count"]
        self._written.pop(key, None)  # the newest write is last: see expire()
        self._written[key] = self.now
        self.live[key] = event
        self._change("MODIFIED" if old else "ADDED", event)

    def expire(self):
        """Deletes the Events whose last write is an hour ago; whether any."""
        before = self.version
        for key, at in list(self._written.items()):
            if at > self.now - TTL:
                break
            del self._written[key]
            self._change("DELETED", self.live.pop(key))
        return self.version > before

    def bookmark(self):
        with self._lock:
            self.version += 1
            self._send(_frame("BOOKMARK", objects.bookmark(self.version)))

    def back_up(self):
        self._backup = (self.version, dict(self.live), dict(self._written))

    def restore(self):
        """etcd holds the backup again, with its lower resourceVersions."""
        with self._lock:
            self.version, self.live, self._written = self._backup
            self._versions, self._frames = [], []

    def up(self):
        super().up()
        self.serving = True

    def down(self):
        self.serving = False
        super().down()

    def wait_watched(self, seconds=60):
        with self._lock:
            if not self._lock.wait_for(lambda: self._stream, seconds):
                raise processes.RigError("the exporter does not watch")

    def _change(self, kind, event):
        with self._lock:
            self.version += 1
            event["metadata"]["resourceVersion"] = str(self.version)
            self._versions.append(self.version)
            self._frames.append(_frame(kind, event))
            self._send(self._frames[-1])

    def _send(self, data):
        if self._stream:
            try:
                self._stream.chunk(data)
                self._last_sent = self.now
            except wire.Gone:
                self._stream = None

    def drop(self):
        super().drop()
        with self._lock:
            self._stream = None

    def _dispatch(self, request, connection):
        if not request.is_events:
            super()._dispatch(request, connection)
        elif request.path != "/api/v1/events":
            connection.answer(404, "404 page not found\n")
        elif request.is_watch:
            self._watch(request, connection)
        else:
            self._list(connection)

    def _list(self, connection):
        with self._lock:
            self.gap = self.now - self._last_sent
            items = [{name: value for name, value in event.items()
                      if name not in ("kind", "apiVersion")}
                     for event in self.live.values()]
            body = {"kind": "EventList", "apiVersion": "v1", "metadata":
                    {"resourceVersion": str(self.version)}, "items": items}
        connection.answer(200, body, date=self.epoch + self.now)

    def _watch(self, request, connection):
        with self._lock:
            version = int(request.query["resourceVersion"])
            connection.start_stream(date=self.epoch + self.now)
            connection.release_holder = True
            if version > self.version:  # of before a restore
                connection.end_stream()
                connection.release_holder = False
                return
            first = bisect.bisect_right(self._versions, version)
            missed = b"".join(self._frames[first:])
            if missed:
                connection.chunk(missed)
            self._stream = connection
            self._last_sent = self.now
            self._lock.notify_all()
        while not (self.stopped or connection.release.wait(0.2)):
            pass
