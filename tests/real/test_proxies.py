"""Proxies between the exporter and the API server, with their defaults.

haproxy cuts quiet watches: Events stay exact and in time, and the exporter ends
its watches before haproxy does. nginx buffers responses: Events are exact but
late, and the exporter reports why.

KEM_PROXY_IDLE is haproxy's time-out in seconds (6; haproxy's examples have 30),
KEM_PROXY_SECONDS how long the cluster is quiet but for a few Events (30).
"""

import os
import time
import unittest

from rig import manifests, processes
from rig.case import ClusterCase
from rig.proxies import Haproxy, Nginx

PATH = manifests.CORE_V1.format("default")
IDLE = int(os.environ.get("KEM_PROXY_IDLE", "6"))
SECONDS = int(os.environ.get("KEM_PROXY_SECONDS", "30"))


class ProxiesTest(ClusterCase):

    def through(self, proxy, *flags):
        self.addCleanup(proxy.close)
        return self.exporter(proxy.process.name + "-exporter", *flags,
                             server=proxy.url)

    def post(self, name):
        return self.api.post(PATH, manifests.legacy_event(
            name, manifests.about_node("n"), "Probed"))

    def counted(self, exporter):
        series = exporter.samples().get("kube_event_occurrences_total", {})
        return sum(value for pairs, value in series.items()
                   if ("reason", "Probed") in pairs)

    def delays(self, exporters, name):
        """Seconds until each of the exporters has counted one more Event."""
        before = [self.counted(exporter) for exporter in exporters]
        self.post(name)
        begin = time.monotonic()
        delays = [None] * len(exporters)
        while None in delays and time.monotonic() < begin + 60:
            for i, exporter in enumerate(exporters):
                if delays[i] is None and self.counted(exporter) > before[i]:
                    delays[i] = time.monotonic() - begin
            time.sleep(0.02)
        return delays

    def test_haproxy_cuts_quiet_watches(self):
        exporters = [
            self.through(Haproxy(self.plane, "haproxy-tcp", f"{IDLE}s")),
            self.through(Haproxy(self.plane, "haproxy-http", f"{IDLE}s",
                                 http=True))]
        for exporter in exporters:
            processes.wait_until(
                lambda e=exporter: "asking for shorter ones" in e.process.log(),
                4 * IDLE + 20, f"{exporter.name} asks for shorter watches")
        cuts = [exporter.own("watches_total", reason="truncated")
                for exporter in exporters]
        self.assertEqual(cuts, [3, 3])
        until = time.monotonic() + SECONDS
        worst, number = 0, 0
        while time.monotonic() < until:
            time.sleep(min(1.7 * IDLE, SECONDS / 4))
            number += 1
            delays = self.delays(exporters, f"quiet-{number}")
            self.assertNotIn(None, delays)
            worst = max(worst, *delays)
        for exporter in exporters:
            exporter.wait_exact(self.truth)
            unobserved = exporter.own("unobserved_seconds_total")
            print(f"  {exporter.name}: {unobserved} s unobserved, an Event at "
                  f"most {worst:.2f} s late", flush=True)
            self.assertLessEqual(unobserved, 1)
            # A kept watch is ended by the API server.
            self.assertEqual(exporter.own("watches_total", reason="truncated"),
                             3)
            self.assertGreater(exporter.own("watches_total", reason="clean"), 0)
            self.assertEqual(exporter.process.log().count(
                "asking for shorter ones"), 1)
            self.assertEqual(exporter.own("late_watch_events_total"), 0)
        self.assertLessEqual(worst, 1)

    def test_nginx_buffers(self):
        late = self.through(Nginx(self.plane, "nginx"), "--watch.timeout=30s")
        prompt = self.through(
            Nginx(self.plane, "nginx-unbuffered", "proxy_buffering off",
                  "proxy_http_version 1.1", "proxy_read_timeout 1h"),
            "--watch.timeout=30s")
        number = 0
        while late.own("late_watch_events_total") == 0 and number < 30:
            number += 1
            delays = self.delays([prompt], f"buffered-{number}")
            self.assertLessEqual(delays[0], 1)
            time.sleep(3)
        status, body = late.fetch("/readyz")
        self.assertEqual(status, 200)
        self.assertIn("Events arrive late: a proxy may buffer them", body)
        self.assertIn("Events arrive late", late.process.log())
        # They were late, not lost.
        late.wait_exact(self.truth, 75)
        prompt.wait_exact(self.truth)
        self.assertEqual(prompt.own("late_watch_events_total"), 0)
        self.assertNotIn("late", prompt.fetch("/readyz")[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
