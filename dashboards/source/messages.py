"""Links to the pages of the exporter, which show the messages of Events.

The exporter exposes their URL with --web.external-url. Before version 12,
Grafana shows a link without a URL as one that leads nowhere. So a link belongs
to something that exists only with the URL: a column, a mark in a legend, or a
part of a text. A query adds it as a label from the exporter of the same
cluster.
"""

from . import names
from . import queries as q

COLUMN = "messages"
MARK = " \N{NORTH EAST ARROW}"
KIND = "${__field.labels.kind:percentencode}"
RANGE = "since=${__from}&until=${__to}"
# What PromQL, which cannot encode, may put into HTML.
SAFE = r"https?://[A-Za-z0-9._~/:\\[\\]?=&-]+"


def _labeled(urls):
    return f'label_replace({urls}, "{COLUMN}", "$1", "url", "(.+)")'


def _by_cluster(at):
    urls = f"max by (cluster, url) ({q.own('external_url_info')}{at})"
    return _labeled(f"topk by (cluster) (1, {urls})")


def _only_one(at):
    """The URL, if all series are of one cluster."""
    clusters = f"count by (cluster) ({q.own('build_info')}{at})"
    urls = f"max by (url) ({q.own('external_url_info')}{at})"
    return _labeled(f"topk(1, {urls}) and on () count({clusters}) == 1")


def linked(query, by_cluster=True, known=None, at=""):
    """Adds the label `messages` with the URL. `known` has a series of value 1
    for each cluster of the query. `at` is a modifier of PromQL."""
    if not by_cluster:
        return (f"({query}) * on () group_left ({COLUMN}) "
                f"({_only_one(at)} or on () vector(1))")
    known = known or (f"max by (cluster) (max_over_time("
                      f"{q.own('build_info')}[$__range]{at}))")
    return (f"({query}) * on (cluster) group_left ({COLUMN}) "
            f"({_by_cluster(at)} or on (cluster) {known})")


def marked(query, by_cluster=True):
    """As linked(), over time and with the mark as the label `mark`. A series
    whose labels change within the range would be two."""
    query = linked(query, by_cluster, at=" @ end()")
    return f'label_replace({query}, "mark", "{MARK}", "{COLUMN}", ".+")'


def of_alerts(query, firing):
    """As linked(), with the page of the object and reason that an alert has.
    It may have neither, and its exporter may be down."""
    query = linked(query, known=f"group by (cluster) ({firing})")
    query = (f'label_join({query}, "page", "/?name=", "{COLUMN}", '
             '"object_name")')
    query = f'label_join({query}, "page", "&reason=", "page", "reason")'
    return (f'label_replace({query}, "{COLUMN}", "$1", "page", '
            '"(https?://.+)")')


def _in_text(query, path, more, *shown):
    """Adds the label `text`, for an annotation: the labels `shown`, the
    cluster and a link."""
    query = (f'label_join({query}, "page", "{path}", "{COLUMN}", '
             '"object_name")')
    query = (f'label_replace({query}, "link", " <a href=\'$1{more}'
             'since=$__from&until=$__to\'>Messages</a>", '
             f'"page", "({SAFE})")')
    joined = ", ".join(f'"{label}"' for label in shown)
    query = f'label_join({query}, "text", " ", {joined})'
    return f'label_join({query}, "text", "", "text", "of_cluster", "link")'


def in_text_of_node(query):
    return _in_text(linked(q.named(query)), f"/objects/{names.NODE}/", "?",
                    "object_name")


def in_text_of_alert(query):
    """An alert does not have the kind of its object, or has no object."""
    query = linked(q.named(query), known=f"group by (cluster) ({query})")
    return _in_text(query, "/?name=", "&", "severity", "object_name")


def _field(name):
    return f"${{__data.fields.{name}:percentencode}}"


def of_row(columns, kind):
    """(title, URL) of the links of a row: of its object and its reason. The
    column has the URL of the pages."""
    base = "${__value.raw:raw}"
    kind = _field("kind") if "kind" in columns else kind
    if "object_name" in columns:
        yield ("Messages of this object",
               f"{base}/objects/{kind}/{_field('object_name')}?{RANGE}")
    if "reason" in columns:
        yield ("All objects with this reason",
               f"{base}/?kind={kind}&reason={_field('reason')}&{RANGE}")


def of_lane(kind):
    """As of_row(), of a lane. `kind` is that of all lanes."""
    kind = kind or KIND
    yield ("Messages of this object",
           f"${{__field.labels.{COLUMN}:raw}}/objects/{kind}/"
           f"${{__field.labels.object_name:percentencode}}?{RANGE}")


def of_bar(kind=None):
    """Of bars by reason. `kind` is that of all objects, or KIND for the label
    of the bar."""
    kind = f"kind={kind}&" if kind else ""
    yield ("Messages with this reason",
           f"${{__field.labels.{COLUMN}:raw}}/?{kind}"
           f"reason=${{__field.labels.reason:percentencode}}&{RANGE}")


def of_alert():
    yield "Messages", "${__value.raw:raw}&" + RANGE
