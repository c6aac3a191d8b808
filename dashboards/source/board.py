"""The frame of a dashboard: variables, links, annotations and the grid."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard

from . import names, panels, queries

TAG = "kube-event"
TITLE = "Kubernetes / Events / "
PROJECT = "https://github.com/kube-event-metrics/kube-event-metrics"
# The schema of Grafana 10.4; newer versions migrate it.
SCHEMA = 39
WIDTH = 24
ALL = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
CARRIED = ("datasource", "cluster", "job", "instance")


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
        return {**super().to_json(), "step": "60s", "titleFormat": "{{reason}}",
                "textFormat": "{{object_name}} {{cluster}}",
                "tagKeys": "reporting_component", "useValueForTime": True}


def _annotations(object_name):
    """One annotation query per meaning, at the time of the occurrence. Planned
    ones are off by default, because a rolling upgrade would cover the charts.
    """
    cordoned = queries.last_seen(kind=names.NODE, reason=names.CORDONED,
                                 **object_name)
    for title, reasons, color in (
            ("Out of memory", names.OUT_OF_MEMORY, "red"),
            ("Unplanned reboots", names.REBOOTED, "purple"),
            ("Unplanned not ready", names.NOT_READY, "orange"),
            ("Reboots", names.REBOOTED, "purple"),
            ("Not ready", names.NOT_READY, "orange")):
        gauge = queries.last_seen(kind=names.NODE, reason=reasons,
                                  **object_name)
        newest = ("max by (cluster, object_name, reason, reporting_component) "
                  f"({gauge})")
        unplanned = title.startswith("Unplanned")
        if unplanned:
            newest = f"({queries.unplanned(newest, gauge, cordoned)})"
        shown = unplanned or reasons == names.OUT_OF_MEMORY
        yield Annotation(name=title, enable=shown, hide=False,
                         icon_color=color, datasource=panels.SOURCE,
                         built_in=None,
                         expr=f"({newest} >= $__from / 1000) * 1000")


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

    def row(self, title, height, *panels_and_widths, collapsed=False):
        """Panels side by side, under a header if there is a title."""
        into = self._made.panels
        if title:
            header = self._header(title, collapsed)
            into = header.panels if collapsed else into
        x = 0
        for panel, width in panels_and_widths:
            made = panel.build()
            made.repeat_direction = None
            if not made.transparent:
                made.transparent = None
            into.append(self._place(made, x, width, height))
            x += width
        if x != WIDTH:
            raise ValueError(f"{self.uid}: a row is {x} wide: {title}")
        self._y += height

    def build(self):
        for each in self._made.templating.list_val:
            each.auto = each.auto_min = each.auto_count = None
            each.skip_url_sync = each.allow_custom_value = None
        return self._made
