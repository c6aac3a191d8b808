"""The forms of PromQL that the dashboards use.

Replicas of the exporter count the same Events, so a query takes the highest
value of the replicas before it sums. Restarts of the exporter or Prometheus do
not change a result. If the exporter's Pod was replaced within the range, the
count is that of the Pod with the higher count.
"""

from .names import (ACTIVE, CRITICAL, LAST_SEEN, NODE, NORMAL_BUT_WARNING,
                    OBJECTS, OCCURRENCES, OWN, SELECT, WARNING_BUT_INFO)

ONCE = "max without (instance, pod)"


def one_of(names):
    return names if isinstance(names, str) else "|".join(names)


def matchers(**labels):
    """label="value",...; a value is a string or names. `x_not` excludes
    values, `x_too` is a second condition on a label."""
    parts = []
    for label, value in labels.items():
        value = one_of(value)
        not_ = label.endswith("_not")
        pattern = any(c in value for c in "|.*+$")
        sign = ("!" if not_ else "=") + ("~" if pattern else
                                         "=" if not_ else "")
        label = label.removesuffix("_not").removesuffix("_too")
        parts.append(f'{label}{sign}"{value}"')
    return ",".join(parts)


def selector(metric, **labels):
    """metric{...}, with the labels of matchers().

    Of Events only those of cluster-scoped objects, because tenants can write
    others. Other API groups have a kind Node too.
    """
    if metric in (OCCURRENCES, OBJECTS, LAST_SEEN, ACTIVE):
        labels = {"scope": "cluster", **labels}
    if labels.get("kind") == NODE:
        labels["api_group"] = ""
    more = matchers(**labels)
    return f"{metric}{{{SELECT}{',' if more else ''}{more}}}"


def occurrences(**labels):
    return selector(OCCURRENCES, **labels)


def objects(**labels):
    return selector(OBJECTS, **labels)


def last_seen(**labels):
    return selector(LAST_SEEN, **labels)


def active(**labels):
    return selector(ACTIVE, **labels)


def own(name, **labels):
    return selector(OWN + name, **labels)


def of_exporter(query):
    """Keeps series of exporter targets: every target has `up` and process_*,
    and All selects any job."""
    return (f"{query} and on (cluster, job, instance) "
            f"max_over_time({own('build_info')}[$__range])")


def total(counter, by="", over="$__range"):
    """Occurrences within the range: one number, or one for each `by`."""
    group = f" by ({by})" if by else ""
    return f"round(sum{group} ({ONCE} (increase({counter}[{over}]))))"


def total_or_zero(counter):
    return f"{total(counter)} or vector(0)"


def by_driver(query):
    """A CSI driver's name without the name of its Pod."""
    return (f'label_replace({query}, "reporting_component", "$1", '
            '"reporting_component", "([a-z0-9-]+([.][a-z0-9-]+)+)_.+")')


def total_by_driver(counter, by="reporting_component"):
    increase = by_driver(f"{ONCE} (increase({counter}[$__range]))")
    return f"round(sum by ({by}) ({increase})) > 0"


def top_by_driver(count, counter):
    return f"topk({count}, {total_by_driver(counter)})"


def bars_by_driver(counter):
    by = "reporting_component"
    rate = by_driver(f"{ONCE} (rate({counter}[$__rate_interval]))")
    any_ = by_driver(f"increase({counter}[$__range] @ end())")
    return _bars(rate, any_, by)


def bars(counter, by):
    """Occurrences in each interval, for series with any in the range. Known
    reasons without occurrences would fill the legend. Intervals without
    occurrences stay, because Grafana derives the width of bars from them."""
    return _bars(f"{ONCE} (rate({counter}[$__rate_interval]))",
                 f"increase({counter}[$__range] @ end())", by)


def _bars(rate, increase, by):
    return (f"round(sum by ({by}) ({rate}) * $__interval_ms / 1000) "
            f"and on ({by}) (sum by ({by}) ({increase}) > 0)")


