"""Polls an exporter and records each counter that falls or disappears.

For a Prometheus these are a reset and the end of a series.
"""

import http.client
import threading
import time
import urllib.error

from rig import exposition, truth

COUNTERS = (truth.OCCURRENCES, truth.OBJECT_OCCURRENCES)


class Watcher:
    """Polls `exporter` every `pause` seconds until `stop`."""

    def __init__(self, exporter, pause=0.2):
        self._exporter = exporter
        self._pause = pause
        self._last = {family: {} for family in COUNTERS}
        self._stop = threading.Event()
        self.scrapes = 0
        self.missed = 0
        self.longest_gap = 0.0
        self.violations = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join(30)
        if self._thread.is_alive():
            self.violations.append("the last scrape takes more than 30 s")
        return self.violations

    def _run(self):
        seen = due = time.monotonic()
        while not self._stop.is_set():
            try:
                status, text = self._exporter.fetch("/metrics")
                if status == 503:  # It catches up after a restart.
                    raise OSError(text)
                self._compare(exposition.parse(text))
                now = time.monotonic()
                self.longest_gap = max(self.longest_gap, now - seen)
                self.scrapes, seen = self.scrapes + 1, now
            except (OSError, urllib.error.URLError, http.client.HTTPException):
                self.missed += 1  # Down at this moment.
            except Exception as error:  # pylint: disable=broad-except
                self.violations.append(f"unreadable: {error!r}")
            due = max(due + self._pause, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def _compare(self, samples):
        for family in COUNTERS:
            new = samples.get(family, {})
            for pairs, value in self._last[family].items():
                if new.get(pairs, -1) >= value or len(self.violations) > 20:
                    continue
                shown = f"fell to {new[pairs]:g}" if pairs in new else "went"
                self.violations.append(
                    f"{time.strftime('%H:%M:%S')} {family}"
                    f"{dict(sorted(pairs))} {shown}, was {value:g}")
            self._last[family] = new
