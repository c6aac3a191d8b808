"""The project's own rules for dashboards, in addition to linter_rules.py.

Each rule is a generator of (where, text) for one dashboard. `known` contains
the metrics, their labels, the reasons and the uids of all dashboards in the
tree.
"""

import collections
import json
import re

import promql
from linter_rules import UNITS, panels, targets, variables, where

WIDTH = 24
OURS = "kube_event_"
TARGET_LABELS = {"job", "instance", "cluster"}
# Metrics of kube-state-metrics, and all that are not the exporter's own.
OPTIONAL = re.compile(r"kube_(?!event_)\w+")
FOREIGN = re.compile(rf"up|scrape_\w+|ALERTS|ALERTS_FOR_STATE|{OPTIONAL.pattern}")
# kubectl apply keeps a copy of a ConfigMap in an annotation of 256 KiB.
LARGEST = 240_000
# Colors that mean a severity.
SEVERE = re.compile(r"(semi-|super-)?(dark-|light-)?(red|orange)")
EVENTS = re.compile(rf"{OURS}(?!metrics_)")
# Exposed with --web.external-url.
URL_INFO = "kube_event_metrics_external_url_info"
Known = collections.namedtuple("Known", "metrics labels reasons uids")


def unique_panel_ids(board, _):
    seen = collections.Counter(p.get("id") for p in panels(board))
    for number, count in seen.items():
        if count > 1 or number is None:
            yield "panels", f"id {number} {count} times"


def grid(board, _):
    """A row that is closed at first takes no place for its panels."""
    closed = [row["panels"] for row in board.get("panels", [])
              if row.get("panels")]
    for group in (board.get("panels", []), *closed):
        yield from _grid(group)


def _grid(group):
    placed = []
    for panel in group:
        at = panel.get("gridPos", {})
        x, y, w, h = (at.get(key, -1) for key in "xywh")
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > WIDTH:
            yield where(panel), f"is outside of the grid: {at}"
        for other, (x2, y2, w2, h2) in placed:
            if x < x2 + w2 and x2 < x + w and y < y2 + h2 and y2 < y + h:
                yield where(panel), f"overlaps {where(other)}"
        placed.append((panel, (x, y, w, h)))


def variables_used(board, _):
    listed = list(variables(board))
    names = {each["name"] for each in listed}
    texts = {each["name"]: json.dumps(each.get("query", ""))
             for each in listed}
    rest = json.dumps([board.get("panels"), board.get("annotations")])
    pattern = r"\$\{?([A-Za-z]\w*)|\[\[(\w+)"

    def used(text):
        return {a or b for a, b in re.findall(pattern, text)}

    everything = used(rest).union(*(
        used(text) for text in texts.values()),
        {"datasource"} if "${datasource}" in json.dumps(listed) else ())
    for name in sorted(names - everything):
        yield name, "is a variable that nothing uses"
    for name in sorted(everything - names):
        if not name.startswith("__"):
            yield name, "is used, but is not a variable"


def links(board, known):
    text = json.dumps(board)
    found = set(re.findall(r'/d/([\w-]+)', text))
    found |= set(re.findall(r'\\"dashboard\\", \\"([^"\\]*)\\"', text))
    for uid in sorted(found - known.uids):
        yield uid, "no dashboard has this uid"


def descriptions(board, _):
    for panel in panels(board):
        if panel["type"] in ("row", "text"):
            continue
        if not panel.get("title") or not panel.get("description"):
            yield where(panel), "has no title or no description"
        if panel["type"] != "logs" and panel.get("fieldConfig", {}).get(
                "defaults", {}).get("unit") not in UNITS:
            yield where(panel), "has no allowed unit"


