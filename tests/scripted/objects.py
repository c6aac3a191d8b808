"""Events from one short line: `M x rv=103 n=9 last=+1`.

`World.event("x n=5 first=before")` returns the spec of an Event. Words that the
line omits come from the previous line of the same key, else from the defaults.
`render` turns a spec into the JSON of core/v1 or events.k8s.io/v1. README.md
lists every word of a line. Times are relative to the horizon, the `Date` header
of the first list.
"""

import copy
import datetime
import hashlib
import re
import shlex

BEFORE, AFTER = -600, 1  # seconds from the horizon
ACTIONS = {"A": "ADDED", "M": "MODIFIED", "D": "DELETED"}
WORDS = {"rv", "n", "series", "uid", "first", "last", "kind", "api", "on",
         "ons", "reason", "type", "component", "host", "style", "created"}


def stamp(seconds, micro=False):
    """RFC 3339, in seconds (metav1.Time) or microseconds (MicroTime)."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    if micro:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def make_uid(text):
    digest = hashlib.sha1(text.encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], "4" + digest[13:16],
                     "a" + digest[17:20], digest[20:32]))


def expand(line):
    """`A k{1..3} rv={101..103}` to three lines; ranges run side by side."""
    ranges = re.findall(r"\{(\d+)\.\.(\d+)\}", line)
    if not ranges:
        return [line]
    length = int(ranges[0][1]) - int(ranges[0][0]) + 1
    lines = []
    for step in range(length):
        values = iter([str(int(low) + step) for low, _ in ranges])
        lines.append(re.sub(r"\{\d+\.\.\d+\}", lambda _: next(values), line))
    return lines


def merge(target, override):
    """Deep merge; a null in the override removes the field."""
    for key, value in override.items():
        if value is None:
            target.pop(key, None)
        elif value == "json:null":
            target[key] = None
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value
    return target


class World:
    """The state of each Event in the scenario so far."""

    def __init__(self, horizon):
        self.horizon = int(horizon)
        self.known = {}

    def event(self, line, list_rv=None, deleted=False):
        """The spec of one Event line (without the A, M or D).

        list_rv, for list items: the resourceVersion of new or changed items
        without one of their own.
        """
        name, *pairs = shlex.split(line)
        namespace, _, name = name.rpartition("/")
        namespace = namespace or "default"
        given = {}
        for pair in pairs:
            word, equals, value = pair.partition("=")
            if not equals or word not in WORDS:
                raise ValueError(f"unknown word {pair!r} in {line!r}")
            given[word] = value
        key = (namespace, name)
        old = self.known.get(key)
        spec = copy.deepcopy(old) if old else self._fresh(key, list_rv)
        if list_rv and "rv" not in given and (given or not old):
            given["rv"] = str(list_rv)
        elif not list_rv and "rv" not in given:
            raise ValueError(f"a watch event needs an rv: {line!r}")
        if "first" in given:
            spec["first"] = spec["last"] = self._time(given.pop("first"))
        elif old and given and not deleted:
            spec["last"] = max(old["last"], 0) + 1
        if "last" in given:
            last = given.pop("last")
            if last == "same":
                spec["last"] = old["last"] if old else spec["last"]
            else:
                spec["last"] = self._time(last)
        if "created" in given:
            spec["created"] = self._time(given.pop("created"))
        spec.update(given)
        self.known[key] = copy.deepcopy(spec)
        return spec

    def _time(self, text):
        if text in ("before", "after"):
            return BEFORE if text == "before" else AFTER
        return int(text)

    @staticmethod
    def _fresh(key, list_rv):
        namespace, name = key
        first = BEFORE if list_rv else AFTER
        return {"namespace": namespace, "name": name, "uid": "a", "n": "1",
                "first": first, "last": first, "created": None, "rv": None,
                "kind": "Pod", "api": "v1", "on": "pod-" + name,
                "ons": namespace, "reason": "R" + name, "type": "Normal",
                "component": "kubelet", "host": "worker-1", "series": None,
                "style": "legacy"}

    def render(self, spec, group="core", override=None):
        """The JSON object of a spec in either API group."""
        event = self._core(spec)
        if group == "events.k8s.io":
            event = to_events_v1(event)
        return merge(event, override or {})

    def _core(self, spec):
        at = lambda seconds: stamp(self.horizon + seconds)
        micro = lambda seconds: stamp(self.horizon + seconds + 0.25, True)
        new_style = spec["style"] == "new" or spec["series"] is not None
        created = spec["first"] if spec["created"] is None else spec["created"]
        event = {"kind": "Event", "apiVersion": "v1", "metadata": {
            "name": f"{spec['on']}.{spec['name']}",
            "namespace": spec["namespace"],
            "uid": make_uid(f"{spec['namespace']}/{spec['name']}/"
                            + spec["uid"]),
            "resourceVersion": spec["rv"],
            "creationTimestamp": at(created),
            "managedFields": [_managed(spec, at(spec["last"]))]}}
        involved = {"kind": spec["kind"], "namespace": spec["ons"],
                    "name": spec["on"], "uid": make_uid("of " + spec["on"]),
                    "apiVersion": spec["api"], "resourceVersion": "77"}
        event["involvedObject"] = {
            k: v for k, v in involved.items() if v not in ("", "-", "none")}
        event["reason"] = spec["reason"]
        event["message"] = (f"Back-off restarting failed container "
                            f"\"main\" in {spec['on']}, {spec['reason']}")
        event["type"] = spec["type"]
        if new_style:
            event.update({"source": {}, "firstTimestamp": None,
                          "lastTimestamp": None,
                          "eventTime": micro(spec["first"]),
                          "action": "Acting",
                          "reportingComponent": spec["component"],
                          "reportingInstance": spec["component"] + "-0"})
            if spec["series"] not in (None, "nil"):
                event["series"] = {"count": int(spec["series"]),
                                   "lastObservedTime": micro(spec["last"])}
        else:
            event.update({"source": {"component": spec["component"],
                                     "host": spec["host"]},
                          "firstTimestamp": at(spec["first"]),
                          "lastTimestamp": at(spec["last"]),
                          "eventTime": None,
                          "reportingComponent": spec["component"],
                          "reportingInstance": spec["host"]})
            if spec["n"] != "absent":
                event["count"] = int(spec["n"])
        if spec["type"] == "absent":
            del event["type"]
        return event


def _managed(spec, time):
    return {"manager": spec["component"], "operation": "Update",
            "apiVersion": "v1", "time": time, "fieldsType": "FieldsV1",
            "fieldsV1": {"f:count": {}, "f:firstTimestamp": {},
                         "f:involvedObject": {}, "f:lastTimestamp": {},
                         "f:message": {}, "f:reason": {},
                         "f:source": {"f:component": {}}, "f:type": {}}}


def to_events_v1(core):
    """core/v1 Event to events.k8s.io/v1, as the API server converts it."""
    names = {"involvedObject": "regarding", "message": "note",
             "count": "deprecatedCount", "source": "deprecatedSource",
             "firstTimestamp": "deprecatedFirstTimestamp",
             "lastTimestamp": "deprecatedLastTimestamp",
             "reportingComponent": "reportingController"}
    event = {names.get(key, key): value for key, value in core.items()}
    event["apiVersion"] = "events.k8s.io/v1"
    return event


def bookmark(rv, group="core"):
    """A BOOKMARK's object, as an API server 1.37 sends it."""
    event = {"kind": "Event", "apiVersion": "v1",
             "metadata": {"resourceVersion": str(rv),
                          "creationTimestamp": None},
             "involvedObject": {}, "source": {}, "firstTimestamp": None,
             "lastTimestamp": None, "eventTime": None,
             "reportingComponent": "", "reportingInstance": ""}
    return to_events_v1(event) if group == "events.k8s.io" else event
