"""A tenant with the role `edit` in one namespace, and the Events by which it
tries to move what is about cluster-scoped objects.
"""

import time

from rig import manifests, processes
from rig.api import Api, rfc3339

NODE, VOLUME = "real-node", "real-volume"
GROUP, KIND = "forged.kem.test", "Fleet"
# The second one has a counter that starts at 0.
REASONS = ("Forged", "Rebooted")
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def tenant(plane, namespace):
    """An API client as a service account with `edit` in the namespace."""
    api = plane.api
    api.ensure("/api/v1/namespaces", {"metadata": {"name": namespace}})
    api.ensure(f"/api/v1/namespaces/{namespace}/serviceaccounts",
               {"metadata": {"name": "tenant"}})
    api.ensure(f"{_RBAC}/namespaces/{namespace}/rolebindings", {
        "metadata": {"name": "tenant"},
        "subjects": [{"kind": "ServiceAccount", "name": "tenant",
                      "namespace": namespace}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole", "name": "edit"}})
    client = Api(plane.port, plane.certificates.ca,
                 api.token_for(namespace, "tenant"))
    event = manifests.legacy_event(
        "may", manifests.about_pod("p", namespace), "May", namespace=namespace)
    # kube-controller-manager aggregates the rules of the role.
    processes.wait_until(
        lambda: client.raw("POST", manifests.CORE_V1.format(namespace) +
                           "?dryRun=All", event)[0] == 201,
        60, "the tenant may write Events")
    return client


def _core_new(name, about, reason, **more):
    """As the newer recorder writes it, but by core/v1."""
    event = manifests.legacy_event(name, about, reason, **more)
    for field in ("firstTimestamp", "lastTimestamp", "count", "source"):
        del event[field]
    return {**event, "eventTime": rfc3339(time.time(), micro=True),
            "reportingComponent": "kubelet", "reportingInstance": "n",
            "action": "Forging"}


def claims(namespace, node_uid):
    """[(path, Event, occurrences)] about cluster-scoped objects."""
    def about(kind="Node", api="v1", name=NODE, **more):
        found = {"apiVersion": api, "kind": kind, "name": name,
                 "namespace": namespace, **more}
        return {key: value for key, value in found.items() if value}

    def usual(name, **more):
        return dict({"reason": REASONS[0], "kind": "Warning",
                     "namespace": namespace}, name=name, **more)

    def old(name, reference, **more):
        return manifests.legacy_event(about=reference, **usual(name, **more))

    def new(name, reference):
        return _core_new(about=reference, **usual(name))

    node = about()
    shapes = {
        "plain": (old("plain", node), 1),
        "normal": (old("normal", node, kind="Normal"), 1),
        "other-type": (old("other-type", node, kind="Alarm"), 1),
        "no-api-version": (old("no-api-version", about(api=None)), 1),
        "uid": (old("uid", about(uid=node_uid)), 1),
        "name-as-uid": (old("name-as-uid", about(uid=NODE)), 1),
        "versioned": (old("versioned", about(
            uid=node_uid, resourceVersion="1",
            fieldPath="spec.podCIDR")), 1),
        "fifty": (old("fifty", node, count=50), 50),
        "known-reason": (old("known-reason", node, reason=REASONS[1],
                             component="kubelet"), 1),
        "last-year": (old("last-year", node,
                          first=time.time() - 365 * 86400), 1),
        "related": ({**old("related", node), "related":
                     {"apiVersion": "v1", "kind": "Node", "name": NODE}}, 1),
        "no-such-version": (old("no-such-version", about(api="v9")), 1),
        "no-such-node": (old("no-such-node", about(name="no-such")), 1),
        "volume": (old("volume", about("PersistentVolume", name=VOLUME)), 1),
        "namespace": (old("namespace", about("Namespace", name="default")), 1),
        "class": (old("class", about(
            "StorageClass", "storage.k8s.io/v1", "fast")), 1),
        "custom": (old("custom", about(KIND, f"{GROUP}/v1", "mine")), 1),
        "custom-bare": (old("custom-bare", about(KIND, None, "mine")), 1),
        "new-style": (new("new-style", node), 1),
        # With eventTime, the API server accepts any namespace.
        "new-in-default": (new("new-in-default",
                               about(namespace="default")), 1),
        "new-in-system": (new("new-in-system",
                              about(namespace="kube-system")), 1),
        "series": ({**new("series", node), **manifests.series(7)}, 7),
    }
    by_events = [manifests.new_event(
        f"by-events-{number}", about(namespace=place), REASONS[0], "Warning",
        namespace=namespace)
        for number, place in enumerate((namespace, "default"))]
    return [(manifests.CORE_V1.format(namespace), event, occurrences)
            for event, occurrences in shapes.values()] + [
        (manifests.EVENTS_V1.format(namespace), event, 1)
        for event in by_events]


def refused(namespace):
    """[(path, Event, HTTP status)] that the API server refuses a tenant."""
    core, new = (path.format(namespace) for path in
                 (manifests.CORE_V1, manifests.EVENTS_V1))
    node = manifests.about_node(NODE)

    def old(name, reference, place=namespace):
        return manifests.legacy_event(name, reference, REASONS[0],
                                      namespace=place)

    return [
        (core, old("no-namespace", node), 422),
        (core, old("in-default", {**node, "namespace": "default"}), 422),
        (core, _core_new("new-no-namespace", node, REASONS[0],
                         namespace=namespace), 422),
        (manifests.CORE_V1.format("default"), old("d", node, "default"), 403),
        (manifests.CORE_V1.format("kube-system"),
         old("s", {**node, "namespace": "kube-system"}, "kube-system"), 403),
        (new, manifests.new_event("by-events-bare", node, REASONS[0],
                                  namespace=namespace), 422),
        (manifests.EVENTS_V1.format("kube-system"), manifests.new_event(
            "e", node, REASONS[0], namespace="kube-system"), 403),
    ]
