#!/usr/bin/python3
"""Tests of the scenario grammar: lines, conditions, watch events."""

import glob
import json
import os
import socket
import tempfile
import unittest

import browser
import checks
import discovery
import objects
import otlp
import play
import receiver
import standin
import stream
import wire
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))


class WorldTest(unittest.TestCase):
    def setUp(self):
        self.world = objects.World(1_700_000_000)

    def test_a_line_inherits_from_earlier_lines(self):
        self.world.event("x n=5 first=before", list_rv=100)
        spec = self.world.event("x rv=101 n=6")
        event = self.world.render(spec)
        self.assertEqual(event["count"], 6)
        self.assertEqual(event["metadata"]["resourceVersion"], "101")
        self.assertEqual(event["firstTimestamp"], "2023-11-14T22:03:20Z")
        self.assertEqual(event["lastTimestamp"], "2023-11-14T22:13:21Z")

    def test_a_new_uid_keeps_the_first_time(self):
        first = self.world.render(self.world.event("x rv=1 n=1"))
        again = self.world.render(self.world.event("x rv=2 n=2 uid=b"))
        self.assertNotEqual(first["metadata"]["uid"], again["metadata"]["uid"])
        self.assertEqual(first["firstTimestamp"], again["firstTimestamp"])

    def test_an_unchanged_list_item_keeps_its_resource_version(self):
        self.world.event("x n=5", list_rv=100)
        self.assertEqual(self.world.event("x", list_rv=200)["rv"], "100")
        self.assertEqual(self.world.event("x n=6", list_rv=200)["rv"], "200")

    def test_a_series_has_no_legacy_times(self):
        event = self.world.render(self.world.event("s rv=1 series=2"))
        self.assertIsNone(event["firstTimestamp"])
        self.assertEqual(event["series"]["count"], 2)
        self.assertNotIn("count", event)

    def test_the_other_api_group_renames_fields(self):
        spec = self.world.event("x rv=1 n=3 ons=-")
        event = self.world.render(spec, "events.k8s.io")
        self.assertEqual(event["deprecatedCount"], 3)
        self.assertNotIn("namespace", event["regarding"])
        self.assertNotIn("involvedObject", event)

    def test_ranges_run_side_by_side(self):
        self.assertEqual(objects.expand("A k{1..2} rv={7..8}"),
                         ["A k1 rv=7", "A k2 rv=8"])

    def test_unknown_words_are_refused(self):
        with self.assertRaises(ValueError):
            self.world.event("x rv=1 cuont=3")


class ChecksTest(unittest.TestCase):
    def test_reads_escaped_labels(self):
        sample = checks.parse_metrics(b'a{b="x\\"y\\\\z\\n"} 3\n')
        self.assertEqual(sample, [("a", {"b": 'x"y\\z\n'}, 3.0)])

    def test_refuses_what_prometheus_would_refuse(self):
        for body in (b"a 1", b"a{b=c} 1\n", b"a 1\na 1\n", b"a x\n",
                     b'a{b="\xff"} 1\n', b'a{b="1",b="2"} 1\n'):
            with self.assertRaises(checks.Malformed):
                checks.parse_metrics(body)

    def test_conditions(self):
        samples = checks.parse_metrics(b'a{b="1"} 2\na{b="2"} 3\n')
        self.assertIsNone(checks.check_metric(samples, "a = 5"))
        self.assertIsNone(checks.check_metric(samples, 'a{b="2"} >= 3'))
        self.assertIsNone(checks.check_metric(samples, 'a{b="3"} absent'))
        self.assertIn("got 2", checks.check_metric(samples, 'a{b="1"} = 3'))


class StreamTest(unittest.TestCase):
    def received(self, *items):
        ours, theirs = socket.socketpair()
        theirs.settimeout(10)
        connection = wire.Connection(ours)

        class Exchange:
            pass
        exchange = Exchange()
        exchange.connection = connection
        script = stream.Stream(exchange, objects.World(0), "core")
        for item in items:
            script.send(item)
        connection.close()
        data = b""
        while True:
            part = theirs.recv(65536)
            if not part:
                theirs.close()
                return data
            data += part

    def test_a_frame_is_one_chunk_and_one_line(self):
        data = self.received("A x rv=5 n=2", "clean")
        size, _, rest = data.partition(b"\r\n")
        frame = rest[:int(size, 16)]
        self.assertEqual(json.loads(frame)["object"]["count"], 2)
        self.assertTrue(frame.endswith(b"\n"))
        self.assertTrue(data.endswith(b"\r\n0\r\n\r\n"))

    def test_one_byte_a_chunk(self):
        data = self.received({"frame": "B rv=9", "chunks": [1]})
        self.assertEqual(data[:12], b"1\r\n{\r\n1\r\n\"\r\n")

    def test_a_cut_chunk_promises_more_than_it_holds(self):
        data = self.received({"raw": "0123456789", "cut_chunk": 60})
        self.assertEqual(data, b"a\r\n012345")


