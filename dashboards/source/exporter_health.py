"""Kubernetes / Events / Exporter health."""

from . import board, look, names, panels
from . import queries as q

UID = "kube-event-exporter-health"


def make():
    made = board.Board(
        UID, "Exporter health",
        "Can I trust these numbers?",
        "Yes, if the exporter is in sync, without unobserved time or "
        "overflow.")
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
            "Whether Prometheus scrapes every replica that it scraped within "
            "the time range. If not, check the Pod and the targets in "
            "Prometheus.",
            f"min({q.of_exporter(q.selector('up'))}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("down", look.BAD),
                                  "1": ("up", look.GOOD)})]), 4),
        (panels.number(
            "Watches",
            "Whether every watch of every replica is in sync. If not, /readyz "
            "returns the reason.",
            f"min({q.own('synced')}) or vector(0)",
            look.steps((None, look.BAD), (1, look.GOOD)), unit="bool_on_off",
            mappings=[look.texts({"0": ("not in sync", look.BAD),
                                  "1": ("in sync", look.GOOD)})]), 4),
        (panels.number(
            "Unobserved",
            "Time in which no watch ran and no watch could resume. Events created "
            "and deleted in it are not counted. Check why watches end.",
            f"max(increase({q.own('unobserved_seconds_total')}[$__range])) "
            "or vector(0)",
            look.zero_is_good(1, 300), unit="s").decimals(0), 4),
        (panels.number(
            "Overflowed",
            "Occurrences counted under _overflow because a family was full. "
            "Raise --metrics.max-series or filter.",
            f"round(max(increase({q.own('series_overflow_total')}[$__range])))"
            " or vector(0)",
            look.steps((None, look.GOOD), (1, look.BAD))), 4),
        (panels.number(
            "Counting delay (p99)",
            "Time from an occurrence, by the clock of its component, to its "
            "count. Some components report late by design. If others are "
            "late, compare clocks.",
            "histogram_quantile(0.99, sum by (le) (increase("
            f"{q.own('event_lag_seconds_bucket')}[$__range])))",
            look.plain(), unit="s").no_value("-"), 4),
        (panels.number(
            "Running since",
            "The latest start. With --state.file, counters continue after it. "
            "Otherwise they start at 0, which increase() handles.",
            f"max({q.of_exporter(q.selector('process_start_time_seconds'))})"
            " * 1000",
            look.plain(), unit="dateTimeFromNow").no_value("-"), 4))


