"""The 17 rules of Grafana's dashboard-linter over classic JSON.

Each rule is a generator of (where, text) for one dashboard. RULES uses the
names of that tool. That tool checks the printed form of a selector; these
rules check the parsed form.
"""

import promql

PLOTS = ("singlestat", "graph", "table", "timeseries")
TITLED = ("stat", "gauge", *PLOTS)
QUERIED = ("gauge", "stat", "state-timeline", "bargauge", *PLOTS)
SOURCES = ("$datasource", "${datasource}", "$prometheus_datasource",
           "${prometheus_datasource}")
UNITS = ("none", "short", "percentunit", "bytes", "s", "ms", "dtdurations",
         "dateTimeAsIso", "dateTimeFromNow", "cps", "ops", "cpm", "opm", "bool",
         "bool_yes_no", "bool_on_off")


def panels(board):
    """All panels, including rows and the panels of collapsed rows."""
    for panel in board.get("panels", []):
        yield panel
        yield from panel.get("panels", [])


def where(panel):
    return panel.get("title") or f"panel {panel.get('id')}"


def variables(board, kind=None):
    for each in board.get("templating", {}).get("list", []):
        if kind in (None, each.get("type")):
            yield each


def targets(board):
    """(panel, target, tree) of each query; None if it does not parse."""
    for panel in panels(board):
        for target in panel.get("targets", []):
            if panel["type"] in QUERIED:
                try:
                    yield panel, target, promql.parse(target.get("expr", ""))
                except ValueError:
                    yield panel, target, None


def template_datasource(board):
    names = [v["name"] for v in variables(board, "datasource")]
    if not names:
        yield "variables", "no data source variable"
    elif len(names) == 1 and names[0] not in ("datasource",
                                              "prometheus_datasource"):
        yield names[0], "is not called datasource"
    for each in variables(board, "datasource"):
        if each.get("label") not in ("Data source", "Prometheus data source"):
            yield each["name"], 'is not labelled "Data source"'


def template_target(name):
    def rule(board):
        found = [v for v in variables(board, "query") if v["name"] == name]
        if not found:
            yield "variables", f"no query variable {name}"
            return
        if found[0].get("datasource", {}).get("uid") not in SOURCES:
            yield name, "does not use $datasource"
        if found[0].get("label") != name.capitalize():
            yield name, f'is not labelled "{name.capitalize()}"'
        if not found[0].get("multi"):
            yield name, "does not allow multiple values"
        if found[0].get("allValue") != ".+":
            yield name, "All is not .+"
    return rule


def template_label_promql(board):
    for each in variables(board, "query"):
        query = each.get("query", "")
        query = query.get("query", "") if isinstance(query, dict) else query
        found = promql.of_variable(query)
        if not found:
            yield each["name"], f"is not a label query: {query}"
            continue
        try:
            if found[1]:
                promql.parse(found[1])
        except ValueError as error:
            yield each["name"], f"does not parse: {error}"


def template_on_time_change_reload(board):
    for each in variables(board, "query"):
        if each.get("refresh") != 2:
            yield each["name"], "is not refreshed when the time range changes"


def panel_datasource(board):
    for panel in panels(board):
        if panel["type"] in PLOTS:
            if panel.get("datasource", {}).get("uid") not in SOURCES:
                yield where(panel), "does not use $datasource"


def panel_title_description(board):
    for panel in panels(board):
        if panel["type"] in TITLED and not (panel.get("title") and
                                            panel.get("description")):
            yield where(panel), "has no title or no description"


def panel_units(board):
    for panel in panels(board):
        if panel["type"] not in TITLED:
            continue
        config = panel.get("fieldConfig", {})
        units = [p["value"] for o in config.get("overrides", [])
                 for p in o["properties"] if p["id"] == "unit"]
        unit = config.get("defaults", {}).get("unit")
        for each in [*units, unit]:
            if each not in UNITS:
                yield where(panel), f"the unit {each} is not allowed"


def panel_no_targets(board):
    for panel in panels(board):
        if panel["type"] in TITLED and not panel.get("targets"):
            yield where(panel), "has no query"


def target_logql(board):
    for panel in panels(board):
        for target in panel.get("targets", []):
            if target.get("datasource", {}).get("type") == "loki":
                yield where(panel), "uses LogQL, which is not supported"


def target_logql_auto(board):
    for panel in panels(board):
        for target in panel.get("targets", []):
            if "$__auto" in target.get("expr", ""):
                yield where(panel), "uses $__auto, which is specific to Loki"


def target_promql(board):
    for panel, target, tree in targets(board):
        if tree is None:
            yield where(panel), f"does not parse: {target.get('expr')}"


def target_rate_interval(board):
    for panel, _, tree in targets(board):
        for function, over in promql.ranges(tree) if tree else ():
            if (function in ("rate", "irate") and
                    over != promql.RATE_INTERVAL_TIME):
                yield where(panel), f"{function} over a fixed {over}"


def target_selects(label):
    def rule(board):
        for panel, _, tree in targets(board):
            for name, matchers, _ in promql.selectors(tree) if tree else ():
                if (label, "=~", f"${label}") not in matchers:
                    yield where(panel), f'{name} without {label}=~"${label}"'
    return rule


def target_counter_agg(board):
    for panel, _, tree in targets(board):
        for name, _, above in promql.selectors(tree) if tree else ():
            function = above[-2].func.name if len(above) > 1 and type(
                above[-2]).__name__ == "Call" else ""
            if name.endswith("_total") and function not in (
                    "rate", "irate", "increase"):
                yield where(panel), f"{name} is a counter without a rate"


def uneditable_dashboard(board):
    if board.get("editable") is not False:
        yield "dashboard", "is editable"


RULES = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": template_target("job"),
    "template-instance-rule": template_target("instance"),
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
    "target-logql-rule": target_logql,
    "target-logql-auto-rule": target_logql_auto,
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": target_selects("job"),
    "target-instance-rule": target_selects("instance"),
    "target-counter-agg-rule": target_counter_agg,
    "uneditable-dashboard": uneditable_dashboard,
}
