"""Parses the queries of dashboards after replacing Grafana's variables.

dashboards.py adds promql_parser to the import path before it calls this
module.
"""

import datetime
import re

# Differs from every range in the source.
RATE_INTERVAL = "11m7s"
RATE_INTERVAL_TIME = datetime.timedelta(minutes=11, seconds=7)
FILLED = (("$__rate_interval", RATE_INTERVAL), ("$__interval_ms", "300000"),
          ("$__interval", "5m"), ("$__range_s", "21600"), ("$__range", "6h"),
          ("$__from", "1700000000000"), ("$__to", "1700021600000"))


def parse(expression):
    """Returns the tree or raises ValueError."""
    import promql_parser
    for name, value in FILLED:
        expression = expression.replace(name, value)
    # Other variables are allowed in matchers; elsewhere parsing fails.
    return promql_parser.parse(expression)


def below(node):
    for field in ("lhs", "rhs", "expr", "param", "args", "vector_selector"):
        found = getattr(node, field, None)
        for each in found if isinstance(found, (list, tuple)) else [found]:
            if each is not None and not isinstance(each, (str, int, float)):
                yield each


def walk(node, above=()):
    """(node, its ancestors from the root) of every node."""
    yield node, above
    for each in below(node):
        yield from walk(each, (*above, node))


def selectors(tree):
    """(name, [(label, operator, value)], ancestors) of each selector."""
    for node, above in walk(tree):
        if type(node).__name__ == "VectorSelector":
            yield node.name, [(m.name, sign(m.op), m.value)
                              for m in node.matchers.matchers], above


def needs(node, name):
    """Whether the query has no result without the metrics that match."""
    if type(node).__name__ == "VectorSelector":
        return bool(name.fullmatch(node.name or ""))
    if type(node).__name__ == "BinaryExpr" and str(node.op) == "or":
        return needs(node.lhs, name) and needs(node.rhs, name)
    return any(needs(each, name) for each in below(node))


def sign(operator):
    name = str(operator).rpartition(".")[2]
    return {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}[name]


def ranges(tree):
    """(function, range) of each call on a range vector."""
    for node, above in walk(tree):
        if type(node).__name__ == "MatrixSelector":
            calls = [n for n in above if type(n).__name__ == "Call"]
            yield (calls[-1].func.name if calls else ""), node.range


def of_variable(query):
    """(kind, PromQL) of a variable's query, or None if it is not PromQL."""
    found = re.fullmatch(r"(label_names|label_values|metrics|query_result)"
                         r"\((.*)\)", query.strip())
    if not found:
        return None
    kind, inner = found.groups()
    if kind == "label_values":
        inner = re.sub(r",\s*\w+$", "", inner)
    return kind, inner
