"""Kubernetes / Events / Network, certificates, policy and CRDs."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-platform"
ANY = {"kind_not": names.ELSEWHERE}
CHOSEN = {**ANY, "kind": "$kind", "api_group": "$api_group",
          "object_name": "$object_name"}
WARNINGS = {**CHOSEN, "type": "Warning"}


def make():
    made = board.Board(
        UID, "Network, certificates, policy and CRDs",
        "Which other cluster-scoped objects (ServiceCIDR, IPAddress, "
        "ClusterIssuer, ClusterPolicy, custom resources) report problems?",
        "Panels of add-ons that are not installed stay empty.",
        [board.filter_by("api_group", "API group", names.LAST_SEEN, **ANY),
         board.filter_by("kind", "Kind", names.LAST_SEEN, **ANY,
                         api_group="$api_group"),
         board.filter_by("object_name", "Object", names.LAST_SEEN, **ANY,
                         api_group="$api_group", kind="$kind")])
    headlines(made)
    parts(made)
    tables(made)
    return made


def headlines(made):
    made.row(
        None, 6,
        (panels.number(
            "Warning events",
            "Occurrences of type Warning about these objects. The bars show "
            "which API groups and kinds they concern.",
            q.total_or_zero(q.objects(**WARNINGS)),
            look.zero_is_good(1, 100)), 4),
        (panels.number(
            "Objects with a Warning",
            "Objects with at least one Warning. The tables below list them.",
            q.how_many(q.last_seen(**WARNINGS),
                       "cluster, api_group, kind, object_name"),
            look.zero_is_good(1, 10)), 4),
        (panels.ranking(
            "Warnings by API group",
            "API groups with the most Warnings. Check the Pods and the last "
            "change of the first add-on.",
            {"{{api_group}}": q.top(8, q.objects(**WARNINGS), "api_group")},
            look.UNUSUAL), 8),
        (panels.ranking(
            "Warnings by kind",
            "The same by kind. Select a kind above to show only that kind.",
            {"{{kind}}": q.top(8, q.objects(**WARNINGS), "kind")},
            look.UNUSUAL), 8))


def parts(made):
    def panel(title, what, selected, by="reason"):
        legend = " ".join(f"{{{{{label}}}}}" if label == "reason" else
                          f"({{{{{label}}}}})" for label in
                          reversed(by.split(", ")))
        return panels.bars(
            title, what, {legend: q.bars(q.objects(**{**CHOSEN, **selected}),
                                         by)},
            color=look.UNUSUAL, overrides=look.by_severity())

    made.row(
        "By area", 8,
        (panel("Service network",
               "Repairs of ServiceCIDRs and IPAddresses. If they are "
               "frequent, check for API servers that crash or have different "
               "flags.",
               {"kind": "ServiceCIDR|IPAddress"}), 8),
        (panel("Certificates, secrets and trust",
               "Issuers, stores and bundles. While one fails, its "
               "certificates and secrets are not issued or refreshed.",
               {"kind": names.TRUST_KINDS, "type": "Warning"},
               "kind, reason"), 8),
        (panel("Policy and ownership",
               "Violations and errors of Kyverno and Gatekeeper, and owners "
               "in another scope. Fix the object or the policy.",
               {"reason": names.POLICY}), 8))


def tables(made):
    by = "cluster, api_group, kind, object_name, reason, reporting_component"
    made.row(
        "By object", 9,
        (panels.rows(
            "Latest Warning by object",
            "Newest first. To read the message, run kubectl get events -n "
            "default and filter by the object's name.",
            q.newest_first(100, q.last_seen(**WARNINGS), by),
            ["kind", "object_name", "reason", "reporting_component", "cluster",
             "api_group"], "Latest", link=board.only_here(UID)), 24))
    made.row(
        None, 9,
        (panels.rows(
            "Repeated Warnings",
            "The most frequent Warnings. Start here.",
            q.top(50, q.objects(**WARNINGS), by),
            ["kind", "object_name", "reason", "reporting_component", "cluster",
             "api_group"], "Occurrences", color=look.UNUSUAL,
            link=board.only_here(UID)), 24))
