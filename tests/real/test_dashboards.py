"""Every query of the dashboards and alerts, run on a day of known history.

The tests use both versions of Prometheus. They run without a cluster label,
with one cluster, and with two clusters whose nodes have the same names. They
select All and single values. Key panels must show the exact numbers of the
history.
"""

import collections
import itertools
import os
import pathlib
import re
import shutil
import sys
import unittest

import yaml

from history import LABELS, History
from rig import (control_plane, day, expected, expected_states, grafana,
                 expected_rows, processes)
from rig.case import find_tools
from rig.dashboard_links import LinkChecks
from rig.prometheus import Stored

RULES = pathlib.Path(__file__).resolve().parents[2] / "alerts" / "rules"
HOUR = 3600
# Problems of the exporter itself, which the history does not contain.
QUIET = {"KubeEventExporterDown", "KubeEventExporterWatchDisconnected",
         "KubeEventExporterUnobservedTime", "KubeEventExporterSeriesOverflow",
         "KubeEventExporterStateNotSaved",
         "KubeEventExporterConfigReloadFailed"}


def rules():
    """{name: expression} of every alert and recording rule. The stored history
    has no recorded series, so their expressions take their place."""
    found = {rule.get("alert") or rule["record"]: rule["expr"]
             for path in sorted(RULES.glob("*.yaml"))
             for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
             for rule in group["rules"]}

    def recorded(match):
        record = f"({found[match[1]]})"
        if not match[2]:
            return record
        label, value = re.fullmatch(r'\{(\w+)=~?"([\w|]+)"\}',
                                    match[2]).groups()
        return (f'(label_replace({record}, "selected", "1", "{label}", '
                f'"{value}") and on (selected) '
                'label_replace(vector(1), "selected", "1", "", ""))')

    return {name: re.sub(r"(kube_event:[\w:]+)(\{[^}]*\})?", recorded, text)
            for name, text in found.items()}


