"""The types of panels, with the settings that all panels of a type share.

Each function returns a builder for board.Board.row. The dashboard sets only
the width and height.
"""

from grafana_foundation_sdk.builders import (bargauge, common, prometheus,
                                             stat, statetimeline, table, text,
                                             timeseries)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from . import look, messages

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
BAR = "5m"
STEPS = 720  # 30 s in 6 hours
NONE_HERE = "None in this time range"


def _target(expr, ref, legend=None, instant=False, as_table=False):
    made = prometheus.Dataquery().expr(expr).ref_id(ref).datasource(SOURCE)
    if instant:
        made.instant()
    else:
        made.range()
    made.format(PromQueryFormat.TABLE if as_table
                else PromQueryFormat.TIME_SERIES)
    if legend is not None:
        made.legend_format(legend)
    return made


def _common(panel, title, what, queries, unit, **how):
    """`queries`: PromQL, or {legend: PromQL}."""
    if isinstance(queries, str):
        queries = {None: queries}
    panel.title(title).description(what).datasource(SOURCE).unit(unit)
    for index, (legend, expr) in enumerate(queries.items()):
        panel.with_target(_target(expr, chr(ord("A") + index), legend, **how))
    return panel


def question(markdown):
    """The line at the top with the question that the dashboard answers."""
    return (text.Panel().transparent(True).content(markdown)
            .mode("markdown"))


def _steps(panel):
    """For queries that look at the range in steps of $__interval."""
    panel.interval("15s").max_data_points(STEPS)


def number(title, what, queries, thresholds, unit="none", mappings=(),
           link=None, overrides=(), steps=False):
    """One headline: the value at the end of the range. `steps`: a query looks
    at the range in steps of $__interval."""
    panel = _common(stat.Panel(), title, what, queries, unit, instant=True)
    if steps:
        _steps(panel)
    panel.thresholds(thresholds).mappings(list(mappings)).no_value("0")
    panel.color_scheme(build.FieldColor().mode(
        dashboard.FieldColorModeId.THRESHOLDS))
    panel.graph_mode(kinds.BigValueGraphMode.NONE)
    panel.color_mode(kinds.BigValueColorMode.VALUE)
    panel.justify_mode(kinds.BigValueJustifyMode.AUTO)
    panel.text_mode(kinds.BigValueTextMode.AUTO)
    panel.orientation(kinds.VizOrientation.AUTO)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])
                         .fields("").values(False))
    if unit == "none":
        panel.decimals(0)
    if not isinstance(queries, str):
        panel.text(common.VizTextDisplayOptions().title_size(13))
    if link:
        panel.data_links([link])
    panel.overrides(_built(overrides))
    return panel


def _axes(panel, title, what, queries, unit, overrides, legend):
    _common(panel, title, what, queries, unit)
    panel.no_value(NONE_HERE).legend(legend or look.legend())
    panel.tooltip(common.VizTooltipOptions()
                  .mode(kinds.TooltipDisplayMode.MULTI)
                  .sort(kinds.SortOrder.DESCENDING))
    panel.overrides(overrides)
    return panel


class _Made:
    """Wraps a finished override, because the SDK requires a builder."""

    def __init__(self, made):
        self._made = made

    def build(self):
        return self._made


def _built(overrides):
    return [_Made(override) for override in overrides]


class _Link:
    """A link of a field; the SDK only builds links of dashboards."""

    def __init__(self, title, url):
        self._made = {"title": title, "url": url, "targetBlank": True}

    def build(self):
        return self._made


def _marked(pages):
    return look.marked(messages.MARK, [_Link(*page).build() for page in pages])


