#!/usr/bin/python3
"""The pages as a person uses them, in headless Chromium: filter, links, phone,
keyboard, dark mode and hostile Events.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_page.py
"""

import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

import browser
from exporter import Exporter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "eyes"))

import chromium  # noqa: E402

SCRIPT = "</title></svg>\"'><script>document.title='ran'</script>"
HOSTILE = {
    "script": SCRIPT, "slashes": "../../metrics?x=1#y", "dots": "..",
    "quotes": "\"' onmouseover=document.title='ran' '\"", "percent": "%2e%2e%2f",
    "turned": "node\u202egnp.exe\u2066", "long": "x" * 256, "blank": " ",
    "link": "javascript:document.title='ran'", "unicode": "Grüße 世界 😀"}
# All links of a document, resolved by the browser.
LINKS = "[...document.querySelectorAll('a[href]')].map((a) => a.href)"


def event(number, name, reason="Rebooted", **changes):
    return {"kind": "Event", "apiVersion": "v1",
            "metadata": {"name": f"event-{number}", "namespace": "default",
                         "uid": f"u-{number}", "resourceVersion": str(number + 1),
                         "creationTimestamp": "2024-05-06T07:00:00Z"},
            "involvedObject": {"kind": "Node", "name": name, "apiVersion": "v1"},
            "reason": reason, "message": "rebooted, boot id: 7", "type": "Warning",
            "count": 3, "firstTimestamp": "2024-05-06T07:00:00Z",
            "lastTimestamp": "2024-05-06T09:20:00Z",
            "source": {"component": "kubelet"}, **changes}


EVENTS = [event(1, "worker-1"),
          event(2, "worker-1", "NodeReady", type="Normal"),
          event(3, "worker-2", "OOMKilling"),
          *[event(10 + number, name, name, message=name * 5)
            for number, name in enumerate(HOSTILE.values())]]


