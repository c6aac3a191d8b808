#!/usr/bin/python3
"""Connections of sinks: handshakes, counted at the receiver; names that hang.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_sink_connections.py

The numbers are exact: what is counted is every connection that carried a request.
"""

import shutil
import unittest

import test_responsive
from sink_case import SinkCase

REQUESTS = 1000


class KeptTest(SinkCase):

    def deliver(self, receiver, requests):
        """One occurrence a request."""
        for _ in range(requests):
            self.happen("n-1")
            self.assertTrue(receiver.wait_for(len(self.written), 20))

    def start_with_client(self, receiver):
        """A sink whose authority and client certificate can be rotated."""
        made = receiver.certificates
        self.install(made.authority("a"), "ca")
        self.rotate(made, "one")
        self.config(f"sinks:\n- {{name: store, type: otlp, endpoint: "
                    f"'{receiver.url}', ca-file: ca, cert-file: cert, "
                    "key-file: key}\n")
        return self.start()

    def rotate(self, certificates, name):
        for source, target in zip(certificates.pair("client", name, "a"),
                                  ("cert", "key")):
            self.install(source, target)

    def install(self, source, name):
        shutil.copy(source, self.path(name))

    def check(self, exporter, receiver, connections):
        self.assertEqual(receiver.connections, connections)
        self.assertEqual(
            self.sink_sample(exporter, "connections_total", "store"),
            connections)
        self.assertEqual(
            self.sink_sample(exporter, "failures_total", "store"), 0)
        self.expect_delivered(receiver)

    def test_one_handshake_for_a_thousand_requests(self):
        receiver = self.make_receiver(tls=True)
        exporter = self.start_with_client(receiver)
        self.deliver(receiver, REQUESTS)
        self.assertEqual(len(receiver.headers), REQUESTS)
        print(f"{REQUESTS} requests, {receiver.connections} handshakes")
        self.check(exporter, receiver, 1)
        self.assertNotIn("connection", receiver.headers[0])

    def test_a_rotation_needs_one_handshake(self):
        receiver = self.make_receiver(tls=True)
        exporter = self.start_with_client(receiver)
        self.deliver(receiver, 3)
        self.rotate(receiver.certificates, "two")
        self.deliver(receiver, 3)
        self.check(exporter, receiver, 2)
        with open(self.path("ca"), "a", encoding="ascii") as file, open(
                receiver.certificates.authority("b"), encoding="ascii") as more:
            file.write(more.read())
        self.deliver(receiver, 3)
        self.check(exporter, receiver, 3)
        self.assertEqual(receiver.clients, ["one"] * 3 + ["two"] * 6)

    def test_a_reload_of_other_sinks_needs_none(self):
        receiver = self.make_receiver(tls=True)
        exporter = self.start_with_client(receiver)
        self.deliver(receiver, 1)
        with open(self.path("config.yaml"), "a", encoding="ascii") as file:
            file.write("- {name: audit, type: log, path: log}\n")
        self.assertEqual(exporter.get("/-/reload", method="POST")[0], 200)
        self.deliver(receiver, 1)
        self.check(exporter, receiver, 1)
        self.assertEqual(
            self.sink_sample(exporter, "connections_total", "audit"), 0)

    def test_a_receiver_that_closes_idle_connections(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                receiver = self.make_receiver(tls=tls)
                if tls:
                    exporter = self.start_with_client(receiver)
                else:
                    self.config(f"sinks:\n- {{name: store, type: otlp, "
                                f"endpoint: '{receiver.url}'}}\n")
                    exporter = self.start(name="plain")
                self.written.clear()
                for _ in range(5):
                    self.deliver(receiver, 2)
                    receiver.hang_up()
                self.check(exporter, receiver, 5)

    def test_a_receiver_that_closes_instead_of_an_answer(self):
        """The request is sent once more, on a new connection."""
        receiver = self.make_receiver(tls=True)
        exporter = self.start_with_client(receiver)
        self.deliver(receiver, 1)
        for _ in range(5):
            receiver.next_answers.append("cut")
            self.deliver(receiver, 1)
        self.check(exporter, receiver, 6)
        self.assertEqual(receiver.answered["cut"], 5)
        self.assertEqual(len(receiver.headers), 11)

    def test_a_receiver_that_closes_each(self):
        receiver = self.make_receiver(tls=True, closes_each=True)
        exporter = self.start_with_client(receiver)
        self.deliver(receiver, 10)
        self.check(exporter, receiver, 10)

    def test_mirrors_and_annotations_have_a_connection_each(self):
        self.config("sinks:\n- {name: infra, type: mirror, namespace: infra}\n"
                    "- {name: trouble, type: annotate, "
                    "filter: {kinds: [Node]}}\n")
        exporter = self.start()
        for i in range(20):
            self.happen(f"n-{i}")
        for name in ("infra", "trouble"):
            self.assertTrue(self.until(lambda one=name: self.sink_sample(
                exporter, "delivered_total", one) == 20))
            self.assertEqual(
                self.sink_sample(exporter, "connections_total", name), 1)
        self.assertEqual(len(self.cluster.writers), 2)


class NameTest(test_responsive.NameServerCase):

    def test_a_name_that_hangs_delays_no_other_sink(self):
        receiver = self.make_receiver()
        exporter = None
        for number in range(5):
            self.config(
                "sinks:\n- {name: lost, type: otlp, queue-entries: "
                f"{1000 + number}, endpoint: 'http://collector.example:4318'}}\n"
                f"- {{name: store, type: otlp, endpoint: '{receiver.url}'}}\n")
            if exporter:
                self.post_reload(exporter)
            else:
                exporter = self.launch_ready(
                    prefix=test_responsive.in_own_mounts(
                        test_responsive.WITH_RESOLV_CONF))
            self.happen("n-1")
            self.assertTrue(self.until(
                lambda: self.names.was_asked("collector.example")))
            self.assertTrue(receiver.wait_for(len(self.written),
                                              test_responsive.ANSWER))
        self.expect_delivered(receiver)
        self.assertEqual(
            self.sink_sample(exporter, "delivered_total", "lost"), 0)
        self.expect_end(exporter)


if __name__ == "__main__":
    unittest.main()
