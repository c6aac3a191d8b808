#!/usr/bin/python3
"""--events.from as a person uses it: files that are and are not lists of
Events, the page over a dump, and --dry-run.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_offline.py
"""

import gzip
import json
import os
import re
import subprocess
import tempfile
import unittest

from exporter import Exporter


def event(name, kind="Node", namespace=None, count=1):
    reference = {"kind": kind, "name": name + "-object", "apiVersion": "v1"}
    if namespace:
        reference["namespace"] = namespace
    return {"metadata": {"name": name, "namespace": namespace or "default",
                         "uid": "u-" + name, "resourceVersion": "7",
                         "creationTimestamp": "2024-05-06T07:00:00Z"},
            "involvedObject": reference, "reason": "SystemOOM",
            "message": "out of memory", "type": "Warning", "count": count,
            "firstTimestamp": "2024-05-06T07:00:00Z",
            "lastTimestamp": "2024-05-06T07:20:00Z",
            "source": {"component": "kubelet"}}


def node(name):
    return {"metadata": {"name": name, "resourceVersion": "3"}}


STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure",
          "message": "events is forbidden", "reason": "Forbidden", "code": 403}
EVENTS = json.dumps({"kind": "EventList", "items": [event("a", count=5)]})


class OfflineCase(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kem-offline-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.binary = os.path.abspath(os.environ["KEM_EXPORTER"])

    def write(self, content, name="events.json"):
        if isinstance(content, str):
            content = content.encode()
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)

    def run_with(self, *flags, stdin=b""):
        """(exit code, standard output, standard error)."""
        done = subprocess.run([self.binary, *flags], input=stdin,
                              capture_output=True, check=False, timeout=60,
                              cwd=self.folder, env={"HOME": self.folder})
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def once(self, content):
        """(exit code, occurrences, errors that the log has)."""
        self.write(content)
        code, text, log = self.run_with("--events.from=events.json", "--once")
        counted = sum(float(value) for value in re.findall(
            r"^kube_event_occurrences_total\{.*\} (\S+)$", text, re.M))
        return code, counted, re.findall(r'level=error .*error="(.*)"$', log,
                                         re.M)

    def refused(self, content):
        """The one sentence about an input without Events."""
        code, counted, errors = self.once(content)
        self.assertEqual((code, counted, len(errors)), (1, 0, 1), errors)
        return errors[0].replace('\\"', '"')


