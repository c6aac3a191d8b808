"""A page in a real browser: headless Chromium, one process per look.

`look(url)` returns the document after its scripts have run: title, visible
text, elements. A script that must not run shows by what it changes.
"""

import collections
import html.parser
import re
import shutil
import subprocess
import tempfile

SECONDS = 60
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-dev-shm-usage", "--disable-extensions"]
UNSEEN = ("style", "script", "title", "noscript")


def available():
    return shutil.which("chromium") is not None


class Page(html.parser.HTMLParser):
    """title, text (blanks collapsed), elements: their number by name."""

    def __init__(self, document):
        super().__init__()
        self.title = ""
        self.elements = collections.Counter()
        self.handlers = []  # names of on... attributes
        self._parts, self._inside = [], ""
        self.feed(document)
        self.close()
        self.text = re.sub(r"\s+", " ", "".join(self._parts)).strip()

    def handle_starttag(self, tag, attrs):
        self.elements[tag] += 1
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag in UNSEEN:
            self._inside = tag
        elif tag in ("td", "th", "p", "li", "div", "summary", "h1", "h2"):
            self._parts.append(" ")

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        if self._inside == "title":
            if self.elements["title"] == 1:  # others are an SVG's
                self.title += data
        elif not self._inside:
            self._parts.append(data)


def look(url):
    """Returns the Page at the URL; raises RuntimeError if the browser fails."""
    with tempfile.TemporaryDirectory(prefix="kem-browser-",
                                     ignore_cleanup_errors=True) as folder:
        done = subprocess.run(
            ["chromium", *FLAGS, "--user-data-dir=" + folder,
             "--virtual-time-budget=2000", "--dump-dom", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    if done.returncode or not done.stdout:
        raise RuntimeError(f"chromium ended with {done.returncode}: "
                           + done.stderr.decode("utf-8", "replace")[-500:])
    return Page(done.stdout.decode("utf-8"))
