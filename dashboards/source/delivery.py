"""The rows of Exporter health about optional parts: sinks, the Lease of the
replicas, and the history."""

from . import look, panels
from . import queries as q


def sinks(made):
    def waiting(gauge):
        return f"max by (sink) ({q.own(gauge)})"

    delivered = f"increase({q.own('sink_delivered_total')}[$__range])"
    none = "No sink is configured"
    made.closed_row(
        "Sinks (optional)",
        (8,
        (panels.ranking(
            "Delivered", "Occurrences delivered by each sink. If a sink is at 0 "
            "while others deliver, check its queue.",
            {"{{sink}}": f"sort_desc(round(sum by (sink) ({delivered})))"},
            look.NEUTRAL).no_value(none), 12),
        (panels.lines(
            "Queued", "Occurrences in each sink's queue. At queue-entries "
            "(default 10,000) the oldest are dropped.",
            {"{{sink}}": waiting("sink_queued")}, "short",
            legend=look.legend(("max",))).no_value(none), 12)),
        (8,
        (panels.lines(
            "Oldest "
            "queued", "Age of the oldest queued occurrence. If it exceeds "
            "5 minutes (the line), check the log. Components that report late "
            "increase it.",
            {"{{sink}}": waiting("sink_oldest_age_seconds")}, "s",
            legend=look.legend(("max",)),
            thresholds=look.steps((None, look.GOOD), (300, look.BAD)))
         .no_value(none), 12),
        (panels.bars(
            "Failed, retried and dropped", "Failed attempts lose nothing. "
            "queue_full: fix the receiver or raise queue-entries. refused: "
            "the receiver refused them; check the log.",
            {"{{sink}} failed": q.own_bars("sink_failures_total", "sink"),
             "{{sink}} retried": q.own_bars("sink_retries_total", "sink"),
             "{{sink}} dropped: {{reason}}": q.own_bars(
                 "sink_dropped_total", "sink, reason")},
            overrides=[look.colored(["failed"], look.UNUSUAL),
                       look.colored(["dropped"], look.BAD)]), 12)),
        (8,
        (panels.ranking(
            "Connections per hour", "Connections that a sink opens. About one "
            "an hour is usual. If there are more, the receiver or a proxy "
            "closes them.",
            {"{{sink}}": "sort_desc(max by (sink) (increase("
             f"{q.own('sink_connections_total')}[$__range])) * 3600 "
             "/ $__range_s)"},
            look.NEUTRAL).decimals(1).no_value(none), 8),
        (panels.timeline(
            "Delivering replica",
            "Which replica delivers, with --replicas.lease. If none does for "
            "a minute, check the log.",
            {"{{instance}}{{of_cluster}}": q.named(q.own("lease_leader"))},
            {"0": ("waits", look.NEUTRAL), "1": ("delivers", look.GOOD)})
         .no_value("No --replicas.lease"), 8),
        (panels.bars(
            "Lease", "How often another replica took over, and failed "
            "requests. One transition for each rollout is normal. After 10 s "
            "of failures no replica delivers, and occurrences wait. None "
            "without --replicas.lease.",
            {"transitions": q.bars(q.own("lease_transitions"), "job"),
             "failed requests": q.own_bars("lease_failures_total", "job")},
            overrides=[*look.apart("transitions"),
                       look.colored(["failed"], look.UNUSUAL, look.FIXED)]),
         8)))


def history(made):
    def by_replica(query):
        return {"{{instance}}{{of_cluster}}": q.named(query)}

    none = "No sink of type history"
    oldest = q.own("history_oldest_timestamp_seconds")
    made.closed_row(
        "History (optional)",
        (5,
        (panels.number(
            "Files put aside",
            "Unusable files of the history that were renamed. A new one was "
            "begun. The log has the reason.",
            f"round(sum(increase({q.own('history_put_aside_total')}"
            "[$__range])))",
            look.steps((None, look.GOOD), (1, look.BAD))).no_value("-"), 4),
        (panels.timeline(
            "Writable",
            "Red while the history cannot be written. Occurrences wait in the "
            "queue of the sink. /readyz and the log show why.",
            by_replica(q.own("history_up")),
            {"0": ("not writable", look.BAD), "1": ("writable", look.GOOD)})
         .no_value(none), 20)),
        (8,
        (panels.lines(
            "Size", "The file and its write-ahead log. At max-size the oldest "
            "Events are removed.",
            by_replica(q.own("history_bytes")), "bytes").no_value(none), 8),
        (panels.lines(
            "Events", "Events in the history. Each is one row of the file.",
            by_replica(q.own("history_events")), "short").no_value(none), 8),
        (panels.lines(
            "Oldest Event", "Age of the oldest Event. If it stays below keep "
            "while the size is at max-size, raise max-size.",
            by_replica(f"time() - ({oldest} > 0)"), "s").no_value(none), 8)))
