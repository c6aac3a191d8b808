#!/usr/bin/python3
"""Serves the generated history (history.py) by a real Prometheus.

When it is ready it prints one line, its URL and the end of the history in
seconds since the epoch. It serves until standard input closes or SIGTERM
arrives.
"""

import argparse
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from history import LABELS, History  # pylint: disable=wrong-import-position
from rig import processes  # pylint: disable=wrong-import-position
from rig.case import find_tools  # pylint: disable=wrong-import-position
from rig.control_plane import tool  # pylint: disable=wrong-import-position
from rig.prometheus import Stored  # pylint: disable=wrong-import-position


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--labels", choices=LABELS, default="one",
                           help="cluster labels of the history")
    arguments.add_argument("--prometheus", metavar="PATH",
                           help="the program; else that of tools.py")
    options = arguments.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    find_tools()
    folder = processes.WorkFolder("history")
    try:
        history = History(options.labels)
        data = folder.file("data")
        history.backfill(tool("promtool"), folder.file("text"), data)
        server = Stored(folder, "prometheus",
                        options.prometheus or tool("prometheus"), data)
        try:
            print(server.url, history.end, flush=True)
            sys.stdin.read()
        finally:
            server.close()
    finally:
        folder.close()


if __name__ == "__main__":
    main()
