#!/usr/bin/python3
"""The sink otlp in both encodings, and every fault of test_sinks.py in JSON.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_otlp.py
"""

import socket
import unittest

import otlp
import test_sinks
from sink_case import SinkCase


class ProtobufTest(SinkCase):

    def test_partial_success_is_counted(self):
        receiver = self.make_receiver()
        receiver.next_answers += ["503", "partial", "up", "partial"]
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}}}\n")
        exporter = self.start()
        for i in range(3):
            self.happen(f"n-{i}")
            self.happen(f"n-{i + 1}")
            self.assertTrue(self.until(lambda: len(receiver.taken) + len(
                receiver.rejected) == len(self.written)))
        self.assertEqual(len(receiver.rejected), 2)
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "delivered_total", "store") == len(receiver.taken)))
        self.assertEqual(self.sink_sample(
            exporter, "dropped_total", "store", reason="refused"), 2)
        self.assertIn("records that the collector rejected: 1, one too many", exporter.stderr())
        self.assertEqual(receiver.problems, [])

    def test_records_have_their_object_as_resource(self):
        receiver = self.make_receiver()
        receiver.encoding = None
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}, compression: none, "
                    "labels: {team: infra}, "
                    "resource-attributes: {k8s.cluster.name: prod}}\n")
        self.start()
        self.happen("n-1", by=3)
        self.happen("n-1", by=2)
        self.happen("n-2")
        self.expect_delivered(receiver)
        for one in receiver.taken:
            self.assertEqual(one.resource, {
                "service.name": "kube-event-metrics",
                "service.instance.id": socket.gethostname(),
                "k8s.cluster.name": "prod", "k8s.node.name": one.object})
            self.assertEqual(one.fields["team"], "infra")
        second = next(one for one in receiver.taken
                      if one.id == "uid-n-1.Rebooted/5")
        self.assertEqual(
            (second.delta, second.fields["k8s.event.count"],
             second.fields["k8s.event.reason"]), (2, 5, "Rebooted"))

    def test_replicas_write_the_same_records(self):
        receiver = self.make_receiver()
        self.config(f"sinks:\n- {self.otlp_entry(receiver)}}}\n")
        for name in ("one", "two"):
            self.start(name=name)
        for i in range(5):
            self.happen(f"n-{i}", by=i + 1)
        self.assertTrue(receiver.wait_for(2 * len(self.written), 20))
        self.assertEqual(receiver.problems, [])
        for key, _ in self.written:
            one, two = (record.whole for record in receiver.taken
                        if record.id == key)
            self.assertEqual(one, two)


class JsonTest(ProtobufTest):

    ENCODING, CONTENT_TYPE = "json", otlp.JSON


class JsonFaultsTest(test_sinks.ReceiverTest):

    ENCODING, CONTENT_TYPE = "json", otlp.JSON


if __name__ == "__main__":
    unittest.main()
