"""The normal operations of tests/alerts/operations.yaml; rig/incidents.py has the
others.

Each function gets a Play of 5, 50 or 500 nodes and returns it finished. Times
and rates are those of the real components: a kubelet reports its cordon within
10 seconds, node-controller a silent node after 40 to 55, image garbage
collection fails every 5 minutes, provisioners back off to 5 minutes.
"""

from rig.play import BEGIN, HOUR, MINUTE

OPERATIONS = {}


def operation(function):
    OPERATIONS[function.__name__.replace("_", "-")] = function
    return function


def upgrade(play, names, begin=BEGIN, slow=20 * MINUTE):
    """An in-place upgrade of some nodes at a time; returns its end."""
    lanes = [begin] * max(1, play.size // 10)
    for number, name in enumerate(names):
        lane = number % len(lanes)
        drain = slow if number == len(names) // 2 else None
        lanes[lane] = play.upgrade(lanes[lane], name, drain)
    return max(lanes)


@operation
def rolling_upgrade(play):
    """Half of the nodes reboot in place, the others are replaced."""
    half = (play.size + 1) // 2
    at = upgrade(play, play.nodes[:half])
    lanes = [at] * max(1, play.size // 10)
    for number, name in enumerate(play.nodes[half:]):
        lane = number % len(lanes)
        lanes[lane] = play.replace(lanes[lane], name, name + "-new")
    return play.finish(max(lanes) + 30 * MINUTE)


@operation
def consolidation(play):
    """Karpenter removes a tenth of the nodes; some drain for 25 minutes."""
    at = BEGIN
    for number, name in enumerate(play.some(0.1)):
        drain = 25 * MINUTE if number % 3 == 0 else 90
        play.node(at, name, "karpenter", "DisruptionTerminating")
        play.claim(at, name, "DisruptionTerminating")
        for again in range(int(drain // 120) + 1):
            play.warn(at + 10 + again * 120, name, "karpenter",
                      "FailedDraining")
        play.node(at + drain + 5, name, "karpenter", "AwaitingVolumeDetachment")
        play.loses_instance(at + drain + 40, name, cloud=False)
        at += 60 if play.size < 500 else 30
    for name in play.some(0.3):
        for later in play.every(BEGIN, BEGIN + HOUR, 15 * MINUTE):
            play.node(later, name, "karpenter", "Unconsolidatable")
            play.claim(later, name, "Unconsolidatable")
    return play.finish(at + HOUR)


@operation
def scale_down(play):
    """cluster-autoscaler removes a fifth of the nodes in the evening."""
    at = BEGIN
    for name in play.some(0.2):
        play.node(at, name, "cluster-autoscaler", "ScaleDown")
        drained = at + play.random.uniform(20, 240)
        play.node(drained, name, "cluster-autoscaler", "ScaleDown",
                  message="nodes removed by cluster autoscaler")
        play.unreachable(drained, name)
        play.node(drained + 70, name, "cloud-node-lifecycle-controller",
                  "DeletingNode")
        play.removed(drained + 75, name)
        at += 10
    return play.finish(at + HOUR)


@operation
def scale_up(play):
    """40 nodes join within three minutes; a fifth has a long resolv.conf."""
    for number in range(40):
        name, at = f"fresh-{number}", BEGIN + number * 4.5
        play.joins(at, name)
        if number % 5 == 0:
            play.warn(at + 3, name, "kubelet", "CheckLimitsForResolvConf")
        if number % 8 == 0:
            play.warn(at + 15, name, "route_controller",
                      "FailedToCreateRoute")
    return play.finish(HOUR)


@operation
def rollout(play):
    """kube-proxy and the CNI are rolled out; some nodes are NotReady for a
    moment."""
    per_minute = max(1, play.size // 20)
    for number, name in enumerate(play.nodes):
        at = BEGIN + MINUTE * (number / per_minute)
        play.starts_proxy(at, name)
        if number % 8 == 0:
            play.node(at + 60, name, "kubelet", "NodeNotReady")
            play.node(at + 64, name, "node-controller", "NodeNotReady")
            play.state(at + 60, name, status="false")
            play.ready(at + 85, name)
    return play.finish(at + 40 * MINUTE)


@operation
def api_server_restart(play):
    """Three API servers restart one after the other; a new leader of
    kube-controller-manager registers every node again."""
    for number in range(3):
        at = BEGIN + number * 4 * MINUTE
        play.faults.append((at, "down"))
        play.faults.append((at + 40, "up"))
    play.restarts.append((at + 50, "node-controller", ""))
    for number, name in enumerate(play.nodes):
        play.node(at + 60 + number * 0.01, name, "node-controller",
                  "RegisteredNode")
    return play.finish(HOUR)


def _exporter_restart(play):
    at = upgrade(play, play.some(0.06, 2))
    flapping = play.nodes[-1]
    play.unreachable(at, flapping)
    play.ready(at + 120, flapping)
    play.about(at, ("v1", "PersistentVolume", "pv-1"), "ebs.csi.aws.com_0",
               "VolumeFailedDelete")
    restart = at + 10 * MINUTE
    upgraded = play.some(0.02)[0]
    play.cordon(restart - 60, upgraded)
    play.faults.append((restart, "restart", 75))
    ready = play.reboots(restart + 20, upgraded, cordoned=True)
    play.uncordon(ready + 30, upgraded)
    return play.finish(restart + HOUR)


@operation
def exporter_restart_with_state(play):
    play.keeps_state = True
    return _exporter_restart(play)


@operation
def exporter_restart_without_state(play):
    return _exporter_restart(play)


@operation
def policy_violations(play):
    """A deployment violates policies in audit mode: 40 Events a minute."""
    for number, at in enumerate(play.every(BEGIN, BEGIN + 30 * MINUTE, 1.5)):
        play.about(at, ("kyverno.io/v1", "ClusterPolicy",
                        f"require-{number % 3}"), "kyverno-admission",
                   "PolicyViolation", message=f"Pod {number}")
    return play.finish(70 * MINUTE)