def bars(title, what, queries, color=look.NEUTRAL, overrides=(), legend=None,
         unit="none", pages=()):
    """Stacked bars of occurrences. A bar is drawn before its sample, because
    it covers the interval since the previous sample. `pages`: the links of bars
    by reason."""
    if pages:
        overrides = [*overrides, _marked(pages)]
        queries = {f"{name}{{{{mark}}}}": messages.marked(query, False)
                   for name, query in queries.items()}
    panel = _axes(timeseries.Panel(), title, what, queries, unit,
                  _built(overrides), legend)
    panel.interval(BAR).decimals(0).min(0).axis_label("per interval")
    panel.color_scheme(look.color(color, look.SHADES))
    panel.draw_style(kinds.GraphDrawStyle.BARS).fill_opacity(80).line_width(0)
    panel.bar_alignment(kinds.BarAlignment.BEFORE).bar_width_factor(0.9)
    panel.stacking(common.StackingConfig().group("A")
                   .mode(kinds.StackingMode.NORMAL))
    panel.show_points(kinds.VisibilityMode.NEVER)
    panel.axis_soft_max(1).tooltip(
        common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI)
        .sort(kinds.SortOrder.DESCENDING).hide_zeros(True))
    return panel


def lines(title, what, queries, unit, color=look.NEUTRAL, overrides=(),
          legend=None, thresholds=None, sparse=False):
    """`sparse`: series without values in intervals without occurrences."""
    panel = _axes(timeseries.Panel(), title, what, queries, unit,
                  _built(overrides), legend or look.legend(("lastNotNull",)))
    panel.color_scheme(look.color(color, look.SHADES)).min(0)
    panel.draw_style(kinds.GraphDrawStyle.LINE).line_width(1).fill_opacity(8)
    panel.show_points(kinds.VisibilityMode.NEVER).span_nulls(sparse)
    if sparse:
        panel.interval(BAR)
    if thresholds:
        panel.thresholds(thresholds).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(
                kinds.GraphThresholdsStyleMode.LINE))
    return panel


def timeline(title, what, queries, values, objects=False, kind=None):
    """States over time; `values` is {value: (text, color)}. `objects`: each
    lane is one, of the kind `kind` or with the label kind."""
    panel = _common(statetimeline.Panel(), title, what, queries, "none")
    if objects:
        panel.overrides(_built([_marked(messages.of_lane(kind))]))
    panel.mappings([look.texts(values)]).no_value(NONE_HERE)
    panel.color_scheme(build.FieldColor().mode(
        dashboard.FieldColorModeId.THRESHOLDS)).thresholds(look.plain())
    panel.show_value(kinds.VisibilityMode.NEVER).merge_values(True)
    panel.row_height(0.8).line_width(0).fill_opacity(75).interval("1m")
    panel.align_value(kinds.TimelineValueAlignment.LEFT)
    panel.legend(look.legend(())).tooltip(
        common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.SINGLE)
        .sort(kinds.SortOrder.NONE))
    return panel


def ranking(title, what, queries, color, unit="none"):
    """Horizontal bars, one per label value."""
    panel = _common(bargauge.Panel(), title, what, queries, unit, instant=True)
    panel.orientation(kinds.VizOrientation.HORIZONTAL).min(0).decimals(0)
    panel.color_scheme(look.color(color)).no_value(NONE_HERE)
    panel.display_mode(kinds.BarGaugeDisplayMode.BASIC)
    panel.value_mode(kinds.BarGaugeValueMode.TEXT).show_unfilled(False)
    panel.name_placement(kinds.BarGaugeNamePlacement.LEFT)
    panel.text(common.VizTextDisplayOptions().title_size(11).value_size(16))
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])
                         .fields("").values(False))
    return panel


# Titles of values that are times.
TIMES = ("Latest", "Since")
# Column -> its title and width (0: the rest).
HEADS = {
    "cluster": ("Cluster", 70), "kind": ("Kind", 185),
    "object_name": ("Object", 0), "reason": ("Reason", 205),
    "severity": ("Severity", 90), "alertname": ("Alert", 295),
    "reporting_component": ("Reported by", 235),
    "dashboard": ("Dashboard", 0), "state": ("State", 150),
    "zone": ("Zone", 130), "pool": ("Pool", 130),
    "instance_type": ("Instance type", 130),
    messages.COLUMN: ("Messages", 90),
}
# Labels that a row may lack.
MAYBE = ("object_name", "reason", "zone", "pool", "instance_type")
# Labels that queries need and tables hide.
INTERNAL = ("Time", "type", "api_group", "page")


