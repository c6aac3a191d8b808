"""Zone, pool and instance type of nodes, from kube-state-metrics if present.

kube-state-metrics exposes labels of nodes that its option
--metric-labels-allowlist names.
"""

from . import names
from . import queries as q

LABELS = "zone, pool, instance_type"
_ZONE = ("label_topology_kubernetes_io_zone",)
_TYPE = ("label_node_kubernetes_io_instance_type",)
# A node has the label of one provider.
_POOL = ("label_karpenter_sh_nodepool", "label_eks_amazonaws_com_nodegroup",
         "label_cloud_google_com_gke_nodepool",
         "label_kubernetes_azure_com_agentpool")


def _of_nodes():
    """One series of value 1 for each node, with the labels. Of nodes that were
    removed within the range too."""
    query = 'last_over_time(kube_node_labels{cluster=~"$cluster"}[$__range])'
    for target, sources in (("zone", _ZONE), ("pool", _POOL),
                            ("instance_type", _TYPE),
                            ("object_name", ("node",))):
        listed = ", ".join(f'"{source}"' for source in sources)
        query = f'label_join({query}, "{target}", "", {listed})'
    by = "cluster, object_name"
    return f"topk by ({by}) (1, max by ({by}, {LABELS}) ({query}))"


def located(query):
    """Adds the labels to series about nodes; without kube-state-metrics they
    are empty."""
    known = q.last_seen(kind=names.NODE)
    return (f"({query}) * on (cluster, object_name) group_left ({LABELS}) "
            f"({_of_nodes()} or on (cluster, object_name) "
            f"max by (cluster, object_name) ({known}) * 0 + 1)")


def counted(query):
    """How many of these nodes are in each zone and pool."""
    return f"count by ({LABELS}) ({located(query)})"


def node_count(events):
    """The number of nodes; else of those with an Event in the last day."""
    return ('count(max by (cluster, node) (kube_node_info{cluster=~"$cluster"})'
            f") or count(max by (cluster, object_name) ({events}))")