def session(made):
    made.row(
        "API server", 8,
        (panels.timeline(
            "In sync",
            "Red until every watch has processed its first list. If it is red "
            "for over a minute, check /readyz and the log.",
            {"{{instance}} {{cluster}}": q.own("synced")},
            {"0": ("not in sync", look.BAD), "1": ("in sync", look.GOOD)}), 8),
        (panels.bars(
            "Watches by end reason",
            "clean is normal every 4 to 5 minutes. timeout: a network device "
            "drops idle connections; lower --watch.timeout.",
            {"{{reason}}": q.own_bars("watches_total", "reason")},
            color=look.UNUSUAL,
            overrides=[look.colored(["clean"], look.NEUTRAL, look.FIXED)]),
         8),
        (panels.bars(
            "Lists by result",
            "expired is normal on idle clusters. forbidden: fix RBAC. Many "
            "lists mean that watches end early.",
            {"{{result}}": q.own_bars("lists_total", "result")},
            color=look.UNUSUAL,
            overrides=[look.colored(["success", "ok"], look.NEUTRAL,
                                     look.FIXED)]), 8))
    made.row(
        None, 7,
        (panels.bars(
            "Watch events received",
            "Watch events by type. If there are none on a busy cluster, check "
            "/readyz.",
            {"{{type}}": q.own_bars("watch_events_total", "type")},
            overrides=[*look.apart("ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
                       look.colored(["ERROR"], look.BAD, look.FIXED)]), 8),
        (panels.bars(
            "Watch events dropped",
            "replay and truncated lose nothing. Report malformed, oversize "
            "and unknown_type as bugs.",
            {"{{reason}}": q.own_bars("watch_events_dropped_total", "reason")},
            color=look.UNUSUAL,
            overrides=[look.colored(["replay", "truncated"], look.NEUTRAL)]),
         8),
        (panels.lines(
            "Unobserved time and etcd restores",
            "Each step is a gap in which Events may be missing. A reset of "
            "the resourceVersion means that etcd was restored.",
            {"unobserved seconds {{instance}}":
             f"sum by (instance) (increase({q.own('unobserved_seconds_total')}"
             "[$__rate_interval]))",
             "resets {{instance}}":
             "sum by (instance) (increase("
             f"{q.own('resource_version_resets_total')}[$__rate_interval]))"},
            "none", color=look.UNUSUAL, legend=look.legend(("max",))), 8))


def events(made):
    def within(part):
        return (f"histogram_quantile({part}, sum by (le) (rate("
                f"{q.own('event_lag_seconds_bucket')}[$__rate_interval])))")

    made.row(
        "Events", 8,
        (panels.lines(
            "Counting delay",
            "If it rises, compare the clocks of the components, then check "
            "unobserved time. Recorders of events.k8s.io/v1 report up to 30 "
            "minutes late.",
            {"p50": within(0.5), "p99": within(0.99)},
            "s", sparse=True, overrides=[look.column("p99", (
                "color", {"mode": "fixed", "fixedColor": look.UNUSUAL}))]), 8),
        (panels.bars(
            "Scope decisions",
            "discovery is normal. inferred means that the API server does not "
            "serve the kind or that discovery is forbidden.",
            {"{{by}}": q.own_bars("scope_decisions_total", "by")},
            overrides=[look.colored(["inferred"], look.UNUSUAL, look.FIXED)]),
         8),
        (panels.bars(
            "Unusual occurrences",
            "combined: from \"(combined from similar events)\" Events. "
            "untrusted: about a cluster-scoped object, but outside the trusted "
            "namespaces. filtered: excluded by your filter. overflowed: a "
            "family was full.",
            {"combined": q.own_bars("combined_occurrences_total", "job"),
             "untrusted": q.own_bars("scope_conflicts_total", "job",
                                     result="untrusted"),
             "filtered": q.own_bars("filtered_occurrences_total", "job"),
             "overflowed": q.own_bars("series_overflow_total", "job")},
            overrides=[look.colored(["overflowed"], look.BAD, look.FIXED)]),
         8))


def size(made):
    made.row(
        "Size", 8,
        (panels.lines(
            "Series by family",
            "The line is --metrics.max-series (default 50,000). If a family "
            "gets close to it, raise the limit or filter.",
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
            "Tracked Events",
            "Existing Events, and deleted ones that must not be counted "
            "twice. Each takes 64 bytes of memory.",
            {"existing": f"max({q.own('tracked_events')})",
             "deleted": f"max({q.own('tombstones')})"}, "short",
            overrides=look.apart("existing", "deleted")), 8),
        (panels.bars(
            "State saves and reloads",
            "If a save or reload fails, /readyz and the log contain the "
            "error. Fix the volume or the file. No saves without "
            "--state.file.",
            {"saves: {{result}}": q.own_bars("state_saves_total", "result"),
             "reloads: {{result}}": q.own_bars("config_reloads_total",
                                               "result"),
             "discovery: {{result}}": q.own_bars("discovery_refreshes_total",
                                           "result")},
            overrides=[*look.apart("saves", "reloads", "discovery"),
                       look.colored(["failed", "failure"], look.BAD)]), 8))


def process(made):
    cpu = (f"rate({q.selector('process_cpu_seconds_total')}"
           "[$__rate_interval])")
    made.row(
        "Process", 7,
        (panels.lines("CPU", "Fraction of one core. It follows the rate of "
                      "watch events. If it does not, check the scrapes.",
                      {"{{instance}} {{cluster}}":
                       q.of_exporter(cpu)},
                      "percentunit"), 6),
        (panels.lines("Memory", "Resident memory. If it grows while the sizes "
                      "above do not, report a bug.",
                      {"{{instance}} {{cluster}}":
                       q.of_exporter(q.selector(
                           "process_resident_memory_bytes"))},
                      "bytes"), 6),
        (panels.lines("Scrape duration", "Samples are lost above the scrape "
                      "timeout of Prometheus. Filter, or raise the timeout.",
                      {"{{instance}} {{cluster}}":
                       q.of_exporter(q.selector(
                           "scrape_duration_seconds"))}, "s"), 6),
        (panels.bars("Requests by code", "4xx: fix the client. 5xx: check the "
                     "log of the exporter.",
                     {"{{code}} {{handler}}":
                      q.own_bars("http_requests_total", "code, handler")},
                     overrides=[*look.apart("metrics", "readyz", "livez"),
                                look.colored(["5.."], look.BAD),
                                look.colored(["4.."], look.UNUSUAL)]), 6))


def sinks(made):
    def waiting(gauge):
        return f"max by (sink) ({q.own(gauge)})"

    delivered = f"increase({q.own('sink_delivered_total')}[$__range])"
    none = "No sink is configured"
    made.row(
        "Sinks (optional)", 8,
        (panels.ranking(
            "Delivered", "Occurrences delivered by each sink. If a sink is at 0 "
            "while others deliver, check its queue.",
            {"{{sink}}": f"sort_desc(round(sum by (sink) ({delivered})))"},
            look.NEUTRAL).no_value(none), 6),
        (panels.lines(
            "Queued", "Occurrences in each sink's queue. At queue-entries "
            "(default 10,000) the oldest are dropped.",
            {"{{sink}}": waiting("sink_queued")}, "short",
            legend=look.legend(("max",))).no_value(none), 6),
        (panels.lines(
            "Oldest "
            "queued", "Age of the oldest queued occurrence. If it exceeds "
            "5 minutes (the line), check the log. Components that report late "
            "increase it.",
            {"{{sink}}": waiting("sink_oldest_age_seconds")}, "s",
            legend=look.legend(("max",)),
            thresholds=look.steps((None, look.GOOD), (300, look.BAD)))
         .no_value(none), 6),
        (panels.bars(
            "Failed, retried and dropped", "Failed attempts lose nothing. "
            "queue_full: fix the receiver or raise queue-entries. refused: "
            "the receiver refused them; check the log.",
            {"{{sink}} failed": q.own_bars("sink_failures_total", "sink"),
             "{{sink}} retried": q.own_bars("sink_retries_total", "sink"),
             "{{sink}} dropped: {{reason}}": q.own_bars(
                 "sink_dropped_total", "sink, reason")},
            overrides=[look.colored(["failed"], look.UNUSUAL),
                       look.colored(["dropped"], look.BAD)]), 6))
