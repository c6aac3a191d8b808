"""Filters, the part that a real API server applies, and reloads."""

import json
import re
import unittest
import urllib.request

from rig import manifests, processes, truth
from rig.api import ApiError
from rig.case import ClusterCase

PATH = manifests.CORE_V1.format("default")
DISCOVERY = ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/"
             "system:discovery")
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
PAGE = 500

# (namespace, empty for a Node's; name; occurrences; message)
NAMED = (("", "worker.1", 2, "disk /dev/a is full"),
         ("", "worker-1", 3, "disk /dev/loop1 is full"),
         ("", "workerx1", 5, "all is well"),
         ("team-a", "worker.1", 7, "all is well: disk /dev/a is not full"),
         ("team-a", "cart-0", 11, "no space left"),
         ("team-x", "cart-0", 13, "there is no space left"),
         ("shop", "cart-1", 17, "Disk /dev/a is full"))
# (flags, the selector of core/v1, which of NAMED count)
FILTERS = {
    "literal": ((r"--objects=worker\.1",), "involvedObject.name=worker.1",
                lambda space, name: name == "worker.1"),
    "dot": (("--objects=worker.1",), None,
            lambda space, name: re.fullmatch("worker.1", name)),
    "without": ((r"--objects-exclude=worker\.1,cart-0,.*x1",),
                "involvedObject.name!=worker.1,involvedObject.name!=cart-0",
                lambda space, name: name in ("worker-1", "cart-1")),
    "both": (("--objects=worker.*,cart-.*", "--objects-exclude=worker-1"),
             "involvedObject.name!=worker-1",
             lambda space, name: name != "worker-1"),
    "spaces": (("--namespaces=team-.*,nowhere",), None,
               lambda space, name: not space or space.startswith("team-")),
    "fewer": (("--namespaces=team-.*", "--namespaces-exclude=team-x"), None,
              lambda space, name: space in ("", "team-a")),
    "all": (("--namespaces=shop", "--objects=cart-[0-9]", "--kinds=Pod"),
            "involvedObject.kind=Pod",
            lambda space, name: space == "shop"),
}


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

    def post_named(self, reason):
        for namespace, name, count, message in NAMED:
            about = manifests.about_node(name)
            if namespace:
                self.api.ensure("/api/v1/namespaces",
                                {"metadata": {"name": namespace}})
                about = manifests.about_pod(name, namespace)
            space = namespace or "default"
            self.recorded(self.api.post(
                manifests.CORE_V1.format(space),
                {**manifests.legacy_event(
                    f"{reason}-{namespace}-{name}".lower(), about, reason,
                    count=count, namespace=space), "message": message}))

    def only_events_v1(self, name):
        """Before the exporter of this name starts: core/v1 is forbidden."""
        self.api.ensure(ROLES, {
            "metadata": {"name": f"events-{name}"},
            "rules": [{"apiGroups": ["events.k8s.io"], "resources": ["events"],
                       "verbs": ["get", "list", "watch"]}]})

    def prove_selector(self, exporter, group, selector):
        """Accepted by each list and watch of one API."""
        if selector and group != "/api/v1":
            selector = selector.replace("involvedObject.", "regarding.")
        requests = [
            request for stage in ("ResponseStarted", "ResponseComplete")
            for request in exporter.audit().requests(exporter.user, stage)
            if request.is_events and request.path.startswith(group)]
        self.assertEqual({one.is_watch for one in requests}, {False, True})
        for request in requests:
            self.assertEqual(request.status, 200)
            self.assertEqual(request.query.get("fieldSelector"), selector)

    def prove_named(self, group):
        reason = "Named" + str(len(group))
        exporters = {}
        for name, (flags, *_) in FILTERS.items():
            name += str(len(group))
            if group != "/api/v1":
                self.only_events_v1(name)
            exporters[name] = self.exporter(name, f"--reasons={reason}.*",
                                            *flags)
        self.post_named(reason)
        for exporter, (_, selector, passes) in zip(exporters.values(),
                                                   FILTERS.values()):
            with self.subTest(exporter.name):
                wanted = sum(count for space, name, count, _ in NAMED
                             if passes(space, name))
                self.wait_count(exporter, wanted, reason=reason)
                by_object = {name: count for space, name, count, _ in NAMED
                             if not space and passes(space, name)}
                for name in ("worker.1", "worker-1", "workerx1"):
                    self.assertEqual(
                        total(exporter.samples(), truth.OBJECT_OCCURRENCES,
                              reason=reason, object_name=name),
                        by_object.get(name, 0))
                if selector is None:
                    # The rest has arrived, so no more is to come.
                    everything = sum(one[2] for one in NAMED)
                    processes.wait_until(
                        lambda: exporter.own("filtered_occurrences_total") ==
                        everything - wanted, 20, "the rest is filtered")
                    self.wait_count(exporter, wanted, reason=reason)
                self.prove_selector(exporter, group, selector)

    def test_names_and_namespaces_count_exactly(self):
        self.prove_named("/api/v1")

    def test_names_and_namespaces_in_the_other_api(self):
        self.prove_named("/apis/events.k8s.io/v1")

    def test_messages_select_for_a_sink(self):
        path = self.folder.file("messages.json", "")
        config = self.folder.file("messages-config.yaml", json.dumps({"sinks": [{
            "name": "disks", "type": "log", "path": path,
            "filter": {"scope": "all", "namespaces-exclude": ["shop"],
                       "messages": ["disk .* full", "^no space", "end$"],
                       "messages-exclude": ["/dev/loop[0-9]"]}}]}))
        exporter = self.exporter("messages", "--config.file", config)
        self.post_named("Said")
        longest = "x" * 1021 + "end"
        about = manifests.about_node("n")
        new_style = manifests.EVENTS_V1.format("default")
        self.recorded(self.api.post(new_style, {
            **manifests.new_event("longest", about, "Said"), "note": longest}))
        with self.assertRaises(ApiError) as refused:
            self.api.post(new_style, {
                **manifests.new_event("longer", about, "Said"),
                "note": "x" + longest})
        self.assertEqual(refused.exception.status, 422)
        # An Event in the older style may have it. The match is cut off.
        self.recorded(self.api.post(PATH, {
            **manifests.legacy_event("longer", about, "Said"),
            "message": "x" + longest}))
        self.recorded(self.api.post(PATH, {
            **manifests.legacy_event("last", about, "Said"),
            "message": "no space again"}))
        wanted = ["disk /dev/a is full", "all is well: disk /dev/a is not full",
                  "no space left", longest, "no space again"]
        processes.wait_until(
            lambda: exporter.own("sink_delivered_total") >= len(wanted), 20,
            "the sink has it all")
        with open(path, encoding="utf-8") as lines:
            self.assertEqual([json.loads(line)["body"] for line in lines],
                             wanted)
        self.assertEqual(exporter.own("sink_delivered_total"), len(wanted))
        self.wait_count(exporter, sum(one[2] for one in NAMED) + 3,
                        reason="Said")

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
