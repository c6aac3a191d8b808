"""A realistic day of Events in a cluster of 40 nodes.

`occurrences(end, seed)` returns them in order of time. Every reason of the
catalogue occurs at least once. The last six hours contain a rolling upgrade, a
full disk, an OOM, a spot storm, volumes that cannot be deleted and an issuer
that cannot register. The same seed produces the same day.
"""

import collections
import pathlib
import random

import yaml

from rig import day_drains

CATALOGUE = (pathlib.Path(__file__).resolve().parents[3] / "exporter" /
             "events" / "reason_catalogue.yaml")
DAY = 86400
MINUTE = 60
LAST_WEEK = ("cluster", "kyverno.io", "ClusterPolicy", "", "PolicyViolation",
             "Warning", "kyverno-background")
# The rest of the catalogue happens before the scenarios, so that the last six
# hours show only the scenarios.
QUIET_FROM = 6.5 * 3600
# Nothing happens later, so every initial zero ends before the day does.
LAST = 3 * MINUTE

# `name` is empty for namespaced objects, whose names the exporter omits.
Occurrence = collections.namedtuple(
    "Occurrence", "at scope api_group kind namespace name reason type "
                  "component")

NODES = [f"ip-10-0-{1 + number % 3}-{20 + 7 * number}.ec2.internal"
         for number in range(34)]
SPOT = [f"ip-10-0-{4 + number % 2}-{31 + 9 * number}.ec2.internal"
        for number in range(6)]
FRESH = [f"ip-10-0-{4 + number % 2}-{36 + 9 * number}.ec2.internal"
         for number in range(6)]
UPGRADED = NODES[:24]
FULL, NO_MEMORY, FLAPPING, CRASHED, CORDONED = NODES[24:29]
SILENT = NODES[29:31]
VOLUMES = ["pvc-2f6c1d8e-7a43-4a52-9f2f-6f0d1c7be801",
           "pvc-9b0e44f7-13c5-4f0e-8d4b-c5a2e7f31d90"]
ISSUER = "letsencrypt-production"
EBS = "ebs.csi.aws.com_ebs-csi-controller-7d9c4b6f9-x2v8k"
NAMESPACES = ("checkout", "kube-system", "payments", "search")

# Components for `any` in the catalogue, by source.
COMPONENTS = {
    "aks": "node-problem-detector", "k3s": "reencrypt-controller",
    "cert-manager": "cert-manager-certificatesigningrequests-issuer-acme",
    "external-secrets": "external-secrets",
    "external-snapshotter": "csi-snapshotter ebs.csi.aws.com",
    "kueue": "multikueue-cluster",
    "crossplane": "packages/provider.pkg.crossplane.io",
    "crossplane-runtime": "managed/bucket.s3.aws.upbound.io",
    "kubernetes": EBS}
KINDS = {"kubernetes": "Namespace",
         "crossplane": "Provider.pkg.crossplane.io",
         "crossplane-runtime": "Bucket.s3.aws.upbound.io",
         "gatekeeper": "ClusterRole.rbac.authorization.k8s.io"}
NAMES = {
    "Node": NODES, "PersistentVolume": VOLUMES, "ClusterIssuer": [ISSUER],
    "Namespace": ["payments"], "ServiceCIDR": ["kubernetes"],
    "IPAddress": ["10.96.14.7", "10.96.201.33"],
    "NodeClaim": ["general-x7k2p", "general-q9d4m", "spot-l5v8t", "spot-c2n6r"],
    "NodePool": ["general", "spot"], "EC2NodeClass": ["default"],
    "CertificateSigningRequest": ["csr-payments-gateway", "csr-mesh-ingress"],
    "Bundle": ["company-roots"], "ClusterBundle": ["company-roots"],
    "ClusterSecretStore": ["vault"], "ClusterPushSecret": ["registry-login"],
    "ValidatingWebhookConfiguration": ["secretstore-validate"],
    "VolumeSnapshotContent": ["snapcontent-4e1b7a36", "snapcontent-c80d92f5"],
    "VolumeGroupSnapshotContent": ["groupsnapcontent-77ab01c2"],
    "MultiKueueCluster": ["batch-eu"], "Provider": ["provider-aws-s3"],
    "ClusterPolicy": ["require-requests", "disallow-latest-tag"],
    "ValidatingPolicy": ["require-labels"],
    "MutatingPolicy": ["add-tolerations"], "GeneratingPolicy": ["add-quota"],
    "GeneratingPolicy.kyverno.io": ["add-limits"],
    "ImageValidatingPolicy": ["verify-signatures"],
    "ClusterCleanupPolicy": ["remove-old-jobs"],
    "DeletingPolicy": ["remove-old-pods"], "Bucket": ["payments-archive"],
    "ETCDSnapshotFile": ["local-etcd-snapshot-7f3a"],
    "NodeHealthCheck": ["workers"], "ProviderNetwork": ["uplink"],
    "Subnet": ["tenant-a"], "Egress": ["egress-payments"],
    "ClusterRole": ["debug-everything"]}
