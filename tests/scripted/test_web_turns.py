#!/usr/bin/python3
"""Many clients of the exporter's HTTP server at once: each gets its turn.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_web_turns.py
"""

import base64
import contextlib
import json
import selectors
import socket
import threading
import time
import unittest

from web_case import SCRAPE, WebCase

# bcrypt of "open-sesame" at a cost that takes a while: 15 ms a comparison on a
# quiet machine.
SLOW_SESAME = "$2b$08$abcdefghijklmnopqrstuuxtqXMj0ezeGztE9iENg7O4lq6Wb2jUS"
GZIP_SCRAPE = SCRAPE.replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n")
CHUNKS_END = b"\r\n0\r\n\r\n"


class Loop:
    """Clients that send a request, read the answer, and send the next one.

    One thread serves all of them, so that each reads promptly. `request` gives
    the bytes of a client's next request; an answer ends with `end`.
    """

    def __init__(self, address, count, request, end):
        self.address = address
        self.request = request
        self.end = end
        self.answers = [0] * count
        self.statuses = {}
        self.resets = 0
        self.over = False
        self.selector = selectors.DefaultSelector()
        for number in range(count):
            self._connect(number)

    def _connect(self, number):
        client = socket.create_connection(self.address, 10)
        self.selector.register(client, selectors.EVENT_READ,
                               {"number": number, "head": b"", "tail": b""})
        client.sendall(self.request(number))

    def run(self, seconds, until):
        """Until `until` holds for the answers of each client, or for long."""
        deadline = time.monotonic() + seconds
        while not self.over and not until(self.answers):
            if time.monotonic() > deadline:
                break
            for key, _ in self.selector.select(1):
                self._read(key.fileobj, key.data)

    def _read(self, client, state):
        try:
            got = client.recv(1 << 18)
            if not got:
                raise ConnectionResetError
            if len(state["head"]) < 12:
                state["head"] += got[:12]
            state["tail"] = (state["tail"] + got)[-len(self.end):]
            if state["tail"] != self.end:
                return
            status = state["head"][9:12]
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.answers[state["number"]] += 1
            state["head"] = state["tail"] = b""
            client.sendall(self.request(state["number"]))
        except OSError:
            self.resets += 1
            self.selector.unregister(client)
            client.close()
            self._connect(state["number"])

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