@unittest.skipUnless(browser.available(), "needs Chromium")
class PageTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="kem-page-")
        cls.addClassCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "events.json"), "w",
                  encoding="utf-8") as file:
            json.dump({"kind": "EventList", "items": EVENTS}, file)
        cls.exporter = Exporter(os.path.abspath(os.environ["KEM_EXPORTER"]),
                                folder.name)
        cls.addClassCleanup(cls.exporter.kill)
        cls.exporter.start(["--events.from=events.json",
                            "--web.listen-address=127.0.0.1:0"])
        cls.exporter.wait_listening()
        while cls.exporter.get("/readyz")[0] != 200:
            time.sleep(0.05)
        cls.site = "http://{}:{}".format(*cls.exporter.address)
        cls.browser = chromium.Browser()
        cls.browser.__enter__()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.session = self.browser.open("about:blank", 1280, 900)

    def go(self, path):
        self.browser.go(self.session, self.site + path)

    def value(self, script):
        return self.browser.value(self.session, script)

    def key(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.browser.call("Input.dispatchKeyEvent", self.session, type=kind,
                              key=key, code=key, windowsVirtualKeyCode=code,
                              **({"text": text} if text else {}))

    def place(self):
        """Where the page is; empty while it changes."""
        try:
            return self.value("location.pathname + location.search")
        except chromium.BrowserError:
            return ""

    def follow(self, leave, path):
        """Does what leaves the page, and waits for the next one."""
        leave()
        until = time.monotonic() + 10
        while self.place() != path:
            self.assertLess(time.monotonic(), until, path)
            time.sleep(0.02)
        self.browser.loaded(self.session)

    def click(self, selector, path):
        self.follow(lambda: self.value(
            f"setTimeout(() => document.querySelector('{selector}').click())"),
            path)

    def objects(self):
        return self.value("[...document.querySelectorAll('td.object bdi')]"
                          ".map((e) => e.textContent)")

    def test_a_filter_an_object_and_back(self):
        self.go("/")
        self.value("document.querySelector('[name=reason]').focus()")
        self.browser.call("Input.insertText", self.session, text="OOMKilling")
        self.click(".bar button",
                   "/?kind=&name=&namespace=&reason=OOMKilling&component=&q="
                   "&type=&since=&until=")
        self.assertEqual(self.objects(), ["worker-2"])
        self.assertEqual(self.value("document.querySelector('[name=reason]')"
                                    ".value"), "OOMKilling")
        self.click("td.object a", "/objects/Node/worker-2")
        self.assertIn("OOMKilling, 3", self.value(
            "document.querySelector('.timeline').textContent"))
        self.click("nav a", "/")
        self.assertEqual(len(self.objects()), len(EVENTS))

    def test_enter_sends_the_form(self):
        self.go("/?kind=Node")
        self.value("document.querySelector('[name=name]').focus()")
        self.browser.call("Input.insertText", self.session, text="worker-1")
        self.follow(lambda: self.key("Enter", 13, "\r"),
                    "/?kind=Node&name=worker-1&namespace=&reason="
                    "&component=&q=&type=&since=&until=")
        self.assertEqual(self.objects(), ["worker-1", "worker-1"])

    def test_the_status_of_each_answer(self):
        for path, status, text in (
                ("/objects/Node/none", 404, "No Events about this object"),
                ("/objects/Node", 404, "Not found"),
                ("/objects/Node/a/b", 404, "Not found"),
                ("/?since=yesterday", 400, "since must be a time"),
                ("/?limit=501", 400, "limit must be a number from 1 to 500"),
                ("/?cursor=x", 400, "cursor must be"),
                ("/objects/Node/worker-1?until=x", 400, "until must be"),
                ("/?kind=Nothing", 200, "No Events match")):
            answer = self.exporter.get(path)
            self.assertEqual(answer[0], status, path)
            self.assertIn(text, answer[2].decode(), path)

    def test_marks_have_times_and_shapes(self):
        self.go("/objects/Node/worker-1")
        self.assertEqual(self.value(
            "[...document.querySelectorAll('.timeline g')].map((g) => "
            "[g.querySelector('use').getAttribute('href'), "
            "g.querySelector('title').textContent.slice(0, 13)])"),
            [["#t", "3 occurrences"], ["#o", "3 occurrences"]])
        # Both shapes are drawn within the picture.
        self.assertEqual(self.value(
            "(() => { const all = document.querySelector('.timeline')"
            ".getBoundingClientRect(); return [...document.querySelectorAll("
            "'.timeline use')].filter((use) => { const box = "
            "use.getBoundingClientRect(); return box.width > 5 && box.left > "
            "all.left && box.right < all.right }).length })()"), 2)

    def test_a_phone_needs_no_sideways_scrolling(self):
        for path in ("/", "/?kind=Node", "/objects/Node/worker-1",
                     "/objects/Node/none", "/objects/Node/" + "x" * 256):
            self.browser.resize(self.session, 360, 800)
            self.go(path)
            self.assertEqual(self.value(
                "document.documentElement.scrollWidth"), 360, path)

    def test_the_keyboard(self):
        self.go("/")
        self.key("Tab", 9)
        self.assertEqual(self.value("document.activeElement.textContent"),
                         "Skip to the Events")
        self.assertGreaterEqual(self.value(
            "document.activeElement.getBoundingClientRect().left"), 0)
        for _ in range(5):  # the links of the header, then the form
            self.key("Tab", 9)
        self.assertEqual(self.value("document.activeElement.name"), "kind")
        self.assertEqual(self.value(
            "getComputedStyle(document.activeElement).outlineStyle"), "solid")
        self.assertEqual(self.value(
            "[...document.querySelectorAll('input, select')].filter((e) => "
            "!e.labels.length).length"), 0)

    def test_dark_mode_is_dark(self):
        for theme, low, high in (("dark", 0, 80), ("light", 200, 255)):
            self.browser.call("Emulation.setEmulatedMedia", self.session,
                              features=[{"name": "prefers-color-scheme",
                                         "value": theme}])
            self.go("/objects/Node/worker-1")
            for selector in ("body", ".timeline"):
                red = self.value(f"parseInt(getComputedStyle(document."
                                 f"querySelector('{selector}'))"
                                 ".backgroundColor.slice(4))")
                self.assertTrue(low <= red <= high, (theme, selector, red))

    def test_hostile_names_lead_to_their_own_events(self):
        self.go("/")
        self.assertNotEqual(self.value("document.title"), "ran")
        links = self.value(
            "[...document.querySelectorAll('td.object a')].map((a) => a.href)")
        self.assertEqual(len(links), len(EVENTS))
        for link in set(links):
            self.assertTrue(link.startswith(self.site + "/"), link)
            self.browser.go(self.session, link)
            self.assertNotEqual(self.value("document.title"), "ran", link)
            self.assertEqual(self.value(
                "document.querySelectorAll('script, img, iframe').length"), 0)
            self.assertEqual(len(set(self.objects())), 1, link)
            for target in self.value(LINKS):
                self.assertTrue(target.startswith(self.site + "/"), target)


if __name__ == "__main__":
    unittest.main(verbosity=2)
