"""An API server that is never the bottleneck: the sender of the benchmark.

It answers discovery and an empty first list, and delays the watch until
`release()`. Then it sends the stream, rendered beforehand, as fast as the
socket accepts it (in the kernel, not in Python). After that the watch stays
open and silent, as on a quiet cluster.
"""

import email.utils
import json
import socket
import threading
import time

import frames

PART_SECONDS = 0.01
AGGREGATED = ("application/json;g=apidiscovery.k8s.io;v=v2;"
              "as=APIGroupDiscoveryList")
LIST = {"kind": "EventList", "apiVersion": "v1",
        "metadata": {"resourceVersion": "1000000"}, "items": []}


def discovery(core):
    """The aggregated discovery document of /api (core) or /apis."""
    groups = {}
    for kind, api_version, cluster in frames.KINDS:
        group, _, version = api_version.rpartition("/")
        if core == (group == ""):
            groups.setdefault((group, version), []).append({
                "resource": kind.lower() + "s",
                "singularResource": kind.lower(),
                "responseKind": {"group": group, "version": version,
                                 "kind": kind},
                "scope": "Cluster" if cluster else "Namespaced",
                "verbs": ["get", "list", "watch"]})
    return {"kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
            "items": [{"metadata": {"name": group} if group else {},
                       "versions": [{"version": version, "resources": resources,
                                     "freshness": "Current"}]}
                      for (group, version), resources in groups.items()]}


class Sender:
    """Serves one exporter on a free loopback port until close()."""

    def __init__(self, body, seconds=0):
        """Sends the stream evenly in `seconds`; for 0, as fast as it can."""
        self._body = memoryview(body)
        self._parts = max(1, int(seconds / PART_SECONDS))
        self._gate = threading.Event()
        self._connections = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.watch_port = 0        # the exporter's end of the watch
        self.watching = threading.Event()
        self.sent = threading.Event()
        self.watches = 0
        self.closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def release(self):
        self._gate.set()

    def await_watch(self, seconds=20):
        if not self.watching.wait(seconds):
            raise RuntimeError(f"no watch within {seconds} s")

    def await_sent(self, seconds=120):
        if not self.sent.wait(seconds):
            raise RuntimeError(f"the stream is not read within {seconds} s")

    def close(self):
        self.closing.set()
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, peer = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection, peer[1]),
                             daemon=True).start()

    def _serve(self, connection, peer_port):
        try:
            with connection, connection.makefile("rb") as requests:
                while line := requests.readline():
                    headers = b""
                    while (header := requests.readline()).strip():
                        headers += header
                    path = line.split()[1].decode()
                    if not line.startswith(b"GET "):
                        self.closing.wait()  # a write never gets an answer
                        return
                    if path.startswith("/api/v1/events?") and "watch=" in path:
                        self._watch(connection, peer_port)
                        requests.read()
                        return
                    self._answer(connection, path)
        except (OSError, ValueError):
            pass  # the exporter or the benchmark is done

    def _watch(self, connection, peer_port):
        self.watches += 1
        connection.sendall(self._head("200 OK", "Transfer-Encoding: chunked"))
        if self.watches > 1:
            return
        self.watch_port = peer_port
        self.watching.set()
        self._gate.wait()
        size = -(-len(self._body) // self._parts)
        begin = time.monotonic()
        for part in range(self._parts):
            time.sleep(max(0, begin + part * PART_SECONDS - time.monotonic()))
            connection.sendall(self._body[part * size:(part + 1) * size])
        self.sent.set()

    def _answer(self, connection, path):
        bare = path.partition("?")[0]
        content_type = "application/json"
        if bare in ("/api", "/apis"):
            body, content_type = discovery(bare == "/api"), AGGREGATED
        elif bare == "/api/v1/events":
            body = LIST
        else:
            body = None
        data = json.dumps(body).encode() if body else b"404 page not found\n"
        head = self._head("200 OK" if body else "404 Not Found",
                          f"Content-Length: {len(data)}", content_type)
        connection.sendall(head + data)

    @staticmethod
    def _head(status, length, content_type="application/json"):
        date = email.utils.formatdate(usegmt=True)
        return (f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
                f"Date: {date}\r\n{length}\r\n\r\n").encode()
