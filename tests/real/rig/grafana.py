"""Runs the queries of a dashboard as Grafana's Prometheus data source does.

It supports the classic JSON model, variables with All and several values, and
built-in variables. It draws nothing and applies no transformation.
"""

import json
import math
import pathlib
import re
import urllib.parse

DASHBOARDS = pathlib.Path(__file__).resolve().parents[3] / "dashboards/json"
ALL = "$__all"
PIXELS = 1000  # the width of a panel, and so the points per query
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# rangeUtil.roundInterval(): an interval below the first becomes the second.
ROUND = ((7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30), (90, 60),
         (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200),
         (2700, 1800), (5400, 3600))


def dashboards():
    """All dashboards of the tree, by UID."""
    found = (Dashboard(json.loads(path.read_text(encoding="utf-8")))
             for path in sorted(DASHBOARDS.glob("*.json")))
    return {each.uid: each for each in found}


def duration(text):
    return float(text[:-1]) * SECONDS[text[-1]]


def _all(panels):
    for each in panels:
        yield each
        yield from _all(each.get("panels", []))


class Dashboard:
    """`variables` are those of type query; `panels` those with queries of
    Prometheus, `logs` those with queries of log stores."""

    def __init__(self, source):
        self.uid = source["uid"]
        self.title = source["title"]
        self.variables = {each["name"]: each
                          for each in source["templating"]["list"]
                          if each["type"] == "query"}
        self.annotations = [each for each in source["annotations"].get("list", ())
                            if each.get("expr")]
        queried = [each for each in _all(source["panels"])
                   if each.get("targets")]
        self.panels = [each for each in queried if each["type"] != "logs"]
        self.logs = [each for each in queried if each["type"] == "logs"]

    def panel(self, title):
        found = [each for each in self.panels if each["title"] == title]
        if len(found) != 1:
            raise AssertionError(f"{self.uid} has {len(found)} panels that "
                                 f"are called {title!r}")
        return found[0]


class Viewer:
    """A view of a dashboard: a time range and selected values.

    `chosen` are values by variable; the value of other variables is All.
    `scrape` is the scrape interval of the data source.
    """

    def __init__(self, server, end, seconds, scrape=60, chosen=None):
        self.server = server
        self.end = end
        self.begin = end - seconds
        self.scrape = scrape
        self.chosen = chosen or {}

    def choosing(self, **chosen):
        return Viewer(self.server, self.end, self.end - self.begin,
                      self.scrape, {**self.chosen, **chosen})

    def values(self, dashboard, name):
        """The values in the drop-down list of a variable, without All."""
        query = dashboard.variables[name]["query"]
        if isinstance(query, dict):
            query = query["query"]
        found = re.fullmatch(r"label_values\((.*),\s*(\w+)\s*\)", query,
                             re.DOTALL)
        if not found:
            raise AssertionError(f"{dashboard.uid}: cannot read {query!r}")
        return [value for value in self.server.label_values(
            found[2], self.text(dashboard, found[1]), self.begin, self.end)
            if re.search(dashboard.variables[name].get("regex") or "", value)]

    def run(self, dashboard, panel, target):
        """{label pairs: [(time, value)]} of one query of a panel."""
        least = duration(panel.get("interval") or f"{self.scrape}s")
        interval = max(self._interval(panel.get("maxDataPoints") or PIXELS),
                       least)
        text = self.text(dashboard, target["expr"], interval)
        if target.get("instant"):
            return self.server.at(text, self.end)
        step = max(interval, duration(target.get("interval") or "0s"))
        return self.server.range(text, self.begin - self.begin % step,
                                 self.end - self.end % step, step)

    def links(self, dashboard, panel, column, labels):
        """The URLs of the links of a column or of a lane, which a part of its
        legend selects."""
        found = [each["value"] for override in
                 panel["fieldConfig"]["overrides"]
                 if override["matcher"]["options"].strip("/") == column
                 for each in override["properties"] if each["id"] == "links"]
        return [self._link(link["url"], labels) for links in found
                for link in links]

    def _link(self, url, labels):
        """`labels` has the row; the cell's own value is `messages`."""
        def value(found):
            name, form = found[1], found[2]
            field = re.match(r"__(?:data\.fields|field\.labels)\.(\w+)$", name)
            if field:
                text = labels[field[1]]
            else:
                text = {"__value.raw": labels["messages"],
                        "__from": f"{self.begin * 1000:.0f}",
                        "__to": f"{self.end * 1000:.0f}"}[name]
            return text if form == "raw" else urllib.parse.quote(text, safe="")
        return re.sub(r"\$\{([\w.]+)(?::(\w+))?\}", value, url)

    def annotation_texts(self, dashboard, annotation):
        """{series labels} of what an annotation draws."""
        step = max(duration(annotation.get("step") or "60s"),
                   self._interval())
        return set(self.server.range(
            self.text(dashboard, annotation["expr"], step),
            self.begin - self.begin % step, self.end - self.end % step, step))

    def annotation_times(self, dashboard, annotation):
        """{(series, true time in seconds)} that an annotation draws."""
        step = max(duration(annotation.get("step") or "60s"),
                   self._interval())
        found = self.server.range(
            self.text(dashboard, annotation["expr"], step),
            self.begin - self.begin % step, self.end - self.end % step, step)
        if not annotation.get("useValueForTime"):
            return {(labels, at) for labels, points in found.items()
                    for at, _ in points}
        return {(labels, math.floor(value) / 1000)
                for labels, points in found.items() for _, value in points}

    def _interval(self, points=PIXELS):
        exact = (self.end - self.begin) / points
        return next((to for limit, to in ROUND if exact < limit), 86400)

    def text(self, dashboard, text, interval=None):
        """The query with the values of its variables."""
        seconds = self.end - self.begin
        interval = interval or self._interval()
        rate = max(interval + self.scrape, 4 * self.scrape)
        built_in = {"__range": f"{seconds:.0f}s",
                    "__range_s": f"{seconds:.0f}",
                    "__range_ms": f"{seconds * 1000:.0f}",
                    "__from": f"{self.begin * 1000:.0f}",
                    "__to": f"{self.end * 1000:.0f}",
                    "__interval": f"{interval:.0f}s",
                    "__interval_ms": f"{interval * 1000:.0f}",
                    "__rate_interval": f"{rate:.0f}s"}

        def value(found):
            name = found[1] or found[3]
            if found[2]:  # a format: regex
                return self._regex(dashboard, name)
            if name.isdigit():  # A group of label_replace()'s expression.
                return found[0]
            return built_in[name] if name in built_in else self._value(
                dashboard, name)
        return re.sub(r"\$(?:\{(\w+)(:regex)?\}|(\w+))", value, text)

    def _regex(self, dashboard, name):
        """The value as a regular expression; that of All is as it is."""
        variable = dashboard.variables[name]
        chosen = self.chosen.get(name, ALL)
        if chosen == ALL:
            return variable["allValue"]
        chosen = [chosen] if isinstance(chosen, str) else chosen
        escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", each)
                   for each in chosen]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    def _value(self, dashboard, name):
        variable = dashboard.variables[name]
        chosen = self.chosen.get(name, ALL)
        if chosen == ALL and variable.get("allValue"):
            return variable["allValue"]
        if chosen == ALL:
            chosen = self.values(dashboard, name)
        if isinstance(chosen, str):
            chosen = [chosen]
        escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>",
                          each.replace("\\", r"\\\\")) for each in chosen]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
