"""Colors by meaning or by name, thresholds, mappings and field overrides."""

import itertools

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common, dashboard

from . import names

GOOD = "green"
NEUTRAL = "blue"
UNUSUAL = "orange"
BAD = "red"
QUIET = "text"
# Colors without a meaning, readable on dark and light: no red, orange or green.
PALETTE = ("#5794f2", "#b877d9", "#1ba39c", "#c9b91f", "#e377c2", "#4fc1e0",
           "#7d6bd0", "#93a23b", "#a1806b", "#7f8fa6")
# Shades distinguish series of one meaning; there are eleven of each color.
SHADES = dashboard.FieldColorModeId.SHADES
FIXED = dashboard.FieldColorModeId.FIXED
# Adjacent rows of the catalogue often occur together and differ in color. Reasons
# that share a panel are counted apart.
_COLORS = {
    **dict(zip(names.KINDS, itertools.cycle(PALETTE))),
    **dict(zip(names.COMPONENTS, itertools.cycle(PALETTE))),
    **dict(zip((r for row in names.ROWS for r in row["reasons"]),
               itertools.cycle(PALETTE))),
    **dict(zip(names.reasons(kinds=tuple(names.STORAGE.split("|"))),
               itertools.cycle(PALETTE))),
    **dict(zip((*names.DEPARTURE, *names.INTERRUPTION),
               itertools.cycle(PALETTE)))}


def color(name, mode=FIXED):
    return build.FieldColor().mode(mode).fixed_color(name)


def steps(*pairs):
    """thresholds from (value, color); the first value is None, for "below".
    """
    return build.ThresholdsConfig().mode(
        dashboard.ThresholdsMode.ABSOLUTE).steps(
            [dashboard.Threshold(value=value, color=name)
             for value, name in pairs])


def zero_is_good(unusual=1, bad=None):
    pairs = [(None, GOOD), (unusual, UNUSUAL)]
    return steps(*pairs, *([(bad, BAD)] if bad else []))


def plain():
    return steps((None, NEUTRAL))


def texts(values):
    """Value mapping of {value: (text, color)}."""
    return dashboard.ValueMap(options={
        value: dashboard.ValueMappingResult(text=text, color=name, index=index)
        for index, (value, (text, name)) in enumerate(values.items())})


def whatever(text):
    """Value mapping that shows this text for every value but an empty one."""
    return dashboard.RegexMap(options=dashboard.DashboardRegexMapOptions(
        pattern=".+", result=dashboard.ValueMappingResult(text=text, index=0)))


# The label `severity` of an alert, and that of queries.with_severity().
SEVERITIES = texts({
    **dict.fromkeys(("1", "critical"), ("critical", BAD)),
    **dict.fromkeys(("2", "warning"), ("warning", UNUSUAL)),
    "3": ("info", NEUTRAL)})


def _property(name, value):
    return dashboard.DynamicConfigValue(id_val=name, value=value)


def _override(kind, options, *properties):
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(id_val=kind, options=options),
        properties=list(properties))


def column(name, *properties):
    """An override of one field: column("kind", ("custom.width", 120))."""
    return _override("byName", name, *(_property(*pair) for pair in properties))


def colored(names_, name, mode=SHADES):
    """Series with one of the names anywhere in their legend."""
    return _override(
        "byRegexp", rf"/\b({'|'.join(names_)})\b/",
        _property("color", {"mode": mode, "fixedColor": name}))


def marked(mark, links):
    """The links of series with the mark in their legend."""
    return _override("byRegexp", f"/{mark}/", _property("links", links))


def apart(*names_):
    """Distinct colors without a meaning, in the order of the names."""
    return [colored([name], color_, FIXED)
            for name, color_ in zip(names_, itertools.cycle(PALETTE))]


def _by_length():
    """For names that the catalogue lacks: always the same color too."""
    count = len(PALETTE)
    return [_override("byRegexp", f"/^(.{{{count}}})*.{{{rest}}}$/",
                      _property("color", {"mode": FIXED, "fixedColor": color_}))
            for rest, color_ in enumerate(PALETTE)]


def by_name(names_=()):
    """The color that each kind, component or reason has on all dashboards;
    critical reasons are red. The name begins the legend."""
    groups = {color_: [] for color_ in (*PALETTE, BAD)}
    for name in names_:
        groups[BAD if name in names.CRITICAL else _COLORS[name]].append(name)
    return [*_by_length(), *(
        _override("byRegexp", f"/^({'|'.join(group)})( |$)/",
                  _property("color", {
                      "mode": SHADES if color_ == BAD else FIXED,
                      "fixedColor": color_}))
        for color_, group in groups.items() if group)]


def legend(calcs=("sum",), right=False, table=False):
    """A list at the bottom, or a table sorted by the highest value."""
    from grafana_foundation_sdk.builders import common as parts
    made = parts.VizLegendOptions().show_legend(True).calcs(list(calcs))
    made.display_mode(common.LegendDisplayMode.TABLE if table or right
                      else common.LegendDisplayMode.LIST)
    made.placement(common.LegendPlacement.RIGHT if right
                   else common.LegendPlacement.BOTTOM)
    if calcs and (right or table):
        made.sort_by({"sum": "Total", "lastNotNull": "Last *",
                      "max": "Max"}[calcs[0]]).sort_desc(True)
    return made
