"""What the components of a cluster report while something happens to a node.

A `Play` collects occurrences at simulated times, in seconds. The operations
(rig/operations.py) are written with it. `roles` names the objects that take
part, `marks` the moments that tests/alerts/operations.yaml refers to, `faults`
what happens to the API server and the exporter.
"""

import random

from rig.recorders import Occurrence

MINUTE, HOUR = 60, 3600
BEGIN = 5 * MINUTE  # nothing but the ordinary happens before
NAMESPACES = ("checkout", "kube-system", "payments", "search")
PER_NODE = ("kubelet", "kube-proxy")
CLAIM = ("karpenter.sh/v1", "NodeClaim")


class Play:
    def __init__(self, name, size):
        self.name = name
        self.size = size
        self.random = random.Random(f"{name} {size}")
        self.nodes = [f"node-{number}" for number in range(1, size + 1)]
        self.happened = []
        self.restarts = []  # (time, component, host) of a new process
        # Of nodes, as kube-state-metrics shows them: (time, node, Ready
        # condition, None when the Node is gone; unschedulable).
        self.states = [(0, name, {"status": "true", "cordoned": False})
                       for name in self.nodes]
        self.faults = []  # (time, name of a method of playback.Playback, *)
        self.roles = {}
        self.marks = {}
        self.end = 0
        # Seconds between evaluations: as kube-prometheus has them in one of the
        # sizes, in the others Prometheus's default.
        self.interval = 30 if size == 50 else 60
        self.anchor = None  # the simulated time that is the real time
        self.flags = []
        self.keeps_state = False  # whether the exporter has a state file
        self.background = True

    def about(self, at, about, component, reason, event_type="Warning",
              message="", host="", skew=0):
        """`about`: (apiVersion, kind, name[, namespace])."""
        if len(about) == 3:
            about = (*about, "")
        self.happened.append(Occurrence(
            at, about, event_type, reason, component, host,
            message or f"{reason} of {about[1]} {about[2]}", skew))

    def node(self, at, name, component, *reasons, event_type="Normal", gap=0.1,
             message="", skew=0):
        """One reason after another, `gap` seconds apart."""
        host = name if component in PER_NODE else ""
        for number, reason in enumerate(reasons):
            self.about(at + number * gap, ("v1", "Node", name), component,
                       reason, event_type, message, host, skew)

    def warn(self, at, name, component, *reasons, **more):
        self.node(at, name, component, *reasons, event_type="Warning", **more)

    def claim(self, at, name, *reasons, event_type="Normal"):
        for reason in reasons:
            self.about(at, (*CLAIM, "claim-" + name), "karpenter", reason,
                       event_type)

    def state(self, at, name, **changed):
        """`status` of the condition Ready, or None; `cordoned`."""
        self.states.append((at, name, changed))

    def every(self, begin, end, pause, jitter=0.1):
        """Times from `begin` to `end`, about `pause` seconds apart."""
        times, at = [], begin
        while at < end:
            times.append(at)
            at += pause * self.random.uniform(1 - jitter, 1 + jitter)
        return times

    def some(self, share, at_least=1):
        """That share of the nodes, evenly spread."""
        count = max(at_least, round(len(self.nodes) * share))
        return [self.nodes[index * len(self.nodes) // count]
                for index in range(count)]

    def finish(self, end):
        """Adds the ordinary Events of Pods."""
        self.end = end
        if self.background:
            for namespace in NAMESPACES:
                self._pods(namespace)
        return self

    def _pods(self, namespace):
        for number, at in enumerate(self.every(60, self.end, 90, 0.5)):
            pod = ("v1", "Pod", f"web-{number}", namespace)
            host = self.random.choice(self.nodes)
            self.about(at, pod, "default-scheduler", "Scheduled", "Normal")
            self.about(at + 2, pod, "kubelet", "Started", "Normal", host=host)
            if number % 10 == 0:
                self.about(at + 4, pod, "kubelet", "Unhealthy", host=host)

    # What happens to one node.

    def starts_proxy(self, at, name, skew=0):
        self.restarts.append((at, "kube-proxy", name))
        self.node(at, name, "kube-proxy", "Starting", skew=skew)
        self.warn(at, name, "kube-proxy", "KubeProxyDefaultMode", skew=skew)

    def starts_kubelet(self, at, name, boot=False, cordoned=False, skew=0):
        """A kubelet starts: on a running node, or after a boot."""
        self.restarts.append((at, "kubelet", name))
        self.node(at, name, "kubelet", "Starting", skew=skew)
        self.warn(at + 0.2, name, "kubelet", "InvalidDiskCapacity",
                  message="invalid capacity 0 on image filesystem", skew=skew)
        self.node(at + 0.4, name, "kubelet", "NodeHasSufficientMemory",
                  "NodeHasNoDiskPressure", "NodeHasSufficientPID", skew=skew)
        if boot:
            self.warn(at + 1, name, "kubelet", "Rebooted", skew=skew,
                      message=f"Node {name} has been rebooted, boot id: {at}")
        if cordoned:
            self.node(at + 1.2, name, "kubelet", "NodeNotSchedulable",
                      skew=skew)
        self.node(at + 2, name, "kubelet", "NodeAllocatableEnforced",
                  skew=skew)

    def boots(self, at, name, cordoned=False, skew=0):
        """The machine starts again and its node becomes Ready."""
        self.starts_kubelet(at, name, True, cordoned, skew)
        self.starts_proxy(at + 8, name, skew)
        self.ready(at + 20, name, skew)

    def ready(self, at, name, skew=0):
        self.node(at, name, "kubelet", "NodeReady", skew=skew)
        self.state(at, name, status="true")

    def joins(self, at, name):
        """A new machine becomes a node."""
        self.starts_kubelet(at, name)
        self.node(at + 2, name, "node-controller", "RegisteredNode")
        self.node(at + 4, name, "cloud-node-controller", "Synced")
        self.starts_proxy(at + 12, name)
        self.state(at, name, status="false", cordoned=False)
        self.ready(at + 25, name)

    def cordon(self, at, name, skew=0):
        """kubectl, kured or a node group cordons; the kubelet reports it at
        its next synchronization."""
        self.node(at + self.random.uniform(1, 10), name, "kubelet",
                  "NodeNotSchedulable", skew=skew)
        self.state(at, name, cordoned=True)

    def uncordon(self, at, name, skew=0):
        self.node(at + self.random.uniform(1, 10), name, "kubelet",
                  "NodeSchedulable", skew=skew)
        self.state(at, name, cordoned=False)

    def shuts_down(self, at, name, skew=0):
        """Graceful shutdown: the kubelet reports it, then node-controller."""
        self.node(at, name, "kubelet", "Shutdown", "NodeNotReady", skew=skew)
        self.node(at + 4, name, "node-controller", "NodeNotReady")
        self.state(at, name, status="false")

    def unreachable(self, at, name):
        """The kubelet is gone; node-controller notices it after its grace."""
        at += self.random.uniform(40, 55)
        self.node(at, name, "node-controller", "NodeNotReady")
        self.state(at, name, status="unknown")

    def removed(self, at, name):
        """The Node object is deleted."""
        self.node(at, name, "node-controller", "RemovingNode")
        self.state(at, name, status=None)

    def reboots(self, at, name, cordoned=False, skew=0):
        """A shutdown and a boot; returns when the node is Ready again."""
        self.shuts_down(at, name, skew)
        up = at + self.random.uniform(70, 130)
        self.boots(up, name, cordoned, skew)
        return up + 20

    def upgrade(self, at, name, drain=None, skew=0):
        """Cordon, drain, reboot, uncordon; returns when it has finished."""
        self.cordon(at, name, skew)
        drained = at + (drain or self.random.uniform(60, 180))
        ready = self.reboots(drained, name, True, skew)
        self.uncordon(ready + 30, name, skew)
        return ready + 40

    def loses_instance(self, at, name, cloud=True):
        """The instance is terminated; returns when the Node is gone."""
        self.shuts_down(at, name)
        if cloud:
            self.node(at + 35, name, "cloud-node-lifecycle-controller",
                      "DeletingNode")
        self.removed(at + 40, name)
        return at + 40

    def replace(self, at, name, fresh):
        """A node group replaces a node: surge, cordon, drain, terminate."""
        self.joins(at, fresh)
        self.cordon(at + 60, name)
        return self.loses_instance(at + 60 + self.random.uniform(60, 200),
                                   name)
