"""Objects and Events that show what each alert is about.

The name or the text of each object contains the sign of its alert, so that the
output of a command shows whether the command found it. The Events are those of
the catalogue that the alert selects, with their component and type.
"""

import os
import re
import sys
import time

import yaml

from rig import manifests, processes, served
from rig.api import rfc3339

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..",
                                    ".."))
sys.path.insert(0, os.path.join(ROOT, "alerts"))
import alert_rules  # noqa: E402  pylint: disable=wrong-import-position

# Kinds of add-ons that write no Events, with their group, plural and version.
# Those with + have a namespace.
BESIDES = {"Certificate+": ("cert-manager.io", "certificates", "v1"),
           "ExternalSecret+": ("external-secrets.io", "externalsecrets", "v1"),
           "EC2NodeClass": ("karpenter.k8s.aws", "ec2nodeclasses", "v1"),
           "VolumeSnapshot+": ("snapshot.storage.k8s.io", "volumesnapshots",
                               "v1"),
           "NodeMetrics": ("metrics.k8s.io", "nodes", "v1beta1"),
           "PodMetrics+": ("metrics.k8s.io", "pods", "v1beta1")}
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SHOP = "shop"
CLUSTER, JOB = "east", "kube-event-metrics"
# The Pod of the exporter, as the API server and Prometheus name it.
MONITORING, EXPORTER, EXPORTER_IP = "monitoring", "at-exporter", "10.0.1.9"
SINK, MIRROR = "store", "copies-of-events"
# Nodes that are not Ready.
UNREADY = {"KubeEventNodeNotReady": "Unknown",
           "KubeEventManyNodesNotReady": "Unknown",
           "KubeEventDrainedNodeNotBack": "Unknown",
           "KubeEventNodePodNetworkUnavailable": "False"}
CORDONED = {"KubeEventNodeLeftCordoned", "KubeEventDrainedNodeNotBack"}
# cluster-autoscaler writes its Events about this ConfigMap.
AUTOSCALER = "cluster-autoscaler-status"
SPACES = {"ConfigMap": "kube-system", "Secret": SHOP}
# Control plane components that runbooks look for, by a label or by name.
COMPONENTS = {"kube-apiserver": "--service-cluster-ip-range=10.0.0.0/24",
              "kube-controller-manager": "--cluster-cidr=10.244.0.0/16",
              "cloud-controller-manager": "", "karpenter": ""}
# What the commands show where no name of an object is part of the output.
ALSO = {
    "KubeEventManyNodesNotReady": ["NotReady"],
    "KubeEventNodesDeletedByCloud": ["Ready", "cloud-controller-manager-1"],
    "KubeEventServiceCIDRProblem": ["probe", "service-cluster-ip-range"],
    "KubeEventExporterConfigReloadFailed": ["config.yaml line 1"],
    "KubeEventExporterStateNotSaved": ["state: cannot write"],
    "KubeEventExporterWatchDisconnected": ["[+]etcd ok",
                                           "state: cannot write"],
    "KubeEventSinkFailing": [MIRROR, "guard-at", "labeled"],
    "KubeEventNodePodNetworkUnavailable": ["--cluster-cidr",
                                           "cloud-controller-manager-1"],
    "KubeEventServiceIPRepairs": ["10.0.0.77", "kube-apiserver-1"],
    "KubeEventServiceIPsExhausted": ["allocator", "10.0.0.0/24", SHOP,
                                     "more-services", "probe"],
    "KubeEventNodeProvisioningBlocked": [AUTOSCALER, f"{EXPORTER}-node"],
}


def serve_addons(api, symptoms):
    """Serves the kinds of the symptoms, and BESIDES, as custom resources."""
    kinds = {kind: (api_group, f"{kind.lower()}s", version)
             for each in symptoms for kind in each.kinds
             for api_group, _, version in [APIS[kind].partition("/")]
             if version}
    known = {(one.group, one.kind) for one in served.resources(api)}
    names = []
    for spelled, (group, plural, version) in {**BESIDES, **kinds}.items():
        kind = spelled.rstrip("+")
        if (group, kind) in known:
            continue
        crd = manifests.cluster_resource(group, kind)
        # The API server demands the annotation for groups of its own.
        crd["metadata"] = {"name": f"{plural}.{group}", "annotations": {
            "api-approved.kubernetes.io": "unapproved, for a test"}}
        crd["spec"]["names"]["plural"] = plural
        crd["spec"]["versions"][0]["name"] = version
        if spelled != kind:
            crd["spec"]["scope"] = "Namespaced"
        api.post(CRDS, crd)
        names.append(crd["metadata"]["name"])

    def established():
        return all(any(one["type"] == "Established" and one["status"] == "True"
                       for one in api.get(f"{CRDS}/{name}")["status"]
                       .get("conditions", ())) for name in names)
    processes.wait_until(established, 20, "the kinds of add-ons are served")


