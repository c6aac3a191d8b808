"""What the tests of /api/v1 share: requests, and that every answer follows
exporter/openapi.yaml.
"""

import json
import os
import urllib.parse

import json_schema
import yaml

OPENAPI = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../exporter/openapi.yaml")


class Api:
    """Asks an exporter; `case` is the test whose assertions it uses."""

    def __init__(self, case, exporter):
        with open(OPENAPI, encoding="utf-8") as file:
            self.document = yaml.safe_load(file)
        self.case = case
        self.exporter = exporter

    def get(self, what="events", raw=None, headers=None, **parameters):
        """(status, the answer's JSON or text)."""
        path = "/api/v1/" + what
        query = urllib.parse.urlencode(parameters) if raw is None else raw
        status, has, body = self.exporter.get(
            path + ("?" + query if query else ""), headers)
        return status, self.check(path, status, has, body)

    def check(self, path, status, headers, body):
        described = self.document["paths"][path]["get"]["responses"]
        case = self.case
        case.assertIn(str(status), described)
        content = json_schema.resolve(self.document,
                                      described[str(status)])["content"]
        kind = headers["Content-Type"].partition(";")[0]
        case.assertIn(kind, content)
        if kind == "text/plain":
            return body.decode()
        case.assertEqual(headers["Cache-Control"], "no-store")
        case.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        answer = json.loads(body)
        case.assertEqual(json_schema.problems(
            self.document, content[kind]["schema"], answer), [])
        case.assertEqual("Retry-After" in headers, status == 503)
        return answer

    def events(self, **parameters):
        status, answer = self.get("events", **parameters)
        self.case.assertEqual(status, 200, answer)
        return answer["data"]["events"]

    def names(self, **parameters):
        """The objects of the Events that are found, in order."""
        return [event["involvedObject"]["name"]
                for event in self.events(**parameters)]

    def refusal(self, status, **parameters):
        """The sentence of an error."""
        for what in ("events", "objects"):
            got, answer = self.get(what, **parameters)
            self.case.assertEqual(got, status, answer)
        return answer["error"]
