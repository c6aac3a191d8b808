"""Metrics, labels, kinds and reasons that the dashboards use.

Reasons are looked up in the exporter's catalogue. An unknown reason stops the
generator.
"""

import pathlib

import yaml

CATALOGUE = (pathlib.Path(__file__).resolve().parents[2] / "exporter" /
             "events" / "reason_catalogue.yaml")

OCCURRENCES = "kube_event_occurrences_total"
OBJECTS = "kube_event_object_occurrences_total"
LAST_SEEN = "kube_event_last_seen_timestamp_seconds"
ACTIVE = "kube_event_active"
OWN = "kube_event_metrics_"

# Selectors of every query; cluster also matches series without the label.
SELECT = 'job=~"$job",instance=~"$instance",cluster=~"$cluster"'

# Kinds of each dashboard; the platform dashboard shows all other kinds.
NODE = "Node"
VOLUME = "PersistentVolume"
STORAGE = ("PersistentVolume|VolumeSnapshotContent|VolumeGroupSnapshotContent|"
           "VolumeAttachment|StorageClass|CSIDriver|CSINode")
CLAIMS = "NodeClaim|NodePool|.+NodeClass"
LIFECYCLE = f"{NODE}|{CLAIMS}"
ELSEWHERE = f"{LIFECYCLE}|{STORAGE}"


def _rows():
    for source in yaml.safe_load(CATALOGUE.read_text(encoding="utf-8")):
        for group in source["groups"]:
            for row in group["rows"]:
                yield {**group, **row, "source": source["source"]}


ROWS = tuple(_rows())
KNOWN = frozenset(r for row in ROWS for r in row["reasons"])
KINDS = tuple(dict.fromkeys(
    kind.partition(".")[0] for row in ROWS if row["kinds"] != "any"
    for kind in row["kinds"]))
COMPONENTS = tuple(dict.fromkeys(
    row["component"] for row in ROWS if row["component"] != "any"))


def reasons(**wanted):
    """Reasons of the rows whose fields have one of the wanted values, in
    order.

    A wanted value is a string or a tuple of strings. A field that is a list in
    the catalogue matches if any of its values does.
    """
    def fits(row):
        for field, values in wanted.items():
            has = row[field] if isinstance(row[field], list) else [row[field]]
            has = [value.partition(".")[0] if field == "kinds" else value
                   for value in has]
            values = (values,) if isinstance(values, str) else values
            if not set(has) & set(values):
                return False
        return True

    found = [reason for row in ROWS if fits(row) for reason in row["reasons"]]
    return tuple(dict.fromkeys(found))


def named(*names):
    """The names themselves, after a check against the catalogue."""
    if unknown := set(names) - KNOWN:
        raise ValueError(f"not in {CATALOGUE.name}: {sorted(unknown)}")
    return names


def without(these, *others):
    return tuple(r for r in these if r not in named(*others))


def _only(event_type, severity, *more_severe):
    """Reasons of this type and severity that have no higher one in any row."""
    higher = set(reasons(severity=more_severe))
    return tuple(r for r in reasons(types=event_type, severity=severity)
                 if r not in higher)


CRITICAL = reasons(severity="critical")
# What the type of an Event gets wrong: Normal is info and Warning is warning,
# except for these.
NORMAL_BUT_WARNING = _only("Normal", "warning", "critical")
WARNING_BUT_INFO = _only("Warning", "info", "critical", "warning")
REBOOTED = named("Rebooted")
CORDONED = named("NodeNotSchedulable")
NOT_READY = named("NodeNotReady")
# It reports each change of readiness; the kubelet repeats most of them.
NODE_CONTROLLER = "node-controller"
READY_AGAIN = named("NodeReady", "RemovingNode", "DeletingNode")
# OOMKilling is also written for a container at its own limit, which is common.
OUT_OF_MEMORY = named("SystemOOM")
PRESSURE = named("NodeHasDiskPressure", "NodeHasInsufficientMemory",
                 "NodeHasInsufficientPID")
PRESSURE_OVER = named("NodeHasNoDiskPressure", "NodeHasSufficientMemory",
                      "NodeHasSufficientPID")
RECLAIM = named("FreeDiskSpaceFailed", "ImageGCFailed", "ContainerGCFailed",
                "InvalidDiskCapacity")
CONFIGURATION = named(
    "CgroupV1", "IPVSDeprecation", "KubeProxyDefaultMode", "MissingClusterDNS",
    "CheckLimitsForResolvConf", "PossibleMemoryBackedVolumesOnDisk",
    "FailedNodeAllocatableEnforcement", "KubeletSetupFailed",
    "FailedToStartProxierHealthcheck", "FailedToStartMetricServer",
    "InvalidImageID", "CIDRNotAvailable", "CIDRAssignmentFailed",
    "FailedToCreateRoute")
PROBLEM_DETECTOR = without(
    reasons(source="node-problem-detector", severity=("warning", "critical")),
    "OOMKilling")
# Problems of one node; disruptions are apart, because they may be planned.
SUFFERING = (*PRESSURE, *named("EvictionThresholdMet"), *OUT_OF_MEMORY,
             *without(RECLAIM, "InvalidDiskCapacity"), *PROBLEM_DETECTOR)

FAILED_DELETE = named("VolumeFailedDelete", "VolumeFailedRecycle")

JOINED, LEFT = named("RegisteredNode", "RemovingNode")
INTERRUPTION = (
    *reasons(source="aws-node-termination-handler", severity="warning",
             types="Normal"),
    *named("SpotInterrupted", "CapacityReservationInstanceInterrupted",
           "InstanceStopping", "InstanceTerminating", "InstanceUnhealthy",
           "TerminatingOnInterruption"))
# Karpenter repeats FailedDraining while a drain waits for Pods.
DRAIN_FAILED = (*named("ScaleDownFailed"),
                *without(reasons(source="aws-node-termination-handler",
                                 types="Warning"), "MonitorError"))
DEPARTURE = named("DisruptionTerminating", "ScaleDown", "DeletingNode",
                  "Shutdown")
BLOCKED = (*DRAIN_FAILED, *reasons(source="karpenter", types="Warning"))
LIFECYCLE_REASONS = tuple(dict.fromkeys((
    JOINED, LEFT, *named("NodeNotSchedulable", "NodeSchedulable", "Synced"),
    *DEPARTURE, *reasons(component="cloud-node-lifecycle-controller"),
    *reasons(source=("cluster-autoscaler", "karpenter",
                     "karpenter-provider-aws",
                     "aws-node-termination-handler")))))

POLICY = (*reasons(source=("kyverno", "gatekeeper"), types="Warning"),
          *named("OwnerRefInvalidNamespace"))
TRUST_KINDS = ("ClusterIssuer|CertificateSigningRequest|Bundle|ClusterBundle|"
               "ClusterSecretStore|ClusterPushSecret|"
               "ValidatingWebhookConfiguration")