def conventions(board, _):
    wanted = {"schemaVersion": 39, "refresh": "1m", "graphTooltip": 1,
              "tags": ["kube-event"], "time": {"from": "now-6h", "to": "now"},
              "timezone": "browser"}
    for key, value in wanted.items():
        if board.get(key) != value:
            yield "dashboard", f"{key} is {board.get(key)}, not {value}"
    if not re.fullmatch(r"kube-event-[a-z-]{1,29}", board.get("uid", "")):
        yield "dashboard", f"uid {board.get('uid')} is not kube-event-..."
    if "id" in board or "__inputs" in board:
        yield "dashboard", "has an id or __inputs of an export"
    if [v["name"] for v in variables(board)][:4] != [
            "datasource", "cluster", "job", "instance"]:
        yield "variables", "do not begin with the shared ones"
    for each in variables(board):
        if each["name"] == "cluster" and each.get("allValue") != ".*":
            yield "cluster", "All does not match series without the label"
    for each in board.get("links", []):
        if not each.get("includeVars") or not each.get("keepTime"):
            yield "links", f"{each.get('title')} omits the variables or the time"


def queries(board):
    """(where, tree or error) of all panels, annotations and variables."""
    for panel, _, tree in targets(board):
        if tree:
            yield where(panel), tree
    others = [(a["name"], a.get("expr", "")) for a in
              board.get("annotations", {}).get("list", [])]
    others += [(v["name"], (promql.of_variable(v["query"]) or ("", ""))[1])
               for v in variables(board, "query")]
    for name, expression in others:
        try:
            yield name, promql.parse(expression)
        except ValueError as error:
            yield name, error


def annotations_parse(board, _):
    for place, tree in queries(board):
        if isinstance(tree, ValueError):
            yield place, f"does not parse: {tree}"


def _selectors(board):
    for place, tree in queries(board):
        if not isinstance(tree, ValueError):
            for name, matchers, _ in promql.selectors(tree):
                yield place, name, matchers


def cluster_selected(board, _):
    for place, name, matchers in _selectors(board):
        own_variable = place in ("cluster", "job", "instance")
        if not own_variable and ("cluster", "=~", "$cluster") not in matchers:
            yield place, f'{name} without cluster=~"$cluster"'


def scope_selected(board, _):
    """Whoever can write Events in one namespace moves all other series."""
    for place, name, matchers in _selectors(board):
        if (name.startswith(OURS) and not name.startswith(OURS + "metrics_")
                and ("scope", "=", "cluster") not in matchers):
            yield place, f'{name} without scope="cluster"'


def metrics_exist(board, known):
    for place, name, matchers in _selectors(board):
        if name not in known.metrics and not FOREIGN.fullmatch(name):
            yield place, f"no such metric: {name}"
        for label, _, _ in matchers:
            if name in known.labels and label not in (
                    known.labels[name] | TARGET_LABELS):
                yield place, f"{name} has no label {label}"


def reasons_exist(board, known):
    for place, name, matchers in _selectors(board):
        for label, _, value in matchers:
            if label != "reason" or "$" in value or not name.startswith(OURS):
                continue
            if name.startswith(OURS + "metrics_"):
                continue
            for reason in sorted(set(value.split("|")) - known.reasons):
                yield place, f"no such reason in the catalogue: {reason}"


def optional_panels(board, _):
    """Panels that need kube-state-metrics name it and are in a closed row."""
    closed = {id(p) for row in board.get("panels", [])
              if row.get("collapsed") for p in row.get("panels", [])}
    needed = collections.defaultdict(list)
    for panel, _, tree in targets(board):
        needed[panel["id"]].append(tree and promql.needs(tree, OPTIONAL))
    for panel in panels(board):
        if not needed[panel["id"]] or not all(needed[panel["id"]]):
            continue
        if "kube-state-metrics" not in panel.get("title", ""):
            yield where(panel), "does not name kube-state-metrics"
        if id(panel) not in closed:
            yield where(panel), "needs kube-state-metrics in an open row"


def node_group(board, _):
    """Other API groups have a kind Node too."""
    for place, name, matchers in _selectors(board):
        if (("kind", "=", "Node") in matchers
                and ("api_group", "=", "") not in matchers):
            yield place, f'{name} with kind="Node" without api_group=""'