class ManyClientsTest(WebCase):
    SERIES = 48000
    NODES = 24000  # two series each

    def write_events(self, count):
        """Events of as many nodes, as kubectl prints them."""
        items = [{"kind": "Event", "apiVersion": "v1",
                  "metadata": {"name": f"e{i}", "namespace": "default",
                               "uid": f"u{i}", "resourceVersion": str(i + 1)},
                  "involvedObject": {"kind": "Node", "apiVersion": "v1",
                                     "name": f"a-node-with-a-long-name-{i}"},
                  "reason": "NodeNotReady", "type": "Normal", "count": 1,
                  "source": {"component": "node-controller"},
                  "firstTimestamp": "2026-11-23T10:00:00Z",
                  "lastTimestamp": "2026-11-23T10:00:00Z"}
                 for i in range(count)]
        self.write("events.json", json.dumps(
            {"kind": "List", "apiVersion": "v1", "items": items}))

    def start_with_series(self):
        self.write_events(self.NODES)
        self.start(more=["--events.from=events.json", "--log.level=debug"])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            body = self.exporter.get("/metrics")[2]
            if body.count(b"\nkube_event_") >= self.SERIES:
                return
            time.sleep(0.2)
        self.fail("the series are missing")

    def cut(self):
        """kube_event_metrics_http_requests_total of cut answers."""
        return sum(float(line.split()[-1]) for line in
                   self.exporter.get("/metrics")[2].decode().splitlines()
                   if line.startswith("kube_event_metrics_http_requests_total{")
                   and 'code="cut"' in line)

    def test_each_client_of_many_gets_its_turn(self):
        self.start_with_series()
        sanitized = self.exporter.sanitized()
        rounds = 1 if sanitized else 3
        before = self.exporter.memory("VmHWM")
        for request in (SCRAPE, GZIP_SCRAPE):
            for count in (1, 16, 17, 64):
                with self.subTest(count=count, request=request):
                    with contextlib.closing(Loop(
                            self.exporter.address, count,
                            lambda _, r=request: r, CHUNKS_END)) as loop:
                        loop.run(120, lambda a: min(a) >= rounds)
                    self.assertGreaterEqual(min(loop.answers), rounds)
                    self.assertEqual(loop.resets, 0)
                    self.assertEqual(set(loop.statuses), {b"200"})
                    self.assertLessEqual(
                        max(loop.answers), 3 * min(loop.answers) + 3)
        if not sanitized:
            # KiB: 16 answers at once, whatever the number of clients.
            self.assertLess(self.exporter.memory("VmHWM"), before + 12 * 1024)
        # The loops ended in the midst of answers: those are cut.
        self.assertNotIn("stalls", self.exporter.stderr())
        self.stop()

    def test_a_client_that_does_not_read_loses_its_turn(self):
        self.start_with_series()
        stalled = []
        for _ in range(16):
            client = socket.socket()
            self.addCleanup(client.close)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.connect(self.exporter.address)
            client.sendall(SCRAPE)
            self.assertEqual(client.recv(15), b"HTTP/1.1 200 OK")
            stalled.append(client)
        self.assertEqual(self.exporter.get("/livez")[0], 200)
        self.assertNotIn("Cut an answer", self.exporter.stderr())
        # The 17th waits until one of them has stalled for a second.
        status, _, body = self.exporter.get("/metrics")
        self.assertEqual(status, 200)
        self.assertGreaterEqual(body.count(b"\nkube_event_"), self.SERIES)
        self.assertRegex(
            self.exporter.stderr(),
            r'level=debug msg="Cut an answer" client=127\.0\.0\.1:[0-9]+ '
            r'handler=/metrics reason="the client stalls while others wait" '
            r'sent_bytes=[0-9]+\n')
        self.assertEqual(self.exporter.stderr().count("Cut an answer"), 1)
        whole = 0
        for client in stalled:
            with contextlib.suppress(OSError):
                tail = b""
                while not tail.endswith(CHUNKS_END):
                    got = client.recv(1 << 18)
                    if not got:
                        break
                    tail = (tail + got)[-len(CHUNKS_END):]
                whole += tail == CHUNKS_END
        self.assertEqual(whole, 15)
        self.assertEqual(self.cut(), 1)
        self.stop()

    def test_a_first_login_among_guessers(self):
        self.start(f"basic_auth_users:\n  prometheus: {SLOW_SESAME}\n")

        def guess(number, counter=iter(range(10**9))):
            login = base64.b64encode(f"prometheus:{number}-{next(counter)}"
                                     .encode()).decode()
            return (f"GET /metrics HTTP/1.1\r\nHost: a\r\n"
                    f"Authorization: Basic {login}\r\n\r\n").encode()

        loop = Loop(self.exporter.address, 50, guess, b"Unauthorized\n")
        self.addCleanup(loop.close)
        guessers = threading.Thread(
            target=loop.run, args=(120, lambda a: False))
        guessers.start()
        try:
            deadline = time.monotonic() + 60
            while sum(loop.answers) < 50 and time.monotonic() < deadline:
                time.sleep(0.05)
            before = sum(loop.answers)
            login = base64.b64encode(b"prometheus:open-sesame").decode()
            status = self.exporter.get(
                "/metrics", {"Authorization": "Basic " + login})[0]
            self.assertEqual(status, 200)
            # One guess of each is ahead; some answers are on their way.
            self.assertLessEqual(sum(loop.answers) - before, 75)
        finally:
            loop.over = True
            guessers.join()
        self.assertEqual(loop.resets, 0)
        self.assertEqual(set(loop.statuses), {b"401"})
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
