"""The recorder of the truth, tested with known answers.

No exporter takes part. Every number here was computed by hand, so that an error
in the truth cannot hide one in the exporter.
"""

import time
import unittest

from rig import exposition, manifests, truth
from rig.case import ClusterCase


class TruthTest(ClusterCase):

    def total(self, reason, family=truth.OCCURRENCES, baseline=0, **labels):
        wanted = {("reason", reason), *labels.items()}
        samples = self.truth.expected({"": baseline})[family]
        return sum(value for pairs, value in samples.items()
                   if wanted <= pairs)

    def post(self, event, namespace="default", version="core"):
        path = manifests.CORE_V1 if version == "core" else manifests.EVENTS_V1
        return self.recorded(self.api.post(path.format(namespace), event))

    def change(self, name, patch, version="core"):
        path = manifests.CORE_V1 if version == "core" else manifests.EVENTS_V1
        return self.recorded(self.api.patch(
            f"{path.format('default')}/{name}", patch))

    def remove(self, name):
        self.api.delete(f"{manifests.CORE_V1.format('default')}/{name}")
        self.recorder.wait_for(
            lambda frame: frame.change == "DELETED" and frame.key[1] == name,
            10, f"{name} DELETED")

    def event(self, name, reason, **more):
        return manifests.legacy_event(name, manifests.about_node("n"), reason,
                                      **more)

    def test_a_count_that_rises_and_jumps(self):
        self.post(self.event("jumps", "Jumps"))
        for count in (2, 3, 36):
            self.change("jumps", {"count": count})
        self.assertEqual(self.total("Jumps"), 36)
        self.assertEqual(self.total("Jumps", truth.ACTIVE), 1)
        self.assertEqual(self.total("Jumps", truth.OBJECT_OCCURRENCES,
                                    object_name="n", scope="cluster"), 36)

    def test_an_annotation_is_no_occurrence(self):
        self.post(self.event("edited", "Edited"))
        self.change("edited", {"metadata": {"annotations": {"a": "b"}}})
        self.assertEqual(self.total("Edited"), 1)

    def test_an_event_made_again_goes_on_counting(self):
        first = time.time()
        self.post(self.event("again", "Again", first=first))
        self.remove("again")
        self.assertEqual(self.total("Again", truth.ACTIVE), 0)
        self.post(self.event("again", "Again", first=first, count=2))
        self.assertEqual(self.total("Again"), 2)

    def test_a_new_story_under_an_old_name_counts_whole(self):
        self.post(self.event("reused", "Reused", count=3))
        self.remove("reused")
        self.post(self.event("reused", "Reused", first=time.time() + 5,
                             count=4))
        self.assertEqual(self.total("Reused"), 7)

    def test_a_count_that_falls_is_one_occurrence(self):
        first = self.post(self.event("falls", "Falls"))
        self.change("falls", {"count": 9})
        self.change("falls", {
            "count": 2,
            "lastTimestamp": first["lastTimestamp"].replace("20", "21", 1)})
        self.assertEqual(self.total("Falls"), 10)

    def test_a_series(self):
        about = manifests.about_pod("p")
        self.post(manifests.new_event("series", about, "Series"),
                  version="new")
        for count in (2, 57):
            self.change("series", manifests.series(count), version="new")
        self.assertEqual(self.total("Series"), 57)
        self.assertEqual(self.total(
            "Series", scope="namespaced", object_namespace="default",
            kind="Pod", reporting_component="kem.test/recorder"), 57)

    def test_what_is_older_than_the_baseline_is_not_counted(self):
        self.post(self.event("older", "Older", count=5))
        baseline = self.recorder.frames()[-1].version
        self.assertEqual(self.total("Older", baseline=baseline), 0)
        self.assertEqual(self.total("Older", truth.ACTIVE, baseline), 1)
        self.assertGreater(self.total("Older", truth.LAST_SEEN, baseline), 0)
        self.change("older", {"count": 8})
        self.assertEqual(self.total("Older", baseline=baseline), 3)

    def test_what_expired_before_the_baseline_is_remembered(self):
        first = time.time()
        self.post(self.event("expired", "Expired", count=40, first=first))
        self.remove("expired")
        baseline = self.recorder.frames()[-1].version
        self.post(self.event("expired", "Expired", count=41, first=first))
        self.assertEqual(self.total("Expired", baseline=baseline), 1)

    def test_discovery_decides_the_scope(self):
        self.post(manifests.legacy_event(
            "claims-a-namespace",
            manifests.about_node("n", namespace="default"), "ScopeNode"))
        self.post(manifests.new_event(
            "in-kube-system", manifests.about_node("n"), "ScopeNode",
            namespace="kube-system"), "kube-system", "new")
        self.assertEqual(self.total("ScopeNode", scope="cluster",
                                    object_namespace=""), 2)
        self.post(manifests.legacy_event(
            "no-such-kind", {"kind": "Nowhere", "name": "x"}, "ScopeNone"))
        self.assertEqual(self.total("ScopeNone", scope="cluster"), 1)

    def test_an_omitted_namespace_is_that_of_the_event(self):
        about = {"apiVersion": "v1", "kind": "Endpoints", "name": "e"}
        self.post(manifests.legacy_event("left-out", about, "LeftOut"))
        self.assertEqual(self.total("LeftOut", scope="namespaced",
                                    object_namespace="default"), 1)

    def test_namespaces_are_kept_apart(self):
        self.post(manifests.new_event(
            "kept-apart", manifests.about_pod("p", "kube-system"), "Apart",
            namespace="kube-system"), "kube-system", "new")
        other = self.truth.expected({"default": 0})[truth.OCCURRENCES]
        self.assertFalse([pairs for pairs in other
                          if ("reason", "Apart") in pairs])

    def test_the_recorder_survives_a_killed_api_server(self):
        self.post(self.event("killed", "Killed"))
        self.plane.kill_api_server()
        self.plane.start_api_server()
        self.change("killed", {"count": 6})
        self.assertEqual(self.total("Killed"), 6)


class ExpositionTest(unittest.TestCase):
    """The parser of the text format rejects what the format forbids."""

    def test_reads_escapes_and_values(self):
        parsed = exposition.parse(
            '# HELP a x\n# TYPE a counter\na{b="q\\"\\\\\\n",c=""} 3\na 1e+09\n')
        self.assertEqual(parsed["a"], {
            frozenset({("b", 'q"\\\n'), ("c", "")}): 3, frozenset(): 1e9})

    def test_refuses_what_the_format_forbids(self):
        for text in ('a{b=x} 1\n', 'a{b="x} 1\n', 'a 1', 'a\n', 'a 1\na 2\n',
                     'a{b="x"c="y"} 1\n', 'a  1\n'):
            with self.subTest(text), self.assertRaises(ValueError):
                exposition.parse(text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
