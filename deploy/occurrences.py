#!/usr/bin/python3
"""Prints what a running exporter has counted, as a table.

    deploy/occurrences.py [--wait SECONDS] [--at-least N] http://HOST:PORT

With --wait it first waits until the exporter is ready and has counted at least
N occurrences. It exits with 1 after SECONDS without that.
"""

import argparse
import collections
import re
import sys
import time
import urllib.error
import urllib.request

FAMILY = "kube_event_occurrences_total"
COLUMNS = ("scope", "kind", "reason", "type")
SAMPLE = re.compile(FAMILY + r"\{(.*)\} (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def get(url):
    """(status, text); status 0 and the reason if there is no response."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace").strip()
    except OSError as error:
        return 0, str(getattr(error, "reason", error))


def occurrences(url):
    """{(scope, kind, reason, type): occurrences}, without zeros."""
    counts = collections.Counter()
    for line in get(url + "/metrics")[1].splitlines():
        if found := SAMPLE.match(line):
            labels = dict(LABEL.findall(found.group(1)))
            counts[tuple(labels[column] for column in COLUMNS)] += int(
                float(found.group(2)))
    return +counts


def wait(url, seconds, at_least):
    """What was missing after `seconds`, or None."""
    deadline = time.monotonic() + seconds
    while True:
        status, text = get(url + "/readyz")
        counted = occurrences(url).total() if status == 200 else 0
        if status == 200 and counted >= at_least:
            return None
        if time.monotonic() > deadline:
            if status != 200:
                return f"not ready after {seconds} s: {text}"
            return f"ready, but {counted} occurrences after {seconds} s"
        time.sleep(0.3)


def show(counts):
    if not counts:
        print("No occurrences yet: a new counter is exposed as 0 for 75 s "
              "(--metrics.initial-zero).")
        return
    rows = [COLUMNS + ("occurrences",)]
    rows += [key + (str(counts[key]),) for key in sorted(counts)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        cells[-1] = row[-1].rjust(widths[-1])
        print("  ".join(cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="for example http://127.0.0.1:9953")
    parser.add_argument("--wait", type=int, default=0, metavar="SECONDS")
    parser.add_argument("--at-least", type=int, default=1, metavar="N")
    options = parser.parse_args()
    url = options.url.rstrip("/")
    if options.wait:
        if trouble := wait(url, options.wait, options.at_least):
            sys.exit(f"{url}: {trouble}")
    elif get(url + "/metrics")[0] != 200:
        sys.exit(f"{url}: {get(url + '/metrics')[1]}")
    show(occurrences(url))


if __name__ == "__main__":
    main()