class ScenarioFilesTest(unittest.TestCase):
    def test_every_file_has_a_description(self):
        for path in glob.glob(os.path.join(HERE, "scenarios", "*.yaml")):
            with open(path, encoding="utf-8") as file:
                scenario = yaml.safe_load(file)
            self.assertIn("about", scenario, path)
            self.assertTrue("play" in scenario or "exits" in scenario, path)
            play.check_steps(scenario.get("play", []))

    def test_discovery_knows_both_scopes(self):
        tables = discovery.Discovery().tables
        self.assertIn(("nodes", "Node", "C"), tables["v1"])
        self.assertIn(("pods", "Pod", "N"), tables["v1"])


class StandInTest(unittest.TestCase):
    EVENT = {"involvedObject": {"kind": "Node"}, "reason": "Rebooted",
             "type": "Warning"}

    def test_field_selectors(self):
        for text, selected in (
                (None, True), ("involvedObject.kind=Node", True),
                ("regarding.kind=Pod", False), ("type!=Normal", True),
                ("reason!=Starting,type=Normal", False)):
            self.assertEqual(standin.selection(text)(self.EVENT), selected)
        with self.assertRaises(KeyError):
            standin.selection("metadata.color=red")


class ReceiverTest(unittest.TestCase):
    @staticmethod
    def record(key, delta=1, name="n"):
        return receiver.Record(
            {"attributes": []},
            {"body": {"stringValue": ""}, "attributes": [
                {"key": "k8s.object.name", "value": {"stringValue": name}},
                {"key": "log.record.uid", "value": {"stringValue": key}},
                {"key": "kube_event.delta", "value": {"intValue": delta}}]})

    def test_what_is_wrong_with_a_delivery(self):
        written = {"u/1": 1, "u/2": 2}
        one, two = self.record("u/1"), self.record("u/2", 2)
        for taken, wrong in (
                ([one, two], []), ([one], ["u/2 is lost"]),
                ([two, one], ["u/1 arrived after a newer one of n"]),
                ([one, one, two], ["u/1 arrived twice"]),
                ([one, two, self.record("u/3")], ["u/3 was never written"]),
                ([one, self.record("u/2")], ["u/2: written 2, taken 1"])):
            self.assertEqual(receiver.compare(taken, written), wrong)
        self.assertEqual(receiver.compare([one, two, one], written, False), [])

    # As protoc 3.21 encodes the text form of the message.
    REQUEST = bytes.fromhex(
        "0a320a0a0a080a016b12030a0176122412220901000000000000001009"
        "2a030a016d32100a016e120b18ffffffffffffffffff01")

    def test_protobuf_is_read_as_json(self):
        self.assertEqual(otlp.read_request(otlp.PROTOBUF, self.REQUEST), {
            "resourceLogs": [{
                "resource": {"attributes": [
                    {"key": "k", "value": {"stringValue": "v"}}]},
                "scopeLogs": [{"logRecords": [{
                    "timeUnixNano": "1", "severityNumber": 9,
                    "body": {"stringValue": "m"}, "attributes": [{
                        "key": "n", "value": {"intValue": "-1"}}]}]}]}]})
        for broken in (self.REQUEST[:-1], b"\x0b", b"\x0d\x01"):
            with self.assertRaises((ValueError, KeyError, IndexError)):
                otlp.read_request(otlp.PROTOBUF, broken)

    def test_a_resource_that_is_there_twice(self):
        logs = {"resource": {"attributes": []}, "scopeLogs": []}
        with self.assertRaises(ValueError):
            receiver.records({"resourceLogs": [logs, logs]})


@unittest.skipUnless(browser.available(), "needs chromium")
class BrowserTest(unittest.TestCase):
    EVIL = ("<title>quiet</title><b>text</b><p hidden>x</p>"
            "<script>document.title = 'ran'</script>"
            "<img src=x onerror=\"document.title += ' again'\">")

    def look(self, head):
        with tempfile.TemporaryDirectory(prefix="kem-page-") as folder:
            path = os.path.join(folder, "page.html")
            with open(path, "w", encoding="utf-8") as file:
                file.write("<!DOCTYPE html>" + head + self.EVIL)
            return browser.look("file://" + path)

    def test_what_runs_is_seen(self):
        page = self.look("")
        self.assertEqual(page.title, "ran again")
        self.assertEqual(page.elements["script"], 1)
        self.assertEqual(page.handlers, ["onerror"])
        self.assertEqual(page.text, "text x")

    def test_the_content_security_policy_stops_it(self):
        page = self.look('<meta http-equiv="Content-Security-Policy" '
                         'content="default-src \'none\'">')
        self.assertEqual(page.title, "quiet")


if __name__ == "__main__":
    unittest.main()
