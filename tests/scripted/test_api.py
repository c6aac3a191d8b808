#!/usr/bin/python3
"""/api/v1 of the whole binary: exact answers, every filter, pages while Events
arrive, hostile requests and clients.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_api.py
"""

import gzip
import json
import os
import socket
import struct
import tempfile
import threading
import time
import unittest
import urllib.parse

from api_case import Api
from exporter import Exporter
from sink_case import SinkCase
from web_case import WebCase

# bcrypt of "open-sesame", at the lowest cost.
OPEN_SESAME = "$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G"


def event(node, minute, reason="SystemOOM", kind="Warning", **more):
    time_of = f"2024-05-06T07:{minute:02}:00Z"
    return {"metadata": {"name": f"{node}.{reason}", "namespace": "default",
                         "uid": f"u-{node}", "resourceVersion": str(minute),
                         "creationTimestamp": time_of},
            "involvedObject": {"kind": "Node", "name": node, "uid": node,
                               "apiVersion": "v1"},
            "reason": reason, "type": kind, "message": "it happened",
            "count": 1, "firstTimestamp": time_of, "lastTimestamp": time_of,
            "source": {"component": "kubelet"}, **more}


OOM = event("worker-1", 20, message="System OOM encountered, victim: java",
            count=5, firstTimestamp="2024-05-06T07:00:00Z")
EVENTS = [OOM, event("worker-2", 10, "Starting", "Normal"),
          event("pv-1", 5, "VolumeResizeFailed",
                involvedObject={"kind": "PersistentVolume", "name": "pv-1",
                                "apiVersion": "v1"},
                source={"component": "resizer"})]


