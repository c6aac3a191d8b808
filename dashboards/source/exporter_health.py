"""Kubernetes / Events / Exporter health."""

from . import board, delivery, look, names, panels
from . import queries as q

UID = "kube-event-exporter-health"
LIST_ENDS = ("expired", "throttled", "unauthorized", "forbidden", "not_found",
             "rejected", "unavailable", "malformed", "too_large", "cancelled")
WATCH_ENDS = ("clean", "short", "truncated", "timeout", "oversize", "error",
              "unknown_type", *LIST_ENDS)


def make():
    made = board.Board(
        UID, "Exporter health",
        "Can I trust these numbers?",
        "Yes, if the exporter is in sync, without unobserved time or "
        "overflow. The rows below are for finding the cause.")
    headlines(made)
    cost(made)
    session(made)
    events(made)
    size(made)
    process(made)
    delivery.sinks(made)
    delivery.history(made)
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
            "Delay (p99)",
            "Time from an occurrence, by the clock of its component, to its "
            "count. Some components report late by design. If others are "
            "late, compare clocks.",
            "histogram_quantile(0.99, sum by (le) (increase("
            f"{q.own('event_lag_seconds_bucket')}[$__range])))",
            look.plain(), unit="s").no_value("-"), 4),
        (panels.number(
            "Events held",
            "Event objects in the API server, of all namespaces. Each is a "
            "write to etcd and costs the exporter memory. See who writes most "
            "in the next row.",
            f"max({q.own('tracked_events')}) or vector(0)", look.plain()), 4))


# All Events cost something, those of namespaced objects too.
ANY = {"scope": "cluster|namespaced"}


def cost(made):
    held = f"topk(10, sum by (kind) ({q.ONCE} ({q.active(**ANY)})) > 0)"
    written = q.occurrences(**ANY)
    made.closed_row(
        "Cost: Events held and who writes most",
        (9,
         (panels.ranking(
             "Events held by kind",
             "Event objects that exist now, by the kind of their object. They "
             "expire after --event-ttl of the API server (1 h by default).",
             {"{{kind}}": held}, look.NEUTRAL), 12),
         (panels.ranking(
             "Who writes most",
             "Occurrences by reporting component, of all namespaces. Repair "
             "or silence the first one to unload the API server.",
             {"{{reporting_component}}": q.top_by_driver(10, written)},
             look.NEUTRAL), 12)),
        (8,
         (panels.ranking(
             "Namespaces with most occurrences",
             "Occurrences by the namespace of the object. Look for workloads "
             "that restart or do not fit there.",
             {"{{object_namespace}}": q.top(10, q.selector(
                 names.OCCURRENCES, scope="namespaced"), "object_namespace")},
             look.NEUTRAL), 8),
         (panels.bars(
             "Occurrences by scope",
             "Namespaced objects usually cause most Events. A sudden rise "
             "also loads the API server.",
             {"{{scope}}": q.bars(written, "scope")},
             overrides=look.apart("cluster", "namespaced")), 8),
         (panels.lines(
             "Event objects in the API server",
             "Existing Events, as the exporter knows them. If it keeps "
             "rising, something writes new Events instead of repeating one.",
             {"{{instance}}{{of_cluster}}": q.named(q.own("tracked_events"))},
             "short"), 8)))


