"""Comparisons: metrics, conditions like `>= 3`, durations.

parse_metrics() is a strict parser of the text format 0.0.4, so that every
scrape of every scenario also checks that the exposition is well formed.
"""

import operator
import re

OPERATORS = {"==": operator.eq, "=": operator.eq, "!=": operator.ne,
             ">=": operator.ge, "<=": operator.le, ">": operator.gt,
             "<": operator.lt}
OCCURRENCES = "kube_event_occurrences_total"
EVENT_FAMILIES = (OCCURRENCES, "kube_event_object_occurrences_total",
                  "kube_event_last_seen_timestamp_seconds",
                  "kube_event_active")
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\})')


class Malformed(Exception):
    """The exposition violates its format."""


def _unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def parse_sample(line):
    """`name{label="value"} 3` to (name, {label: value}, 3.0)."""
    match = NAME.match(line)
    if not match:
        raise Malformed(f"no metric name: {line!r}")
    name, rest, labels = match[0], line[match.end():], {}
    if rest.startswith("{"):
        position, end = 1, ","
        while rest[position:position + 1] != "}" and end == ",":
            found = LABEL.match(rest, position)
            if not found:
                raise Malformed(f"bad label: {line!r}")
            if found[1] in labels:
                raise Malformed(f"label {found[1]} twice: {line!r}")
            labels[found[1]] = _unescape(found[2])
            position, end = found.end(), found[3]
        rest = rest[position + (end == ","):]
    value = rest.split()
    if not rest.startswith(" ") or len(value) != 1:
        raise Malformed(f"not one value: {line!r}")
    try:
        return name, labels, float(value[0])
    except ValueError as error:
        raise Malformed(f"no number: {line!r}") from error


def parse_metrics(body):
    """bytes to [(name, labels, value)]; raises Malformed."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8: {error}") from error
    if text and not text.endswith("\n"):
        raise Malformed("the last line has no line feed")
    samples, seen, typed = [], set(), set()
    for line in text.split("\n"):
        if line.startswith("# TYPE "):
            family = line.split(" ")[2]
            if family in typed:
                raise Malformed(f"two TYPE lines for {family}")
            typed.add(family)
        if not line or line.startswith("#"):
            continue
        name, labels, value = parse_sample(line)
        identity = (name, tuple(sorted(labels.items())))
        if identity in seen:
            raise Malformed(f"the same series twice: {line!r}")
        seen.add(identity)
        samples.append((name, labels, value))
    return samples


def check_labels(samples):
    """No label value of an Event family is longer than 256 bytes."""
    for name, labels, _ in samples:
        for label, value in labels.items():
            if name in EVENT_FAMILIES and len(value.encode()) > 256:
                raise Malformed(f"{name}: {label} has {len(value)} characters")


def select(samples, name, labels):
    return [s for s in samples if s[0] == name
            and all(s[1].get(k, "") == v for k, v in labels.items())]


def compare(actual, condition):
    """compare(3, ">= 2"); a bare number means equality."""
    text = str(condition).strip().rstrip("s").strip()
    match = re.match(r"(==|!=|>=|<=|=|>|<)?\s*(-?[0-9.e+-]+)$", text)
    if not match:
        raise ValueError(f"not a condition: {condition!r}")
    return OPERATORS[match[1] or "=="](actual, float(match[2]))


def compare_all(actual, conditions):
    """conditions: one, or a list of which all must be true."""
    if not isinstance(conditions, list):
        conditions = [conditions]
    return all(compare(actual, one) for one in conditions)


def check_metric(samples, line):
    """None, or how samples violate `name{a="b"} >= 3` or `... absent`.

    Labels that the line does not name match any value; series are summed.
    """
    match = re.match(r"(\S+?(?:\{.*\})?)\s*(absent|(?:==|!=|>=|<=|=|>|<).*)$",
                     line)
    if not match:
        raise ValueError(f"not a metric condition: {line!r}")
    name, labels, _ = parse_sample(match[1] + " 0")
    found = select(samples, name, labels)
    if match[2] == "absent":
        if found:
            return f"{match[1]}: expected absent, got {len(found)} series"
        return None
    if not found:
        return f"{match[1]}: expected {match[2]}, got no such series"
    total = sum(value for _, _, value in found)
    if not compare(total, match[2]):
        return f"{match[1]}: expected {match[2]}, got {total:g}"
    return None


def check_counts(samples, counts, others):
    """Occurrences by reason, and no others unless `others` is set."""
    got, wrong = {}, []
    for name, labels, value in samples:
        if name == OCCURRENCES:
            reason = labels.get("reason", "")
            got[reason] = got.get(reason, 0) + value
    for reason, expected in counts.items():
        if reason not in got and expected != 0:
            wrong.append(f"count of {reason}: expected {expected}, got none")
        elif not compare_all(got.get(reason, 0), expected):
            wrong.append(f"count of {reason}: expected {expected}, "
                         f"got {got[reason]:g}")
    if not others:
        wrong += [f"count of {reason}: not expected at all, got {value:g}"
                  for reason, value in got.items()
                  if reason not in counts and value != 0]
    return wrong