# Namespaces of namespaced objects, which have no names in the metrics.
NAMESPACE_OF = {"ConfigMap": "kube-system", "Service": "payments"}


class Catalogue:
    """Every (group, kind, reason, type, component) of the reason catalogue.

    `known` holds those that the exporter exposes from its start, `namespaced`
    those about namespaced objects.
    """

    def __init__(self):
        self.tuples = []
        self.known = set()
        self.namespaced = set()
        sources = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
        for source in sources:
            for group in source["groups"]:
                for row in group["rows"]:
                    self._add(source, {**group, **row})

    def _add(self, source, row):
        kinds, component = row["kinds"], row["component"]
        namespaced = "scope" in row
        fixed = kinds != "any" and component != "any" and not namespaced
        if kinds == "any":
            kinds = [KINDS[source["source"]]]
        for reason in row["reasons"]:
            writer = (COMPONENTS[source["source"]] if component == "any"
                      else component)
            for kind in kinds:
                name, _, group = kind.partition(".")
                for event_type in row["types"]:
                    found = (group, name, reason, event_type, writer)
                    self.tuples.append(found)
                    if namespaced:
                        self.namespaced.add(found)
                    if fixed and ("found_by" in source or
                                  source["source"] == "kubernetes"):
                        self.known.add(found)


class Day:
    """Collects occurrences; times are seconds before the end."""

    def __init__(self, end, seed):
        self.end = end
        self.random = random.Random(seed)
        self.happened = []

    def about(self, kind, name, reason, event_type, component, *before,
              group=""):
        """Occurrences about a cluster-scoped object at each of `before`."""
        for seconds in before:
            self.happened.append(Occurrence(
                round(self.end - max(seconds, LAST)), "cluster", group, kind,
                "", name, reason, event_type, component))

    def node(self, name, component, before, *reasons, event_type="Normal",
             gap=1):
        """One reason after another, `gap` seconds apart."""
        for number, reason in enumerate(reasons):
            self.about("Node", name, reason, event_type, component,
                       before - number * gap)

    def every(self, begin, end, low, high):
        """Times from `begin` to `end`, `low` to `high` seconds apart."""
        times = []
        while begin > end:
            times.append(begin)
            begin -= self.random.uniform(low, high)
        return times

    def start(self, name, before):
        """The Events of a kubelet and a kube-proxy that start."""
        self.node(name, "kubelet", before, "Starting",
                  "NodeHasSufficientMemory", "NodeHasNoDiskPressure",
                  "NodeHasSufficientPID", "NodeAllocatableEnforced")
        self.node(name, "kube-proxy", before - 8, "Starting")
        self.node(name, "kubelet", before - 20, "NodeReady")


def _upgrade(day):
    for number, name in enumerate(UPGRADED):
        begin = 5.5 * 3600 - number * 290 - day.random.uniform(0, 40)
        day.node(name, "kubelet", begin, "NodeNotSchedulable")
        day.node(name, "kubelet", begin - 95, "Shutdown", "NodeNotReady")
        if number % 3 == 0:
            day.node(name, "node-controller", begin - 140, "NodeNotReady")
        day.node(name, "kubelet", begin - 170, "Rebooted",
                 event_type="Warning")
        day.start(name, begin - 171)
        day.node(name, "kubelet", begin - 215, "NodeSchedulable")


def _disk(day):
    begin = 160 * MINUTE
    day.node(FULL, "kubelet", begin, "NodeHasDiskPressure")
    for reason, low, high in (("EvictionThresholdMet", 50, 150),
                              ("FreeDiskSpaceFailed", 280, 320),
                              ("ImageGCFailed", 290, 330)):
        day.about("Node", FULL, reason, "Warning", "kubelet",
                  *day.every(begin - 30, begin - 32 * MINUTE, low, high))
    day.node(FULL, "kubelet", begin - 35 * MINUTE, "NodeHasNoDiskPressure")


def _memory(day):
    begin = 110 * MINUTE
    day.node(NO_MEMORY, "kubelet", begin + 90, "NodeHasInsufficientMemory")
    day.about("Node", NO_MEMORY, "SystemOOM", "Warning", "kubelet", begin,
              begin - 40, begin - 4 * MINUTE)
    day.about("Node", NO_MEMORY, "OOMKilling", "Warning", "kernel-monitor",
              begin + 1, begin - 39)
    day.node(NO_MEMORY, "kubelet", begin - 9 * MINUTE,
             "NodeHasSufficientMemory")