class InputTest(OfflineCase):

    def test_what_is_a_list_of_events(self):
        array = json.dumps([event("a", count=5), event("b")], indent=1)
        for content, counted in [
                (EVENTS, 5), (array, 6), ("[]", 0),
                ('{"kind":"EventList","items":[]}', 0),
                ('{"kind":"EventList","items":null}', 0),
                ("\ufeff" + EVENTS, 5),
                ("\ufeff".encode("utf-16-le") +
                 EVENTS.replace(", ", ",\r\n").encode("utf-16-le"), 5),
                ("\ufeff".encode("utf-16-be") + EVENTS.encode("utf-16-be"), 5),
                (EVENTS + json.dumps({"kind": "PodList",
                                      "items": [node("p")]}), 5)]:
            self.assertEqual(self.once(content), (0, counted, []), content)

    def test_what_is_not(self):
        first = "--events.from events.json: "
        for content, sentence in [
                ("", "it is empty; kubectl may have failed"),
                (json.dumps({"kind": "NodeList", "items": [node("n")] * 3}),
                 "it has no valid Events; objects left out: 3 of other kinds "
                 "(first: Node)"),
                (json.dumps({"items": [node("n")], "kind": "PodList"}),
                 "it has no valid Events; objects left out: 1 of other kinds "
                 "(first: unknown)"),
                (json.dumps({"kind": "PodList", "items": []}),
                 "it has a list, but not of Events"),
                (json.dumps(STATUS),
                 "it has no Events, but an error of the API server: 403 "
                 "Forbidden: events is forbidden"),
                (json.dumps({"type": "ERROR", "object": {
                    **STATUS, "code": 410, "reason": "Expired",
                    "message": "too old resource version: 1 (5)"}}),
                 "it has no Events, but an error of the API server: 410 "
                 "Expired: too old resource version: 1 (5)"),
                ("<!DOCTYPE html>\n<html></html>\n",
                 'line 1: this is no JSON object or list, but "<!DOCTYPE '
                 'html>"; use the output of kubectl get events -A -o json'),
                (gzip.compress(EVENTS.encode()),
                 "line 1: this is no JSON object or list, but gzip data; use "
                 "the output of kubectl get events -A -o json"),
                ('[1]', "line 1: the list has an item that is not an object")]:
            self.assertEqual(self.refused(content), first + sentence, content)

    def test_an_error_after_events(self):
        self.write(json.dumps({"type": "ADDED", "object": event("a")}) + "\n" +
                   json.dumps({"type": "ERROR", "object": STATUS}) + "\n")
        code, text, log = self.run_with("--events.from=events.json", "--once")
        self.assertEqual(code, 0, log)
        self.assertRegex(text, r"kube_event_occurrences_total\{.*\} 1\n")
        self.assertIn('error="403 Forbidden: events is forbidden"', log)

    def test_hidden_characters_of_the_input_do_not_reach_the_terminal(self):
        self.write("\u202e\u009b31m\n")
        code, text, log = self.run_with("--events.from=events.json", "--once")
        self.assertEqual((code, text), (1, ""))
        self.assertIn("[U+202E][U+009B]31m", log)

    def test_a_pod_without_a_namespace_is_namespaced(self):
        self.write(json.dumps([event("a", "Pod"), event("b", "Node")]))
        _, text, log = self.run_with("--events.from=events.json", "--once")
        self.assertRegex(text, r'_total\{scope="namespaced",api_group="",'
                         r'kind="Pod",object_namespace="default"')
        self.assertEqual(re.findall(
            r'object_occurrences_total\{.*object_name="(.*?)"', text),
            ["b-object"], log)


class DryRunTest(OfflineCase):

    def test_names_the_file(self):
        code, text, log = self.run_with("--dry-run",
                                        "--events.from=absent.json")
        self.assertEqual((code, text), (2, ""))
        self.assertEqual(log, "kube-event-metrics: --events.from absent.json: "
                         "cannot be read: No such file or directory\n")

    def test_reads_the_file(self):
        for content, wanted in [(EVENTS, 0), ("{", 2), ("", 2)]:
            self.write(content)
            code, text, log = self.run_with("--dry-run",
                                            "--events.from=events.json")
            self.assertEqual(code, wanted, log)
            self.assertEqual(text, "" if wanted else
                             "# kube-event-metrics --dry-run: flags and files "
                             "are valid\n")

    def test_does_not_wait_for_standard_input(self):
        self.assertEqual(self.run_with("--dry-run", "--events.from=-")[0], 0)


class PageTest(OfflineCase):

    def test_is_about_the_dump(self):
        self.write(json.dumps([event("a", count=3),
                               event("b", "Pod", "shop")]))
        exporter = Exporter(self.binary, self.folder)
        self.addCleanup(exporter.kill)
        exporter.start(["--events.from=events.json",
                        "--web.listen-address=127.0.0.1:0"])
        exporter.wait_listening()
        while exporter.get("/readyz")[0] != 200:
            pass
        page = exporter.get("/")[2].decode()
        self.assertIn("<b>Offline</b> from events.json: 2 Events, from "
                      "2024-05-06 07:00:00 to 2024-05-06 07:20:00 UTC.", page)
        self.assertIn("<bdi>a-object</bdi>", page)
        self.assertIn("<b>3 occurrences</b> in 1 Event about 1 object", page)
        for wrong in ("In sync", "API server", "Watching", "last hour"):
            self.assertNotIn(wrong, page)
        exporter.signal("TERM")
        self.assertEqual(exporter.wait_exit(12)[0], 0, exporter.stderr())


if __name__ == "__main__":
    unittest.main(verbosity=2)