def _cells(name, last, color):
    if name == "severity":
        yield "mappings", [look.SEVERITIES]
        yield "custom.cellOptions", kinds.TableColorTextCellOptions()
    elif name in MAYBE:
        yield "noValue", "-"
    elif name == messages.COLUMN:
        yield "mappings", [look.whatever("show")]
    elif name == "dashboard":
        # Grafana 12 renamed it: the old name, then the new one.
        yield "custom.hidden", True
        yield "custom.hideFrom", {"viz": True, "legend": True, "tooltip": True}
    elif name == "Value" and last in TIMES:
        yield "unit", "dateTimeFromNow"
    elif name == "Value":
        yield "unit", "none"
        yield "decimals", 0
        yield "min", 0
        yield "color", {"mode": "fixed", "fixedColor": color}
        yield "custom.cellOptions", kinds.TableBarGaugeCellOptions(
            mode=kinds.BarGaugeDisplayMode.BASIC,
            value_display_mode=kinds.BarGaugeValueMode.TEXT)


def _with_messages(query, columns, kind):
    """(query, links) of a table of objects or reasons."""
    if not {"object_name", "reason"} & set(columns):
        return query, ()
    return (messages.linked(query, "cluster" in columns),
            messages.of_row(columns, kind))


def rows(title, what, query, columns, last, color=look.NEUTRAL, link=None,
         widths=(), by_severity=False, steps=False, kind=None, pages=None):
    """An instant table. `columns` are labels in order. `last` is the title of
    the value, one of TIMES for times. `link` is set on the object's name.
    `widths` override those of HEADS. The largest value is first;
    `by_severity`, that of the worst severity. `steps` as for number(). `kind`
    is that of all objects if there is no such column. `pages` replace the links
    to messages, and the query has their label."""
    if pages is None:
        query, pages = _with_messages(query, columns, kind)
    pages = [_Link(*page).build() for page in pages]
    panel = _common(table.Panel(), title, what, query, "none", instant=True,
                    as_table=True)
    if steps:
        _steps(panel)
    shown = [*columns, "Value", *([messages.COLUMN] if pages else [])]
    heads = {**HEADS, "Value": (last, 125)}
    for name, width in dict(widths).items():
        heads[name] = (heads[name][0], width)
    panel.with_transformation(dashboard.DataTransformerConfig(
        id_val="organize", options={
            "excludeByName": {name: True for name in (*INTERNAL, *HEADS)
                              if name not in shown},
            "includeByName": {},
            "indexByName": {name: at for at, name in enumerate(shown)},
            "renameByName": {name: heads[name][0] for name in shown}}))
    overrides = []
    for name in shown:
        properties = list(_cells(name, last, color))
        if width := heads[name][1]:
            properties.append(("custom.width", width))
        if name == "object_name" and link:
            properties.append(("links", [link.build()]))
        if name == messages.COLUMN:
            properties.append(("links", pages))
        if properties:
            overrides.append(look.column(heads[name][0], *properties))
    panel.overrides(_built(overrides)).no_value(NONE_HERE)
    panel.color_scheme(look.color(look.QUIET)).show_header(True)
    panel.align(kinds.FieldTextAlignment.AUTO).filterable(False)
    panel.cell_height(kinds.TableCellHeight.SM)
    panel.cell_options(kinds.TableAutoCellOptions())
    orders = [("Severity", False)] if by_severity else []
    panel.sort_by([common.TableSortByFieldState().display_name(head).desc(desc)
                   for head, desc in (*orders, (last, True))])
    return panel