def labels_of(rule):
    """The names of the labels of an alert: its annotations show them."""
    return set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))


def _apis():
    """{kind: group and version} of the catalogue's kinds."""
    found = {}
    with open(f"{ROOT}/{alert_rules.CATALOGUE}", encoding="utf-8") as text:
        for source in yaml.safe_load(text):
            for group in source["groups"]:
                for row in group["rows"]:
                    kinds = {**group, **row}["kinds"]
                    for kind in [] if kinds == "any" else kinds:
                        name, _, api_group = kind.partition(".")
                        found[name] = f"{api_group}/v1".removeprefix("/")
    return found


APIS = {"Secret": "v1", **_apis()}


def _pod(name, node=None, **meta):
    """A Pod; with `node`, it runs there."""
    body = manifests.pod(name, node)
    # Without a kubelet, only a Pod without grace disappears.
    body["spec"]["terminationGracePeriodSeconds"] = 0
    body["metadata"].update({"namespace": SHOP, **meta})
    if node:
        body["status"] = {"phase": "Running", "podIP": "10.0.2.1",
                          "conditions": [{"type": "Ready", "status": "True"}]}
    return body


def _attachment(name, volume, node):
    return {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment",
            "metadata": {"name": name}, "spec": {
                "attacher": "kem.test", "nodeName": node,
                "source": {"persistentVolumeName": volume}}}


def _custom(group, kind, name, version="v1", **more):
    return {"apiVersion": f"{group}/{version}", "kind": kind,
            "metadata": {"name": name}, **more}


