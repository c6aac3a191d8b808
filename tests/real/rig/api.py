"""A small client of the Kubernetes API: JSON over HTTPS, without abstraction.

The tests write with it, and the truth recorder watches with it. It shares no
code and no assumptions with the exporter.
"""

import http.client
import json
import select
import ssl
import threading
import time

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class ApiError(Exception):
    """An answer of 400 or above."""

    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body[:300]}")
        self.status = status


def _was_closed(connection):
    """Whether the server ended the connection while it was idle."""
    return bool(connection.sock and
                select.select([connection.sock], [], [], 0)[0])


class Api:
    """Requests as one user; one connection per thread, renewed after errors."""

    def __init__(self, port, ca, token):
        self._port = port
        self._tls = ssl.create_default_context(cafile=ca)
        self._token = token
        self._local = threading.local()

    def connect(self, timeout):
        """A fresh HTTPSConnection to the API server."""
        return http.client.HTTPSConnection("127.0.0.1", self._port,
                                           timeout=timeout, context=self._tls)

    def headers(self, content_type=None):
        headers = {"Authorization": f"Bearer {self._token}",
                   "Accept": "application/json",
                   "Accept-Encoding": "identity", "User-Agent": "kem-test"}
        if content_type:
            headers["Content-Type"] = content_type
        return headers

    def raw(self, method, path, body=None, content_type="application/json"):
        """(status, text) of one request."""
        return self.exchange(method, path, body, content_type)[:2]

    def exchange(self, method, path, body=None,
                 content_type="application/json"):
        """(status, text, headers) of one request."""
        payload = None if body is None else json.dumps(body)
        headers = self.headers(content_type if payload else None)
        for last_try in (False, True):
            connection = getattr(self._local, "connection", None)
            if connection is None or _was_closed(connection):
                connection = self._local.connection = self.connect(30)
            try:
                connection.request(method, path, payload, headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode(), answer.headers
            except (OSError, http.client.HTTPException):
                self.disconnect()
                # Only idempotent requests are repeated.
                if last_try or method != "GET":
                    raise
        raise AssertionError("unreachable")

    def disconnect(self):
        """Drops this thread's connection, for example after a server kill."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None

    def call(self, method, path, body=None, content_type="application/json"):
        status, text = self.raw(method, path, body, content_type)
        if status >= 400:
            raise ApiError(status, text)
        return json.loads(text) if text else {}

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def put(self, path, body):
        return self.call("PUT", path, body)

    def patch(self, path, body):
        return self.call("PATCH", path, body, MERGE_PATCH)

    def delete(self, path, grace_seconds=None):
        body = None
        if grace_seconds is not None:
            body = {"gracePeriodSeconds": grace_seconds}
        return self.call("DELETE", path, body)

    def ensure(self, path, body):
        """Creates an object that may exist already."""
        try:
            return self.post(path, body)
        except ApiError as error:
            if error.status != 409:
                raise
            return self.get(f"{path}/{body['metadata']['name']}")

    def ready(self):
        try:
            return self.raw("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def token_for(self, namespace, account, seconds=3600):
        """A token of a service account, from the TokenRequest API."""
        answer = self.post(
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
             "spec": {"expirationSeconds": seconds}})
        return answer["status"]["token"]


def rfc3339(seconds, micro=False):
    """A time in seconds since 1970 as Kubernetes writes Time or MicroTime."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1e6):06d}Z" if micro else f"{whole}Z"