def _spot_storm(day):
    claims = "karpenter.sh"
    for number, name in enumerate(SPOT):
        begin = 50 * MINUTE - number * 37
        claim = f"spot-{name.split('.')[0][-3:].strip('-')}h{number}d"
        for reason in ("SpotInterrupted", "TerminatingOnInterruption"):
            day.node(name, "karpenter", begin, reason, event_type="Warning")
            day.about("NodeClaim", claim, reason, "Warning", "karpenter",
                      begin, group=claims)
        day.node(name, "karpenter", begin - 6, "DisruptionTerminating")
        day.node(name, "kubelet", begin - 9, "NodeNotSchedulable")
        if number % 2:
            day.about("Node", name, "FailedDraining", "Warning", "karpenter",
                      begin - 40, begin - 70)
        day.node(name, "cloud-node-lifecycle-controller", begin - 125,
                 "DeletingNode")
        day.node(name, "node-controller", begin - 131, "RemovingNode")
        fresh, next_claim = FRESH[number], f"spot-{number}n7k{number}"
        day.about("NodeClaim", next_claim, "DisruptionLaunching", "Normal",
                  "karpenter", begin - 20, group=claims)
        if number > 2:
            day.about("NodeClaim", next_claim, "InsufficientCapacityError",
                      "Warning", "karpenter", begin - 30, begin - 150,
                      group=claims)
        up = begin - 200 - 25 * number
        day.node(fresh, "node-controller", up, "RegisteredNode")
        day.node(fresh, "cloud-node-controller", up - 2, "Synced")
        day.start(fresh, up + 4)


def _volumes(day):
    for name, hours in zip(VOLUMES, (4.1, 1.9)):
        day.about("PersistentVolume", name, "VolumeFailedDelete", "Warning",
                  EBS, *day.every(hours * 3600, LAST, 480, 900))
    day.about("VolumeSnapshotContent", "snapcontent-4e1b7a36",
              "SnapshotCreationFailed", "Warning",
              COMPONENTS["external-snapshotter"],
              *day.every(3.4 * 3600, 2.4 * 3600, 500, 700),
              group="snapshot.storage.k8s.io")


def _platform(day):
    issuer = dict(group="cert-manager.io")
    day.about("ClusterIssuer", ISSUER, "ErrRegisterACMEAccount", "Warning",
              "cert-manager-clusterissuers",
              *day.every(3 * 3600, 70 * MINUTE, 400, 700), **issuer)
    day.about("ClusterIssuer", ISSUER, "ACMEAccountRegistered", "Normal",
              "cert-manager-clusterissuers", 66 * MINUTE, **issuer)
    for name, share in zip(NAMES["ClusterPolicy"], (1, 2.5)):
        day.about("ClusterPolicy", name, "PolicyViolation", "Warning",
                  "kyverno-admission",
                  *day.every(DAY - 900, LAST, 500 * share, 2600 * share),
                  group="kyverno.io")
    for name in NAMES["IPAddress"]:
        day.about("IPAddress", name, "IPAddressNotAllocated", "Warning",
                  "ipallocator-repair-controller",
                  day.random.uniform(1800, 5 * 3600),
                  group="networking.k8s.io")


def _single_nodes(day):
    for before in day.every(9 * 3600, 8 * 3600, 500, 800):
        day.node(FLAPPING, "node-controller", before, "NodeNotReady")
        day.node(FLAPPING, "kubelet", before - 100, "NodeReady")
    day.node(CRASHED, "kubelet", 41 * MINUTE, "Rebooted",
             event_type="Warning")
    day.start(CRASHED, 41 * MINUTE - 1)
    day.node(CORDONED, "kubelet", 75 * MINUTE, "NodeNotSchedulable")
    for name, before in zip(SILENT, (26, 11)):
        day.node(name, "node-controller", before * MINUTE, "NodeNotReady")


def _lifecycle(day):
    for before in day.every(DAY - 1200, 7 * 3600, 3000, 9000):
        name = day.random.choice(NODES)
        day.node(name, "cluster-autoscaler", before, "ScaleDown")
        day.node(name, "node-controller", before - 180, "RemovingNode")
        back = before - day.random.uniform(600, 2400)
        day.node(name, "node-controller", back, "RegisteredNode")
        day.node(name, "cloud-node-controller", back - 3, "Synced")
        day.start(name, back - 5)
    for name in NAMES["NodeClaim"][:2]:
        day.about("NodeClaim", name, "Unconsolidatable", "Normal",
                  "karpenter", *day.every(DAY - 1500, LAST, 900, 3600),
                  group="karpenter.sh")


