"""Answers for /api and /apis: aggregated and plain discovery.

The kinds come from discovery.yaml; a scenario can add custom resources
("extra") at any time. apiserver.py and standin.py use it.
"""

import os

import yaml

AGGREGATED = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SCOPES = {"N": "Namespaced", "C": "Cluster"}


def _load():
    path = os.path.join(os.path.dirname(__file__), "discovery.yaml")
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def status(code, reason, message, token=None):
    """A metav1.Status as the API server writes it."""
    metadata = {"continue": token} if token else {}
    body = {"kind": "Status", "apiVersion": "v1", "metadata": metadata,
            "status": "Failure", "message": message}
    if reason:
        body["reason"] = reason
    body["code"] = code
    return body


class Discovery:
    """mode: aggregated | plain | forbidden | absent | broken."""

    def __init__(self, mode="aggregated", extra=(), stale=()):
        self.mode = mode
        self.stale = list(stale)  # group/versions with freshness: Stale
        self.tables = {gv: [tuple(line.split()) for line in lines]
                       for gv, lines in _load().items()}
        for entry in extra:
            self.add(entry)

    def add(self, entry):
        """entry: "group/version plural Kind C|N"."""
        group_version, *rest = entry.split()
        self.tables.setdefault(group_version, []).append(tuple(rest))

    def answer(self, connection, request):
        """Answers a discovery request; returns False for any other path."""
        path = request.path.rstrip("/")
        if path != "/api" and path != "/apis" and not path.startswith(
                ("/api/", "/apis/")):
            return False
        if self.mode == "forbidden":
            connection.answer(403, status(
                403, "Forbidden", f'forbidden: User "system:anonymous" cannot '
                f'get path "{path}"'))
        elif self.mode == "absent":
            connection.answer(404, "404 page not found\n")
        elif self.mode == "broken":
            connection.answer(200, '{"kind":"APIGroupDiscoveryList","items":[{')
        elif path in ("/api", "/apis"):
            self._root(connection, request, path)
        else:
            self._group_version(connection, path)
        return True

    def _root(self, connection, request, path):
        accept = request.header("accept") or ""
        if self.mode == "aggregated" and AGGREGATED in accept.replace(" ", ""):
            connection.answer(
                200, self._aggregated(core=path == "/api"),
                {"Content-Type": "application/json;" + AGGREGATED,
                 "Vary": "Accept"})
        elif path == "/api":
            connection.answer(200, {
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [
                    {"clientCIDR": "0.0.0.0/0",
                     "serverAddress": "127.0.0.1:6443"}]})
        else:
            connection.answer(200, {
                "kind": "APIGroupList", "apiVersion": "v1",
                "groups": [self._group(name) for name in self._groups()]})

    def _groups(self):
        names = []
        for group_version in self.tables:
            group = group_version.split("/")[0]
            if "/" in group_version and group not in names:
                names.append(group)
        return names

    def _versions(self, group):
        return [gv for gv in self.tables if gv.split("/")[0] == group
                and "/" in gv]

    def _group(self, name):
        versions = [{"groupVersion": gv, "version": gv.split("/")[1]}
                    for gv in self._versions(name)]
        return {"name": name, "versions": versions,
                "preferredVersion": versions[0]}

    def _aggregated(self, core):
        items = []
        for group in [""] if core else self._groups():
            versions = ["v1"] if core else self._versions(group)
            items.append({
                "metadata": {"name": group, "creationTimestamp": None}
                if group else {"creationTimestamp": None},
                "versions": [{
                    "version": gv.split("/")[-1],
                    "resources": [self._resource(row)
                                  for row in self.tables[gv]],
                    "freshness": "Stale" if gv in self.stale else "Current",
                } for gv in versions]})
        return {"kind": "APIGroupDiscoveryList",
                "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
                "items": items}

    @staticmethod
    def _resource(row):
        plural, kind, scope = row
        return {"resource": plural,
                "responseKind": {"group": "", "version": "", "kind": kind},
                "scope": SCOPES[scope], "singularResource": kind.lower(),
                "verbs": ["get", "list", "watch"],
                "subresources": [{
                    "subresource": "status",
                    "responseKind": {"group": "", "version": "", "kind": kind},
                    "verbs": ["get", "patch", "update"]}]}

    def _group_version(self, connection, path):
        group_version = path.split("/", 2)[2]
        rows = self.tables.get(group_version)
        if rows is None or ("/" in group_version) != path.startswith("/apis/"):
            connection.answer(404, "404 page not found\n")
            return
        resources = []
        for plural, kind, scope in rows:
            for name in (plural, plural + "/status"):
                resources.append({"name": name, "singularName": "",
                                  "namespaced": scope == "N", "kind": kind,
                                  "verbs": ["get", "list", "watch"]})
        connection.answer(200, {"kind": "APIResourceList", "apiVersion": "v1",
                                "groupVersion": group_version,
                                "resources": resources})
