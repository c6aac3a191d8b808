"""What kube-state-metrics exposes on the generated day: nodes and volumes."""

from rig import day, day_drains

SECONDS = 7 * 3600
STEP = 60
TYPES = {"general": "m7g.2xlarge", "spot": "c7g.xlarge"}
# When a volume was bound, its claim deleted and its deletion first failed.
RELEASED = 40


def place(name):
    """(zone, pool) of a node, from its name."""
    subnet = int(name.split("-")[3])
    return f"us-east-1{'abc'[subnet % 3]}", "spot" if subnet > 3 else "general"


def labels(name):
    zone, pool = place(name)
    pool_label = ("label_karpenter_sh_nodepool" if pool == "spot"
                  else "label_eks_amazonaws_com_nodegroup")
    return {"label_topology_kubernetes_io_zone": zone, pool_label: pool,
            "label_node_kubernetes_io_instance_type": TYPES[pool]}


def removed_at(cluster):
    """{node: when it was removed for good}"""
    gone = {}
    for each in cluster.occurrences:
        if each.reason in ("RemovingNode", "RegisteredNode"):
            gone.pop(each.name, None)
            if each.reason == "RemovingNode":
                gone[each.name] = each.at
    return gone


def _phase(first_failure, at):
    if at >= first_failure:
        return "Failed"
    return "Released" if at >= first_failure - RELEASED * STEP else "Bound"


def add_series(history, cluster):
    target = {"cluster": cluster.name, "instance": "10.0.0.20:8080",
              "job": "kube-state-metrics"}
    ticks = range(history.end - SECONDS, history.end + 1, STEP)

    def add(name, value, until=None, **more):
        history.add(name, "gauge", {**more, **target}, [
            (at, value(at) if callable(value) else value) for at in ticks
            if until is None or at < until])
    _other_target(history, target, ticks)
    for name, value in (("available", 9), ("allocated", 245)):
        add(f"kube_apiserver_clusterip_allocator_{name}_ips", value,
            cidr="10.96.0.0/24")
    gone = removed_at(cluster)
    silent = ({cluster.nodes[5]} if cluster.name == "west"
              else {*day.SILENT, day_drains.NOW})
    for name in cluster.nodes:
        until = gone.get(name)
        if until and until < ticks[0]:
            continue
        add("kube_node_info", 1, until, node=name, kubelet_version="v1.37.2",
            os_image="Debian GNU/Linux 12 (bookworm)")
        add("kube_node_labels", 1, until, node=name, **labels(name))
        add("kube_node_spec_unschedulable",
            int(name in (day.CORDONED, day_drains.NOW)), until, node=name)
        for condition in ("Ready", "MemoryPressure", "DiskPressure",
                          "PIDPressure"):
            state = "true" if condition == "Ready" else "false"
            if name in silent:
                state = "unknown"
            for status in ("true", "false", "unknown"):
                add("kube_node_status_condition", int(status == state), until,
                    node=name, condition=condition, status=status)
    for volume in day.VOLUMES:
        failed = min((each.at for each in cluster.occurrences
                      if each.name == volume and
                      each.at > history.end - SECONDS), default=history.end)
        for phase in ("Available", "Bound", "Failed", "Pending", "Released"):
            add("kube_persistentvolume_status_phase",
                lambda at, f=failed, p=phase: int(_phase(f, at) == p),
                persistentvolume=volume, phase=phase)


def _other_target(history, target, ticks):
    """Metrics of every target, which no exporter panel may show."""
    for name, kind, value in (("up", "gauge", 1),
                              ("scrape_duration_seconds", "gauge", 0.9),
                              ("process_start_time_seconds", "gauge",
                               history.end - 600),
                              ("process_resident_memory_bytes", "gauge", 9e8),
                              ("process_open_fds", "gauge", 900),
                              ("process_cpu_seconds_total", "counter", 5000)):
        history.add(name, kind, target, [(at, value) for at in ticks])
