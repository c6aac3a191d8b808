"""The resources of an API server, all its objects, and objects applied to it.

Discovery finds the resources, so it includes those of a later server or of a
CustomResourceDefinition. Objects are applied as
`kubectl apply --server-side --validate=strict` does.
"""

import collections
import json

from rig import processes
from rig.api import APPLY_PATCH, ApiError

MANAGER = "kem-test"
# Controllers write them at any time, and they expire.
PASSING = {("", "events"), ("events.k8s.io", "events")}

_Resource = collections.namedtuple(
    "_Resource", "group version name kind namespaced verbs")


class Resource(_Resource):
    """A resource, or a subresource, of one group version."""

    @property
    def is_sub(self):
        return "/" in self.name

    def path(self, namespace=None, name=None):
        """The path of the collection, or of one object (with `name`)."""
        parts = (["/api", self.version] if not self.group else
                 ["/apis", self.group, self.version])
        if namespace:
            parts += ["namespaces", namespace]
        resource, _, sub = self.name.partition("/")
        parts += [resource] + [part for part in (name, sub) if part]
        return "/".join(parts)


def resources(api):
    """Every Resource that the server serves, of every version."""
    versions = [("", "v1", "/api/v1")]
    for group in api.get("/apis")["groups"]:
        versions += [(group["name"], version["version"],
                      f"/apis/{version['groupVersion']}")
                     for version in group["versions"]]
    return [Resource(group, version, one["name"], one["kind"],
                     one["namespaced"], tuple(one["verbs"]))
            for group, version, path in versions
            for one in api.get(path)["resources"]]


def inventory(api):
    """(resource, namespace, name) of every object, without Events."""
    found = set()
    for one in resources(api):
        if "list" not in one.verbs or (one.group, one.name) in PASSING:
            continue
        for item in api.get(one.path())["items"]:
            meta = item["metadata"]
            found.add((f"{one.name}.{one.group}", meta.get("namespace", ""),
                       meta["name"]))
    return found


class Applied:
    """Objects on the API server, applied and deleted by one user."""

    def __init__(self, api, objects, namespace="default"):
        self._api = api
        served = {(one.group, one.version, one.kind): one
                  for one in resources(api) if not one.is_sub}
        self.objects = [(one, self._path(served, one, namespace))
                        for one in objects]

    @staticmethod
    def _path(served, one, namespace):
        group, _, version = one["apiVersion"].rpartition("/")
        resource = served.get((group, version, one["kind"]))
        if not resource:
            raise AssertionError(f"not served: {group} {one['kind']}")
        meta = one["metadata"]
        if resource.namespaced:
            namespace = meta.get("namespace", namespace)
        elif meta.get("namespace"):
            raise AssertionError(f"{one['kind']} is not namespaced")
        return resource.path(namespace if resource.namespaced else None,
                             meta["name"])

    def apply(self):
        """Applies all with strict validation; returns the server's warnings."""
        warnings = []
        for one, path in self.objects:
            status, text, headers = self._api.exchange(
                "PATCH", f"{path}?fieldManager={MANAGER}&"
                "fieldValidation=Strict", one, APPLY_PATCH)
            if status >= 400:
                raise ApiError(status, f"{path}: "
                               f"{json.loads(text).get('message')}")
            warnings += [f"{path}: {warning}"
                         for warning in headers.get_all("Warning") or ()]
        return warnings

    def live(self, kind=None):
        """The current objects, of one kind or all."""
        return [self._api.get(path) for one, path in self.objects
                if kind in (None, one["kind"])]

    def settled(self, quiet=1.0, seconds=20):
        """The objects, after controllers have not changed them for a while."""
        seen = [None]

        def still():
            before, seen[0] = seen[0], self.live()
            return before == seen[0] and before
        return processes.wait_until(still, seconds, "the objects settle",
                                    quiet)

    def delete(self, keep=""):
        """Deletes all except one kind, last first; owned objects follow."""
        for one, path in reversed(self.objects):
            if one["kind"] == keep:
                continue
            status, text = self._api.raw(
                "DELETE", path, {"propagationPolicy": "Background"})
            if status not in (200, 202, 404):
                raise ApiError(status, text)


def pods_of(api, namespace, deployment, seconds=30):
    """The Pods of a Deployment, all replicas."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}"

    def made():
        live = api.get(path)
        wanted = live["spec"]["replicas"]
        status = live.get("status", {})
        if (status.get("observedGeneration") != live["metadata"]["generation"]
                or status.get("updatedReplicas", 0) != wanted):
            return None
        labels = live["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}%3D{value}"
                            for key, value in labels.items())
        pods = [pod for pod in api.get(
            f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}"
        )["items"] if "deletionTimestamp" not in pod["metadata"]]
        return pods if len(pods) == wanted else None
    return processes.wait_until(
        made, seconds, f"every replica of {deployment} has its Pod")
