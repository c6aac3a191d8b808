"""Objects that the tests post."""

import time

from rig.api import rfc3339

EVENTS_V1 = "/apis/events.k8s.io/v1/namespaces/{}/events"
CORE_V1 = "/api/v1/namespaces/{}/events"


def node(name, kwok=True, ready="True"):
    """A ready Node; only with `kwok` does it stay ready."""
    annotations = {"kwok.x-k8s.io/node": "fake"} if kwok else {}
    now = rfc3339(time.time())
    capacity = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "annotations": annotations,
                         "labels": {"kubernetes.io/hostname": name}},
            "status": {"capacity": capacity, "allocatable": capacity,
                       "conditions": [{
                           "type": "Ready", "status": ready,
                           "reason": "KubeletReady", "message": "",
                           "lastHeartbeatTime": now,
                           "lastTransitionTime": now}]}}


def pod(name, node_name=None, cpu="100m", tolerate=None):
    """A Pod; `tolerate`: seconds that it stays on a dead node."""
    spec = {"containers": [{"name": "main", "image": "none", "resources": {
        "requests": {"cpu": cpu}}}]}
    if node_name:
        spec["nodeName"] = node_name
    if tolerate is not None:
        spec["tolerations"] = [{"operator": "Exists", "effect": "NoExecute",
                                "tolerationSeconds": tolerate}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": spec}


def deployment(name, replicas):
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name)["spec"]}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": replicas, "template": template,
                     "selector": {"matchLabels": labels}}}


def released_volume(name, policy):
    """A released PersistentVolume on a path that does not exist."""
    return {"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {"capacity": {"storage": "1Gi"},
                     "accessModes": ["ReadWriteOnce"],
                     "persistentVolumeReclaimPolicy": policy,
                     "hostPath": {"path": f"/kem-test-absent/{name}"},
                     "claimRef": {"namespace": "default", "name": "gone",
                                  "uid": "00000000-0000-0000-0000-000000000001",
                                  "apiVersion": "v1",
                                  "kind": "PersistentVolumeClaim"}}}


def cluster_resource(group, kind):
    """A CustomResourceDefinition of a cluster-scoped kind."""
    plural = kind.lower() + "s"
    schema = {"openAPIV3Schema": {
        "type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {"apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Cluster",
                     "names": {"plural": plural, "kind": kind},
                     "versions": [{"name": "v1", "served": True,
                                   "storage": True, "schema": schema}]}}


def legacy_event(name, about, reason, count=1, kind="Normal", first=None,
                 component="kem-test", namespace="default"):
    """A core/v1 Event as client-go's older recorder writes it."""
    now = time.time()
    return {"apiVersion": "v1", "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about, "reason": reason, "message": "by hand",
            "type": kind, "count": count,
            "source": {"component": component},
            "firstTimestamp": rfc3339(first or now),
            "lastTimestamp": rfc3339(now)}


def new_event(name, about, reason, kind="Normal", namespace="default"):
    """An events.k8s.io/v1 Event as client-go's newer recorder writes it."""
    return {"apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "regarding": about, "reason": reason, "note": "by hand",
            "type": kind, "action": "Testing",
            "eventTime": rfc3339(time.time(), micro=True),
            "reportingController": "kem.test/recorder",
            "reportingInstance": "kem-test-0"}


def series(count):
    """The patch of the newer recorder for repetitions."""
    return {"series": {"count": count, "lastObservedTime":
                       rfc3339(time.time(), micro=True)}}


def about_node(name, **more):
    return {"apiVersion": "v1", "kind": "Node", "name": name, **more}


def about_pod(name, namespace="default", **more):
    return {"apiVersion": "v1", "kind": "Pod", "name": name,
            "namespace": namespace, **more}
