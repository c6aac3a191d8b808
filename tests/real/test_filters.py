"""Filters, the part that a real API server applies, and reloads."""

import unittest
import urllib.request

from rig import manifests, processes, truth
from rig.case import ClusterCase

PATH = manifests.CORE_V1.format("default")
DISCOVERY = ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/"
             "system:discovery")
PAGE = 500


def total(samples, family, **labels):
    """The sum of the series of a family with these labels."""
    wanted = set(labels.items())
    return sum(value for pairs, value in samples.get(family, {}).items()
               if wanted <= pairs)


class FiltersTest(ClusterCase):

    def write(self, name, about, reason, **more):
        return self.recorded(self.api.post(
            manifests.CORE_V1.format(more.get("namespace", "default")),
            manifests.legacy_event(name, about, reason, **more)))

    def repeat(self, name, count):
        self.recorded(self.api.patch(f"{PATH}/{name}", {"count": count}))

    def wait_count(self, exporter, expected, **labels):
        def counted():
            return total(exporter.samples(), truth.OCCURRENCES, **labels)
        processes.wait_until(lambda: counted() == expected, 20,
                             f"{labels} counts {expected}")

    def test_a_selector_and_pages_lose_nothing(self):
        matching = PAGE + PAGE // 2
        for i in range(matching):
            # Between any two that match are two that do not.
            self.api.post(PATH, manifests.legacy_event(
                f"m{i}", manifests.about_node(f"n{i % 7}"), "Paged",
                kind="Warning"))
            self.api.post(PATH, manifests.legacy_event(
                f"n{i}", manifests.about_node("n"), "Paged"))
            answer = self.api.post(PATH, manifests.legacy_event(
                f"o{i}", manifests.about_node("n"), "Noise", kind="Warning"))
        self.recorded(answer)
        exporter = self.exporter("paged", "--kinds=Node", "--types=Warning",
                                 "--reasons-exclude=Noise")
        self.assertEqual(total(exporter.samples(), truth.ACTIVE), matching)
        selector = "type=Warning,involvedObject.kind=Node,reason!=Noise"
        lists = exporter.audit().lists(exporter.user)
        self.assertGreater(len(lists), 1)
        for request in lists + exporter.audit().watches(exporter.user):
            self.assertEqual(request.query.get("fieldSelector"), selector)
        self.repeat("m3", 4)
        self.repeat("n3", 9)
        self.repeat("o3", 9)
        self.repeat(f"m{matching - 1}", 3)
        self.wait_count(exporter, 5)
        # Out of the selection and back: DELETED, then ADDED.
        self.recorded(self.api.patch(f"{PATH}/m3", {"type": "Normal"}))
        processes.wait_until(
            lambda: total(exporter.samples(), truth.ACTIVE) == matching - 1,
            20, "what stops matching is gone")
        self.recorded(self.api.patch(f"{PATH}/m3", {"type": "Warning", "count": 6}))
        self.wait_count(exporter, 7)
        self.assertEqual(exporter.own("filtered_occurrences_total"), 0)

    def test_a_reload_counts_from_then_on(self):
        config = self.folder.file("filter.yaml", "kinds: [Node]\n")
        exporter = self.exporter("reloaded", "--config.file", config)
        self.write("before", manifests.about_pod("p"), "Hidden", count=5)
        self.write("node", manifests.about_node("n"), "Seen", count=2)
        self.wait_count(exporter, 2, reason="Seen")
        self.folder.file("filter.yaml", "reasons-exclude: [Noise]\n")
        with urllib.request.urlopen(f"http://{exporter.address}/-/reload",
                                    data=b"", timeout=10) as answer:
            self.assertEqual(answer.read(), b"reloaded\n")
        processes.wait_until(
            lambda: total(exporter.samples(), truth.ACTIVE,
                          reason="Hidden") == 1, 20, "the Pod's Event shows")
        self.wait_count(exporter, 0, reason="Hidden")
        self.repeat("before", 7)
        self.repeat("node", 3)
        self.write("after", manifests.about_pod("p"), "Fresh", count=3)
        self.wait_count(exporter, 2, reason="Hidden")
        self.wait_count(exporter, 3, reason="Seen")
        self.wait_count(exporter, 3, reason="Fresh")
        self.assertEqual(exporter.own("config_reloads_total",
                                      result="success"), 1)

    def prove_cluster_scope(self, name):
        """With two Roles the Node's Events count, from both namespaces."""
        exporter = self.exporter(name, "--scope=cluster",
                                 namespaces=("default", "kube-system"))
        for namespace in ("default", "kube-system"):
            # Only new-style Events of Nodes are allowed in kube-system.
            self.recorded(self.api.post(
                manifests.EVENTS_V1.format(namespace), manifests.new_event(
                    f"{name}-node", manifests.about_node("n"), name,
                    namespace=namespace)))
            self.write(f"{name}-pod", manifests.about_pod("p", namespace),
                       name, namespace=namespace)
        self.wait_count(exporter, 2, reason=name)
        self.assertEqual(total(exporter.samples(), truth.OCCURRENCES,
                               reason=name, scope="cluster"), 2)
        self.assertEqual(exporter.own("filtered_occurrences_total"), 2)
        for request in exporter.audit().requests(exporter.user,
                                                 "ResponseComplete"):
            if request.is_events:
                self.assertEqual(request.status, 200, request.path)
        return exporter

    def test_the_cluster_scope_needs_two_roles(self):
        exporter = self.prove_cluster_scope("tworoles")
        self.assertEqual(exporter.own("scope_decisions_total", by="table"), 0)

    def test_z_and_not_even_discovery(self):
        """Runs last, because it forbids discovery for all."""
        self.api.delete(DISCOVERY)
        exporter = self.prove_cluster_scope("nodiscovery")
        self.assertGreater(exporter.own("discovery_refreshes_total",
                                        result="failed"), 0)
        self.assertGreater(exporter.own("scope_decisions_total", by="table"),
                           0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
