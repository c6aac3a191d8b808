#!/usr/bin/python3
"""Shows each check of tests/eyes/run failing once, with a wrong dashboard and a
Prometheus of a few lines."""

import http.server
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import draw  # noqa: E402
import pages  # noqa: E402

DASHBOARDS = HERE.parents[1] / "dashboards" / "json"
END = 1700000040
LONG = "a name whose end does not fit into so narrow a column"


def answer(path, query):
    """The answer of this Prometheus: (HTTP status, data)."""
    if path.endswith("/values"):
        return 200, [] if "gone" in path else ["a", "b"]
    if query == "broken":
        return 400, None
    names = {"empty": [], "one": ["one"], "long": [LONG],
             "many": [f"name {number}" for number in range(99)]}[query]
    if path.endswith("query"):
        return 200, {"resultType": "vector", "result": [
            {"metric": {"name": name}, "value": [END, "1"]}
            for name in names]}
    samples = [[END - ago, "1"] for ago in range(3600, 0, -60)]
    return 200, {"resultType": "matrix", "result": [
        {"metric": {"name": name}, "values": samples} for name in names]}


class Prometheus(http.server.BaseHTTPRequestHandler):
    def log_message(self, format, *args):
        pass

    def do_GET(self):
        path, _, query = self.path.partition("?")
        status, data = answer(path, urllib.parse.parse_qs(query).get(
            "query", [""])[0])
        body = json.dumps(
            {"status": "success", "data": data} if data is not None
            else {"status": "error", "error": "it is broken"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def panel(number, kind, expr, **more):
    target = {"refId": "A", "expr": expr,
              "instant": kind != "timeseries",
              "format": "table" if kind == "table" else "time_series"}
    if kind == "timeseries":
        target["legendFormat"] = "{{name}}"
    return {"id": number, "type": kind, "title": f"panel {number}",
            "gridPos": {"x": number % 4 * 6, "y": number // 4 * 8, "w": 6,
                        "h": 8}, "targets": [target], **more}


def narrow(name):
    return {"defaults": {}, "overrides": [
        {"matcher": {"id": "byName", "options": name},
         "properties": [{"id": "custom.width", "value": 60}]}]}


PANELS = [
    panel(1, "stat", "one"), panel(2, "timeseries", "one"),
    panel(3, "table", "one", transformations=[
        {"id": "organize", "options": {"excludeByName": {"Time": True}}}]),
    panel(4, "timeseries", "empty"), panel(5, "table", "empty",
                                           description="kube-state-metrics"),
    panel(6, "stat", "broken"), panel(7, "news", "one"),
    panel(8, "table", "long", fieldConfig=narrow("name")),
    panel(9, "timeseries", "many"),
    panel(10, "table", "one", transformations=[{"id": "magic"}]),
    panel(11, "stat", "one", title=LONG + LONG),
    {"id": 12, "type": "row", "title": "closed", "collapsed": True,
     "gridPos": {"x": 0, "y": 24, "w": 24, "h": 1},
     "panels": [panel(25, "stat", "broken")]},
    {"id": 13, "type": "row", "title": "below", "collapsed": True,
     "gridPos": {"x": 0, "y": 25, "w": 24, "h": 1}, "panels": []}]
WIDTH = 1500
VARIABLES = [{"name": name, "type": "query", "includeAll": True,
              "query": f"label_values({name})"} for name in ("here", "gone")]


def size(picture):
    """(width, height) of a PNG."""
    return struct.unpack(">2I", picture[16:24])


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="kem-eyes-") as folder:
            path = pathlib.Path(folder) / "wrong.json"
            path.write_text(json.dumps({
                "uid": "wrong", "title": "Wrong", "panels": PANELS,
                "templating": {"list": VARIABLES},
                "time": {"from": "now-1h", "to": "now"}}), encoding="utf-8")
            cls.faults, cls.picture = cls.draw(server, path, draw.View("light"))
            cls.opened, cls.narrow = cls.draw(
                server, path, draw.View("light", WIDTH, True))
        server.shutdown()
        server.server_close()

    @staticmethod
    def draw(server, path, view):
        """The faults of the dashboard and its picture."""
        found = draw.all_of(
            {"wrong": path}, f"http://127.0.0.1:{server.server_port}", END,
            path.parent, view)
        return found["wrong"], (path.parent / "wrong.png").read_bytes()

    def about(self, number):
        return [fault for fault in self.faults
                if fault.startswith(f"Panel {number} ")]

    def test_a_picture_is_drawn(self):
        self.assertEqual(self.picture[:4], b"\x89PNG")
        self.assertEqual(size(self.picture)[0], 1600)
        self.assertEqual(size(self.narrow)[0], WIDTH)

    def test_a_closed_row_is_drawn_when_open(self):
        self.assertEqual(self.about(25), [])
        self.assertIn("Panel 25 (panel 25) shows an error: it is broken.",
                      self.opened)
        self.assertGreater(size(self.narrow)[1], size(self.picture)[1])

    def test_correct_panels_are_not_reported(self):
        for number in (1, 2, 3):
            self.assertEqual(self.about(number), [])

    def test_no_data_is_reported_unless_optional(self):
        self.assertRegex(self.about(4)[0], "has no data")
        self.assertEqual(self.about(5), [])

    def test_an_error_is_reported(self):
        self.assertRegex(self.about(6)[0], "it is broken")
        self.assertRegex(self.about(10)[0], "magic")

    def test_an_unknown_type_is_reported(self):
        self.assertRegex(self.about(7)[0], "type news")

    def test_cut_text_is_reported(self):
        self.assertRegex(self.about(8)[0], "is cut")
        self.assertRegex(self.about(11)[0], "is cut")

    def test_a_long_legend_is_reported(self):
        self.assertRegex(self.about(9)[0], "legend")

    def test_a_variable_without_a_value_is_reported(self):
        self.assertIn("Variable gone has no value.", self.faults)
        self.assertNotIn("Variable here has no value.", self.faults)


class LogQl(unittest.TestCase):
    """Grafana's grammar of LogQL accepts the queries for Loki. They run nowhere
    here, because Loki has no permissive license."""

    @staticmethod
    def refused(queries):
        modules = pages.packages()
        done = subprocess.run(
            ["node", HERE / "logql.mjs", modules], input=json.dumps(queries),
            capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def test_the_queries_of_the_dashboards(self):
        found = [target["expr"] for path in sorted(DASHBOARDS.glob("*.json"))
                 for row in json.loads(path.read_text("utf-8"))["panels"]
                 for panel in row.get("panels", ())
                 for target in panel.get("targets", ())
                 if target["datasource"]["type"] == "loki"]
        self.assertEqual(len(found), 3)
        self.assertEqual(self.refused(found), [])

    def test_what_is_not_logql(self):
        wrong = ["{a=`b`} | c=~", "{a=`b`} | k8s.object.kind=`Node`", "sum("]
        self.assertEqual(self.refused(["{a=`b`} | c=`d`", *wrong]), wrong)


if __name__ == "__main__":
    unittest.main()
