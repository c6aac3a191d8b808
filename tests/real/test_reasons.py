"""The reason catalogue has what Kubernetes itself reports.

Reads the recorder calls in the source of the components, in the module cache of
Go, and compares them with the rows: reason, type and file. Prints the share of
the calls about namespaced objects that the catalogue has. No control plane.
"""

import collections
import pathlib
import sys
import unittest

import yaml

import tools
from rig import recorder_calls

EVENTS = pathlib.Path(__file__).resolve().parents[2] / "exporter" / "events"
KUBERNETES = "k8s.io/kubernetes"
# The modules with recorder calls, and those with their constants.
MODULES = ("k8s.io/api", "k8s.io/apiserver", "k8s.io/client-go",
           "k8s.io/cloud-provider", "k8s.io/component-base",
           "k8s.io/component-helpers", "k8s.io/controller-manager",
           "k8s.io/dynamic-resource-allocation", "k8s.io/endpointslice",
           "k8s.io/kube-aggregator")
COMPONENTS = ("pkg", "cmd", "plugin")
SHARE = 0.95

# Functions that pass type and reason on to a recorder, by folder.
WARNING = "EventTypeWarning"
WRAPPERS = {
    "pkg/controller/deployment": {"emitRollbackWarningEvent": (WARNING, 1)},
    "pkg/controller/podautoscaler": {
        "getUnableComputeReplicaCountCondition": (WARNING, 1)},
    "pkg/controller/volume/persistentvolume": {
        "updateClaimStatusWithEvent": (4, 5),
        "updateVolumePhaseWithEvent": (3, 4)},
    "pkg/kubelet": {"rejectPod": (WARNING, 2)},
    "pkg/kubelet/images": {"logIt": (2, 3)},
    "pkg/kubelet/kuberuntime": {"recordContainerEvent": (4, 5)},
    "pkg/kubelet/prober": {"recordContainerEvent": (3, 4)},
}
# The calls in them, which the test leaves out.
INSIDE = {
    ("pkg/controller/deployment/rollback.go", "reason"),
    ("pkg/controller/podautoscaler/horizontal.go", "reason"),
    ("pkg/controller/volume/persistentvolume/pv_controller.go", "reason"),
    ("pkg/kubelet/images/image_manager.go", "event"),
    ("pkg/kubelet/kuberuntime/kuberuntime_container.go", "reason"),
    ("pkg/kubelet/prober/prober.go", "reason"),
}
# Reasons that a call takes from a variable, by type.
VARIABLE = {
    ("pkg/controller/job/job_controller.go", "finishedCond.Reason"): {
        "Warning": ["BackoffLimitExceeded", "DeadlineExceeded",
                    "FailedIndexes", "MaxFailedIndexesExceeded",
                    "PodFailurePolicy"]},
    ("pkg/controller/statefulset/stateful_pod_control.go", "reason"): {
        "Normal": ["SuccessfulCreate", "SuccessfulDelete",
                   "SuccessfulUpdate"],
        "Warning": ["FailedCreate", "FailedDelete", "FailedUpdate"]},
    ("pkg/controller/volume/persistentvolume/pv_controller.go", "reason"): {
        "Normal": ["WaitForFirstConsumer", "WaitForPodScheduled"]},
    ("pkg/controller/volume/selinuxwarning/selinux_warning_controller.go",
     "conflict.EventReason"): {
         "Normal": ["SELinuxChangePolicyConflict", "SELinuxLabelConflict"]},
    # What the admission handlers of the kubelet return.
    ("pkg/kubelet/kubelet.go", "reason"): {
        "Warning": ["AppArmor", "EmptyPodSharedPoolError", "InvalidNodeInfo",
                    "NodeAffinity", "NodeName", "NodePorts", "NodeShutdown",
                    "OutOfcpu", "OutOfephemeral-storage", "OutOfmemory",
                    "OutOfpods", "PodFeatureUnsupported",
                    "PodLevelResourcesNotSupported", "PodOSNotSupported",
                    "PodOSSelectorNodeLabelDoesNotMatch", "SMTAlignmentError",
                    "SupplementalGroupsPolicyNotSupported", "SysctlForbidden",
                    "TaintToleration", "TopologyAffinityError",
                    "UnexpectedAdmissionError",
                    "UnexpectedPredicateFailureType", "UnknownReason",
                    "Evicted"]},
    ("pkg/kubelet/allocation/allocation_manager.go", "eventType"): {
        "Warning": ["ResizeDeferred", "ResizeInfeasible"]},
    ("staging/src/k8s.io/endpointslice/reconciler.go", "event.Reason"): {
        "Normal": ["TopologyAwareHintsEnabled"],
        "Warning": ["TopologyAwareHintsDisabled"]},
}
# Calls without a row: whether they are about namespaced objects, and why not.
TLS = "staging/src/k8s.io/apiserver/pkg/server/dynamiccertificates/"
SKIPPED = {
    ("pkg/controller/util/node/controller_utils.go",
     '"NodeControllerEviction"'): (True, "DeletePods has no caller"),
    (TLS + "named_certificates.go", '"TLSConfigChanged"'): (
        False, "about a file; it has no kind"),
    (TLS + "tlsconfig.go", '"TLSConfigChanged"'): (
        False, "about a file; it has no kind"),
    ("pkg/controlplane/controller/defaultservicecidr/"
     "default_servicecidr_controller.go", "currentReadyCondition.Reason"): (
         False, "made at run time"),
    ("pkg/controller/util/node/controller_utils.go", "reason"): (
        False, "about nodes; its callers are in many packages"),
    ("pkg/controller/util/node/controller_utils.go", "newStatus"): (
        False, "about nodes; its callers are in many packages"),
    ("pkg/kubelet/kubelet_node_status.go", "event"): (
        False, "about nodes; passed to pkg/kubelet/nodestatus as a function"),
}


