"""A small cluster that accepts writes: the stand-in, with Events to create and
patch and nodes to annotate, and with an API server's answers.

Watches deliver what is written. `answers` maps a part of "METHOD /path" to the
status that such requests, and reads of single objects, get instead.
"""

import json
import re
import threading
import time

import discovery
import kills
import objects
import standin
import wire

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


def merge(old, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


class Cluster(standin.StandIn):
    def __init__(self, nodes=()):
        super().__init__(kills.EndlessStore(), 0)
        self.annotated = {name: {} for name in nodes}  # metadata last applied
        self.writes = []  # (method, path, content type)
        self.writers = set()  # the connections they came on
        self.answers = {}
        self._writing = threading.Lock()

    def happen(self, name, node, reason, count, first, message="m" * 200):
        """Writes the Event `name` with `count` occurrences since `first`."""
        now = time.time()
        self.store.write({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "default",
                         "uid": f"uid-{name}",
                         "creationTimestamp": objects.stamp(now)},
            "involvedObject": {"apiVersion": "v1", "kind": "Node",
                               "name": node, "uid": node},
            "reason": reason, "message": message,
            "source": {"component": "kubelet", "host": node},
            "firstTimestamp": objects.stamp(first),
            "lastTimestamp": objects.stamp(now), "count": count,
            "type": "Warning", "reportingComponent": "kubelet"}, now)

    def events_in(self, namespace):
        with self.store.changed:
            return [event for (place, _), event in self.store.live.items()
                    if place == namespace]

    def _dispatch(self, request, connection):
        if request.method == "GET" and not re.search("/(nodes|events)/",
                                                     request.path):
            super()._dispatch(request, connection)
            return
        body = connection.read_body(request)
        what = f"{request.method} {request.path}"
        with self._writing:
            self.writes.append(
                (request.method, request.path, request.header("content-type")))
            self.writers.add(connection)
            for part, code in self.answers.items():
                if part in what:
                    self._status(connection, code)
                    return
            self._write(request, body and json.loads(body), connection)

    def _write(self, request, body, connection):
        parts = request.path.strip("/").split("/")
        if parts[:3] == ["api", "v1", "nodes"] and len(parts) == 4:
            self._node(request, parts[3], body, connection)
        elif parts[:3] == ["api", "v1", "namespaces"] and (
                parts[4:5] == ["events"]):
            self._event(request, parts[3], parts[5:], body, connection)
        else:
            self._status(connection, 404)

    def _node(self, request, name, body, connection):
        if name not in self.annotated:
            self._status(connection, 404)
        elif request.method == "GET":
            connection.answer(200, {"metadata": {"name": name, "uid": name}})
        elif request.header("content-type") != APPLY:
            self._status(connection, 415)
        else:
            self.annotated[name] = body["metadata"]
            connection.answer(200, {"metadata": {"name": name}})

    def _event(self, request, namespace, rest, body, connection):
        name = rest[0] if rest else body["metadata"]["name"]
        old = self.store.live.get((namespace, name))
        if request.method == "POST" and not rest:
            if body["involvedObject"].get("namespace") != namespace:
                self._status(connection, 422)
                return
            if old:
                self._status(connection, 409)
                return
            event = body
            event["metadata"].setdefault("uid", f"uid-{name}")
            event["metadata"]["creationTimestamp"] = objects.stamp(time.time())
        elif request.method == "GET" and old:
            connection.answer(200, old)
            return
        elif request.method == "PATCH" and old and (
                request.header("content-type") == MERGE):
            version = body["metadata"].get("resourceVersion")
            if version not in (None, old["metadata"]["resourceVersion"]):
                self._status(connection, 409)
                return
            event = merge(old, body)
            event["metadata"] = dict(event["metadata"], name=name,
                                     namespace=namespace)
        else:
            self._status(connection, 404)
            return
        self.store.write(event, time.time())
        connection.answer(201, event)

    @staticmethod
    def _status(connection, code):
        reason = wire.REASONS.get(code, "Conflict")
        connection.answer(code, discovery.status(
            code, reason.replace(" ", ""), "as the test requires"))
