"""Headless Chromium, controlled over a pipe: one browser for many pages.

The pipe is --remote-debugging-pipe: JSON terminated by NUL on the browser's
file descriptors 3 (to it) and 4 (from it).
"""

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile
import time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-dev-shm-usage", "--disable-extensions",
         "--hide-scrollbars", "--font-render-hinting=none", "--lang=en-GB"]


class BrowserError(Exception):
    """The browser does not answer, or returns an error."""


def _give_numbers(reading, writing):
    """In the new process: moves its ends of the pipes to 3 and 4."""
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (reading, writing)]
    os.dup2(ends[0], 3)
    os.dup2(ends[1], 4)


class Browser:
    """A context manager; `open` returns the ID of a page's session."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(
            prefix="kem-eyes-", ignore_cleanup_errors=True)
        to_read, self._to = os.pipe()
        self._from, from_write = os.pipe()
        command = ["chromium", *FLAGS, "--remote-debugging-pipe",
                   "--user-data-dir=" + self._folder.name, "about:blank"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=(3, 4),
            env={**os.environ, "TZ": "UTC"},
            preexec_fn=lambda: _give_numbers(to_read, from_write))
        os.close(to_read)
        os.close(from_write)
        self._number = 0
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._folder.cleanup()

    def _message(self, until):
        while b"\0" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise BrowserError("Chromium does not answer.")
            part = os.read(self._from, 1 << 20)
            if not part:
                raise BrowserError("Chromium has ended.")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, seconds=60, **parameters):
        """Calls a method of the browser's protocol; returns the result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + seconds
        while True:
            answer = self._message(until)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: "
                                       f"{answer['error']['message']}")
                return answer["result"]

    def open(self, url, width, height):
        """A new page of this size, in device pixels."""
        target = self.call("Target.createTarget", url="about:blank")
        session = self.call("Target.attachToTarget", flatten=True,
                            targetId=target["targetId"])["sessionId"]
        self.resize(session, width, height)
        self.call("Page.navigate", session, url=url)
        return session

    def go(self, session, url):
        """Opens the URL and waits until it is loaded."""
        self.call("Page.navigate", session, url=url)
        self.loaded(session)

    def loaded(self, session):
        """Waits for the document that the last step leads to."""
        self.value(session, "new Promise((done) => { const look = () => "
                   "document.readyState === 'complete' ? done() : "
                   "setTimeout(look, 10); look(); })")

    def resize(self, session, width, height):
        self.call("Emulation.setDeviceMetricsOverride", session, width=width,
                  height=height, deviceScaleFactor=1, mobile=False)

    def value(self, session, expression, seconds=60):
        """The value of a script, or of the promise that it returns."""
        answer = self.call("Runtime.evaluate", session, seconds,
                           expression=expression, awaitPromise=True,
                           returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description")
                               or details["text"])
        return answer["result"].get("value")

    def screenshot(self, session):
        """The page as a PNG."""
        return base64.b64decode(
            self.call("Page.captureScreenshot", session)["data"])