def size(board, _):
    length = len(json.dumps(json.dumps(board, indent=2)))
    if length > LARGEST:
        yield "dashboard", f"{length} bytes cannot be applied as a ConfigMap"


def _links(panel, name):
    """The URLs of the links of the column with this name."""
    for override in panel["fieldConfig"].get("overrides", []):
        if override["matcher"]["options"] == name:
            for each in override["properties"]:
                if each["id"] == "links":
                    yield from (link["url"] for link in each["value"])


def _mark_linked(panel, target, label):
    """Whether series with the label `mark` lead to their object or reason."""
    urls = [url for override in panel["fieldConfig"].get("overrides", [])
            for url in _links(panel, override["matcher"]["options"])]
    return (URL_INFO in target["expr"] and "{{mark}}" in target["legendFormat"]
            and any(f"__field.labels.{label}:percentencode" in url and
                    url.endswith("since=${__from}&until=${__to}")
                    for url in urls))


def messages_linked(board, _):
    """Rows with an object or a reason, and annotations, lead to the messages.
    The link exists only if the exporter exposes a URL."""
    for panel in panels(board):
        columns = {}
        for each in panel.get("transformations", []):
            columns.update(each.get("options", {}).get("renameByName", {}))
        needed = {"object_name", "reason"} & set(columns)
        if not needed:
            continue
        urls = list(_links(panel, columns.get("messages")))
        exprs = " ".join(each.get("expr", "") for each in panel["targets"])
        for column in sorted(needed):
            encoded = f"${{__data.fields.{column}:percentencode}}"
            joined = f'"messages", "{column}"', f'"page", "{column}"'
            if not (any(encoded in url for url in urls) or
                    urls and any(each in exprs for each in joined)):
                yield where(panel), f"the column {column} has no link"
        if URL_INFO not in exprs:
            yield where(panel), f"its links do not depend on {URL_INFO}"
        for url in urls:
            if not (url.startswith("${__value.raw:raw}") and
                    url.endswith("since=${__from}&until=${__to}")):
                yield where(panel), f"the URL or the time is missing: {url}"
    for panel in panels(board):
        for target in panel.get("targets", []):
            for label in ("object_name", "reason"):
                if (f"{{{{{label}}}}}" in target.get("legendFormat", "")
                        and EVENTS.search(target["expr"])
                        and not _mark_linked(panel, target, label)):
                    yield where(panel), f"its series by {label} have no link"
    for each in board.get("annotations", {}).get("list", []):
        expr = each.get("expr", "")
        if (each.get("textFormat") != "{{text}}" or URL_INFO not in expr
                or "since=$__from&until=$__to'>" not in expr):
            yield each["name"], "is an annotation without a link"


def no_rainbow(board, _):
    text = json.dumps(board)
    if "palette-classic" in text:
        yield "dashboard", "colors series by their order, not by meaning"
    for panel in panels(board):
        mode = panel.get("fieldConfig", {}).get("defaults", {}).get(
            "color", {}).get("mode")
        if panel["type"] not in ("row", "text", "logs") and not mode:
            yield where(panel), "does not set its colors"


def severe_colors(board, _):
    """Red and orange mean a severity, so no series has them by default."""
    for panel in panels(board):
        color = panel.get("fieldConfig", {}).get("defaults", {}).get(
            "color", {})
        if SEVERE.fullmatch(color.get("fixedColor") or ""):
            yield where(panel), f"is {color['fixedColor']} by default"


RULES = {
    "unique-panel-ids": unique_panel_ids, "grid": grid,
    "variables-used": variables_used, "links": links,
    "descriptions": descriptions, "conventions": conventions,
    "annotations-parse": annotations_parse,
    "cluster-selected": cluster_selected, "scope-selected": scope_selected,
    "metrics-exist": metrics_exist, "reasons-exist": reasons_exist,
    "optional-panels": optional_panels, "no-rainbow": no_rainbow,
    "severe-colors": severe_colors, "node-group": node_group, "size": size,
    "messages-linked": messages_linked,
}
