"""The rows with messages from a log store, which a sink of type otlp fills.

Both stores have the fields of exporter/sinks/record_fields.h. Loki replaces
dots in their names by underscores.
"""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import logs, loki
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.models import common, dashboard

HEIGHT = 11
CLUSTER = {"k8s.cluster.name": "${cluster:regex}"}


class _VictoriaLogs:
    """A query of the plugin, which the SDK does not know."""

    def __init__(self, expr):
        self._made = {"refId": "A", "expr": expr, "editorMode": "code",
                      "queryType": "instant", "datasource": {
                          "type": VICTORIA_LOGS[1], "uid": "${victorialogs}"}}

    def build(self):
        return UnknownDataquery(self._made)


# (variable, type of the data source, name)
LOKI = ("loki", "loki", "Loki")
VICTORIA_LOGS = ("victorialogs", "victoriametrics-logs-datasource",
                 "VictoriaLogs")


def variables():
    """Hidden: Grafana uses the first data source of the type, if any."""
    for name, kind, title in (LOKI, VICTORIA_LOGS):
        yield (build.DatasourceVariable(name).label(title).type(kind)
               .description(f"The {title} that a sink of type otlp fills.")
               .hide(dashboard.VariableHide.HIDE_VARIABLE))


def _of_loki(fields):
    def field(name):
        return name.replace(".", "_")

    shown = " ".join(f"{{{{.{field(name)}}}}}" for name in (
        "severity_text", "k8s.object.kind", "k8s.object.name",
        "k8s.event.reason"))
    wanted = "".join(f" | {field(name)}=~`{pattern}`"
                     for name, pattern in fields.items())
    return (f'{{service_name="kube-event-metrics"}}{wanted} '
            f"| line_format `{shown}: {{{{__line__}}}}`")


def _of_victoria_logs(fields):
    wanted = "".join(f' "{name}":~`^({pattern})$`'
                     for name, pattern in fields.items())
    return (f'"service.name":="kube-event-metrics"{wanted} | format '
            '"<severity_text> <k8s.object.kind> <k8s.object.name> '
            '<k8s.event.reason>: <_msg>" as _msg')


def _panel(store, target):
    variable, kind, title = store
    return (logs.Panel().title(f"Messages ({title})")
            .description(
                f"The newest messages in {title}, of what is selected above. "
                f"Empty or an error without a {title} data source, or if no "
                "sink of type otlp fills it.")
            .datasource(dashboard.DataSourceRef(type_val=kind,
                                                uid=f"${{{variable}}}"))
            .with_target(target).show_time(True).wrap_log_message(True)
            .enable_log_details(True).show_labels(False)
            .show_common_labels(False).prettify_log_message(False)
            .sort_order(common.LogsSortOrder.DESCENDING)
            .dedup_strategy(common.LogsDedupStrategy.NONE))


def rows(made, **chosen):
    """A closed row for each store. `chosen` are kind, name, reason and type: a
    variable such as $kind, or a regular expression."""
    fields = {"kind": "k8s.object.kind", "name": "k8s.object.name",
              "reason": "k8s.event.reason", "type": "severity_text"}
    wanted = {"kube_event.scope": "cluster", **CLUSTER, **{
        fields[key]: f"${{{value[1:]}:regex}}" if value.startswith("$")
        else value for key, value in chosen.items()}}
    for store, target in (
            (LOKI, loki.Dataquery().ref_id("A").expr(_of_loki(wanted))
             .query_type("range").datasource(dashboard.DataSourceRef(
                 type_val="loki", uid="${loki}"))),
            (VICTORIA_LOGS, _VictoriaLogs(_of_victoria_logs(wanted)))):
        made.closed_row(f"Messages in {store[2]} (optional)",
                        (HEIGHT, (_panel(store, target), 24)))
