"""Thousands of changes in seconds while the wire is cut again and again.

The writers do what recorders do, and more: counts that rise, jump and fall,
edits without an occurrence, Events that are deleted and continue under the same
name, or start again. The API server keeps the whole history, so no occurrence
may be missing or counted twice, and no list is necessary. The test runs with
the default storage of Events and with the API server's watch cache, which an
administrator can enable for them.
"""

import random
import threading
import time
import unittest

from rig import manifests, truth
from rig.api import rfc3339
from rig.case import ClusterCase
from rig.wire import Wire

NAMESPACES = ("default", "storm")
WRITERS = 3
NAMES_PER_WRITER = 40
STORM_SECONDS = 12
RECOVERY_SECONDS = 75


class Writer:
    """Changes Events of its own names, one after the other, at random."""

    def __init__(self, api, number):
        self._api = api
        self._number = number
        self._dice = random.Random(number)
        self._known = {}
        self.changes = 0
        self.last_version = 0

    def run(self, until):
        while time.monotonic() < until:
            answer = self._change(self._dice.randrange(NAMES_PER_WRITER))
            self.changes += 1
            if answer:
                self.last_version = int(answer["metadata"]["resourceVersion"])
        self._api.disconnect()

    def _change(self, slot):
        namespace = NAMESPACES[slot % 2]
        name = f"storm-{self._number}-{slot}"
        # Half of them like the older recorder, half like the newer.
        legacy = slot % 4 < 2
        path = (manifests.CORE_V1 if legacy else
                manifests.EVENTS_V1).format(namespace)
        event = self._known.get(slot)
        if event is None or event["gone"]:
            event = self._known[slot] = self._next_story(event)
            return self._api.post(path, self._body(name, namespace, slot,
                                                   legacy, event))
        roll = self._dice.random()
        if roll < 0.12:
            event["gone"] = True
            self._api.delete(f"{path}/{name}")
            return None
        if roll < 0.22:
            return self._api.patch(f"{path}/{name}", {"metadata": {
                "annotations": {"edit": str(self.changes)}}})
        if roll < 0.27 and event["count"] > 3:
            event["count"] = 2
        else:
            event["count"] += self._dice.choice((1, 1, 1, 2, 9))
        # Not far ahead of the clock, because the exporter limits such times.
        event["last"] = max(event["last"], time.time())
        return self._api.patch(f"{path}/{name}", self._count(legacy, event))

    def _next_story(self, old):
        """Continues the old story or begins a new one with its name."""
        now = time.time()
        if old and self._dice.random() < 0.6:
            return {"gone": False, "first": old["first"],
                    "last": old["last"] + 1, "count": old["count"] + 1}
        # Stories differ only in the second in which they begin.
        first = max(now, (old["first"] if old else 0) + 1)
        return {"gone": False, "first": first, "last": first,
                "count": self._dice.choice((1, 1, 3))}

    def _count(self, legacy, event):
        if legacy:
            return {"count": event["count"],
                    "lastTimestamp": rfc3339(event["last"])}
        return {"series": {"count": event["count"], "lastObservedTime":
                           rfc3339(event["last"], micro=True)}}

    def _body(self, name, namespace, slot, legacy, event):
        about = (manifests.about_node(f"node-{slot % 5}")
                 if namespace == "default"
                 else manifests.about_pod(f"pod-{slot}", namespace))
        kind = ("Normal", "Warning")[slot % 3 == 0]
        if legacy:
            body = manifests.legacy_event(name, about, f"Storm{slot % 7}",
                                          kind=kind, namespace=namespace)
            body["firstTimestamp"] = rfc3339(event["first"])
        else:
            body = manifests.new_event(name, about, f"Storm{slot % 7}", kind,
                                       namespace)
            body["eventTime"] = rfc3339(event["first"], micro=True)
            event["count"] = max(event["count"], 2)
        body.update(self._count(legacy, event))
        return body


class StormTest(ClusterCase):

    def test_a_storm_on_a_bad_wire(self):
        self.api.post("/api/v1/namespaces", {"metadata": {"name": "storm"}})
        wire = Wire(self.plane.port)
        self.addCleanup(wire.cut)
        exporter = self.exporter("storm",
                                 server=f"https://127.0.0.1:{wire.port}")
        time.sleep(1)  # so that new stories are newer than the baseline
        until = time.monotonic() + STORM_SECONDS
        writers = [Writer(self.api, number) for number in range(WRITERS)]
        threads = [threading.Thread(target=writer.run, args=(until,))
                   for writer in writers]
        for thread in threads:
            thread.start()
        dice, cuts = random.Random(99), 0
        while time.monotonic() < until:
            time.sleep(dice.uniform(0.3, 1.5))
            wire.cut()
            cuts += 1
            time.sleep(dice.uniform(0.0, 0.4))
            wire.restore()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive(), "a writer does not end")
        self.recorder.wait_for_version(
            max(writer.last_version for writer in writers))
        samples = exporter.wait_exact(self.truth, RECOVERY_SECONDS)
        changes = sum(writer.changes for writer in writers)
        total = sum(samples[truth.OCCURRENCES].values())
        print(f"{changes} changes, {cuts} cuts, "
              f"{len(exporter.audit().watches(exporter.user))} watches, "
              f"{total:.0f} occurrences", flush=True)
        self.assertGreater(changes, 500)
        self.assertEqual(len(exporter.audit().lists(exporter.user)), 1)


class StormThroughTheWatchCacheTest(StormTest):

    API_SERVER_FLAGS = {
        "watch_cache_sizes": "events#1000,events.events.k8s.io#1000"}

    def test_a_storm_on_a_bad_wire(self):
        super().test_a_storm_on_a_bad_wire()
        _, metrics = self.api.raw("GET", "/metrics")
        self.assertRegex(metrics, r"apiserver_watch_cache_events_received"
                         r'_total\{[^}]*resource="events"[^}]*\} [1-9]')


if __name__ == "__main__":
    unittest.main(verbosity=2)