def catalogue():
    """(reason, type) to a list of (files, whether it is namespaced)."""
    rows = collections.defaultdict(list)
    for name in ("reason_catalogue.yaml", "namespaced_reasons.yaml"):
        for source in yaml.safe_load((EVENTS / name).read_text()):
            if source["source"] != "kubernetes":
                continue
            for group in source["groups"]:
                for row in group["rows"]:
                    row = {**group, **row}
                    files = row["reference"].partition(" ")[2].split(", ")
                    for reason in row["reasons"]:
                        for kind in row["types"]:
                            rows[reason, kind].append((files, "scope" in row))
    return rows


def recorder_calls_of(version):
    """The recorder calls of all components. Only their own are counted."""
    staging = version.replace("v1.", "v0.", 1)
    source = recorder_calls.Source(
        {module: tools.module_folder(module, staging) for module in MODULES} |
        {KUBERNETES: tools.module_folder(KUBERNETES, version)})
    for module in source.modules:
        for path in source.files(
                module, *(COMPONENTS if module == KUBERNETES else ())):
            folder = source.name(path).rpartition("/")[0]
            for call in source.calls(path, WRAPPERS.get(folder, {})):
                key = call.path, call.expression
                if key in INSIDE and not (key in VARIABLE and call.types):
                    continue
                yield call


class ReasonsTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        if not tools.go_version():
            raise unittest.SkipTest("needs Go")
        cls.version = tools.kubernetes_version()
        cls.rows = catalogue()
        cls.calls = list(recorder_calls_of(cls.version))

    def texts(self, call):
        """(reason, type) of a call, and the file that a row has to cite."""
        variable = VARIABLE.get((call.path, call.expression))
        if variable:
            return [(reason, kind) for kind, reasons in variable.items()
                    for reason in reasons], None
        return [(reason, kind) for reason in call.reasons or ()
                for kind in call.types or ("Normal", "Warning")], call.path

    def rows_of(self, call):
        """The rows of a call; none if one of its reasons has no row."""
        texts, file = self.texts(call)
        found = []
        for text in texts:
            rows = [row for row in self.rows.get(text, ())
                    if file is None or any(
                        f"/{file}".endswith(f"/{cited}") for cited in row[0])]
            if not rows:
                return []
            found += rows
        return found

    def test_the_catalogue_has_each_call(self):
        counts = collections.Counter()
        missing = []
        for call in self.calls:
            skipped = SKIPPED.get((call.path, call.expression))
            rows = self.rows_of(call)
            namespaced = (skipped[0] if skipped else
                          any(row[1] for row in rows) if rows else True)
            counts[namespaced, bool(rows)] += 1
            if not rows and not skipped:
                missing.append(f"{call.path}:{call.line} {call.expression} "
                               f"{call.types}")
        listed, all_of = counts[True, True], sum(
            count for key, count in counts.items() if key[0])
        print(f"kubernetes {self.version}: {len(self.calls)} recorder calls, "
              f"{all_of} about namespaced objects; the catalogue has {listed} "
              f"of them ({listed / all_of:.1%})", file=sys.stderr)
        self.assertEqual("\n".join(missing), "")
        self.assertGreaterEqual(listed / all_of, SHARE)

    def test_each_row_about_namespaced_objects_has_a_call(self):
        called = {text for call in self.calls for text in self.texts(call)[0]}
        self.assertEqual(
            [text for text, rows in self.rows.items()
             if text not in called and any(row[1] for row in rows)], [])

    def test_no_exception_is_stale(self):
        found = {(call.path, call.expression) for call in self.calls}
        self.assertEqual(set(VARIABLE) | set(SKIPPED), found & (
            set(VARIABLE) | set(SKIPPED)))


if __name__ == "__main__":
    unittest.main()
