"""The frame of a dashboard: variables, links, annotations and the grid."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from . import messages, names, panels, planned, queries

TAG = "kube-event"
TITLE = "Kubernetes / Events / "
PROJECT = "https://github.com/kube-event-metrics/kube-event-metrics"
# The schema of Grafana 10.4; newer versions migrate it.
SCHEMA = 39
WIDTH = 24
ALL = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
CARRIED = ("datasource", "cluster", "job", "instance")
ALERTS = "Firing alerts"


def variable(name, label, what, query, all_value=".*"):
    """A query variable with All and multiple values."""
    made = (build.QueryVariable(name).label(label).description(what)
            .query(query).datasource(panels.SOURCE).multi(True)
            .include_all(True).all_value(all_value).current(ALL)
            .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(dashboard.VariableSort.ALPHABETICAL_ASC))
    return made


def values_of(label, counter):
    return f"label_values({counter}, {label})"


def _shared():
    build_info = names.OWN + "build_info"
    here = 'job=~"$job",cluster=~"$cluster"'
    yield (build.DatasourceVariable("datasource").label("Data source")
           .description("The Prometheus that scrapes kube-event-metrics.")
           .type("prometheus").current(dashboard.VariableOption(
               text="default", value="default")))
    yield variable("cluster", "Cluster",
                   "Empty if series have no label cluster. All includes them.",
                   values_of("cluster", build_info))
    yield variable("job", "Job", "The scrape job of kube-event-metrics.",
                   values_of("job", f'{build_info}{{cluster=~"$cluster"}}'),
                   ".+")
    yield variable("instance", "Instance", "The replicas of the exporter.",
                   values_of("instance", f"{build_info}{{{here}}}"), ".+")


def filter_by(label, title, metric, **labels):
    """A variable over a label of the metrics about Events."""
    return variable(label, title, f"Shows only the selected values of {title}.",
                    values_of(label, queries.selector(metric, **labels)))


def node_filter():
    return variable("node", "Node",
                    "Shows only this node in panels about single nodes.",
                    values_of("object_name",
                              queries.last_seen(kind=names.NODE)))


def to_any_object():
    """For tables with the label `dashboard` (queries.by_dashboard)."""
    name = "${__data.fields.object_name}"
    return _data_link("Show this object", "/d/${__data.fields.dashboard}",
                      f"var-node={name}&var-object_name={name}")


def to_node():
    return _data_link("Show this node", "/d/kube-event-nodes",
                      "var-node=${__data.fields.object_name}")


def only_here(uid):
    return _data_link("Show only this object", f"/d/{uid}",
                      "var-object_name=${__data.fields.object_name}")


def to_board(title, uid):
    return _data_link(title, f"/d/{uid}", "")


class _DataLink:
    """The link of a field; the SDK only builds links of dashboards."""

    def __init__(self, title, url):
        self._made = {"title": title, "url": url, "targetBlank": False}

    def build(self):
        return self._made


def _data_link(title, path, chosen):
    carried = "&".join(f"${{{name}:queryparam}}" for name in CARRIED)
    return _DataLink(title, f"{path}?${{__url_time_range}}&{carried}" +
                     (f"&{chosen}" if chosen else ""))


class Annotation(dashboard.AnnotationQuery):
    """A Prometheus annotation; the SDK lacks the fields that are specific to
    it."""

    def to_json(self):
        alerts = self.name == ALERTS
        return {**super().to_json(), "step": "60s",
                # Grafana shows the name of a label that a series lacks.
                "titleFormat": "{{alertname}}" if alerts else "{{reason}}",
                "textFormat": "{{text}}",
                "tagKeys": "severity", "useValueForTime": not alerts}


def _annotation(name, color, expression, enable=True):
    with_text = (messages.in_text_of_alert if name == ALERTS
                 else messages.in_text_of_node)
    return Annotation(name=name, enable=enable, hide=False, icon_color=color,
                      datasource=panels.SOURCE, built_in=None,
                      expr=with_text(expression))


def _annotations(chosen):
    """One annotation query per meaning; of an Event at its own time. Planned
    disruptions are off at first, because a rolling upgrade would cover the
    charts, and so are alerts of chosen nodes, which repeat the others."""
    by = "cluster, object_name, reason"

    def at(timestamps):
        return f"(({timestamps}) >= $__from / 1000) * 1000"

    def every(reasons, **labels):
        gauge = queries.last_seen(kind=names.NODE, reason=reasons, **labels,
                                  **chosen)
        return at(f"max by ({by}) ({gauge})")

    ready = names.NODE_CONTROLLER
    yield _annotation(ALERTS, "orange", queries.firing(
        "alertname, severity, cluster, object_name", **chosen),
                      enable=not chosen)
    yield _annotation("Out of memory", "#e377c2", every(names.OUT_OF_MEMORY))
    for reason, title, color, reporter in (
            ("Rebooted", "reboots", "purple", ""),
            ("NodeNotReady", "not ready", "red", ready)):
        yield _annotation(f"Unplanned {title}", color, at(
            planned.new_unplanned(reason, reporter, **chosen)))
        yield _annotation(title.capitalize(), color, every(
            reason, **({"reporting_component": ready} if reporter else {})),
                          enable=False)


def _built(panel):
    made = panel.build()
    made.repeat_direction = None
    if not made.transparent:
        made.transparent = None
    return made


class Board:
    """Collects panels row by row; build() returns the SDK's dashboard."""

    def __init__(self, uid, title, asks, reads, variables=(),
                 annotations=None):
        self.uid = uid
        self._made = (
            build.Dashboard(TITLE + title).uid(uid).description(asks)
            .tags([TAG]).readonly().timezone("browser").refresh("1m")
            .time("now-6h", "now").tooltip(dashboard.DashboardCursorSync(1)))
        for each in (*_shared(), *variables):
            self._made.with_variable(each)
        self._made.link(
            build.DashboardLink("Kubernetes events").tags([TAG])
            .type(dashboard.DashboardLinkType.DASHBOARDS).as_dropdown(True)
            .include_vars(True).keep_time(True).icon("external link"))
        self._made = self._made.build()
        self._made.annotations = dashboard.AnnotationContainer(
            list_val=[] if annotations is None
            else list(_annotations(annotations)))
        self._made.schema_version = SCHEMA
        self._made.panels = []
        self._y = 0
        self._next_id = 1
        self.row(None, 2, (panels.question(f"**{asks}** {reads}"), WIDTH))

    def _place(self, panel, x, width, height):
        panel.grid_pos = dashboard.GridPos(h=height, w=width, x=x, y=self._y)
        panel.id_val = self._next_id
        self._next_id += 1
        return panel

    def _header(self, title, collapsed):
        row = build.Row(title).collapsed(collapsed).build()
        self._made.panels.append(self._place(row, 0, WIDTH, 1))
        self._y += 1
        return row

    def row(self, title, height, *panels_and_widths):
        """Panels side by side, under a header if there is a title. In place
        of a panel, a list of (panel, height) is a stack."""
        if title:
            self._header(title, collapsed=False)
        self._fill(self._made.panels, height, panels_and_widths)

    def closed_row(self, title, *rows):
        """A header that opens panels: (height, *panels and widths) of each
        row. What is below it moves down then."""
        header = self._header(title, collapsed=True)
        top = self._y
        for height, *panels_and_widths in rows:
            self._fill(header.panels, height, panels_and_widths)
        self._y = top

    def _fill(self, into, height, panels_and_widths):
        x = 0
        for panel, width in panels_and_widths:
            stack = panel if isinstance(panel, list) else [(panel, height)]
            top = self._y
            for each, high in stack:
                into.append(self._place(_built(each), x, width, high))
                self._y += high
            if self._y != top + height:
                raise ValueError(f"{self.uid}: a stack is not {height} high")
            self._y = top
            x += width
        if x != WIDTH:
            raise ValueError(f"{self.uid}: a row is {x} wide, at {self._y}")
        self._y += height

    def build(self):
        for each in self._made.templating.list_val:
            each.auto = each.auto_min = each.auto_count = None
            each.skip_url_sync = each.allow_custom_value = None
        return self._made
