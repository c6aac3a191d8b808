"""The exporter's exposition in a real Prometheus.

Two servers scrape one exporter, like a pair of replicas: 3.16, and Debian's
2.42 if it is installed.
"""

import sys
import time
import unittest

from rig import control_plane, manifests, processes, truth
from rig.case import ClusterCase
from rig.exporter import Exporter
from rig.prometheus import Prometheus, check_metrics

PATH = manifests.CORE_V1.format("default")
INITIAL_ZERO_SECONDS = 4


class ScrapeTest(ClusterCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        control_plane.need("prometheus", "promtool")
        for number in range(30):
            cls.api.post(PATH, manifests.legacy_event(
                f"old-{number}", manifests.about_pod(f"p-{number}"),
                f"Old{number % 3}"))
        cls.main = Exporter(cls.plane, "main",
                            initial_zero=f"{INITIAL_ZERO_SECONDS}s")
        cls.addClassCleanup(cls.main.process.kill)
        cls.main.wait_ready()
        cls.servers = []
        for program in ("prometheus", "prometheus-debian"):
            if not control_plane.tool(program):
                print(f"Without {program} one server fewer scrapes.",
                      file=sys.stderr, flush=True)
                continue
            server = Prometheus(cls.folder, program,
                                control_plane.tool(program), cls.main.address)
            cls.addClassCleanup(server.close)
            cls.servers.append(server)
        for server in cls.servers:
            processes.wait_until(lambda s=server: s.query("up == 1"), 20,
                                 f"{server.name} scrapes")

    def post(self, name, about=None, **more):
        return self.recorded(self.api.post(PATH, manifests.legacy_event(
            name, about or manifests.about_node("n"), name.title(), **more)))

    def each_server(self):
        for server in self.servers:
            with self.subTest(server.name):
                yield server

    def test_increase_sees_the_first_occurrence(self):
        self.post("newborn")
        series = f'{truth.OCCURRENCES}{{reason="Newborn"}}'
        begin = time.monotonic()
        for server in self.each_server():
            processes.wait_until(
                lambda s=server: s.query(f"max_over_time({series}[5m]) == 1"),
                INITIAL_ZERO_SECONDS + 20, "a stored 1")
            # The 0 was stored too, so the rise is visible.
            self.assertEqual(
                list(server.query(f"min_over_time({series}[5m])").values()),
                [0])
            # increase() needs a sample or two after the rise.
            processes.wait_until(
                lambda s=server: s.query(f"increase({series}[5m]) > 0.9"), 20,
                "an increase")
        self.assertGreaterEqual(time.monotonic() - begin,
                                INITIAL_ZERO_SECONDS - 2)

    def test_a_known_reason_is_exposed_before_it_happens(self):
        """Its counter is 0, and its first occurrence shows at once."""
        series = (truth.OCCURRENCES + '{kind="Node",reason="NodeNotReady",'
                  'reporting_component="kubelet"}')
        for server in self.each_server():
            processes.wait_until(
                lambda s=server: list(s.query(series).values()) == [0], 20,
                "a stored 0")
        time.sleep(INITIAL_ZERO_SECONDS)  # of the 0 itself
        self.recorded(self.api.post(PATH, manifests.legacy_event(
            "not-ready", manifests.about_node("n"), "NodeNotReady",
            component="kubelet")))
        known = frozenset({
            ("scope", "cluster"), ("api_group", ""), ("kind", "Node"),
            ("object_namespace", ""), ("reason", "NodeNotReady"),
            ("type", "Normal"), ("reporting_component", "kubelet")})
        processes.wait_until(
            lambda: self.main.samples()[truth.OCCURRENCES][known] == 1,
            INITIAL_ZERO_SECONDS / 2, "a 1 without an initial zero")
        for server in self.each_server():
            processes.wait_until(
                lambda s=server: s.query(f"increase({series}[5m]) > 0.9"), 20,
                "an increase")

    def test_repeats_during_the_initial_zero_are_counted(self):
        """Occurrences during the initial zero show after it; none is lost."""
        self.post("zero")
        for count in (2, 5):
            answer = self.api.patch(f"{PATH}/zero", {"count": count})
        self.recorded(answer)
        series = f'{truth.OCCURRENCES}{{reason="Zero"}}'
        for server in self.each_server():
            processes.wait_until(
                lambda s=server: s.query(f"{series} == 5"),
                INITIAL_ZERO_SECONDS + 20, "a stored 5")
            self.assertEqual(
                list(server.query(f"min_over_time({series}[5m])").values()),
                [0])

    def test_stored_values_equal_the_exporters(self):
        self.post("stored", count=7)
        self.post("awkward", manifests.about_node('back\\slash "quote" ä'),
                  component='line\nend 😀')
        samples = self.main.wait_exact(self.truth, INITIAL_ZERO_SECONDS + 20)
        for server in self.each_server():
            for family in truth.FAMILIES:
                # For Prometheus an empty label is no label.
                want = {frozenset(pair for pair in pairs if pair[1]): value
                        for pairs, value in samples[family].items()}
                self.assertTrue(want)
                processes.wait_until(
                    lambda s=server, f=family, w=want: s.query(f) == w, 20,
                    f"{family} as shown")
            self.assertEqual(server.targets(), [("up", "")])

    def test_promtool_finds_nothing_to_complain_of(self):
        self.post("linted")
        text = self.main.metrics_text()
        for program in ("promtool", "promtool-debian"):
            path = control_plane.tool(program)
            if path:
                with self.subTest(program):
                    self.assertEqual(check_metrics(path, text), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
