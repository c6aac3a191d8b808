"""A day of history as Prometheus stores it, and its true numbers.

It is written as OpenMetrics text for `promtool tsdb create-blocks-from
openmetrics`: one exporter (in the second cluster a pair) scraped every minute,
with its initial zero, and a kube-state-metrics. It is generated from
rig/day.py and always the same.
"""

import bisect
import collections
import math
import os
import subprocess

from rig import day, day_alerts, day_drains, day_kube_state, day_sinks

END = 1795435200  # 2026-11-23 12:00 UTC
STEP = 60
INITIAL_ZERO = 75
EVENT_TTL = 3600
BLOCK = 7200  # promtool reads a whole file for each block
# The Warnings a week ago, long before the day: of these last hours.
WEEK = 7 * day.DAY
WEEK_SECONDS = 8 * 3600
JOB = "kube-event-metrics"
# The exporters of a cluster: (instance, start in seconds before the end). The
# younger one of a pair has observed less.
OLD, YOUNG = 9 * day.DAY, 8 * 3600
EAST = (("10.0.0.12:9401", OLD),)
WEST = (("10.1.0.12:9401", OLD), ("10.1.0.13:9401", YOUNG))
LABELS = ("none", "one", "two")
# The cluster whose exporter has an external URL.
LINKED = "east"
URL = "https://events.example.com/east"

_OCCURRENCES = ("scope", "api_group", "kind", "object_namespace", "reason",
                "type", "reporting_component")
_OBJECTS = ("scope", "api_group", "kind", "object_name", "reason", "type",
            "reporting_component")
_LAST_SEEN = ("scope", "api_group", "kind", "object_namespace", "object_name",
              "reason", "type", "reporting_component")


def _text(labels):
    """Labels in the exposition format, without empty ones."""
    pairs = (f'{name}="{value}"' for name, value in labels.items()
             if value != "")
    return "{" + ",".join(pairs) + "}"


class Cluster:
    """The occurrences in one cluster, and its exporters."""

    def __init__(self, name, end, small, exporters):
        self.name = name
        self.exporters = exporters
        self.occurrences = day.occurrences(end, 2 if small else 1, small)
        self.nodes = day.NODES[:8] if small else sorted(
            {*day.NODES, *day.SPOT, *day.FRESH, *day_drains.STAY,
             *day_drains.GONE})
        self.last_week = day.last_week(end - WEEK, 2 if small else 1,
                                       WEEK_SECONDS)


class History:
    """`labels`: none (no cluster label), one (east) or two (east, west)."""

    def __init__(self, labels="none", end=END):
        self.end = end
        self.begin = end - day.DAY
        names = {"none": [""], "one": ["east"], "two": ["east", "west"]}
        self.clusters = [
            Cluster(name, end, small=name == "west",
                    exporters=WEST if name == "west" else EAST)
            for name in names[labels]]
        self._types = {}
        self._series = collections.defaultdict(list)
        for cluster in self.clusters:
            for instance, age in cluster.exporters:
                _Exporter(self, cluster, instance, end - age).add_series()
            day_kube_state.add_series(self, cluster)
            day_alerts.add_series(self, cluster)

    def happened(self, seconds=day.DAY, cluster=None, **wanted):
        """The occurrences of the last `seconds` with these attributes; each
        attribute is one value or several."""
        def fits(occurrence):
            return occurrence.at > self.end - seconds and all(
                getattr(occurrence, name) in
                ((value,) if isinstance(value, str) else value)
                for name, value in wanted.items())
        return [occurrence for each in self.clusters
                if cluster in (None, each.name)
                for occurrence in each.occurrences if fits(occurrence)]

    def add(self, name, kind, labels, samples):
        """One series; `samples` is a list of (time, value)."""
        self._types[name] = kind
        self._series[name].append((_text(labels), samples))

    def count_series(self):
        return sum(map(len, self._series.values()))

    def write(self, folder):
        """Writes one file per block; returns their paths."""
        blocks = collections.defaultdict(list)
        for name, several in self._series.items():
            family = name.removesuffix("_total")
            started = set()
            for labels, samples in several:
                for at, value in samples:
                    block = at - at % BLOCK
                    if block not in started:
                        started.add(block)
                        if self._types[name]:
                            blocks[block].append(
                                f"# TYPE {family} {self._types[name]}")
                    blocks[block].append(f"{name}{labels} {value} {at}")
        paths = []
        for block, lines in sorted(blocks.items()):
            paths.append(os.path.join(folder, f"history-{block}.txt"))
            with open(paths[-1], "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n# EOF\n")
        return paths

    def backfill(self, promtool, folder, data):
        """Loads the history into a new data folder of Prometheus."""
        os.makedirs(folder, exist_ok=True)
        for path in self.write(folder):
            done = subprocess.run(
                [promtool, "tsdb", "create-blocks-from", "openmetrics",
                 "--quiet", path, data], capture_output=True, text=True,
                check=False)
            if done.returncode:
                raise RuntimeError(f"{path}: {done.stdout}{done.stderr}")
            os.remove(path)


