"""Kubernetes / Events / Exporter health."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-exporter-health"


def make():
    made = board.Board(
        UID, "Exporter health",
        "Can I trust these numbers?",
        "In sync, no unobserved seconds and no overflow: yes, each is exact.")
    headlines(made)
    session(made)
    events(made)
    size(made)
    process(made)
    sinks(made)
    return made


def headlines(made):
    made.row(
        None, 4,
        (panels.number(
            "Scrapes",
            "Whether Prometheus reaches every replica that it reached within "
            "this time. When not, look at the pod and at Prometheus's targets.",
            f"min({q.of_exporter(q.selector('up'))}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("down", look.BAD),
                                  "1": ("up", look.GOOD)})]), 4),
        (panels.number(
            "Watches",
            "Whether every watch is in sync, in every replica. When not, "
            "/readyz tells why.",
            f"min({q.own('synced')}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("not in sync", look.BAD),
                                  "1": ("in sync", look.GOOD)})]), 4),
        (panels.number(
            "Unobserved",
            "Time that only a list bridged: what came and went within it is "
            "not counted. Look at how watches end, and at the API server.",
            f"max(increase({q.own('unobserved_seconds_total')}[$__range])) "
            "or vector(0)",
            look.zero_is_good(1, 300), unit="s").decimals(0), 4),
        (panels.number(
            "Overflowed",
            "Occurrences that were counted without their labels, as a family "
            "was full. Raise --metrics.max-series, or filter.",
            f"round(max(increase({q.own('series_overflow_total')}[$__range])))"
            " or vector(0)",
            look.steps((None, look.GOOD), (1, look.BAD))), 4),
        (panels.number(
            "Counted within (99 %)",
            "From an occurrence, by its writer's clock, to its being counted. "
            "Some writers tell late by design; otherwise compare clocks.",
            "histogram_quantile(0.99, sum by (le) (increase("
            f"{q.own('event_lag_seconds_bucket')}[$__range])))",
            look.plain(), unit="s").no_value("-"), 4),
        (panels.number(
            "Running since",
            "The newest start. With --state.file counters go on after it; "
            "without, they begin at 0, which loses nothing in Prometheus.",
            f"max({q.of_exporter(q.selector('process_start_time_seconds'))})"
            " * 1000",
            look.plain(), unit="dateTimeFromNow").no_value("-"), 4))


def session(made):
    made.row(
        "The API server", 8,
        (panels.timeline(
            "In sync",
            "Red while not every watch has committed its first list. Longer "
            "than a minute: see /readyz and the log.",
            {"{{instance}} {{cluster}}": q.own("synced")},
            {"0": ("not in sync", look.BAD), "1": ("in sync", look.GOOD)}), 8),
        (panels.bars(
            "Watches by how they ended",
            "clean is normal every 4 to 5 minutes. timeout: something between "
            "drops quiet connections, lower --watch.timeout.",
            {"{{reason}}": q.own_bars("watches_total", "reason")},
            colour=look.UNUSUAL,
            overrides=[look.coloured(["clean"], look.NEUTRAL, look.FIXED)]),
         8),
        (panels.bars(
            "Lists by how they ended",
            "expired is normal on quiet clusters, forbidden needs RBAC; many "
            "lists mean that watches do not last.",
            {"{{result}}": q.own_bars("lists_total", "result")},
            colour=look.UNUSUAL,
            overrides=[look.coloured(["success", "ok"], look.NEUTRAL,
                                     look.FIXED)]), 8))
    made.row(
        None, 7,
        (panels.bars(
            "Frames received",
            "What the watches bring. None while the cluster is busy: see "
            "/readyz.",
            {"{{type}}": q.own_bars("watch_events_total", "type")},
            overrides=[*look.apart("ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
                       look.coloured(["ERROR"], look.BAD, look.FIXED)]), 8),
        (panels.bars(
            "Frames not used",
            "replay and truncated lose nothing; malformed, oversize and "
            "unknown_type are worth a report.",
            {"{{reason}}": q.own_bars("watch_events_dropped_total", "reason")},
            colour=look.UNUSUAL,
            overrides=[look.coloured(["replay", "truncated"], look.NEUTRAL)]),
         8),
        (panels.lines(
            "unobserved seconds and restored etcd",
            "Each step is time that may miss events. A reset of the "
            "resourceVersion is an etcd that was restored.",
            {"unobserved seconds {{instance}}":
             f"sum by (instance) (increase({q.own('unobserved_seconds_total')}"
             "[$__rate_interval]))",
             "resets {{instance}}":
             "sum by (instance) (increase("
             f"{q.own('resource_version_resets_total')}[$__rate_interval]))"},
            "none", colour=look.UNUSUAL, legend=look.legend(("max",))), 8))


def events(made):
    def within(part):
        return (f"histogram_quantile({part}, sum by (le) (rate("
                f"{q.own('event_lag_seconds_bucket')}[$__rate_interval])))")

    made.row(
        "Events", 8,
        (panels.lines(
            "From occurrence to counter",
            "When it rises, compare the writers' clocks, then see unobserved "
            "seconds. Writers of events.k8s.io/v1 tell up to 30 minutes late.",
            {"half within": within(0.5), "99 % within": within(0.99)},
            "s", sparse=True, overrides=[look.column("99 % within", (
                "color", {"mode": "fixed", "fixedColor": look.UNUSUAL}))]), 8),
        (panels.bars(
            "Scope decided by",
            "discovery is best; inferred means that the API server does not "
            "serve the kind, or that discovery is not allowed.",
            {"{{by}}": q.own_bars("scope_decisions_total", "by")},
            overrides=[look.coloured(["inferred"], look.UNUSUAL, look.FIXED)]),
         8),
        (panels.bars(
            "Odd occurrences",
            "Counted right, all of them: combined hides what was meant, a "
            "conflict is a wrong namespace, filtered is what you asked for.",
            {"combined": q.own_bars("combined_occurrences_total", "job"),
             "scope conflict": q.own_bars("scope_conflicts_total", "job"),
             "filtered": q.own_bars("filtered_occurrences_total", "job"),
             "overflowed": q.own_bars("series_overflow_total", "job")},
            overrides=[look.coloured(["overflowed"], look.BAD, look.FIXED)]),
         8))


def size(made):
    made.row(
        "Size", 8,
        (panels.lines(
            "Series by family",
            "Near --metrics.max-series (50,000 by default), the line, raise "
            "that or filter.",
            {"{{family}}": f"max by (family) ({q.own('series')})"}, "short",
            overrides=[
                *look.apart(names.OCCURRENCES, names.OBJECTS,
                            names.LAST_SEEN, names.ACTIVE),
                *(look.column(family, ("displayName", title))
                  for family, title in (
                      (names.OCCURRENCES, "occurrences"),
                      (names.OBJECTS, "objects"),
                      (names.LAST_SEEN, "last seen"),
                      (names.ACTIVE, "active")))],
            thresholds=look.steps((None, look.GOOD), (50000, look.BAD))), 8),
        (panels.lines(
            "Events remembered",
            "Events that exist, and those that are gone but must not count "
            "twice. 64 bytes of memory each.",
            {"existing": f"max({q.own('tracked_events')})",
             "gone": f"max({q.own('tombstones')})"}, "short",
            overrides=look.apart("existing", "gone")), 8),
        (panels.bars(
            "State saves and reloads",
            "A failed save or reload is told in the log and by /readyz; mend "
            "the volume or the file. Empty without --state.file.",
            {"saves: {{result}}": q.own_bars("state_saves_total", "result"),
             "reloads: {{result}}": q.own_bars("config_reloads_total",
                                               "result"),
             "discovery: {{result}}": q.own_bars("discovery_refreshes_total",
                                           "result")},
            overrides=[*look.apart("saves", "reloads", "discovery"),
                       look.coloured(["failed", "failure"], look.BAD)]), 8))


def process(made):
    cpu = (f"rate({q.selector('process_cpu_seconds_total')}"
           "[$__rate_interval])")
    made.row(
        "Process", 7,
        (panels.lines("CPU", "Part of one core. It follows the events; "
                      "without them, look at the scrapes.",
                      {"{{instance}} {{cluster}}":
                       q.of_exporter(cpu)},
                      "percentunit"), 6),
        (panels.lines("Memory", "Resident memory. When it grows without end "
                      "while the sizes above do not, report it.",
                      {"{{instance}} {{cluster}}":
                       q.of_exporter(q.selector(
                           "process_resident_memory_bytes"))},
                      "bytes"), 6),
        (panels.lines("Scrape duration", "Above Prometheus's scrape timeout "
                      "samples are lost: filter, or scrape less often.",
                      {"{{instance}} {{cluster}}":
                       q.of_exporter(q.selector(
                           "scrape_duration_seconds"))}, "s"), 6),
        (panels.bars("Requests by code", "Codes from 400 on are clients to be "
                     "mended; from 500 on look at the log.",
                     {"{{code}} {{handler}}":
                      q.own_bars("http_requests_total", "code, handler")},
                     overrides=[*look.apart("metrics", "readyz", "livez"),
                                look.coloured(["5.."], look.BAD),
                                look.coloured(["4.."], look.UNUSUAL)]), 6))


def sinks(made):
    def waiting(gauge):
        return f"max by (sink) ({q.own(gauge)})"

    delivered = f"increase({q.own('sink_delivered_total')}[$__range])"
    none = "No sink is configured"
    made.row(
        "Sinks (optional)", 8,
        (panels.ranking(
            "Delivered", "Empty without a list sinks in the configuration. "
            "A sink at 0 while others deliver: see what waits for it.",
            {"{{sink}}": f"sort_desc(round(sum by (sink) ({delivered})))"},
            look.NEUTRAL).no_value(none), 6),
        (panels.lines(
            "Waiting", "Occurrences in a sink's queue. At queue-entries "
            "(10,000 by default) the oldest are lost.",
            {"{{sink}}": waiting("sink_queued")}, "short",
            legend=look.legend(("max",))).no_value(none), 6),
        (panels.lines(
            "Oldest that waits", "When it rises a sink does not get "
            "through; after the line, 5 minutes, it is worth a look at the "
            "log. Writers that tell late add to it.",
            {"{{sink}}": waiting("sink_oldest_age_seconds")}, "s",
            legend=look.legend(("max",)),
            thresholds=look.steps((None, look.GOOD), (300, look.BAD)))
         .no_value(none), 6),
        (panels.bars(
            "Failed, retried and lost", "Attempts that failed lose nothing. "
            "queue_full: mend the receiver, or raise queue-entries; refused: the "
            "receiver will never take them, the log tells why.",
            {"{{sink}} failed": q.own_bars("sink_failures_total",
                                             "sink"),
             "{{sink}} retried": q.own_bars("sink_retries_total",
                                              "sink"),
             "{{sink}} lost: {{reason}}": q.own_bars(
                 "sink_dropped_total", "sink, reason")},
            overrides=[look.coloured(["failed"], look.UNUSUAL),
                       look.coloured(["lost"], look.BAD)]), 6))
