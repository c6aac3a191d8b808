"""Draws dashboards in the browser; returns the faults that the page finds."""

import collections
import tempfile
import time

import chromium
import pages

WIDTH = 1600
FIRST_HEIGHT = 1000
SECONDS = 90  # for one dashboard

View = collections.namedtuple("View", "theme width open_rows",
                              defaults=("dark", WIDTH, False))


def one_of(browser, url, path, width=WIDTH):
    """Writes the picture; returns a sentence per fault."""
    session = browser.open(url, width, FIRST_HEIGHT)
    browser.value(session, "new Promise((done) => { const look = () => "
                  "window.drawn ? done() : setTimeout(look, 20); look(); })")
    answer = browser.value(session, "window.drawn", SECONDS)
    browser.resize(session, width, max(answer["height"], 200))
    browser.value(session, "window.settled()", SECONDS)
    path.write_bytes(browser.screenshot(session))
    return answer["faults"], answer["panels"]


def all_of(dashboards, prometheus, end, out, view=View()):
    """Draws each dashboard into the folder; returns {uid: sentences}."""
    modules = pages.packages()
    found = {}
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kem-eyes-") as folder:
        pages.bundle(modules, folder)
        with pages.Server(folder, modules, dashboards, prometheus) as server, \
                chromium.Browser() as browser:
            for uid in dashboards:
                begin = time.monotonic()
                faults, panels = one_of(browser, server.url(uid, end, view),
                                        out / f"{uid}.png", view.width)
                found[uid] = faults
                print(f"{uid}: {panels} panels, {len(faults)} with a fault, "
                      f"{time.monotonic() - begin:.1f} s", flush=True)
                for fault in faults:
                    print(f"  {fault}", flush=True)
    return found
