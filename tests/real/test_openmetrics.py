"""OpenMetrics with a real Prometheus: created timestamps, exemplars.

The initial zero is off here: a new counter has its value at once, and only its
created timestamp shows Prometheus that it began at 0. test_scrape.py tests the
initial zero, for a Prometheus without that feature.
"""

import unittest

from rig import control_plane, manifests, processes, truth
from rig.case import ClusterCase
from rig.exporter import Exporter
from rig.prometheus import Prometheus

PATH = manifests.CORE_V1.format("default")
OBJECTS = "kube_event_object_occurrences_total"


class OpenMetricsTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control_plane.need("prometheus")
        cls.main = Exporter(cls.plane, "main", "--metrics.created-timestamps",
                            "--metrics.exemplars", initial_zero="0s")
        cls.addClassCleanup(cls.main.process.kill)
        cls.main.wait_ready()
        cls.server = Prometheus(
            cls.folder, "prometheus", control_plane.tool("prometheus"),
            cls.main.address, flags=["--enable-feature="
            "created-timestamp-zero-ingestion,exemplar-storage"])
        cls.addClassCleanup(cls.server.close)
        processes.wait_until(lambda: cls.server.query("up == 1"), 20,
                             "it scrapes")

    def post(self, name, **more):
        return self.recorded(self.api.post(PATH, manifests.legacy_event(
            name, manifests.about_node("n"), name.title(), **more)))

    def test_increase_sees_the_first_occurrence_by_created_timestamps(self):
        self.post("newborn", count=3)
        for family in (truth.OCCURRENCES, OBJECTS):
            with self.subTest(family):
                series = f'{family}{{reason="Newborn"}}'
                processes.wait_until(
                    lambda s=series: self.server.query(
                        f"increase({s}[5m]) > 2.9"), 20, "an increase")
                self.assertEqual(
                    list(self.server.query(
                        f"min_over_time({series}[5m])").values()), [0])

    def test_created_timestamps_are_stored_as_no_series(self):
        self.post("plain")
        processes.wait_until(
            lambda: self.server.query(
                f'{truth.OCCURRENCES}{{reason="Plain"}} == 1'), 20,
            "the counter")
        self.assertEqual(self.server.query('{__name__=~".+_created"}'), {})
        self.assertEqual(self.server.targets(), [("up", "")])

    def test_exemplars_name_the_event(self):
        self.post("shown")
        answer = self.api.patch(f"{PATH}/shown", {"count": 2})
        self.recorded(answer)
        for family in (truth.OCCURRENCES, OBJECTS):
            with self.subTest(family):
                found = processes.wait_until(
                    lambda f=family: self.server.exemplars(
                        f'{f}{{reason="Shown"}}'), 20, "an exemplar")
                self.assertIn({"namespace": "default", "name": "shown"},
                              found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