def _pods(day):
    """Namespaced Events, whose object names the exporter omits."""
    steady = (("", "Pod", "Scheduled", "Normal", "default-scheduler", 300),
              ("", "Pod", "Started", "Normal", "kubelet", 320),
              ("", "Pod", "BackOff", "Warning", "kubelet", 1500),
              ("", "Pod", "FailedScheduling", "Warning", "default-scheduler",
               2400),
              ("apps", "ReplicaSet", "SuccessfulCreate", "Normal",
               "replicaset-controller", 900))
    for namespace in NAMESPACES:
        for group, kind, reason, event_type, component, pause in steady:
            for before in day.every(DAY - 600, LAST, pause / 2, pause * 1.5):
                day.happened.append(Occurrence(
                    round(day.end - before), "namespaced", group, kind,
                    namespace, "", reason, event_type, component))


def _catalogue(day):
    """Reasons of no scenario, once or twice, before the scenarios."""
    used = {(each.api_group, each.kind, each.reason, each.type,
             each.component) for each in day.happened}
    catalogue = Catalogue()
    for found in catalogue.tuples:
        if found in used:
            continue
        group, kind, reason, event_type, component = found
        for _ in range(day.random.choice((1, 1, 2))):
            if found in catalogue.namespaced:
                day.happened.append(Occurrence(
                    round(day.end - day.random.uniform(QUIET_FROM, DAY - 1800)),
                    "namespaced", group, kind, NAMESPACE_OF[kind], "", reason,
                    event_type, component))
                continue
            names = NAMES.get(f"{kind}.{group}", NAMES.get(kind))
            day.about(kind, day.random.choice(names), reason,
                      event_type, component,
                      day.random.uniform(QUIET_FROM, DAY - 1800), group=group)
    # Every affected node recovers.
    for name in sorted({each.name for each in day.happened
                        if each.kind == "Node" and
                        each.at < day.end - QUIET_FROM}):
        day.node(name, "kubelet", QUIET_FROM - 120, "NodeHasSufficientMemory",
                 "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady",
                 "NodeSchedulable")


def _bad_night(day):
    """Long before the other scenarios: Events that fire the rarer alerts."""
    out = 20 * 3600
    for number, name in enumerate(NODES[-3:]):
        day.node(name, "node-controller", out - number * 20, "NodeNotReady")
        day.node(name, "kubelet", out - 15 * MINUTE - number, "NodeReady")
        gone = name.replace("ip-10-0", "ip-10-9")
        day.node(gone, "cloud-node-lifecycle-controller",
                 out - number * 90, "DeletingNode")
        day.node(gone, "node-controller", out - 5 - number * 90,
                 "RemovingNode")
    day.about("Node", NODES[-1], "ScaleDownFailed", "Warning",
              "cluster-autoscaler", *day.every(out, out - 3000, 500, 800))
    day.about("Node", NODES[-2], "EvictionThresholdMet", "Warning",
              "kubelet", *day.every(out, out - 1500, 20, 40))
    day.about("Node", NODES[-3], "FailedToCreateRoute", "Warning",
              "route_controller", *day.every(out, out - 3000, 200, 300))
    for name in NODES[:24]:
        day.about("Node", name, "TaskHung", "Warning", "kernel-monitor",
                  *day.every(out, out - 900, 200, 300))
    day.about("IPAddress", NAMES["IPAddress"][0], "IPAddressNotAllocated",
              "Warning", "ipallocator-repair-controller",
              *day.every(out, out - 2700, 180, 360),
              group="networking.k8s.io")


def _small(day):
    """A quiet second cluster whose nodes have the same names."""
    for number, name in enumerate(NODES[:8]):
        day.node(name, "kubelet", 4 * 3600 - number * 600, "Rebooted",
                 event_type="Warning")
        day.start(name, 4 * 3600 - number * 600 - 1)
    day.node(NODES[3], "kubelet", 80 * MINUTE, "SystemOOM",
             event_type="Warning")
    day.node(NODES[5], "node-controller", 15 * MINUTE, "NodeNotReady")


def occurrences(end, seed=1, small=False):
    """All occurrences, oldest first; `small` is a cluster of eight nodes."""
    day = Day(end, seed)
    scenarios = (_small, _pods) if small else (
        _upgrade, _disk, _memory, _spot_storm, _volumes, _platform,
        _single_nodes, day_drains.work, _lifecycle, _bad_night, _pods,
        _catalogue)
    for scenario in scenarios:
        scenario(day)
    return sorted(day.happened)


def last_week(end, seed, seconds):
    """The times of Warnings in the `seconds` before `end`."""
    day = Day(end, seed)
    return [round(end - before) for before in day.every(seconds, 0, 120, 800)]
