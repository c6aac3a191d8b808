"""A writer that changes Events as recorders do, and keeps the truth.

Several workers, each with its own names, create Events, repeat them (a higher
count, by the older or the newer API), edit them, delete them, and write them
again, as client-go does. If the API server dies before it answers, the worker
looks up the result of its request before it continues.

`Book` is the truth: the expected values of the four families, from the API
server's answers.
"""

import collections
import http.client
import random
import threading
import time

from rig import manifests, truth
from rig.api import ApiError, rfc3339
from rig.recorder import seconds

NAMES_PER_WORKER = 40
NAMESPACES = ("default", "chaos")
SETTLE_SECONDS = 180  # for one change, outages of the API server included


class Book:
    """The counts since `open`; earlier Events count nothing."""

    def __init__(self):
        self._lock = threading.Lock()
        self._samples = {family: collections.Counter()
                         for family in truth.FAMILIES}
        self._open = False

    def open(self):
        self._open = True

    def note(self, labels, occurrences, newest, active):
        """Adds `occurrences`, the newest at that time, and `active` Events."""
        def pairs(without=None):
            return frozenset((name, value) for name, value
                             in labels._asdict().items() if name != without)
        counted = occurrences if self._open else 0
        with self._lock:
            samples = self._samples
            samples[truth.OCCURRENCES][pairs("object_name")] += counted
            samples[truth.ACTIVE][pairs("object_name")] += active
            if labels.scope == "cluster":
                samples[truth.OBJECT_OCCURRENCES][
                    pairs("object_namespace")] += counted
            last = samples[truth.LAST_SEEN]
            last[pairs()] = max(last[pairs()], newest)

    def expected(self):
        with self._lock:
            return {family: dict(values)
                    for family, values in self._samples.items()}

    def total(self):
        with self._lock:
            return sum(self._samples[truth.OCCURRENCES].values())


def _reading(event):
    return (event.get("series") or {}).get("count") or event.get("count") or 1


def newest(event):
    """The time of the newest occurrence, as the exporter must expose it."""
    times = ((event.get("series") or {}).get("lastObservedTime"),
             event.get("lastTimestamp"), event.get("eventTime"),
             event["metadata"]["creationTimestamp"])
    return max(seconds(text) for text in times if text)


