"""The incidents of tests/alerts/operations.yaml; see rig/operations.py."""

from rig.operations import OPERATIONS, operation, upgrade
from rig.play import BEGIN, CLAIM, HOUR, MINUTE, NAMESPACES, Play


def make(name, size):
    """The Play of any operation, also of the normal ones."""
    return OPERATIONS[name](Play(name, size))


def _backoff(begin, end, first=1.0, longest=300.0):
    """Times of retries with exponential back-off."""
    times, at, pause = [], begin, first
    while at < end:
        times.append(at)
        at += pause
        pause = min(2 * pause, longest)
    return times


def _lost(play, count):
    """`count` nodes do not return from their reboot after a slow drain; they are
    repaired 80 minutes later."""
    at = upgrade(play, play.nodes[:max(1, play.size // 10)])
    loss = at + 25 * MINUTE
    repair = loss + 80 * MINUTE
    lost = play.nodes[-count:]
    play.roles["lost"] = lost
    for number, name in enumerate(lost):
        play.cordon(at + number, name)
        play.shuts_down(loss + number, name)
        play.boots(repair + number, name, cordoned=True)
        play.uncordon(repair + 2 * MINUTE, name)
    play.marks.update({"loss": loss + 4, "return": repair + 20})
    return play.finish(repair + 30 * MINUTE)


@operation
def upgrade_one_lost(play):
    return _lost(play, 1)


@operation
def upgrade_three_lost(play):
    return _lost(play, 3)


@operation
def runtime_failure(play):
    """The container runtime of a node hangs 10 minutes after the node was
    uncordoned. The engineer on call cordons the node, and reboots it."""
    name = play.nodes[0]
    play.roles["node"] = [name]
    play.cordon(BEGIN, name)
    play.uncordon(BEGIN + 10 * MINUTE, name)
    failure = BEGIN + 20 * MINUTE
    play.node(failure, name, "kubelet", "NodeNotReady")
    play.node(failure + 4, name, "node-controller", "NodeNotReady")
    play.state(failure, name, status="false")
    play.cordon(failure + 10 * MINUTE, name)
    reboot = failure + 30 * MINUTE
    play.node(reboot, name, "kubelet", "Shutdown")
    play.boots(reboot + 100, name, cordoned=True)
    play.uncordon(reboot + 150, name)
    play.marks.update({"failure": failure, "return": reboot + 120})
    return play.finish(reboot + 40 * MINUTE)


@operation
def spot_interruption(play):
    """A tenth of the nodes gets notices within three minutes. Karpenter drains
    and replaces half of them, node-termination-handler the others."""
    names = play.some(0.1)
    for number, name in enumerate(names):
        at = BEGIN + 180 * number / len(names)
        if number % 2:
            play.node(at, name, "aws-node-termination-handler",
                      "SpotInterruption", "CordonAndDrain")
            play.cordon(at + 1, name)
        else:
            for reason in ("SpotInterrupted", "TerminatingOnInterruption"):
                play.warn(at, name, "karpenter", reason)
                play.claim(at, name, reason, event_type="Warning")
            play.node(at + 1, name, "karpenter", "DisruptionTerminating")
            play.warn(at + 15, name, "karpenter", "FailedDraining")
        play.loses_instance(at + 120, name)
        play.joins(at + 75, f"fresh-{number}")
    play.marks["first notice"] = BEGIN
    return play.finish(HOUR)


@operation
def blocked_drain(play):
    """A PodDisruptionBudget lets no Pod of a node be evicted."""
    name = play.nodes[0]
    play.roles["node"] = [name]
    play.node(BEGIN, name, "karpenter", "DisruptionTerminating")
    stop = BEGIN + 100 * MINUTE
    for at in play.every(BEGIN + 10, stop, 120, 0.05):
        play.warn(at, name, "karpenter", "FailedDraining")
    play.loses_instance(stop, name, cloud=False)
    play.marks.update(drain=BEGIN, removal=stop + 40)
    return play.finish(stop + 80 * MINUTE)


@operation
def zone_outage(play):
    """The network of one of three zones fails for 40 minutes."""
    names = play.nodes[::3]
    play.roles["zone"] = names
    for name in names:
        play.unreachable(BEGIN, name)
        play.ready(BEGIN + 40 * MINUTE + play.random.uniform(1, 20), name)
    play.marks.update({"outage": BEGIN, "return": BEGIN + 40 * MINUTE})
    return play.finish(80 * MINUTE)


def _fills(play, name, begin, pressure, end):
    """Image garbage collection fails from `begin` to `end`; the kubelet evicts
    Pods from `pressure` on."""
    first = begin + play.random.uniform(1, 300)
    for number, at in enumerate(play.every(first, end, 302, 0.005)):
        text = f"wanted to free {9120 - number} MB, freed 0"
        play.warn(at, name, "kubelet", "FreeDiskSpaceFailed", message=text)
        if number:
            play.warn(at, name, "kubelet", "ImageGCFailed", message=text)
    play.node(pressure, name, "kubelet", "NodeHasDiskPressure")
    for at in play.every(pressure, end, 10, 0.02):
        play.warn(at, name, "kubelet", "EvictionThresholdMet",
                  message="Attempting to reclaim ephemeral-storage")
    play.node(end + 60, name, "kubelet", "NodeHasNoDiskPressure")


@operation
def disk_full_on_one_node(play):
    """Garbage collection fails for 40 minutes before the disk is full."""
    play.roles["node"] = play.nodes[:1]
    full, free = BEGIN + 40 * MINUTE, BEGIN + 90 * MINUTE
    _fills(play, play.nodes[0], BEGIN, full, free)
    play.marks.update({"first failure": BEGIN, "first eviction": full,
                       "repair": free})
    return play.finish(free + 50 * MINUTE)


@operation
def disk_full_on_all_nodes(play):
    """A storm of log lines fills every disk within a minute."""
    play.roles["nodes"] = play.nodes
    free = BEGIN + 50 * MINUTE
    for name in play.nodes:
        later = play.random.uniform(0, 60)
        _fills(play, name, BEGIN + later, BEGIN + later, free + later)
    play.marks.update({"first eviction": BEGIN, "repair": free})
    return play.finish(free + 50 * MINUTE)


@operation
def oom_storm(play):
    """The kernel kills processes on a fifth of the nodes for ten minutes."""
    names = play.some(0.2)
    play.roles["nodes"] = names
    for name in names:
        play.node(BEGIN + 20, name, "kubelet", "NodeHasInsufficientMemory")
        for number, at in enumerate(play.every(
                BEGIN + play.random.uniform(30, 60), BEGIN + 10 * MINUTE, 40)):
            play.warn(at, name, "kubelet", "SystemOOM", message="System OOM "
                      f"encountered, victim process: java, pid: {number}")
            play.warn(at, name, "kernel-monitor", "OOMKilling",
                      message=f"Killed process {number} (java)")
        play.node(BEGIN + 11 * MINUTE, name, "kubelet",
                  "NodeHasSufficientMemory")
    play.marks.update({"first kill": BEGIN + 30,
                       "last kill": BEGIN + 10 * MINUTE})
    return play.finish(50 * MINUTE)


@operation
def kubelet_crash_loop(play):
    """The kubelet of one node exits 20 seconds after each start."""
    name = play.nodes[0]
    play.roles["node"] = [name]
    for at in play.every(BEGIN, BEGIN + 30 * MINUTE, 35):
        play.starts_kubelet(at, name)
    play.marks.update({"first start": BEGIN,
                       "last start": BEGIN + 30 * MINUTE})
    return play.finish(BEGIN + 80 * MINUTE)


@operation
def csi_outage(play):
    """A CSI driver fails for an hour; volumes cannot be deleted, attached or
    mounted."""
    count = {5: 2, 50: 8, 500: 40}[play.size]
    names = [f"pvc-{number}" for number in range(count)]
    play.roles["volumes"] = names
    end = BEGIN + HOUR
    for number, name in enumerate(names):
        begin = BEGIN + number * 5
        for at in _backoff(begin, end):
            play.about(at, ("v1", "PersistentVolume", name),
                       "ebs.csi.aws.com_ebs-csi-controller-0",
                       "VolumeFailedDelete")
        for at in _backoff(begin, end, 1, 120):
            play.about(at, ("v1", "Pod", f"db-{number}", "payments"),
                       "attachdetach-controller", "FailedAttachVolume")
    play.marks.update({"outage": BEGIN, "return": end})
    return play.finish(end + 40 * MINUTE)


@operation
def snapshot_failures(play):
    """Snapshots cannot be created; csi-snapshotter reports each once."""
    names = [f"snapcontent-{number}" for number in range(3)]
    play.roles["contents"] = names
    for number, name in enumerate(names):
        play.about(BEGIN + number * 20, ("snapshot.storage.k8s.io/v1",
                                         "VolumeSnapshotContent", name),
                   "csi-snapshotter ebs.csi.aws.com", "SnapshotCreationFailed")
    play.marks["failure"] = BEGIN
    return play.finish(80 * MINUTE)


@operation
def expired_issuer(play):
    """The credential of a ClusterIssuer has expired; it is replaced after 90
    minutes."""
    end = BEGIN + 90 * MINUTE
    about = ("cert-manager.io/v1", "ClusterIssuer", "vault")
    play.roles["issuer"] = ["vault"]
    for at in _backoff(BEGIN, end, 5, 300):
        play.about(at, about, "cert-manager-clusterissuers", "VaultError")
    play.about(end + 5, about, "cert-manager-clusterissuers", "VaultVerified",
               "Normal")
    play.marks.update(expiry=BEGIN, replacement=end)
    return play.finish(end + 40 * MINUTE)


@operation
def expired_webhook(play):
    """The certificate of an admission webhook has expired: no ReplicaSet can
    create a Pod, and its controller fails to write a new certificate."""
    end = BEGIN + HOUR
    for number, namespace in enumerate(NAMESPACES):
        for at in _backoff(BEGIN + number * 3, end, 1, 300):
            play.about(at, ("apps/v1", "ReplicaSet", "web", namespace),
                       "replicaset-controller", "FailedCreate",
                       message="failed calling webhook: certificate has "
                       "expired")
    play.marks.update(expiry=BEGIN, replacement=end)
    return play.finish(end + 30 * MINUTE)


@operation
def clock_skew(play):
    """A node whose clock is 45 seconds ahead is upgraded; another, 2 hours
    ahead, crashes."""
    play.background = False
    crashed = play.nodes[-1]
    play.upgrade(BEGIN, play.nodes[0], skew=45)
    at = 30 * MINUTE + 10
    play.anchor = at
    play.starts_kubelet(at, crashed, boot=True, skew=2 * HOUR)
    play.roles["crashed"] = [crashed]
    play.marks["crash"] = at
    return play.finish(at + HOUR)


@operation
def event_flood(play):
    """A tenant with the role edit writes thousands of Events with new reasons
    into its namespace, some of them about nodes."""
    play.flags += ["--metrics.max-series", "2500"]
    begin, end = BEGIN, BEGIN + 40 * MINUTE
    for number, at in enumerate(play.every(begin, end, 0.4)):
        play.about(at, ("v1", "Pod", "app", "tenant"), "tenant",
                   f"Reason{number}")
        if number % 10 == 0:
            name = play.nodes[number // 10 % play.size]
            play.about(at, ("v1", "Node", name, "tenant"), "tenant",
                       "NodeNotReady", "Normal")
            play.about(at, ("v1", "Node", name, "tenant"), "tenant",
                       "SystemOOM")
    play.marks.update({"flood": begin, "last Event": end})
    return play.finish(end + 40 * MINUTE)


@operation
def etcd_restore(play):
    """etcd is restored from a backup; the API server is away for 30 minutes."""
    upgrade(play, play.some(0.02), BEGIN)
    down = 20 * MINUTE
    play.faults += [(10 * MINUTE, "back_up"), (down, "down"),
                    (down + 30 * MINUTE, "restore")]
    up = down + 30 * MINUTE
    play.restarts.append((up, "node-controller", ""))
    for number, name in enumerate(play.nodes):
        play.node(up + 60 + number * 0.01, name, "node-controller",
                  "RegisteredNode")
    play.marks.update({"outage": down, "return": up})
    return play.finish(up + 80 * MINUTE)


@operation
def capacity_shortage(play):
    """The provider has no instances of the wanted types for 40 minutes."""
    end = BEGIN + 40 * MINUTE
    for number, at in enumerate(play.every(BEGIN, end, 60)):
        play.about(at, (*CLAIM, f"claim-{number}"), "karpenter",
                   "InsufficientCapacityError")
    play.marks.update({"shortage": BEGIN, "new capacity": end})
    return play.finish(end + 40 * MINUTE)


@operation
def node_limit(play):
    """cluster-autoscaler needs nodes, but --max-nodes-total is reached."""
    about = ("v1", "ConfigMap", "cluster-autoscaler-status", "kube-system")
    end = BEGIN + HOUR
    for at in play.every(BEGIN, end, 10):
        play.about(at, about, "cluster-autoscaler", "MaxNodesTotalReached")
    play.marks.update({"limit": BEGIN, "new limit": end})
    return play.finish(end + 40 * MINUTE)


@operation
def read_only_file_system(play):
    """node-problem-detector finds a read-only file system on two nodes. One is
    cordoned and replaced, the other is rebooted after 80 minutes."""
    replaced, rebooted = play.nodes[:2]
    for name in (replaced, rebooted):
        play.warn(BEGIN, name, "readonly-monitor", "FilesystemIsReadOnly")
    cordon = BEGIN + 10 * MINUTE
    play.replace(cordon - 60, replaced, "fresh")
    reboot = BEGIN + 80 * MINUTE
    play.upgrade(reboot, rebooted)
    play.roles.update(replaced=[replaced], rebooted=[rebooted])
    play.marks.update({"fault": BEGIN, "cordon": cordon, "repair": reboot})
    return play.finish(reboot + 30 * MINUTE)


@operation
def parked_node(play):
    """A node is drained for an experiment and forgotten for 13 hours."""
    play.background = False
    play.interval = 5 * MINUTE
    name = play.nodes[0]
    play.roles["node"] = [name]
    end = BEGIN + 13 * HOUR
    play.cordon(BEGIN, name)
    play.uncordon(end, name)
    play.marks.update(cordon=BEGIN, uncordon=end)
    return play.finish(end + HOUR)
