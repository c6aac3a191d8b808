"""Generates streams of watch events like a real cluster's, and their truth.

`mixed()` is the stream of the targets: ADDED, MODIFIED with count + 1 and
DELETED over eight kinds. `covering()` makes a given number of series. The same
seed gives the same stream, except for the times, which are current. Each frame
has its own HTTP chunk, as kube-apiserver flushes them. The truth is counted
while the stream is written, independently of the exporter.
"""

import collections
import random
import time

# kind, apiVersion, cluster-scoped
KINDS = [
    ("Node", "v1", True),
    ("PersistentVolume", "v1", True),
    ("NodePool", "fleet.example.com/v1", True),
    ("Pod", "v1", False),
    ("PersistentVolumeClaim", "v1", False),
    ("ReplicaSet", "apps/v1", False),
    ("Deployment", "apps/v1", False),
    ("Job", "batch/v1", False),
]
REASONS = [
    ("Scheduled", "default-scheduler"),
    ("FailedScheduling", "default-scheduler"),
    ("Pulled", "kubelet"), ("Created", "kubelet"), ("Started", "kubelet"),
    ("Killing", "kubelet"), ("BackOff", "kubelet"), ("Unhealthy", "kubelet"),
    ("FailedMount", "kubelet"), ("Evicted", "kubelet"),
    ("NodeNotReady", "node-controller"), ("RegisteredNode", "node-controller"),
    ("CIDRNotAvailable", "cidrAllocator"),
    ("SuccessfulCreate", "replicaset-controller"),
    ("SuccessfulDelete", "replicaset-controller"),
    ("ScalingReplicaSet", "deployment-controller"),
    ("Completed", "job-controller"),
    ("ProvisioningFailed", "persistentvolume-controller"),
    ("VolumeFailedDelete", "persistentvolume-controller"),
    ("ScaleUpFailed", "fleet.example.com/scaler"),
]
TYPES = ["Normal", "Warning"]
HEAD_LABELS = ("scope", "api_group", "kind")
TAIL_LABELS = ("reason", "type", "reporting_component")
NAMESPACES = 50
CLUSTER_OBJECTS = 60        # of each kind
NAMESPACED_OBJECTS = 2000   # of each kind
# This share of cluster-scoped objects gives about 38,000 series in all.
CLUSTER_SHARE = 0.0465

FRAME = (
    '{"type":"%s","object":{"kind":"Event","apiVersion":"v1","metadata":'
    '{"name":"%s","namespace":"%s","uid":"%s","resourceVersion":"%d",'
    '"creationTimestamp":"%s","managedFields":[{"manager":'
    '"kube-controller-manager","operation":"Update","apiVersion":"v1",'
    '"time":"%s","fieldsType":"FieldsV1","fieldsV1":{"f:count":{},'
    '"f:firstTimestamp":{},"f:involvedObject":{},"f:lastTimestamp":{},'
    '"f:message":{},"f:reason":{},"f:reportingComponent":{},"f:source":'
    '{"f:component":{}},"f:type":{}}}]},"involvedObject":%s,"reason":"%s",'
    '"message":"%s","source":{"component":"%s"},"firstTimestamp":"%s",'
    '"lastTimestamp":"%s","count":%d,"type":"%s","eventTime":null,'
    '"reportingComponent":"%s","reportingInstance":""}}\n')


class Truth:
    """The expected values of the four families."""

    def __init__(self):
        self.occurrences = collections.Counter()
        self.objects = collections.Counter()
        self.active = collections.Counter()
        self.last_seen = {}
        self.frames = collections.Counter()

    def families(self):
        """{family: (label names, {label values: value})}"""
        first, last = HEAD_LABELS, TAIL_LABELS
        tuples = first + ("object_namespace",) + last
        return {
            "kube_event_occurrences_total": (tuples, self.occurrences),
            "kube_event_object_occurrences_total": (
                first + ("object_name",) + last, self.objects),
            "kube_event_last_seen_timestamp_seconds": (
                first + ("object_namespace", "object_name") + last,
                self.last_seen),
            "kube_event_active": (tuples, self.active),
        }

    def series(self):
        return sum(len(values) for _, values in self.families().values())


class Event:
    """One Event object of the simulated cluster, and its label values."""

    __slots__ = ("name", "namespace", "uid", "created", "involved", "reason",
                 "component", "message", "type", "count", "last", "totals",
                 "object_totals", "seen")

    def __init__(self, thing, reason, event_type, name, uid, created):
        kind, api_version, cluster, namespace, object_name, object_uid = thing
        self.reason, self.component = reason
        self.type, self.name, self.uid = event_type, name, uid
        self.namespace = "default" if cluster else namespace
        self.created, self.count, self.last = created, 0, created
        inside = "" if cluster else f'"namespace":"{namespace}",'
        self.involved = (
            f'{{"kind":"{kind}",{inside}"name":"{object_name}","uid":'
            f'"{object_uid}","apiVersion":"{api_version}"}}')
        self.message = (
            f"{kind} {object_name} reports {self.reason} after 1.203s")
        group = api_version.rpartition("/")[0]
        scope = "cluster" if cluster else "namespaced"
        tail = (self.reason, event_type, self.component)
        own_namespace = "" if cluster else namespace
        self.totals = (scope, group, kind, own_namespace) + tail
        self.object_totals = (
            (scope, group, kind, object_name) + tail if cluster else None)
        self.seen = (scope, group, kind, own_namespace,
                     object_name if cluster else "") + tail