class Worker:
    """Changes the Events of its own names, one after the other."""

    def __init__(self, api, book, number, seed):
        self._api = api
        self._book = book
        self._number = number
        self._dice = random.Random(f"{seed}-{number}")
        self._stories = {}
        self.busy = threading.Lock()
        self.may_delete = threading.Event()
        self.may_delete.set()
        self.changes = collections.Counter()
        self.failure = None

    def create_some(self, count):
        for slot in range(count):
            self._create(slot)

    def run(self, stop, pause):
        """One change every `pause` seconds until `stop` is set."""
        due = time.monotonic()
        try:
            while not stop.is_set():
                with self.busy:
                    self._change(self._dice.randrange(NAMES_PER_WORKER))
                # Changes missed in an outage are not made up for.
                due = max(due + pause, time.monotonic() - 0.5)
                stop.wait(max(0.0, due - time.monotonic()))
        except Exception as error:  # pylint: disable=broad-except
            self.failure = repr(error)
        self._api.disconnect()

    def _change(self, slot):
        story = self._stories.get(slot)
        if story is None or not story["alive"]:
            self._create(slot)
            return
        roll = self._dice.random()
        if roll < 0.08 and self.may_delete.is_set():
            self._delete(slot, story)
        elif roll < 0.13:
            self._write(slot, story, {"metadata": {"annotations": {
                "edit": str(time.time())}}}, "edit")
        else:
            count = story["count"] + self._dice.choice((1, 1, 1, 1, 1, 2, 7))
            self._write(slot, story, self._count(slot, count), "repeat")

    def _create(self, slot):
        story = self._stories.get(slot)
        now = time.time()
        if story and self._dice.random() < 0.6:
            story["count"] += 1  # The recorder continues its count.
        else:
            # Stories differ only in the second in which they begin.
            first = max(now, story["first"] + 1) if story else now
            story = {"first": first, "count": 1, "booked": 0}
        story["alive"] = True
        self._stories[slot] = story
        body = self._body(slot, story)
        self._settle(slot, story, "create",
                     lambda: self._api.post(self._path(slot), body))

    def _write(self, slot, story, patch, what):
        self._settle(slot, story, what, lambda: self._api.patch(
            f"{self._path(slot)}/{self._name(slot)}", patch))

    def _delete(self, slot, story):
        story["alive"] = False
        self._settle(slot, story, "delete", lambda: self._api.delete(
            f"{self._path(slot)}/{self._name(slot)}"))

    def _settle(self, slot, story, what, request):
        """Repeats the request until it takes effect, and books the effect."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what} within {SETTLE_SECONDS} s")
            try:
                event = request()
                break
            except ApiError as error:
                done = {"create": 409, "delete": 404}.get(what)
                if error.status == done:
                    event = what == "create" and self._api.get(
                        f"{self._path(slot)}/{self._name(slot)}")
                    break
                if error.status not in (401, 403, 429, 500, 503, 504):
                    raise
            except (OSError, http.client.HTTPException):
                self._api.disconnect()
            time.sleep(0.1)
        self.changes[what] += 1
        if what == "delete":
            self._book.note(self._labels(slot), 0, story["newest"], -1)
            return
        count = _reading(event)
        story["newest"] = newest(event)
        self._book.note(self._labels(slot), count - story["booked"],
                        story["newest"], int(what == "create"))
        story["booked"] = story["count"] = count

    # What the Event of a slot looks like.

    def _legacy(self, slot):
        return slot % 4 < 2

    def _name(self, slot):
        return f"chaos-{self._number}-{slot}"

    def _path(self, slot):
        template = (manifests.CORE_V1 if self._legacy(slot)
                    else manifests.EVENTS_V1)
        return template.format(NAMESPACES[slot % 2])

    def _labels(self, slot):
        cluster = slot % 2 == 0
        return truth.Labels(
            "cluster" if cluster else "namespaced", "",
            "Node" if cluster else "Pod",
            "" if cluster else NAMESPACES[1],
            f"node-{slot % 5}" if cluster else "", f"Chaos{slot % 7}",
            "Warning" if slot % 3 == 0 else "Normal",
            "kem-test" if self._legacy(slot) else "kem.test/recorder")

    def _count(self, slot, count):
        if self._legacy(slot):
            return {"count": count, "lastTimestamp": rfc3339(time.time())}
        return manifests.series(max(count, 2))

    def _body(self, slot, story):
        labels = self._labels(slot)
        namespace = NAMESPACES[slot % 2]
        about = (manifests.about_node(labels.object_name)
                 if labels.kind == "Node"
                 else manifests.about_pod(f"pod-{slot}", namespace))
        if self._legacy(slot):
            body = manifests.legacy_event(
                self._name(slot), about, labels.reason, kind=labels.type,
                namespace=namespace)
            body["firstTimestamp"] = rfc3339(story["first"])
            body.update(self._count(slot, story["count"]))
        else:
            body = manifests.new_event(self._name(slot), about, labels.reason,
                                       labels.type, namespace)
            body["eventTime"] = rfc3339(story["first"], micro=True)
            if story["count"] > 1:
                body.update(self._count(slot, story["count"]))
        return body


class Writers:
    """Workers in threads, at a common pace."""

    def __init__(self, api, seed, count, changes_per_second):
        self.book = Book()
        self._workers = [Worker(api, self.book, number, seed)
                         for number in range(count)]
        self._pause = count / changes_per_second
        self._stop = threading.Event()
        self._threads = []

    def create_some(self, count):
        """Creates Events for the baseline."""
        for worker in self._workers:
            worker.create_some(count)

    def start(self):
        self.book.open()
        self._threads = [
            threading.Thread(target=worker.run, args=(self._stop, self._pause),
                             daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()

    def pause_deletes(self):
        """Returns after the last delete is done."""
        for worker in self._workers:
            worker.may_delete.clear()
            with worker.busy:
                pass

    def resume_deletes(self):
        for worker in self._workers:
            worker.may_delete.set()

    def stop(self):
        """Ends all workers; returns the number of changes by kind."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        changes = collections.Counter()
        for worker in self._workers:
            if worker.failure:
                raise AssertionError(f"a writer failed: {worker.failure}")
            changes.update(worker.changes)
        return changes
