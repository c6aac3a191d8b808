#!/usr/bin/python3
"""Counters are exact after 50 random kills, whatever the moment.

    kills.py --binary build/exporter/kube-event-metrics [--kills 50] [--seed N]

A server sends thousands of changes a second: Events that are created,
repeated, deleted, and written again. The exporter is killed at random moments,
one time in five by SIGTERM, also while it starts, and restarts at once with the
same state file. A scraper polls it and records each counter that falls or
disappears. At the end every counter must equal the number of occurrences that
the server sent. The server's history goes back to the start, so nothing may be
missing; tests/real/test_chaos.py covers shorter histories.
"""

import argparse
import bisect
import collections
import random
import socket
import sys
import tempfile
import threading
import time

import checks
import exporter as exporter_module
import objects
import standin

NAMES = 400
REASONS = 24
CHANGES_PER_SECOND = 2500
OBJECT_OCCURRENCES = "kube_event_object_occurrences_total"
RECOVERY_SECONDS = 45


class EndlessStore(standin.Store):
    """A Store that keeps its whole history, with a binary search in it."""

    def __init__(self):
        super().__init__()
        self.history = []
        self.versions = []

    def delete(self, key):
        with self.changed:
            self.rv += 1
            event = dict(self.live.pop(key))
            event["metadata"] = dict(event["metadata"],
                                     resourceVersion=str(self.rv))
            self._append("DELETED", event)

    def _append(self, kind, event):
        self.versions.append(self.rv)
        super()._append(kind, event)

    def oldest(self):
        return standin.FIRST_RV

    def after(self, rv, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.rv > rv, seconds)
            return self.history[bisect.bisect_right(self.versions, rv):]


class Generator(threading.Thread):
    """Changes one Event after the other and counts the occurrences."""

    def __init__(self, store, seed):
        super().__init__(daemon=True)
        self.store = store
        self.dice = random.Random(seed)
        self.stories = {}
        self.truth = collections.Counter()
        self.changes = 0
        self.ended = threading.Event()
        for number in range(0, NAMES, 3):
            self._write(number, {"count": 1 + number % 5, "first": time.time()})
        self.truth.clear()  # the baseline does not count

    def run(self):
        begin = time.monotonic()
        while not self.ended.is_set():
            ahead = self.changes / CHANGES_PER_SECOND - (
                time.monotonic() - begin)
            if ahead > 0:
                time.sleep(max(ahead, 0.005))
            self._change(self.dice.randrange(NAMES))
            self.changes += 1

    def stop(self):
        self.ended.set()
        end(self)

    def _change(self, number):
        story = self.stories.get(number)
        roll = self.dice.random()
        if story and story["alive"] and roll < 0.12:
            story["alive"] = False
            self.store.delete(("default", f"e-{number}"))
        elif story and (story["alive"] or roll < 0.5):
            self._write(number, dict(story, count=story["count"] +
                                     self.dice.choice((1, 1, 1, 2, 5))))
        else:
            # Stories differ only in the second in which they begin.
            first = max(time.time(), story["first"] + 1 if story else 0)
            self._write(number, {"count": self.dice.choice((1, 1, 3)),
                                 "first": first})

    def _write(self, number, story):
        old = self.stories.get(number)
        goes_on = old and old["first"] == story["first"]
        delta = story["count"] - (old["count"] if goes_on else 0)
        reason = number % REASONS
        cluster = reason % 2 == 0
        about = ({"apiVersion": "v1", "kind": "Node", "name": f"n-{number % 7}"}
                 if cluster else {"apiVersion": "v1", "kind": "Pod",
                                  "namespace": "default", "name": "p"})
        now = time.time()
        self.store.write({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": f"e-{number}", "namespace": "default",
                         "uid": f"{number}-{now}",
                         "creationTimestamp": objects.stamp(now)},
            "involvedObject": about, "reason": f"Kills{reason}",
            "message": "m" * 300, "source": {"component": "kills"},
            "firstTimestamp": objects.stamp(story["first"]),
            "lastTimestamp": objects.stamp(now), "count": story["count"],
            "type": "Normal", "reportingComponent": "kills"}, now)
        self.stories[number] = dict(story, alive=True)
        self.truth[(checks.OCCURRENCES, f"Kills{reason}", "")] += delta
        if cluster:
            self.truth[(OBJECT_OCCURRENCES, f"Kills{reason}",
                        about["name"])] += delta