class OfflineTest(unittest.TestCase):
    """Over a dump, whose answers are the same every time."""

    def start(self, events):
        folder = tempfile.TemporaryDirectory(prefix="kem-api-")
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "events.json"), "w",
                  encoding="utf-8") as file:
            json.dump(events, file)
        exporter = Exporter(os.path.abspath(os.environ["KEM_EXPORTER"]),
                            folder.name)
        self.addCleanup(exporter.kill)
        exporter.start(["--events.from=events.json",
                        "--web.listen-address=127.0.0.1:0"])
        exporter.wait_listening()
        while exporter.get("/readyz")[0] != 200:
            time.sleep(0.02)
        self.exporter = exporter
        self.api = Api(self, exporter)
        return self.api

    def test_exact_answers(self):
        api = self.start(EVENTS)
        self.assertEqual(api.get(reason="SystemOOM"), (200, {
            "status": "success",
            "data": {"events": [{
                "metadata": {"uid": "u-worker-1", "namespace": "default",
                             "name": "worker-1.SystemOOM"},
                "involvedObject": {"apiVersion": "v1", "kind": "Node",
                                   "name": "worker-1", "uid": "worker-1"},
                "scope": "cluster", "reason": "SystemOOM", "type": "Warning",
                "reportingComponent": "kubelet",
                "message": "System OOM encountered, victim: java", "count": 5,
                "firstTimestamp": "2024-05-06T07:00:00.000Z",
                "lastTimestamp": "2024-05-06T07:20:00.000Z",
                "receivedTimestamp": "2024-05-06T07:20:00.000Z",
                "occurrences": [{"timestamp": "2024-05-06T07:20:00.000Z",
                                 "count": 5}]}]}}))
        self.assertEqual(api.get("objects", kind="PersistentVolume"), (200, {
            "status": "success",
            "data": {"objects": [{
                "apiVersion": "v1", "kind": "PersistentVolume", "name": "pv-1",
                "scope": "cluster", "events": 1, "warnings": 1,
                "receivedTimestamp": "2024-05-06T07:05:00.000Z"}]}}))
        self.assertEqual(api.get("objects", kind="Pod"),
                         (200, {"status": "success", "data": {"objects": []}}))

    def test_each_filter(self):
        api = self.start(EVENTS)
        one, two, volume = "worker-1", "worker-2", "pv-1"
        every = [one, two, volume]
        for parameters, wanted in [
                ({}, every), ({"kind": "Node"}, [one, two]),
                ({"kind": "PersistentVolume"}, [volume]),
                ({"name": two}, [two]), ({"name": "worker"}, []),
                ({"namespace": "-"}, every), ({"namespace": "shop"}, []),
                ({"namespace": ""}, every), ({"reason": "Starting"}, [two]),
                ({"type": "Warning"}, [one, volume]),
                ({"component": "resizer"}, [volume]),
                ({"q": "oom JAVA"}, [one]), ({"q": "oom python"}, []),
                ({"since": "2024-05-06T07:10:00Z"}, [one, two]),
                ({"until": "2024-05-06T07:10:00Z"}, [one, volume]),
                ({"since": "2024-05-06T07:00:01Z", "until": "1714979400"},
                 [volume]),
                ({"since": "1714979400000"}, [one, two]),
                ({"since": "1h"}, []), ({"until": "1h"}, every),
                ({"limit": 2}, [one, two]), ({"unknown": "x"}, every),
                ({"kind": "Node", "type": "Normal", "q": "happened"}, [two])]:
            self.assertEqual(api.names(**parameters), wanted, parameters)

    def test_refuses_wrong_parameters(self):
        api = self.start(EVENTS)
        for parameters, sentence in [
                ({"limit": "501"},
                 'limit must be a number from 1 to 500, not "501"'),
                ({"since": "soon"},
                 "since must be a time such as 2026-11-23T12:53:29Z, a "
                 'duration such as 2h or 14d, or Unix seconds, not "soon"'),
                ({"cursor": "x"}, "cursor must be the value of next in the "
                 "page before; start again without it"),
                ({"raw": "kind=Node&kind=Pod"}, "kind must be given once"),
                ({"raw": "kind=%zz"}, "the query has a % without two "
                 'hexadecimal digits in "kind"; encode it as %25')]:
            self.assertEqual(api.refusal(400, **parameters), sentence)
        self.assertEqual(
            api.refusal(406, headers={"Accept": "text/html"}),
            "the answer is JSON; send Accept: application/json")

    def test_hostile_requests(self):
        api = self.start(EVENTS)
        texts = ["'; DROP TABLE events; --", '" OR 1=1', "%", "_", "*",
                 "<script>alert(1)</script>", "../../etc/passwd", "$(id)",
                 "\u202eevil", "{{7*7}}", "NEAR(a b)", "x" * 512]
        names = ("kind", "name", "namespace", "reason", "type", "component",
                 "q")
        for text in texts:
            for name in names:
                # Of q only letters and digits count.
                found = name == "q" and text in ("%", "_", "*")
                self.assertEqual(bool(api.names(**{name: text})), found,
                                 (name, text))
            api.refusal(400, since=text + "'")
        for raw in ("%00", "a%00b", "%ff", "%c0%ae", "x" * 513, "%0d%0aX:1"):
            for name in names:
                self.assertIn(" must ", api.refusal(400, raw=f"{name}={raw}"))
        long = "/api/v1/events?q=" + "x" * 8192
        self.assertEqual(self.exporter.get(long)[0], 431)
        for path in ("/api/v1/events/", "/api/v1/events/..", "/api/v1/Events",
                     "/api/v1/../v1/events", "/api/v1/events%00", "/api//v1",
                     "/api/v1/events%3Fkind=x", "/api/v1", "/api/v2/events"):
            self.assertEqual(self.exporter.get(path)[0], 404, path)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, headers, body = self.exporter.get("/api/v1/events",
                                                      method=method)
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
            api.check("/api/v1/events", status, headers, body)

    def test_hostile_events(self):
        evil = "\"}]}<script>alert('x')</script>\u0000\u001b[2J\u202e\\"
        api = self.start([
            event("a", 1, evil, evil, message=evil,
                  involvedObject={"kind": evil, "name": evil}),
            event("b", 2, message="\u0001" * 4000)])
        long, short = api.events()
        self.assertEqual(long["message"], "\u0001" * 1021 + "\u2026")
        self.assertEqual(
            (short["reason"], short["type"], short["message"],
             short["involvedObject"]), (evil, evil, evil,
                                        {"kind": evil, "name": evil}))
        _, _, body = self.exporter.get("/api/v1/events")
        for hidden in (b"\0", b"\x1b", "\u202e".encode(), b"\x01"):
            self.assertNotIn(hidden, body)

    def test_head_and_gzip(self):
        api = self.start(EVENTS)
        status, headers, body = self.exporter.get("/api/v1/events",
                                                  method="HEAD")
        self.assertEqual((status, body), (200, b""))
        plain = self.exporter.get("/api/v1/events")[2]
        self.assertEqual(int(headers["Content-Length"]), len(plain))
        status, headers, body = self.exporter.get(
            "/api/v1/events", {"Accept-Encoding": "gzip"})
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(body), plain)
        api.check("/api/v1/events", status, headers, plain)


