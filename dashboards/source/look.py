"""Colors by meaning, thresholds, mappings and field overrides."""

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common, dashboard

from . import names

GOOD = "green"
NEUTRAL = "blue"
UNUSUAL = "orange"
BAD = "red"
QUIET = "text"
# Shades distinguish series of one meaning; there are eleven of each color.
SHADES = dashboard.FieldColorModeId.SHADES
FIXED = dashboard.FieldColorModeId.FIXED


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


TYPES = texts({"Warning": ("Warning", UNUSUAL), "Normal": ("Normal", NEUTRAL)})


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


def apart(*names_):
    """Distinct colors without a meaning, in the order of the names."""
    return [colored([name], color_, FIXED) for name, color_ in zip(
        names_, ("blue", "purple", "super-light-blue", QUIET))]


def by_severity():
    """Reasons with severity critical are red and with info blue; the rest
    keeps the panel's orange."""
    others = set(names.reasons(severity=("critical", "warning")))
    info = [r for r in names.reasons(severity="info") if r not in others]
    return [colored(names.CRITICAL, BAD), colored(info, NEUTRAL)]


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