class Scraper(threading.Thread):
    """Polls all the time; `wrong` lists counters that fell or disappeared."""

    def __init__(self, exporter):
        super().__init__(daemon=True)
        self.exporter = exporter
        self.last = {}
        self.wrong = []
        self.scrapes = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.03):
            try:
                samples = self.exporter.scrape()
            except (OSError, exporter_module.http.client.HTTPException):
                continue  # down at this moment
            except checks.Malformed as error:
                self.wrong.append(str(error))
                continue
            self.compare(counters(samples))

    def compare(self, new):
        self.scrapes += 1
        for key, value in self.last.items():
            if new.get(key, -1) < value and len(self.wrong) < 20:
                self.wrong.append(f"{key} was {value:g}, is {new.get(key)}")
        self.last = new


def counters(samples):
    """{(family, reason, object): value} of this test and of all not 0."""
    found = {}
    for name, labels, value in samples:
        if name in (checks.OCCURRENCES, OBJECT_OCCURRENCES) and (
                value or labels["reason"].startswith("Kills")):
            found[name, labels["reason"], labels.get("object_name", "")] = value
    return found


def end(thread):
    thread.join(30)
    if thread.is_alive():
        raise RuntimeError(f"{type(thread).__name__} does not end within 30 s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kill_at_random(exporter, flags, kills, dice):
    """Ends and restarts the exporter `kills` times."""
    for _ in range(kills):
        # Too short to save, long enough to save, or barely started.
        time.sleep(dice.choice((0.02, 0.15, 0.4, 1.2)) * dice.random())
        if dice.random() < 0.2:
            exporter.signal("TERM")
            # Before its handler is installed, SIGTERM kills the process.
            code, _ = exporter.wait_exit(12)
            if code not in (0, -15):
                raise RuntimeError(f"SIGTERM: exit code {code}")
        exporter.kill()
        exporter.start(flags)


def differences(generator, exporter):
    shown = counters(exporter.scrape())
    truth = {key: value for key, value in generator.truth.items() if value}
    return [f"{key}: truth {truth.get(key, 0):g}, exporter {shown.get(key, 0):g}"
            for key in sorted(set(truth) | set(shown))
            if truth.get(key, 0) != shown.get(key, 0)]


def expect_exact(generator, exporter):
    deadline = time.monotonic() + RECOVERY_SECONDS
    wrong = ["nothing was scraped"]
    while wrong and time.monotonic() < deadline:
        time.sleep(0.2)
        try:
            wrong = differences(generator, exporter)
        except OSError as error:
            wrong = [str(error)]
    return wrong


def run(binary, folder, kills, seed):
    store = EndlessStore()
    generator = Generator(store, seed)
    server = standin.StandIn(store, 0)
    server.up()
    exporter = exporter_module.Exporter(binary, folder)
    access = exporter_module.Access(folder, server, "anonymous")
    access.write_kubeconfig()
    port = free_port()
    flags = ["--kubeconfig", access.kubeconfig, "--web.listen-address",
             f"127.0.0.1:{port}", "--metrics.initial-zero", "0s", "--state.file",
             f"{folder}/state", "--state.interval", "1s"]
    scraper = Scraper(exporter)
    exporter.address = ("127.0.0.1", port)
    exporter.start(flags)
    try:
        deadline = time.monotonic() + 20
        while not ready(exporter):
            if time.monotonic() > deadline:
                return [f"not ready within 20 s: {exporter.stderr()[-500:]}"]
            time.sleep(0.05)
        time.sleep(1.1)  # Stories begin after the second of the baseline.
        generator.start()
        scraper.start()
        begin = time.monotonic()
        kill_at_random(exporter, flags, kills, random.Random(seed))
        generator.stop()
        wrong = expect_exact(generator, exporter)
        scraper.ended.set()
        end(scraper)
        total = sum(value for key, value in generator.truth.items()
                    if key[0] == checks.OCCURRENCES)
        print(f"{kills} kills and {generator.changes} changes in "
              f"{time.monotonic() - begin:.1f} s, {total} occurrences, "
              f"{scraper.scrapes} scrapes")
        return wrong + [f"while scraped: {line}" for line in scraper.wrong]
    finally:
        exporter.kill()
        server.stop()


def ready(exporter):
    try:
        return exporter.get("/readyz")[0] == 200
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"--seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kem-kills-") as folder:
        wrong = run(options.binary, folder, options.kills, options.seed)
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