class LiveTest(SinkCase):
    """Over a cluster, while Events arrive."""

    def setUp(self):
        super().setUp()
        self.config("{}\n")
        self.exporter = self.start()
        self.api = Api(self, self.exporter)

    def found(self):
        """The number of Events; None while too many requests wait."""
        status, answer = self.api.get(limit=500)
        return len(answer["data"]["events"]) if status == 200 else None

    def expect_found(self, count):
        self.assertTrue(self.until(lambda: self.found() == count, 20), count)

    def test_pages_while_events_arrive(self):
        for number in range(40):
            self.happen(f"n-{number % 20}", reason=f"R{number}")
        self.expect_found(40)
        seen, cursor, arrived = [], {}, 0
        while True:
            status, answer = self.api.get(limit=7, **cursor)
            self.assertEqual(status, 200)
            seen += [one["reason"] for one in answer["data"]["events"]]
            if "next" not in answer["data"]:
                break
            self.assertEqual(len(answer["data"]["events"]), 7)
            cursor = {"cursor": answer["data"]["next"]}
            arrived += 1
            self.happen("n-0", reason=f"New{arrived}")
            self.expect_found(40 + arrived)
        self.assertEqual(seen, [f"R{number}" for number in reversed(range(40))])
        self.assertEqual(arrived, 5)

    def test_occurrences_and_objects(self):
        for _ in range(3):
            self.happen("n-1", by=2)
        self.assertTrue(self.until(
            lambda: [one["count"] for one in self.api.events()] == [6]))
        found = self.api.events()[0]
        self.assertEqual(sum(one["count"] for one in found["occurrences"]), 6)
        self.assertEqual(found["involvedObject"]["uid"], "n-1")
        _, answer = self.api.get("objects", name="n-1")
        one, = answer["data"]["objects"]
        self.assertEqual((one["events"], one["warnings"]), (1, 1))
        since = answer["data"]["knownSince"]
        hour = time.strftime("%Y-%m-%dT%H:%M:",
                             time.gmtime(time.time() - 3600))
        self.assertEqual(since[:14], hour[:14])

    def test_clients_that_leave(self):
        for number in range(300):
            self.happen(f"n-{number % 20}", reason=f"R{number}")
        self.expect_found(300)
        request = (b"GET /api/v1/events?limit=500 HTTP/1.1\r\nHost: a\r\n\r\n")
        for number in range(200):
            client = socket.create_connection(self.exporter.address, 10)
            if number % 2:  # a reset
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
            client.sendall(request * (number % 3 + 1))
            client.close()
        self.expect_found(300)

    def test_many_clients_get_answers_or_refusals_and_scrapes_work(self):
        for number in range(200):
            self.happen(f"n-{number % 20}", reason=f"R{number}")
        self.expect_found(200)
        statuses, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                status, answer = self.api.get(limit=200)
                statuses.append(status)
                if status == 200:
                    assert len(answer["data"]["events"]) == 200
        clients = [threading.Thread(target=ask) for _ in range(20)]
        for client in clients:
            client.start()
        for _ in range(50):
            self.assertEqual(self.exporter.get("/metrics")[0], 200)
        stop.set()
        for client in clients:
            client.join()
        self.assertGreater(statuses.count(200), 20)
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertGreaterEqual(self.sample(
            self.exporter, "kube_event_metrics_http_requests_total",
            handler="/api/v1/events", code="200"), statuses.count(200))


class LoginTest(WebCase):

    def test_the_api_needs_the_login(self):
        self.start(f"basic_auth_users:\n  ann: {OPEN_SESAME}\n")
        api = Api(self, self.exporter)
        for what in ("events", "objects"):
            self.assertEqual(api.get(what), (401, "Unauthorized\n"))
            self.assertEqual(self.status("--user", "ann:no", scheme="http",
                                         path="/api/v1/" + what), 401)
            self.assertEqual(self.status("--user", "ann:open-sesame",
                                         scheme="http",
                                         path="/api/v1/" + what), 200)
        self.stop()

    def test_is_empty_before_the_first_list(self):
        self.start()
        api = Api(self, self.exporter)
        self.assertEqual(api.names(), [])
        query = urllib.parse.urlencode({"kind": "Node"})
        self.assertEqual(self.exporter.get("/api/v1/objects?" + query)[0], 200)
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
