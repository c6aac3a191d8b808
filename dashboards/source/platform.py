"""Kubernetes / Events / Network, certificates, policy and CRDs."""

import re

from . import board, look, messages, names, panels, states
from . import queries as q

UID = "kube-event-platform"
ANY = {"kind_not": names.ELSEWHERE}
CHOSEN = {**ANY, "kind": "$kind", "api_group": "$api_group",
          "object_name": "$object_name"}
WARNINGS = {**CHOSEN, "type": "Warning"}
KINDS = ("any", *(kind for kind in names.KINDS
                  if not re.fullmatch(names.ELSEWHERE, kind)))


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
    made.row(
        "Since when, and still?", 10,
        (panels.timeline(
            "Events by object",
            "The 20 objects with the newest Warnings. Each Event is shown for "
            "15 minutes, so a lane without gaps is a problem that lasts.",
            {states.LEGEND: states.pulses(CHOSEN)}, states.PULSES,
            objects=True), 24))
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
            look.zero_is_good()), 4),
        (panels.number(
            "Objects with a Warning",
            "Objects with at least one Warning. The tables below list them.",
            q.how_many(q.last_seen(**WARNINGS),
                       "cluster, api_group, kind, object_name"),
            look.zero_is_good(1, 10)), 6),
        (panels.ranking(
            "Warnings by API group",
            "API groups with the most Warnings. Check the Pods and the last "
            "change of the first add-on.",
            {"{{api_group}}": q.top(8, q.objects(**WARNINGS), "api_group")},
            look.NEUTRAL), 7),
        (panels.ranking(
            "Warnings by kind",
            "The same by kind. Select a kind above to show only that kind.",
            {"{{kind}}": q.top(8, q.objects(**WARNINGS), "kind")},
            look.NEUTRAL), 7))


def parts(made):
    def panel(title, what, selected, by="reason"):
        legend = " ".join(f"{{{{{label}}}}}" if label == "reason" else
                          f"({{{{{label}}}}})" for label in
                          reversed(by.split(", ")))
        return panels.bars(
            title, what, {legend: q.bars(q.objects(**{**CHOSEN, **selected}),
                                         by)},
            overrides=look.by_name(names.reasons(kinds=KINDS)),
            pages=messages.of_bar(messages.KIND if "kind" in by else None))

    made.row(
        "By area", 8,
        (panel("Service network",
               "Repairs of ServiceCIDRs and IPAddresses. If they are "
               "frequent, check for API servers that crash or have different "
               "flags.",
               {"kind": "ServiceCIDR|IPAddress"}), 6),
        (panel("Certificates, secrets and trust",
               "Issuers, stores and bundles. While one fails, its "
               "certificates and secrets are not issued or refreshed.",
               {"kind": names.TRUST_KINDS, "type": "Warning"},
               "kind, reason"), 10),
        (panel("Policy and ownership",
               "Violations and errors of Kyverno and Gatekeeper, and owners "
               "in another scope. Fix the object or the policy.",
               {"reason": names.POLICY}), 8))


def tables(made):
    by = "cluster, api_group, kind, object_name, reason, reporting_component"
    made.row(
        "Which objects?", 9,
        (panels.rows(
            "Latest Warning by object",
            "Newest first. To read the message, click show, or run kubectl "
            "get events -n default and filter by the object's name.",
            q.newest_first(100, q.last_seen(**WARNINGS), by),
            ["kind", "object_name", "reason", "reporting_component",
             "cluster"], "Latest", link=board.only_here(UID)), 24))
    made.row(
        None, 9,
        (panels.rows(
            "Repeated Warnings",
            "The most frequent Warnings. Start here: they rarely resolve on "
            "their own.",
            q.top(50, q.objects(**WARNINGS), by),
            ["kind", "object_name", "reason", "reporting_component",
             "cluster"], "Occurrences", color=look.UNUSUAL,
            link=board.only_here(UID)), 24))