def session(made):
    made.closed_row(
        "API server",
        (8,
        (panels.timeline(
            "In sync",
            "Red until every watch has processed its first list. If it is red "
            "for over a minute, check /readyz and the log.",
            {"{{instance}}{{of_cluster}}": q.named(q.own("synced"))},
            {"0": ("not in sync", look.BAD), "1": ("in sync", look.GOOD)}), 8),
        (panels.bars(
            "Watches by end reason",
            "clean is normal every 4 to 5 minutes. timeout: a network device "
            "drops idle connections; lower --watch.timeout.",
            {"{{reason}}": q.own_bars("watches_total", "reason")},
            overrides=look.apart(*WATCH_ENDS)),
         8),
        (panels.bars(
            "Lists by result",
            "expired is normal on idle clusters. forbidden: fix RBAC. Many "
            "lists mean that watches end early.",
            {"{{result}}": q.own_bars("lists_total", "result")},
            overrides=look.apart("success", *LIST_ENDS)),
         8)),
        (8,
        (panels.bars(
            "Watch events received",
            "Watch events by type. If there are none on a busy cluster, check "
            "/readyz.",
            {"{{type}}": q.own_bars("watch_events_total", "type")},
            legend=look.legend(()),
            overrides=[*look.apart("ADDED", "MODIFIED", "DELETED", "BOOKMARK"),
                       look.colored(["ERROR"], look.BAD, look.FIXED)]), 8),
        (panels.bars(
            "Watch events dropped",
            "replay and truncated lose nothing. Report malformed, oversize "
            "and unknown_type as bugs.",
            {"{{reason}}": q.own_bars("watch_events_dropped_total", "reason")},
            overrides=look.apart(
                "replay", "truncated", "malformed", "oversize",
                "unknown_type")),
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
            "none", legend=look.legend(("max",)),
            overrides=look.apart("unobserved", "resets")), 8)))


def events(made):
    def within(part):
        return (f"histogram_quantile({part}, sum by (le) (rate("
                f"{q.own('event_lag_seconds_bucket')}[$__rate_interval])))")

    made.closed_row(
        "Events",
        (8,
        (panels.lines(
            "Counting delay",
            "If it rises, compare the clocks of the components, then check "
            "unobserved time. Recorders of events.k8s.io/v1 report up to 30 "
            "minutes late.",
            {"p50": within(0.5), "p99": within(0.99)},
            "s", sparse=True, overrides=look.apart("p50", "p99")), 8),
        (panels.bars(
            "Scope decisions",
            "discovery is normal. inferred means that the API server does not "
            "serve the kind or that discovery is forbidden.",
            {"{{by}}": q.own_bars("scope_decisions_total", "by")},
            overrides=look.apart("discovery", "table", "inferred")),
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
            overrides=[*look.apart("combined", "untrusted", "filtered"),
                       look.colored(["overflowed"], look.BAD, look.FIXED)]),
         8)))


def size(made):
    made.closed_row(
        "Size",
        (8,
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
                       look.colored(["failed", "failure"], look.BAD)]), 8)))


def process(made):
    cpu = (f"rate({q.selector('process_cpu_seconds_total')}"
           "[$__rate_interval])")
    made.closed_row(
        "Process",
        (7,
        (panels.number(
            "Running since",
            "The latest start. With --state.file, counters continue after it. "
            "Otherwise they start at 0, which increase() handles.",
            f"max({q.of_exporter(q.selector('process_start_time_seconds'))})"
            " * 1000",
            look.plain(), unit="dateTimeFromNow").no_value("-"), 4),
        (panels.lines("CPU", "Fraction of one core. It follows the rate of "
                      "watch events. If it does not, check the scrapes.",
                      {"{{instance}}{{of_cluster}}":
                       q.named(q.of_exporter(cpu))},
                      "percentunit"), 10),
        (panels.lines("Memory", "Resident memory. If it grows while the sizes "
                      "above do not, report a bug.",
                      {"{{instance}}{{of_cluster}}":
                       q.named(q.of_exporter(q.selector(
                           "process_resident_memory_bytes")))},
                      "bytes"), 10)),
        (7,
        (panels.lines("Scrape duration", "Samples are lost above the scrape "
                      "timeout of Prometheus. Filter, or raise the timeout.",
                      {"{{instance}}{{of_cluster}}":
                       q.named(q.of_exporter(q.selector(
                           "scrape_duration_seconds")))}, "s"), 12),
        (panels.bars("Requests by code", "4xx responses point to "
                     "clients with wrong settings. 5xx: check the log of the "
                     "exporter.",
                     {"{{code}} {{handler}}":
                      q.own_bars("http_requests_total", "code, handler")},
                     overrides=[*look.apart("metrics", "readyz", "livez"),
                                look.colored(["5.."], look.BAD),
                                look.colored(["4.."], look.UNUSUAL)]), 12)))