class Stream:
    """The body of a watch in bytes, its number of frames and its truth."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.body = bytearray()
        self.truth = Truth()
        self.frames = 0
        self.frame_bytes = 0
        self.resource_version = 1000000
        self.start = int(time.time())
        self.stamp = ""
        self.moment = 0
        self.tick(self.start)

    def tick(self, moment):
        if moment != self.moment:
            self.moment = moment
            self.stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                       time.gmtime(moment))

    def uid(self):
        digits = "%032x" % self.random.getrandbits(128)
        return "-".join((digits[:8], digits[8:12], digits[12:16],
                         digits[16:20], digits[20:]))

    def things(self, namespaces, cluster_objects, namespaced_objects):
        """(cluster-scoped, namespaced) objects for Events."""
        cluster, namespaced = [], []
        for kind, api_version, is_cluster in KINDS:
            stem = kind.lower()
            if is_cluster:
                cluster += [(kind, api_version, True, "", f"{stem}-{i:03d}",
                             self.uid()) for i in range(cluster_objects)]
            else:
                namespaced += [
                    (kind, api_version, False, f"team-{i % namespaces:02d}",
                     f"{stem}-web-{i:05d}", self.uid())
                    for i in range(namespaced_objects)]
        return cluster, namespaced

    def added(self, thing, reason, event_type):
        name = "%s.%016x" % (thing[4], 0x18eaa4ad00000000 + self.frames)
        event = Event(thing, reason, event_type, name, self.uid(), self.stamp)
        self.truth.active[event.totals] += 1
        self.counted("ADDED", event)
        return event

    def counted(self, frame_type, event):
        event.count += 1
        event.last = self.stamp
        truth = self.truth
        truth.occurrences[event.totals] += 1
        if event.object_totals:
            truth.objects[event.object_totals] += 1
        truth.last_seen[event.seen] = self.moment
        self.write(frame_type, event)

    def deleted(self, event):
        self.truth.active[event.totals] -= 1
        self.write("DELETED", event)

    def write(self, frame_type, e):
        self.resource_version += 1
        frame = FRAME % (
            frame_type, e.name, e.namespace, e.uid, self.resource_version,
            e.created, e.last, e.involved, e.reason, e.message, e.component,
            e.created, e.last, e.count, e.type, e.component)
        self.body += b"%x\r\n%b\r\n" % (len(frame), frame.encode())
        self.frames += 1
        self.frame_bytes += len(frame)
        self.truth.frames[frame_type] += 1


def mixed(frames, seed, cluster_share=CLUSTER_SHARE):
    """The stream of the targets: 60 % ADDED, 25 % MODIFIED, 15 % DELETED."""
    stream = Stream(seed)
    rng = stream.random
    cluster, namespaced = stream.things(NAMESPACES, CLUSTER_OBJECTS,
                                        NAMESPACED_OBJECTS)
    kinds = ["A"] * (frames * 60 // 100) + ["M"] * (frames * 25 // 100)
    kinds += ["D"] * (frames - len(kinds))
    rng.shuffle(kinds)
    live, owed = [], []
    for i, kind in enumerate(kinds):
        stream.tick(stream.start - (frames - i) // 1000)
        if kind == "A":
            things = cluster if rng.random() < cluster_share else namespaced
            live.append(stream.added(rng.choice(things), rng.choice(REASONS),
                                     rng.choice(TYPES)))
        else:
            owed.append(kind)
        # A change needs an existing Event, so the first ones may be delayed.
        while owed and len(live) > 1:
            at = rng.randrange(len(live))
            if owed.pop() == "M":
                stream.counted("MODIFIED", live[at])
            else:
                live[at], live[-1] = live[-1], live[at]
                stream.deleted(live.pop())
    return stream


def covering(series, seed):
    """ADDED frames that make exactly `series` series in the four families."""
    stream = Stream(seed)
    variants = [(reason, kind) for reason in REASONS for kind in TYPES]
    kinds = sum(kind[2] for kind in KINDS)
    shared = 2 * kinds * len(variants)  # their occurrences and active
    # A tuple of an object adds 2 series (occurrences, last seen), one of a
    # namespace 3 (occurrences, last seen, active).
    of_objects = series // 10
    while (series - shared - 2 * of_objects) % 3:
        of_objects += 1
    of_namespaces = (series - shared - 2 * of_objects) // 3
    each = of_objects // (kinds * len(variants)) + 1
    namespaces = of_namespaces // ((len(KINDS) - kinds) * len(variants)) + 1
    cluster, namespaced = stream.things(namespaces, each, namespaces)
    # The kinds take turns, so that each has all its variants.
    cluster = [cluster[k * each + i]
               for i in range(each) for k in range(kinds)]
    for things, wanted in ((cluster, of_objects), (namespaced, of_namespaces)):
        pairs = ((thing, v) for thing in things for v in variants)
        for (thing, (reason, event_type)), _ in zip(pairs, range(wanted)):
            stream.added(thing, reason, event_type)
    assert stream.truth.series() == series, stream.truth.series()
    return stream