class Symptom:
    """What shows one alert: its labels, its objects and its Events."""

    def __init__(self, name, rule, rows, owner):
        """`rows` of the catalogue; `owner` owns the Pods."""
        self.name, self._owner = name, owner
        self.sign = "at-" + name.removeprefix("KubeEvent").lower()
        self.rows = [{**row, "kind": "Secret"} if row["kind"] == "any" else row
                     for row in rows]
        if name == "KubeEventClusterScopedWarningBurst":
            self.rows = [{"kind": "Node", "reason": "Planted",
                          "type": "Warning", "component": "kem-test"}]
        kind = self.rows[0]["kind"] if self.rows else "Node"
        reason = self.rows[0]["reason"] if self.rows else ""
        values = {"cluster": CLUSTER, "job": JOB, "kind": kind,
                  "object_name": f"{self.sign}-1", "object_namespace": SHOP,
                  "instance": f"{EXPORTER_IP}:9953", "sink": SINK,
                  "sink_type": "otlp",
                  "reason": reason}
        self.labels = {label: values[label] for label in labels_of(rule)}
        # With the keys of a sink's entry, which a runbook asks for.
        self.values = {**self.labels, "namespace": MIRROR,
                       "endpoint": "http://collector:4318"}
        self.shows = [self.sign, *ALSO.get(name, ())]
        if name.startswith(("KubeEventExporter", "KubeEventSink")):
            self.shows += [EXPORTER, EXPORTER_IP, "msg="]

    @property
    def kinds(self):
        """Those of the objects that the Events are about."""
        needs_node = ["Node"] if self.name == "KubeEventSinkFailing" else []
        return list(dict.fromkeys(row["kind"] for row in self.rows)
                    ) or needs_node

    def events(self):
        """One Event for each row and object."""
        for number, row in enumerate(self.rows):
            for name in self._names(row["kind"]):
                component = row["component"]
                about = {"apiVersion": APIS[row["kind"]],
                         "kind": row["kind"], "name": name}
                space = SPACES.get(row["kind"])
                if space:
                    about["namespace"] = space
                event = manifests.legacy_event(
                    f"{name}.{number}", about, row["reason"],
                    900 if row["reason"] == "Planted" else 30, row["type"],
                    component="kem-test" if component == "any" else component,
                    namespace=space or "default")
                event["message"] = f"{self.sign}: by hand"
                yield event
        if self.name == "KubeEventNodeEvictionThresholdMet":
            yield manifests.legacy_event(
                self.sign, manifests.about_pod(f"{self.sign}-1-pod"),
                "Evicted", kind="Warning")

    def _names(self, kind):
        """One object, or three where the alert is about many."""
        if kind == "IPAddress":
            return ["10.0.0.77"]
        if kind == "ConfigMap":
            return [AUTOSCALER]
        many = 1 if "object_name" in self.labels else 3
        return [f"{self.sign}-{number + 1}" for number in range(many)]

    def objects(self):
        """What the commands of the runbook find."""
        yield _pod(f"{self.sign}-waiting")
        for kind in self.kinds:
            for name in self._names(kind):
                make = getattr(self, "_make_" + kind.lower(), None)
                if make:
                    yield from make(name)
                else:
                    yield self._any(kind, name)

    def _any(self, kind, name):
        return {"apiVersion": APIS[kind], "kind": kind,
                "metadata": {"name": name},
                "status": {"readyToUse": False,
                           "error": {"message": self.sign},
                           "conditions": [{"type": "Ready", "status": "False",
                                           "message": self.sign}]}}

    def _make_node(self, name):
        ready = UNREADY.get(self.name, "True")
        node = manifests.node(name, kwok=False, ready=ready)
        conditions = node["status"]["conditions"]
        conditions[0]["message"] = self.sign
        # Also true for a node without a route.
        conditions += [{**conditions[0], "type": kind, "status":
                        "True" if ready == "False" else "False"}
                       for kind in ("MemoryPressure", "NetworkUnavailable")]
        node["spec"] = {"taints": [{"key": "ToBeDeletedByClusterAutoscaler",
                                    "effect": "PreferNoSchedule"}],
                        "unschedulable": self.name in CORDONED}
        yield node
        yield _pod(f"{name}-pod", name, labels={"at": self.sign},
                   ownerReferences=[self._owner], annotations={
                       "karpenter.sh/do-not-disrupt": "true"})
        yield {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
               "metadata": {"name": name, "namespace": "kube-node-lease"},
               "spec": {"holderIdentity": name,
                        "renewTime": rfc3339(time.time(), micro=True)}}
        usage = {"cpu": "100m", "memory": "9Gi" if self.name in {
            "KubeEventNodeSystemOOM", "KubeEventNodeEvictionThresholdMet"}
            else "1Gi"}
        measured = {"timestamp": rfc3339(time.time()), "window": "10s"}
        yield _custom("metrics.k8s.io", "NodeMetrics", name, "v1beta1",
                      usage=usage, **measured)
        pod = _custom("metrics.k8s.io", "PodMetrics", f"{name}-pod", "v1beta1",
                      containers=[{"name": "main", "usage": usage}],
                      **measured)
        pod["metadata"]["namespace"] = SHOP
        yield pod
        if self.name == "KubeEventNodeKernelErrors":
            yield _attachment(name, "at-volume", name)
        if self.name == "KubeEventNodeDrainFailing":
            yield {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                   "metadata": {"name": name, "namespace": SHOP},
                   "spec": {"minAvailable": 1, "selector": {
                       "matchLabels": {"at": self.sign}}}}

    def _make_persistentvolume(self, name):
        failing = self.name == "KubeEventPersistentVolumeReclaimFailed"
        yield manifests.released_volume(name,
                                        "Delete" if failing else "Retain")
        yield _attachment(name, name, "gone")
        yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
               "metadata": {"name": name, "namespace": SHOP}, "spec": {
                   "volumeName": name, "accessModes": ["ReadWriteOnce"],
                   "volumeMode": "Block", "storageClassName": "",
                   "resources": {"requests": {"storage": "1Gi"}}}}

    def _make_volumesnapshotcontent(self, name):
        yield self._any("VolumeSnapshotContent", name)
        snapshot = self._any("VolumeSnapshotContent", name)
        snapshot["kind"] = "VolumeSnapshot"
        snapshot["metadata"]["namespace"] = SHOP
        yield snapshot

    def _make_clusterissuer(self, name):
        yield self._any("ClusterIssuer", name)
        for group, kind in (("cert-manager.io", "Certificate"),
                            ("external-secrets.io", "ExternalSecret")):
            waiting = {**self._any("ClusterIssuer", name), "kind": kind,
                       "apiVersion": f"{group}/v1"}
            waiting["metadata"]["namespace"] = SHOP
            yield waiting

    def _make_nodeclaim(self, name):
        yield self._any("NodeClaim", name)
        yield _custom("karpenter.k8s.aws", "EC2NodeClass", name, status={
            "conditions": [{"type": "Ready", "message": self.sign}]})

    def _make_servicecidr(self, name):
        yield {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR",
               "metadata": {"name": name}, "spec": {"cidrs": ["10.9.0.0/24"]}}

    def _make_configmap(self, name):
        yield {"apiVersion": "v1", "kind": "ConfigMap",
               "metadata": {"name": name, "namespace": "kube-system"}}

    def _make_ipaddress(self, name):
        yield {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress",
               "metadata": {"name": name}, "spec": {"parentRef": {
                   "resource": "services", "namespace": SHOP,
                   "name": self.sign}}}

    def _make_secret(self, name):
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": {
            "name": name, "namespace": SHOP,
            # The garbage collector deletes the object.
            "finalizers": ["kem.test/keep"], "ownerReferences": [{
                "apiVersion": "v1", "kind": "Secret", "name": "elsewhere",
                "uid": "00000000-0000-0000-0000-000000000001"}]}}


