"""The samples of an exact exporter, computed from the recorded history.

It treats a count as an odometer. An Event object has the number of times that
its story has happened. All objects of one name whose story began at the same
time (or that are one object, by uid) are one story, however often the object
expired and was created again. The occurrences of a story are the rise of its
reading since the exporter began to count. A reading that falls while its time
advances means that the writer lost its count, and is one more occurrence.
Deleted objects change nothing.
"""

import collections

OCCURRENCES = "kube_event_occurrences_total"
OBJECT_OCCURRENCES = "kube_event_object_occurrences_total"
LAST_SEEN = "kube_event_last_seen_timestamp_seconds"
ACTIVE = "kube_event_active"
FAMILIES = (OCCURRENCES, OBJECT_OCCURRENCES, LAST_SEEN, ACTIVE)
# Where an Event may be about a cluster-scoped object.
TRUSTED = ("default", "kube-system")

Labels = collections.namedtuple(
    "Labels", "scope api_group kind object_namespace object_name reason type "
    "reporting_component")


def _stories(frames):
    """The recorded frames by story, in order."""
    stories = collections.defaultdict(list)
    current = {}
    for frame in frames:
        if frame.change == "DELETED":
            continue
        last = current.get(frame.key)
        if not last or (frame.uid != stories[last][-1].uid and
                        frame.began != stories[last][-1].began):
            current[frame.key] = last = (frame.key, frame.version)
        stories[last].append(frame)
    return stories.values()


def _rises(story, baseline):
    """(frame, occurrences) of each frame of a story after the baseline."""
    reading, newest = 0, 0
    for frame in story:
        rise = frame.reading - reading
        if rise < 0:
            rise = 1 if frame.newest > newest else 0
        if frame.version > baseline and rise:
            yield frame, rise
        reading, newest = frame.reading, frame.newest


def _alive(frames, version=None):
    """The last frame of each Event that exists (at a resourceVersion)."""
    alive = {}
    for frame in frames:
        if version is not None and frame.version > version:
            continue
        if frame.change == "DELETED":
            alive.pop(frame.key, None)
        else:
            alive[frame.key] = frame
    return alive.values()


class Truth:
    """Computes the expected samples for one exporter."""

    def __init__(self, recorder, scopes):
        self._recorder = recorder
        self._scopes = scopes

    def labels(self, frame):
        scope = self._scopes.of(frame.api_version, frame.kind,
                                frame.object_namespace)
        group = frame.api_version.rpartition("/")[0]
        # If a writer omits the namespace of a namespaced object, or is not
        # trusted to name another, the Event's namespace counts.
        namespace = frame.object_namespace or frame.key[0]
        if frame.key[0] not in TRUSTED:
            scope, namespace = "namespaced", frame.key[0]
        cluster = scope == "cluster"
        return Labels(scope, group, frame.kind, "" if cluster else namespace,
                      frame.object_name if cluster else "", frame.reason,
                      frame.type, frame.component)

    def occurrences(self, baseline):
        """[(frame, occurrences)] of cluster-scoped objects after a
        resourceVersion, in order."""
        found = [pair for story in _stories(self._recorder.frames())
                 for pair in _rises(story, baseline)
                 if self.labels(pair[0]).scope == "cluster"]
        return sorted(found, key=lambda pair: pair[0].version)

    def expected(self, baselines):
        """{family: {label pairs: value}}, zeros included.

        `baselines` is {namespace: resourceVersion} of the streams that an
        exporter follows; the namespace "" is the whole cluster.
        """
        samples = {family: collections.Counter() for family in FAMILIES}
        for namespace, version in baselines.items():
            frames = [frame for frame in self._recorder.frames()
                      if namespace in ("", frame.key[0])]
            self._add(samples, frames, version)
        return {family: dict(values) for family, values in samples.items()}

    def _add(self, samples, frames, baseline):
        for frame in _alive(frames, baseline):
            self._occur(samples, frame, 0)
        for story in _stories(frames):
            for frame, rise in _rises(story, baseline):
                self._occur(samples, frame, rise)
        for frame in _alive(frames):
            samples[ACTIVE][_pairs(self.labels(frame), "object_name")] += 1

    def _occur(self, samples, frame, times):
        labels = self.labels(frame)
        samples[OCCURRENCES][_pairs(labels, "object_name")] += times
        samples[ACTIVE][_pairs(labels, "object_name")] += 0
        if labels.scope == "cluster":
            samples[OBJECT_OCCURRENCES][
                _pairs(labels, "object_namespace")] += times
        pairs = _pairs(labels)
        samples[LAST_SEEN][pairs] = max(samples[LAST_SEEN][pairs],
                                        frame.newest)


def _pairs(labels, without=None):
    return frozenset((name, value) for name, value in
                     labels._asdict().items() if name != without)


def differences(expected, shown):
    """One line for each sample that differs.

    In the two occurrence families and the active Events, a series at 0 equals
    no series.
    """
    lines = []
    for family in FAMILIES:
        want, got = expected[family], shown.get(family, {})
        for pairs in sorted(set(want) | set(got), key=sorted):
            left, right = want.get(pairs, 0), got.get(pairs, 0)
            if abs(left - right) > 1e-6:
                text = ",".join(f'{name}="{value}"' for name, value
                                in sorted(pairs) if value)
                lines.append(f"{family}{{{text}}}: truth {left:.10g}, "
                             f"exporter {right:.10g}")
    return lines