def own_bars(name, by, **labels):
    """As bars, for metrics that differ between replicas."""
    counter = own(name, **labels)
    return _bars(f"rate({counter}[$__rate_interval])",
                 f"increase({counter}[$__range] @ end())", by)


def top(count, counter, by):
    return f"topk({count}, {total(counter, by)} > 0)"


def newest(gauge, by, renamed=str):
    """Timestamp of the newest occurrence within the range, for each `by`;
    `renamed` changes labels, as by_driver() does."""
    found = renamed(f"max_over_time({gauge}[$__range])")
    return f"max by ({by}) ({found}) >= $__from / 1000"


def how_many(gauge, by):
    return f"count({newest(gauge, by)}) or vector(0)"


def newest_first(count, gauge, by, renamed=str):
    """For tables: milliseconds, the unit of dates in Grafana."""
    return f"topk({count}, {newest(gauge, by, renamed)}) * 1000"


def newest_known(count, gauge, by):
    """As newest_first, for the last day instead of the range."""
    return f"topk({count}, max by ({by}) ({gauge})) * 1000"


def newest_of_each(count, gauge, by, more):
    """As newest_first, but only the newest `more` of each `by`."""
    return (f"topk({count}, topk by ({by}) (1, {newest(gauge, f'{by}, {more}')}"
            ")) * 1000")


def still(began, ended, by="cluster, object_name"):
    """Objects whose newest `began` is newer than their newest `ended`."""
    return (f"max by ({by}) ({began}) unless "
            f"(max by ({by}) ({ended}) >= max by ({by}) ({began}))")


def how_many_still(began, ended):
    return f"count({still(began, ended)}) or vector(0)"


def with_severity(query):
    """Adds the label `severity` of the catalogue: 1 critical, 2 warning or 3
    info. That of an unknown reason follows the type."""
    for severity, label, value in (
            (3, "type", ".*"), (2, "type", "Warning"),
            (2, "reason", one_of(NORMAL_BUT_WARNING)),
            (3, "reason", one_of(WARNING_BUT_INFO)),
            (1, "reason", one_of(CRITICAL))):
        query = (f'label_replace({query}, "severity", "{severity}", '
                 f'"{label}", "{value}")')
    return query


def routine(query):
    """Of with_severity(), only info."""
    return f"{query} and on (severity) {_INFO}"


def problems(query):
    """Of with_severity(), only critical and warning."""
    return f"{query} unless on (severity) {_INFO}"


_INFO = 'label_replace(vector(1), "severity", "3", "", "")'


def named(query):
    """Adds " (cluster)", for a legend, as the label `of_cluster` to series
    with a cluster."""
    return (f'label_replace({query}, "of_cluster", " ($1)", "cluster", '
            '"(.+)")')


def since(began, ended, by="cluster, object_name"):
    """Over time: 1 while `began` is newer, 0 once `ended` is."""
    start = f"max by ({by}) ({began})"
    return f"{start} > bool (max by ({by}) ({ended}) or {start} * 0)"


def firing(by, **labels):
    """Firing alerts of this project, from the Prometheus that evaluates the
    rules."""
    return (f'max by ({by}) (ALERTS{{{_alerts(**labels)},'
            'alertstate="firing"})')


def firing_since(by, **labels):
    return (f"(max by ({by}) (ALERTS_FOR_STATE{{{_alerts(**labels)}}}) "
            f"and on ({by}) {firing(by, **labels)}) * 1000")


def _alerts(**labels):
    return matchers(alertname="KubeEvent.+", cluster="$cluster", **labels)


def by_dashboard(query):
    """Adds the label `dashboard`: the uid of the dashboard for the kind."""
    from .names import CLAIMS, NODE, STORAGE
    places = (("kube-event-nodes", NODE), ("kube-event-storage", STORAGE),
              ("kube-event-node-lifecycle", CLAIMS))
    query = (f'label_replace({query}, "dashboard", "kube-event-platform", '
             '"kind", ".*")')
    for uid, kinds in places:
        query = (f'label_replace({query}, "dashboard", "{uid}", '
                 f'"kind", "{kinds}")')
    return query