class _Exporter:
    """The series of one exporter, from its start on."""

    def __init__(self, history, cluster, instance, started):
        self.history = history
        self.cluster = cluster
        self.started = started
        self.target = {"cluster": cluster.name, "instance": instance,
                       "job": JOB}
        first = max(started + STEP, history.begin)
        self.ticks = [at for at in range(history.begin, history.end + 1, STEP)
                      if at >= first]
        self.seen = [each for each in cluster.occurrences
                     if each.at >= started]

    def add_series(self):
        sizes = {
            "kube_event_occurrences_total": self._occurrences(),
            "kube_event_object_occurrences_total": self._objects(),
            "kube_event_last_seen_timestamp_seconds": self._last_seen()}
        sizes["kube_event_active"] = sizes["kube_event_occurrences_total"]
        self._last_week()
        _own_metrics(self, sizes)
        day_sinks.add_series(self)

    def add(self, name, kind, labels, samples):
        self.history.add(name, kind, {**labels, **self.target}, samples)

    def constant(self, name, value, **labels):
        self.add(name, "gauge", labels, [(at, value) for at in self.ticks])

    def counter(self, name, value, **labels):
        """`value` takes the seconds since the exporter started."""
        self.add(name, "counter", labels,
                 [(at, value(at - self.started)) for at in self.ticks])

    def _by(self, names, occurrences):
        """{label values: occurrences}"""
        found = collections.defaultdict(list)
        for each in occurrences:
            values = {"object_namespace": each.namespace,
                      "object_name": each.name,
                      "reporting_component": each.component}
            found[tuple(values.get(name, getattr(each, name, None))
                        for name in names)].append(each)
        return found

    def _counters(self, name, names, occurrences, known=()):
        """Counters; unknown ones begin with an initial zero."""
        found = self._by(names, occurrences)
        for values in known:
            found.setdefault(values, [])
        shown = collections.Counter()
        for values, happened in sorted(found.items()):
            times = [each.at for each in happened]
            first = 0 if values in known else times[0]
            samples = [
                (at, bisect.bisect_right(times, at)
                 if not first or at >= first + INITIAL_ZERO else 0)
                for at in self.ticks if at >= first]
            self.add(name, "counter", dict(zip(names, values)), samples)
            shown[samples[0][0]] += 1
        return shown

    def _last_week(self):
        """One counter, as it was a week before the day."""
        end = self.history.end - WEEK
        times = self.cluster.last_week
        ticks = [at for at in range(end - WEEK_SECONDS, end + 1, STEP)
                 if at >= self.started]
        self.add("kube_event_occurrences_total", "counter", dict(zip(
            _OCCURRENCES, day.LAST_WEEK)),
                 [(at, bisect.bisect_right(times, at)) for at in ticks])

    def _occurrences(self):
        known = {("cluster", group, kind, "", reason, event_type, component)
                 for group, kind, reason, event_type, component
                 in day.Catalogue().known
                 if not group.count(".") or self.cluster.name != "west"}
        shown = self._counters("kube_event_occurrences_total", _OCCURRENCES,
                               self.seen, known)
        found = self._by(_OCCURRENCES, self.seen)
        for values in known | set(found):
            self._active(values, found.get(values, []), values in known)
        return shown

    def _active(self, values, happened, known):
        """Each object has one Event, which expires an hour after its last
        write."""
        writes = [(each.at, each.name) for each in happened]
        times = [at for at, _ in writes]
        samples = []
        for at in self.ticks:
            if not known and at < times[0]:
                continue
            low = bisect.bisect_right(times, at - EVENT_TTL)
            high = bisect.bisect_right(times, at)
            samples.append((at, len(set(name for _, name in
                                        writes[low:high]))))
        self.add("kube_event_active", "gauge",
                 dict(zip(_OCCURRENCES, values)), samples)

    def _objects(self):
        return self._counters(
            "kube_event_object_occurrences_total", _OBJECTS,
            [each for each in self.seen if each.scope == "cluster"])

    def _last_seen(self):
        shown = collections.Counter()
        for values, happened in sorted(self._by(_LAST_SEEN,
                                                self.seen).items()):
            times = [each.at for each in happened]
            samples = [(at, times[bisect.bisect_right(times, at) - 1])
                       for at in self.ticks if at >= times[0]]
            self.add("kube_event_last_seen_timestamp_seconds", "gauge",
                     dict(zip(_LAST_SEEN, values)), samples)
            shown[samples[0][0]] += 1
        return shown


