"""Thousands of Events expire while watches end.

etcd deletes up to 1,000 Events in one transaction, at one resourceVersion. The
API server ends watches in the middle of such a batch. No expired Event may stay
in kube_event_active. The exporters watch through a proxy that cuts quiet
watches, so they end theirs every few seconds.

KEM_EXPIRING_EVENTS is the number of Events (2,000), KEM_EXPIRING_EXPORTERS that
of exporters (3).
"""

import concurrent.futures
import os
import time
import unittest

from rig import manifests, processes
from rig.case import ClusterCase
from rig.proxies import Haproxy

EVENTS = int(os.environ.get("KEM_EXPIRING_EVENTS", "2000"))
EXPORTERS = int(os.environ.get("KEM_EXPIRING_EXPORTERS", "3"))
TTL = 60


class ExpiryTest(ClusterCase):

    API_SERVER_FLAGS = {"event_ttl": f"{TTL}s"}

    def post(self, number):
        namespace = f"expiry-{number % 7}"
        self.api.post(
            manifests.CORE_V1.format(namespace), manifests.legacy_event(
                f"event-{number}", manifests.about_pod("p", namespace),
                "Expires", count=1 + number % 3, namespace=namespace))

    def gone(self):
        return sum(frame.change == "DELETED"
                   for frame in self.recorder.frames())

    def test_no_event_stays_active(self):
        for number in range(7):
            self.api.ensure("/api/v1/namespaces",
                            {"metadata": {"name": f"expiry-{number}"}})
        proxy = Haproxy(self.plane, "haproxy", "5s")
        self.addCleanup(proxy.close)
        exporters = [self.exporter(f"expiry-{i}", "--watch.timeout=30s",
                                   server=proxy.url)
                     for i in range(EXPORTERS)]
        for exporter in exporters:
            processes.wait_until(
                lambda e=exporter: "asking for shorter ones" in e.process.log(),
                40, f"{exporter.name} asks for shorter watches")
        with concurrent.futures.ThreadPoolExecutor(4) as writers:
            list(writers.map(self.post, range(EVENTS)))
        processes.wait_until(lambda: self.gone() == EVENTS, 3 * TTL + 40,
                             "all Events expired", pause=0.5)
        time.sleep(5)
        for exporter in exporters:
            samples = exporter.wait_exact(self.truth)
            active = sum(samples["kube_event_active"].values())
            print(f"  {exporter.name}: {active:.0f} active of {EVENTS} "
                  f"expired, {exporter.own('watches_total'):.0f} watches, "
                  f"{exporter.own('lists_total'):.0f} lists", flush=True)
            self.assertEqual(active, 0)
            self.assertEqual(exporter.own("tracked_events"), 0)
            self.assertEqual(exporter.own("tombstones"), EVENTS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