def of_all_alerts(owner=None):
    """The Symptom of each alert."""
    catalogue = list(alert_rules.reasons(ROOT))
    for _, rule in alert_rules.alerts(ROOT):
        fires, _ = alert_rules.split(alert_rules.expand(
            ROOT, alert_rules.without_plan(rule["expr"])))
        yield Symptom(rule["alert"], rule,
                      alert_rules.covered(fires, catalogue), owner)


def components():
    """Pods of the control plane and of add-ons, by the labels they have."""
    for name, flag in COMPONENTS.items():
        pod = _pod(f"{name}-1", labels={"component": name,
                                        "app.kubernetes.io/name": name})
        pod["metadata"]["namespace"] = "kube-system"
        pod["spec"]["containers"][0]["command"] = [name, flag]
        yield pod


def exporter_pod(port):
    """The exporter's Pod with its volumes, and its node; `port`: kubelet's."""
    node = manifests.node(f"{EXPORTER}-node", kwok=False)
    node["status"].update(
        addresses=[{"type": "InternalIP", "address": "127.0.0.1"}],
        daemonEndpoints={"kubeletEndpoint": {"Port": port}})
    yield node
    meta = {"name": EXPORTER, "namespace": MONITORING}
    yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta,
           "data": {"config.yaml": "sinks: []"}}
    yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
           "metadata": meta, "spec": {
               "accessModes": ["ReadWriteOnce"],
               "resources": {"requests": {"storage": "1Gi"}}}}
    pod = _pod(EXPORTER, node["metadata"]["name"], namespace=MONITORING,
               labels={"app.kubernetes.io/name": "kube-event-metrics"})
    pod["status"]["podIP"] = EXPORTER_IP
    pod["spec"]["serviceAccountName"] = EXPORTER
    pod["spec"]["volumes"] = [
        {"name": "config", "configMap": {"name": EXPORTER}},
        {"name": "state", "persistentVolumeClaim": {"claimName": EXPORTER}}]
    pod["spec"]["containers"][0].update(
        args=[f"--config.file=/etc/{EXPORTER}/config.yaml"], volumeMounts=[
            {"name": "config", "mountPath": f"/etc/{EXPORTER}"},
            {"name": "state", "mountPath": "/var/lib/kube-event-metrics"}])
    yield pod


class Store:
    """Creates objects that do not exist, with their status."""

    def __init__(self, api):
        self._api = api
        self._served = {}
        for one in served.resources(api):
            if not one.is_sub:
                version = f"{one.group}/{one.version}".removeprefix("/")
                self._served[version, one.kind] = one

    def ensure(self, body):
        meta = body["metadata"]
        resource = self._served[body["apiVersion"], body["kind"]]
        path = resource.path(meta.get("namespace"))
        if self._api.raw("GET", f"{path}/{meta['name']}")[0] == 200:
            return
        self._api.post(path, body)
        if body["kind"] in ("Pod", "Node") and "status" in body:
            self._api.patch(f"{path}/{meta['name']}/status",
                            {"status": body["status"]})
