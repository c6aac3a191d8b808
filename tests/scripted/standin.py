"""A stand-in for a cluster: replays recorded Events over HTTP.

It starts with the Events of the first recording, as if they had just happened,
and continues with the second, then the first again, and so on. Each round has
new Event names, uids, times (now) and rising resourceVersions; kinds, reasons,
types, objects and counts stay as recorded. Events expire after some minutes, in
batches, as in a real cluster. Any number of clients can list (in pages) and
watch (from any resourceVersion of the last minutes; 410 before).

It has no authentication and accepts no writes: use it to try the exporter.
"""

import base64
import collections
import copy
import json
import os
import random
import signal
import threading
import time
import uuid

import apiserver
import discovery
import objects

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST_RV = 100_000
HISTORY = 4000  # changes that a watch may go back
TTL = 300.0  # seconds that an Event lives after its last write
EXPIRY_EVERY = 20.0
SNAPSHOTS = 50
CUSTOM = "fleet.example.com/v1 nodepools NodePool C"
Change = collections.namedtuple("Change", "rv kind core")


def load(name):
    """(Events that existed, Events written later) of one recording."""
    path = os.path.join(HERE, "recordings", name)
    with open(path, encoding="utf-8") as file:
        frames = [json.loads(line) for line in file]
    split = next(i for i, frame in enumerate(frames)
                 if frame["type"] == "BOOKMARK")
    writes = [frame["object"] for frame in frames[split + 1:]
              if frame["type"] in ("ADDED", "MODIFIED")]
    return [frame["object"] for frame in frames[:split]], writes


class Store:
    """The Events that exist, and the history of their changes."""

    def __init__(self):
        self.rv = FIRST_RV
        self.live = {}  # (namespace, name) -> Event
        self.written = {}  # the same key -> time of the last write
        self.history = collections.deque(maxlen=HISTORY)
        self.changed = threading.Condition()

    def write(self, event, when):
        metadata = event["metadata"]
        key = (metadata["namespace"], metadata["name"])
        with self.changed:
            self.rv += random.randint(1, 4)  # other objects change too
            metadata["resourceVersion"] = str(self.rv)
            old = self.live.get(key)
            if old:
                metadata["uid"] = old["metadata"]["uid"]
                metadata["creationTimestamp"] = (
                    old["metadata"]["creationTimestamp"])
            self.live[key] = event
            self.written[key] = when
            self._append("MODIFIED" if old else "ADDED", event)

    def expire(self, now):
        """Deletes all expired Events at one resourceVersion, as etcd does."""
        with self.changed:
            keys = [k for k, at in self.written.items() if now - at > TTL]
            if not keys:
                return
            self.rv += 1
            for key in keys:
                event = copy.deepcopy(self.live.pop(key))
                del self.written[key]
                event["metadata"]["resourceVersion"] = str(self.rv)
                self._append("DELETED", event)

    def _append(self, kind, event):
        self.history.append(Change(self.rv, kind, event))
        self.changed.notify_all()

    def snapshot(self):
        with self.changed:
            return self.rv, [self.live[key] for key in sorted(self.live)]

    def oldest(self):
        """The lowest resourceVersion from which a watch misses nothing."""
        with self.changed:
            full = len(self.history) == HISTORY
            return self.history[0].rv if full else FIRST_RV

    def after(self, rv, seconds):
        """Changes after rv; waits up to `seconds` for a first one."""
        with self.changed:
            self.changed.wait_for(lambda: self.rv > rv, seconds)
            return [change for change in self.history if change.rv > rv]


class Player(threading.Thread):
    """Writes the recordings into the store at a human pace."""

    def __init__(self, store, speed):
        super().__init__(daemon=True)
        self.store = store
        self.speed = speed
        _, self.first = load("cluster-watch-1.jsonl")
        existed, self.second = load("cluster-watch-2.jsonl")
        self.names = {}
        now = time.time()
        past = self.first + existed
        for number, event in enumerate(past):  # the last four minutes
            when = now - 240 * (1 - number / len(past)) - 2
            self._write(event, when)

    def run(self):
        while True:
            for recording in (self.second, self.first):
                self.names = {}
                swept = time.monotonic()
                for event in recording:
                    time.sleep(random.uniform(0.5, 1.5) / self.speed)
                    self._write(event, time.time())
                    if time.monotonic() - swept > EXPIRY_EVERY:
                        swept = time.monotonic()
                        self.store.expire(time.time())

    def _write(self, recorded, when):
        event = copy.deepcopy(recorded)
        metadata = event["metadata"]
        key = (metadata["namespace"], metadata["name"])
        if key not in self.names:
            stem = metadata["name"].rpartition(".")[0]
            self.names[key] = (f"{stem}.{int(when * 1e9):x}", when)
        metadata["name"], first = self.names[key]
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = objects.stamp(when)
        for entry in metadata.get("managedFields", []):
            entry["time"] = objects.stamp(when)
        if event.get("firstTimestamp"):
            event["firstTimestamp"] = objects.stamp(first)
            event["lastTimestamp"] = objects.stamp(when)
        if event.get("eventTime"):
            event["eventTime"] = objects.stamp(first, True)
        if event.get("series"):
            event["series"]["lastObservedTime"] = objects.stamp(when, True)
        self.store.write(event, when)


