#!/usr/bin/python3
"""The build rejects a wrong reason catalogue and reports each mistake.

    reason_catalogue_tool_test.py <make_reason_catalogue>
"""

import os
import subprocess
import sys
import tempfile
import unittest

TOOL = sys.argv.pop() if len(sys.argv) > 1 else "make_reason_catalogue"
GOOD = """- source: kubernetes
  groups:
  - component: kubelet
    kinds: [Node]
    rows:
    - reasons: [NodeNotReady]
      types: [Normal]
      severity: critical
      meaning: It is "not" ready.
      action: Look at it.
      reference: a/project file.go
- source: an-add-on
  found_by: Thing.example.com
  groups:
  - component: any
    kinds: any
    types: [Normal, Warning]
    severity: info
    action: None.
    reference: https://example.com/reasons
    rows:
    - reasons: [One, Two]
      meaning: Something.
"""
# What is replaced in GOOD, by what, and what is said of it.
MISTAKES = [
    ("- source: kubernetes", "source: kubernetes\nx:\n- source: y",
     ":1: the file must be a list of sources"),
    ("  groups:\n  - component: k", "  group:\n  - component: k",
     ":2: a source has no key 'group'"),
    ("  groups:\n  - component: k", "  group:\n  - component: k",
     ":1: a list 'groups' is missing or empty"),
    ("    kinds: [Node]\n", "    kinds: [Node]\n    colour: red\n",
     ":5: a group has no key 'colour'"),
    ("      severity: critical", "      severty: critical",
     ":8: a row has no key 'severty'"),
    ("      severity: critical", "      types: [Warning]",
     ":8: duplicate key 'types'"),
    ("      severity: critical\n", "", ":6: 'severity' is missing"),
    ("severity: critical", "severity: fatal", ":6: severity 'fatal' must be"),
    ("types: [Normal]", "types: [Ok]", ":7: type 'Ok' must be Normal or"),
    ("types: [Normal]\n", "types: []\n",
     ":6: a list 'types' is missing or empty"),
    ("types: [Normal]\n", "types: Normal\n",
     ":6: a list 'types' is missing or empty"),
    ("[NodeNotReady]", "[]", ":6: a list 'reasons' is missing or empty"),
    ("[NodeNotReady]", "['node %s']", ":6: 'node %s' is not a reason"),
    ("[NodeNotReady]", "[A, A]", ":6: A (Normal) of Node is already in line 6"),
    ("      action: Look at it.\n", "", ":6: 'action' is missing"),
    ("Look at it.", "Look at it", ":6: 'Look at it' must be one line that"),
    ("      meaning: Something.\n", "", ":22: 'meaning' is missing"),
    ("      reference: a/project file.go\n", "", ":6: 'reference' is missing"),
    ("component: kubelet", "component: two words",
     ":6: 'two words' is not a component name"),
    ("  - component: kubelet\n    kinds", "  - kinds",
     ":5: 'component' is missing"),
    ("kinds: [Node]", "kinds: [Pod]",
     ":4: 'Pod' is not a cluster-scoped kind of Kubernetes"),
    ("    kinds: [Node]\n", "    kinds: [Node]\n    scope: namespaced\n",
     ":4: 'Node' is not a namespaced kind of Kubernetes"),
    ("    kinds: [Node]\n", "    kinds: [Node]\n    scope: cluster\n",
     ":5: scope must be namespaced, or left out"),
    ("kinds: [Node]", "kinds: [Node.example.com]", ":4: 'Node.example.com' is"),
    ("kinds: [Node]", "kinds: [node]", ":4: 'node' is not a kind"),
    ("    kinds: [Node]\n", "", ":5: the row needs kinds"),
    ("Thing.example.com", "[Thing]", ":13: '' is not a kind"),
    ("source: kubernetes\n", "source: kubernetes\n  found_by: Node\n",
     ":2: only an add-on has found_by"),
    ("source: an-add-on", "source: kubernetes",
     ":12: duplicate source 'kubernetes'"),
    ("kinds: [Node]", "kinds: [Node", ":5: end of sequence flow"),
    ("- source: an-add-on", "- 5\n- source: an-add-on",
     ":12: a source must be a mapping"),
]


class ToolTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kem-catalogue-")
        self.addCleanup(folder.cleanup)
        self.input = os.path.join(folder.name, "catalogue.yaml")
        self.output = os.path.join(folder.name, "table.cc")

    def run_tool(self, text, output=None):
        with open(self.input, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([TOOL, self.input, output or self.output],
                              capture_output=True, text=True, check=False)

    def table(self):
        with open(self.output, encoding="utf-8") as file:
            return file.read()

    def test_writes_every_combination(self):
        done = self.run_tool(GOOD)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = self.table()
        self.assertIn("std::array<CatalogueReason, 5>", table)
        self.assertIn('{"Node", "", "kubelet", "NodeNotReady", "Normal", '
                      'Severity::kCritical, "It is \\"not\\" ready.", '
                      '"Look at it.", "kubernetes", "", "", false}', table)
        for reason in ("One", "Two"):
            for kind in ("Normal", "Warning"):
                self.assertIn(f'{{"", "", "", "{reason}", "{kind}", ', table)
        self.assertIn('"an-add-on", "Thing", "example.com", false}', table)

    def test_a_group_of_namespaced_objects(self):
        done = self.run_tool(GOOD.replace(
            "kinds: [Node]", "kinds: [Pod]\n    scope: namespaced"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(self.table(), r'{"Pod", "", "kubelet", .*, true}')
        self.assertIn('"an-add-on", "Thing", "example.com", false}',
                      self.table())

    def run_with_second(self, text):
        second = os.path.join(os.path.dirname(self.input), "second.yaml")
        with open(self.input, "w", encoding="utf-8") as file:
            file.write(GOOD)
        with open(second, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([TOOL, self.input, second, self.output],
                              capture_output=True, text=True, check=False)

    def test_two_files_become_one_table(self):
        done = self.run_with_second(GOOD.replace(
            "[Node]", "[Pod]\n    scope: namespaced").replace(
                "[NodeNotReady]", "[With-hyphen]").replace(
                    "[One, Two]", "[Three]"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("std::array<CatalogueReason, 8>", self.table())
        self.assertIn('"With-hyphen"', self.table())

    def test_a_row_that_is_in_two_files(self):
        done = self.run_with_second(GOOD.replace("[One, Two]", "[Three]"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr,
                         r"second\.yaml:6: NodeNotReady \(Normal\) of Node is "
                         r"already in line 6 of .*catalogue\.yaml\n$")

    def test_each_mistake_is_reported_with_its_line(self):
        for old, new, words in MISTAKES:
            with self.subTest(new):
                self.assertEqual(GOOD.count(old), 1, old)
                done = self.run_tool(GOOD.replace(old, new))
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr)
                for line in done.stderr.splitlines():
                    self.assertRegex(line, r"catalogue\.yaml:\d+: ")
                self.assertFalse(os.path.exists(self.output))

    def test_all_mistakes_are_reported_at_once(self):
        done = self.run_tool(GOOD.replace("critical", "fatal").replace(
            "Normal, Warning", "Normal, Bad"))
        self.assertIn("'fatal'", done.stderr)
        self.assertIn("'Bad'", done.stderr)

    def test_files_that_are_not_there(self):
        done = subprocess.run([TOOL, "/nowhere/x.yaml", self.output],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/x.yaml:1: cannot be read", done.stderr)
        done = self.run_tool(GOOD, "/nowhere/table.cc")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/table.cc cannot be written", done.stderr)


if __name__ == "__main__":
    unittest.main()
