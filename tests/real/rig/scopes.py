"""Which kinds are cluster-scoped, by plain discovery of the API server.

The server's `namespaced` field decides. Only for a kind that no resource of the
server has, the object reference decides. Mappings outlive their CRD.
"""


class Scopes:
    """Remembers (group/version, kind) -> "cluster" or "namespaced"."""

    def __init__(self, api):
        self._api = api
        self._scope = {}

    def refresh(self):
        paths = {"v1": "/api/v1"}
        for group in self._api.get("/apis")["groups"]:
            for version in group["versions"]:
                name = version["groupVersion"]
                paths[name] = f"/apis/{name}"
        for group_version, path in paths.items():
            status, _ = self._api.raw("GET", path)
            if status != 200:
                continue
            for resource in self._api.get(path)["resources"]:
                if "/" not in resource["name"]:
                    scope = "namespaced" if resource["namespaced"] else "cluster"
                    self._scope[(group_version, resource["kind"])] = scope

    def of(self, api_version, kind, object_namespace):
        known = self._scope.get((api_version, kind))
        if known:
            return known
        others = {scope for (_, name), scope in self._scope.items()
                  if name == kind}
        if len(others) == 1:
            return others.pop()
        return "namespaced" if object_namespace else "cluster"
