"""The requests of an exporter, read from the API server's audit log.

The server's record has the lists, pages, watches and the resourceVersion from
which counting began, independently of the exporter.
"""

import json
import urllib.parse

_BEGIN = '{"kind":"Event","apiVersion":"audit.k8s.io/'


class Request:
    """One audited request of a list or watch of Events, or of discovery."""

    def __init__(self, entry):
        uri = urllib.parse.urlsplit(entry["requestURI"])
        self.path = uri.path
        self.query = dict(urllib.parse.parse_qsl(uri.query))
        self.verb = entry["verb"]
        self.stage = entry["stage"]
        self.status = entry.get("responseStatus", {}).get("code", 0)
        self.agent = entry.get("userAgent", "")

    @property
    def is_watch(self):
        return "watch" in self.query

    @property
    def is_events(self):
        return self.path.endswith("/events")


class AuditLog:
    """The log file of one control plane."""

    def __init__(self, path):
        self._path = path

    def requests(self, user, stage="RequestReceived"):
        """The requests of one user, in the order of their arrival."""
        found = []
        with open(self._path, encoding="utf-8") as log:
            for line in log:
                if not line.endswith("\n"):
                    break
                # A killed API server leaves a part of a line, and the next one
                # writes behind it.
                entry = json.loads(line[line.rindex(_BEGIN):])
                if (entry["user"].get("username") == user and
                        entry["stage"] == stage):
                    found.append(Request(entry))
        return found

    def lists(self, user):
        """List requests for Events, one for each page."""
        return [request for request in self.requests(user)
                if request.is_events and not request.is_watch]

    def watches(self, user):
        return [request for request in self.requests(user)
                if request.is_events and request.is_watch]

    def baselines(self, user):
        """{path: resourceVersion of the first watch} of each stream.

        The first watch starts where the first committed list ended: only
        newer changes count.
        """
        first = {}
        for watch in self.watches(user):
            version = int(watch.query.get("resourceVersion", "0"))
            first.setdefault(watch.path, version)
        return first