# Fields of a core/v1 Event, by their names in either API group.
FIELDS = {"involvedObject.kind": lambda event: event["involvedObject"]["kind"],
          "regarding.kind": lambda event: event["involvedObject"]["kind"],
          "reason": lambda event: event.get("reason", ""),
          "type": lambda event: event.get("type", "")}


def selection(text):
    """The predicate of a fieldSelector; KeyError for an unknown field."""
    terms = []
    for term in filter(None, (text or "").split(",")):
        name, _, value = term.partition("=")
        terms.append((FIELDS[name.rstrip("!")], name.endswith("!"), value))
    return lambda event: all((field(event) == value) != unlike
                             for field, unlike, value in terms)


class StandIn(apiserver.Server):
    def __init__(self, store, port):
        super().__init__(discovery.Discovery(extra=[CUSTOM]), port=port)
        self.store = store
        self.snapshots = collections.OrderedDict()  # token base -> items

    def _dispatch(self, request, connection):
        del self.requests[:]  # nothing here asserts requests
        if request.path in ("/healthz", "/livez", "/readyz"):
            connection.answer(200, "ok")
        elif request.path == "/version":
            connection.answer(200, {"major": "1", "minor": "37",
                                    "gitVersion": "v1.37.2"})
        elif not request.is_events:
            if not self.discovery.answer(connection, request):
                connection.answer(404, "404 page not found\n")
        else:
            self._events(request, connection)

    def _events(self, request, connection):
        parts = request.path.strip("/").split("/")
        group = "core" if parts[0] == "api" else "events.k8s.io"
        base = ["api", "v1"] if group == "core" else ["apis", group, "v1"]
        rest = parts[len(base):]
        if parts[:len(base)] != base or len(rest) not in (1, 3):
            connection.answer(404, "404 page not found\n")
            return
        namespace = rest[1] if len(rest) == 3 else None
        try:
            selects = selection(request.query.get("fieldSelector"))
        except KeyError as error:
            connection.answer(400, discovery.status(
                400, "BadRequest", f"field label not supported: {error}"))
            return

        def wanted(event):
            return selects(event) and namespace in (
                None, event["metadata"]["namespace"])
        if request.is_watch:
            self._watch(request, connection, group, wanted)
        else:
            self._list(request, connection, group, wanted)

    def _list(self, request, connection, group, wanted):
        token, start = request.query.get("continue"), 0
        if token:
            try:
                rv, start = json.loads(base64.urlsafe_b64decode(token))
                items = self.snapshots[rv]
            except (ValueError, KeyError):
                connection.answer(410, discovery.status(
                    410, "Expired", "The provided continue parameter is too "
                    "old to display a consistent list result."))
                return
        else:
            rv, items = self.store.snapshot()
            self.snapshots[rv] = items
            while len(self.snapshots) > SNAPSHOTS:
                self.snapshots.popitem(last=False)
        items = [item for item in items if wanted(item)]
        limit = int(request.query.get("limit") or 0) or len(items)
        page = []
        for item in items[start:start + limit]:
            item = dict(self._shape(item, group))
            del item["kind"], item["apiVersion"]  # as the API server does
            page.append(item)
        metadata = {"resourceVersion": str(rv)}
        if start + limit < len(items):
            metadata["continue"] = base64.urlsafe_b64encode(
                json.dumps([rv, start + limit]).encode()).decode()
            metadata["remainingItemCount"] = len(items) - start - limit
        version = "v1" if group == "core" else "events.k8s.io/v1"
        connection.answer(200, {"kind": "EventList", "apiVersion": version,
                                "metadata": metadata, "items": page})

    @staticmethod
    def _shape(event, group):
        return event if group == "core" else objects.to_events_v1(event)

    def _watch(self, request, connection, group, wanted):
        asked = request.query.get("resourceVersion", "")
        synthetic = asked in ("", "0")
        if not synthetic and not asked.isdigit():
            connection.answer(400, discovery.status(
                400, "BadRequest", f"invalid resourceVersion {asked!r}"))
            return
        deadline = time.monotonic() + float(
            request.query.get("timeoutSeconds") or 1800)
        connection.start_stream()
        if synthetic:
            rv, items = self.store.snapshot()
            changes = [Change(rv, "ADDED", item) for item in items]
        else:
            rv = int(asked)
            if rv < self.store.oldest():
                self._frame(connection, "ERROR", discovery.status(
                    410, "Expired", f"too old resource version: {rv}"))
                connection.end_stream()
                return
            changes = self.store.after(rv, 0)
        while not self.stopped:
            for change in changes:
                if wanted(change.core):
                    self._frame(connection, change.kind,
                                self._shape(change.core, group))
                rv = change.rv
            left = deadline - time.monotonic()
            if left <= 0 or connection.closed_by_client():
                break
            changes = self.store.after(rv, min(left, 1.0))
        connection.end_stream()

    @staticmethod
    def _frame(connection, kind, event):
        connection.chunk(json.dumps({"type": kind, "object": event},
                                    separators=(",", ":")).encode() + b"\n")


def serve(port, speed):
    """Prints one line with the URL and runs until interrupted."""
    store = Store()
    player = Player(store, speed)
    server = StandIn(store, port)
    server.up()
    print(f"The stand-in for a cluster listens on {server.url}", flush=True)
    player.start()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop()
    return 0