_WATCH_ENDS = ("clean", "short", "truncated", "timeout", "expired",
               "throttled", "unauthorized", "forbidden", "not_found",
               "rejected", "unavailable", "malformed", "oversize",
               "unknown_type", "error", "cancelled")
_LIST_ENDS = ("success", "expired", "throttled", "unauthorized", "forbidden",
              "not_found", "rejected", "unavailable", "malformed",
              "too_large", "cancelled")
_LAG = {"0.1": .1, "0.5": .52, "1": .9, "2.5": .96, "5": .98, "10": .99,
        "30": .997, "60": 1, "300": 1, "900": 1, "1800": 1, "+Inf": 1}


def _own_metrics(exporter, sizes):
    """A quiet day: one watch was truncated, one list expired."""
    own = "kube_event_metrics_"
    trouble = exporter.history.end - 4.2 * 3600 - exporter.started
    times = [each.at for each in exporter.seen]
    base = 9000 if exporter.started < exporter.history.begin else 0

    def counted(since):
        return base + bisect.bisect_right(times, exporter.started + since)

    def after(value):
        return lambda since: value if since >= trouble else 0

    def nothing(_):
        return 0
    exporter.constant(own + "build_info", 1, version="0.1.0",
                      revision="7c05a1e0a45d", compiler="GNU 12.2.0")
    if exporter.cluster.name == LINKED:
        exporter.constant(own + "external_url_info", 1, url=URL)
    for name, value in (("synced", 1), ("tombstones", 3120),
                        ("config_last_reload_successful", 1),
                        ("state_bytes", 412800)):
        exporter.constant(own + name, value)
    exporter.constant(own + "config_last_reload_success_timestamp_seconds",
                      exporter.started)
    for result in ("none", "loaded", "unusable"):
        exporter.constant(own + "state_load_result", int(result == "loaded"),
                          result=result)
    for reason in _WATCH_ENDS:
        exporter.counter(
            own + "watches_total", (lambda since: since // 265)
            if reason == "clean" else after(1)
            if reason in ("truncated", "expired") else nothing, reason=reason)
    for result in _LIST_ENDS:
        exporter.counter(
            own + "lists_total", (lambda since: 1 + (since >= trouble))
            if result == "success" else after(1) if result == "expired"
            else nothing, result=result)
    for kind, value in (("ADDED", counted),
                        ("MODIFIED", lambda since: counted(since) // 3),
                        ("DELETED", lambda since: counted(since) * 9 // 10),
                        ("BOOKMARK", lambda since: since // 60),
                        ("ERROR", after(1)), ("unknown", nothing)):
        exporter.counter(own + "watch_events_total", value, type=kind)
    for reason in ("malformed", "oversize", "replay", "truncated",
                   "unknown_type"):
        exporter.counter(own + "watch_events_dropped_total", after(2)
                         if reason == "replay" else nothing, reason=reason)
    for name, value in (
            ("resource_version_resets", nothing), ("unobserved_seconds", after(11.5)),
            ("combined_occurrences", lambda since: since // 5400),
            ("filtered_occurrences", nothing)):
        exporter.counter(f"{own}{name}_total", value)
    exporter.counter(own + "scope_conflicts_total", nothing, result="untrusted")
    for le, share in _LAG.items():
        exporter.add(own + "event_lag_seconds_bucket", None, {"le": le},
                     [(at, int(counted(at - exporter.started) * share))
                      for at in exporter.ticks])
    exporter.add(own + "event_lag_seconds_count", None, {},
                 [(at, counted(at - exporter.started))
                  for at in exporter.ticks])
    exporter.add(own + "event_lag_seconds_sum", None, {},
                 [(at, counted(at - exporter.started) * 0.47)
                  for at in exporter.ticks])
    tracked = [(at, bisect.bisect_right(times, at) -
                bisect.bisect_right(times, at - EVENT_TTL))
               for at in exporter.ticks]
    exporter.add(own + "tracked_events", "gauge", {}, tracked)
    for family, shown in sizes.items():
        starts = sorted(shown.elements())
        exporter.add(own + "series", "gauge", {"family": family},
                     [(at, bisect.bisect_right(starts, at))
                      for at in exporter.ticks])
        exporter.counter(own + "series_overflow_total", nothing,
                         family=family)
    for result in ("success", "failed"):
        exporter.counter(own + "state_saves_total", (lambda since: since // 12)
                         if result == "success" else nothing, result=result)
    exporter.add(own + "state_last_save_timestamp_seconds", "gauge", {},
                 [(at, at - at % 17) for at in exporter.ticks])
    for by in ("discovery", "table", "inferred"):
        exporter.counter(own + "scope_decisions_total", counted
                         if by == "discovery" else nothing, by=by)
    for result in ("success", "partial", "failed"):
        exporter.counter(own + "discovery_refreshes_total",
                         (lambda since: 1 + since // 300)
                         if result == "success" else nothing, result=result)
    for result in ("success", "failure"):
        exporter.counter(own + "config_reloads_total", nothing, result=result)
    exporter.counter(own + "http_requests_total", lambda since: since // STEP,
                     handler="/metrics", code="200")
    exporter.counter(own + "http_requests_total", lambda since: since // 10,
                     handler="/readyz", code="200")
    _process(exporter)


def _process(exporter):
    exporter.counter("process_cpu_seconds_total",
                     lambda since: round(since * 0.0021 + math.sin(since / 900),
                                         3))
    for name, value in (("open_fds", 13), ("max_fds", 20000),
                        ("virtual_memory_bytes", 51105792),
                        ("start_time_seconds", exporter.started)):
        exporter.constant(f"process_{name}", value)
    exporter.add("process_resident_memory_bytes", "gauge", {}, [
        (at, 14_200_000 + at % 7200 * 20) for at in exporter.ticks])
    exporter.constant("up", 1)
    exporter.constant("scrape_samples_scraped", 1100)
    exporter.add("scrape_duration_seconds", "gauge", {}, [
        (at, round(0.0031 + at // STEP % 7 * 2e-4, 4))
        for at in exporter.ticks])
