"""The recorder of the truth: a second client of the API server's Events.

It keeps every watch event of an unbroken history from the start of the cluster.
It uses events.k8s.io/v1; the exporter reads the same objects by core/v1. When
its watch ends it resumes at the same resourceVersion. When the API server no
longer has the history in between, the test fails, because a truth with a gap
proves nothing.
"""

import datetime
import http.client
import json
import threading
import time

EVENTS = "/apis/events.k8s.io/v1/events"


def seconds(text):
    """Seconds since 1970 of an RFC 3339 time, or None."""
    if not text:
        return None
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


class Frame:
    """One change of one Event object, from a watch event."""

    def __init__(self, change, event):
        meta = event["metadata"]
        about = event.get("regarding") or {}
        series = event.get("series") or {}
        self.change = change
        self.version = int(meta["resourceVersion"])
        self.key = (meta["namespace"], meta["name"])
        self.uid = meta["uid"]
        created = meta["creationTimestamp"]
        self.began = seconds(event.get("deprecatedFirstTimestamp") or
                             event.get("eventTime") or created)
        times = (series.get("lastObservedTime"),
                 event.get("deprecatedLastTimestamp"),
                 event.get("eventTime"), created)
        self.newest = max(seconds(text) for text in times if text)
        reading = (series.get("count", 0) if event.get("series")
                   else event.get("deprecatedCount", 0))
        self.reading = min(max(reading, 1), 2**31 - 1)
        self.api_version = about.get("apiVersion", "")
        self.kind = about.get("kind", "")
        self.object_namespace = about.get("namespace", "")
        self.object_name = about.get("name", "")
        self.reason = event.get("reason", "")
        self.note = event.get("note", "")
        kind = event.get("type", "")
        self.type = kind if kind in ("Normal", "Warning") else "other"
        self.component = (event.get("reportingController") or
                          (event.get("deprecatedSource") or {})
                          .get("component", ""))


class Recorder:
    """Follows the Events until `close`; `frames` only ever grows."""

    def __init__(self, api):
        self._api = api
        self._frames = []
        self._seen = set()
        self._lock = threading.Condition()
        self._stopped = False
        self._connection = None
        self.failure = None
        answer = api.get(EVENTS)
        self._version = int(answer["metadata"]["resourceVersion"])
        for event in answer["items"]:
            self._append("ADDED", event)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._stopped = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            connection.sock.close()

    def frames(self):
        """All frames so far, in the order of the API server's history."""
        if self.failure:
            raise AssertionError(f"the truth has a gap: {self.failure}")
        with self._lock:
            return list(self._frames)

    def wait_for(self, matches, wait_seconds, what):
        """The first frame, past or to come, that `matches`."""
        deadline = time.monotonic() + wait_seconds
        checked = 0
        while True:
            frames = self.frames()
            for frame in frames[checked:]:
                if matches(frame):
                    return frame
            checked = len(frames)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not within {wait_seconds} s: {what}")
            with self._lock:
                if len(self._frames) == checked:
                    self._lock.wait(min(left, 1))

    def wait_for_version(self, version, wait_seconds=20):
        """Waits until the history has this resourceVersion."""
        self.wait_for(lambda frame: frame.version >= version, wait_seconds,
                      f"an Event frame at resourceVersion {version}")

    def _append(self, change, event):
        frame = Frame(change, event)
        identity = (change, frame.key, frame.version)
        with self._lock:
            if identity not in self._seen:
                self._seen.add(identity)
                self._frames.append(frame)
                self._version = max(self._version, frame.version)
                self._lock.notify_all()

    def _run(self):
        while not self._stopped and not self.failure:
            try:
                self._watch()
            except (OSError, http.client.HTTPException, ValueError):
                # The server was killed, or a watch event was cut: retry.
                pass
            except Exception as error:  # pylint: disable=broad-except
                self.failure = repr(error)
            time.sleep(0.1)

    def _watch(self):
        # One transaction may delete many Events at one resourceVersion, and a
        # cut may come between them. So the watch repeats the last version, and
        # `_seen` drops duplicates.
        version = self._version - 1
        self._connection = connection = self._api.connect(None)
        try:
            connection.request("GET", f"{EVENTS}?watch=1&resourceVersion="
                               f"{version}&timeoutSeconds=3000",
                               headers=self._api.headers())
            answer = connection.getresponse()
            if answer.status == 410:
                self.failure = f"410 for a watch from {version}"
            if answer.status != 200:
                return
            for line in answer:
                frame = json.loads(line)
                if frame["type"] in ("ADDED", "MODIFIED", "DELETED"):
                    self._append(frame["type"], frame["object"])
                elif frame["type"] == "ERROR":
                    if frame["object"].get("code") == 410:
                        self.failure = f"410 in a watch from {version}"
                    return
        finally:
            connection.close()