class DashboardsTest(LinkChecks, unittest.TestCase):
    """One server for each version of Prometheus and each history."""

    @classmethod
    def setUpClass(cls):
        find_tools()
        control_plane.need("prometheus", "promtool")
        cls.folder = processes.WorkFolder("dashboards")
        cls.addClassCleanup(cls.folder.close)
        cls.dashboards = grafana.dashboards()
        cls.counts = collections.Counter()
        cls.addClassCleanup(cls.report)
        cls.histories = {labels: History(labels) for labels in LABELS}
        cls.servers = {}
        for labels, history in cls.histories.items():
            data = cls.folder.file(f"data-{labels}")
            history.backfill(control_plane.tool("promtool"),
                             cls.folder.file("text"), data)
            for program in ("prometheus", "prometheus-debian"):
                if control_plane.tool(program):
                    cls.servers[labels, program] = cls.serve(
                        f"{program}-{labels}", program, data)

    @classmethod
    def serve(cls, name, program, data):
        own = cls.folder.file(f"data-{name}")
        shutil.copytree(data, own, copy_function=os.link)
        server = Stored(cls.folder, name, control_plane.tool(program), own)
        cls.addClassCleanup(server.close)
        return server

    @classmethod
    def report(cls):
        cls.counts["queries"] = sum(server.queries for server in
                                    cls.servers.values())
        counted = ", ".join(f"{number} {what}"
                            for what, number in cls.counts.items())
        print(f"On {len(cls.servers)} servers: {counted}", file=sys.stderr,
              flush=True)

    def viewers(self, seconds):
        """(labels, Viewer of the last `seconds`) of each server."""
        for (labels, program), server in self.servers.items():
            with self.subTest(labels=labels, program=program):
                viewer = grafana.Viewer(server, self.histories[labels].end,
                                        seconds)
                yield labels, viewer

    def show(self, viewer, dashboard):
        """Runs all panels; returns the titles of those without data."""
        empty = []
        for panel in dashboard.panels:
            shown = [viewer.run(dashboard, panel, target)
                     for target in panel["targets"]]
            if not any(shown):
                empty.append(panel["title"])
            self.counts["panels shown"] += 1
        return empty

    def test_each_panel_has_data(self):
        for _, viewer in self.viewers(day.DAY):
            for dashboard in self.dashboards.values():
                with self.subTest(dashboard.uid):
                    self.assertTrue(dashboard.panels)
                    self.assertEqual(self.show(viewer, dashboard), [])

    def test_single_values(self):
        """Each variable has values; selects all, then the first alone."""
        for labels, viewer in self.viewers(day.DAY):
            for dashboard in self.dashboards.values():
                with self.subTest(dashboard.uid):
                    self.choose(labels, viewer, dashboard)

    def choose(self, labels, viewer, dashboard):
        first = {}
        for name in dashboard.variables:
            values = viewer.values(dashboard, name)
            self.counts["variables filled"] += 1
            if name == "cluster" and labels == "none":
                self.assertEqual(values, [])
                continue
            self.assertTrue(values, f"${name} has no values")
            first[name] = values[0]
            # All values by name are equivalent to All. A query that filters by
            # a wrong label shows nothing then.
            self.assertEqual([], self.show(
                viewer.choosing(**{name: values}), dashboard), name)
        # Select one variable after another, as a user does. Each list depends
        # on the variables selected before and must not be empty.
        narrow = viewer.choosing()
        for name in first:
            values = narrow.values(dashboard, name)
            self.assertTrue(values, f"${name} after {narrow.chosen}")
            narrow.chosen[name] = values[0]
        empty = self.show(narrow, dashboard)
        self.assertLess(len(empty), len(dashboard.panels), narrow.chosen)

    def test_numbers(self):
        for seconds in (6 * HOUR, day.DAY):
            for labels, viewer in self.viewers(seconds):
                history = self.histories[labels]
                self.compare(viewer, expected.Expected(history, seconds))
                if labels == "two":
                    for cluster in ("east", "west"):
                        self.compare(
                            viewer.choosing(cluster=cluster),
                            expected.Expected(history, seconds, cluster))

    def compare(self, viewer, wanted):
        for (uid, title, ref), want in wanted.panels().items():
            with self.subTest(f"{uid}: {title}", cluster=wanted.cluster,
                              hours=wanted.seconds / HOUR):
                dashboard = self.dashboards[uid]
                panel = dashboard.panel(title)
                target = next(each for each in panel["targets"]
                              if each["refId"] == ref)
                shown = {labels: points[-1][1] for labels, points in
                         viewer.run(dashboard, panel, target).items()}
                self.counts["panels compared"] += 1
                self.same(shown, want)

    def same(self, shown, want, share=0.01):
        """Equal within `share` or rounding; times to the second. What is not
        a whole number is not rounded."""
        if not isinstance(want, expected_rows.Rows):
            shown, want = list(shown.values()), [want]
            self.assertEqual(len(shown), 1)
        else:
            shown, want = want.match(shown)
        for got, wish in zip(shown, want):
            rounding = 0.5 if float(wish).is_integer() else 0
            delta = 1000 if wish > 1e12 else max(rounding, abs(wish) * share)
            self.assertAlmostEqual(got, wish, delta=delta)

    def test_numbers_over_time(self):
        for seconds in (6 * HOUR, day.DAY):
            for labels, viewer in self.viewers(seconds):
                self.compare_points(viewer, expected.Expected(
                    self.histories[labels], seconds))

    def compare_points(self, viewer, wanted):
        for (uid, title, ref, how), want in wanted.over_time().items():
            with self.subTest(f"{uid}: {title}",
                              hours=wanted.seconds / HOUR):
                dashboard = self.dashboards[uid]
                panel = dashboard.panel(title)
                target = next(each for each in panel["targets"]
                              if each["refId"] == ref)
                # The first bar covers time before the range.
                shown = {labels: how(value for _, value in points[1:])
                         for labels, points in
                         viewer.run(dashboard, panel, target).items()}
                self.counts["panels compared over time"] += 1
                # Bars are rounded, and Prometheus 2 counts the minute between
                # two bars in both.
                self.same(shown, want, 0.2 if how is sum else 0.01)

    def test_states_over_time(self):
        for labels, viewer in self.viewers(6 * HOUR):
            where = "" if labels == "none" else " (east)"
            for (uid, title, ref), objects in expected_states.LANES.items():
                target, found = self.lanes(viewer, uid, title, ref)
                self.assertIn("{{object_name}}{{of_cluster}}",
                              target["legendFormat"])
                for name, wanted in objects.items():
                    with self.subTest(f"{uid}: {title}", object=name):
                        self.check_lane(found[name, where], wanted)

    def test_states_of_one_node(self):
        for _, viewer in self.viewers(6 * HOUR):
            viewer = viewer.choosing(node=expected_states.SELECTED)
            dashboard = self.dashboards[expected.NODES]
            panel = dashboard.panel("States of the selected nodes")
            shown = {target["legendFormat"]: viewer.run(
                dashboard, panel, target) for target in panel["targets"]}
            self.assertEqual(list(shown), list(expected_states.OF_SELECTED))
            for lane, wanted in expected_states.OF_SELECTED.items():
                with self.subTest(lane):
                    points, = shown[lane].values()
                    self.check_lane(points, wanted)

    def lanes(self, viewer, uid, title, ref):
        """(the query, {(object, its cluster): points}) of a timeline."""
        dashboard = self.dashboards[uid]
        panel = dashboard.panel(title)
        target = next(each for each in panel["targets"]
                      if each["refId"] == ref)
        return target, {
            (dict(pairs)["object_name"], dict(pairs).get("of_cluster", "")):
            points for pairs, points in
            viewer.run(dashboard, panel, target).items()}

    def check_lane(self, points, wanted):
        """A state that lasts some minutes has a point in each."""
        shown = [(int(state), len(list(same))) for state, same in
                 itertools.groupby(value for _, value in points)]
        self.assertEqual([state for state, _ in shown],
                         [state for state, _ in wanted], shown)
        for (state, minutes), (_, want) in zip(shown, wanted):
            if want is not None:
                self.assertAlmostEqual(minutes, want, delta=1,
                                       msg=f"state {state} of {shown}")
        self.counts["lanes compared"] += 1

    def test_no_other_target_is_shown(self):
        """Panels show only exporter targets, not other scraped targets."""
        for labels, viewer in self.viewers(6 * HOUR):
            instances = {instance for cluster in
                         self.histories[labels].clusters
                         for instance, _ in cluster.exporters}
            dashboard = self.dashboards[expected.HEALTH]
            for panel in dashboard.panels:
                with self.subTest(panel["title"]):
                    shown = {dict(labels).get("instance")
                             for target in panel["targets"] for labels in
                             viewer.run(dashboard, panel, target)}
                    self.assertLessEqual(shown - {None}, instances)

    def test_annotations_have_the_true_time(self):
        for labels, viewer in self.viewers(6 * HOUR):
            for dashboard in self.dashboards.values():
                for annotation in dashboard.annotations:
                    with self.subTest(dashboard.uid, name=annotation["name"]):
                        self.counts["annotations"] += 1
                        shown = {at for _, at in
                                 viewer.annotation_times(dashboard, annotation)}
                        true = expected.Expected(
                            self.histories[labels], 6 * HOUR).annotations(
                                annotation["name"])
                        self.assertTrue(shown)
                        self.assertLessEqual(shown, true)
                        # Two on one node within a step are one annotation.
                        self.assertGreaterEqual(len(shown), len(true) * 0.9)

    def test_each_row_leads_to_its_messages(self):
        """Of the cluster whose exporter has a URL; otherwise the column of the
        links does not exist."""
        for labels, viewer in self.viewers(6 * HOUR):
            for dashboard in self.dashboards.values():
                for panel, target, names in self.tables(dashboard):
                    with self.subTest(f"{dashboard.uid}: {panel['title']}"):
                        self.check_rows(labels, viewer, dashboard, panel,
                                        target, names)

    def test_each_lane_and_bar_leads_to_its_messages(self):
        for labels, viewer in self.viewers(6 * HOUR):
            for dashboard in self.dashboards.values():
                for panel, target in self.series(dashboard):
                    with self.subTest(f"{dashboard.uid}: {panel['title']}"):
                        self.check_series(labels, viewer, dashboard, panel,
                                          target)

    def test_annotations_lead_to_the_messages(self):
        for labels, viewer in self.viewers(6 * HOUR):
            for dashboard in self.dashboards.values():
                for annotation in dashboard.annotations:
                    with self.subTest(dashboard.uid, name=annotation["name"]):
                        self.check_texts(viewer.annotation_texts(
                            dashboard, annotation), viewer)

    def test_each_rule_runs_and_would_fire(self):
        for _, viewer in self.viewers(day.DAY):
            for name, expression in rules().items():
                with self.subTest(name):
                    self.counts["rules"] += 1
                    found = viewer.server.range(expression, viewer.begin,
                                                viewer.end, 300)
                    self.assertEqual(bool(found), name not in QUIET)


if __name__ == "__main__":
    unittest.main(verbosity=2)
