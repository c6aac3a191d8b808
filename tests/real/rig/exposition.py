"""A strict parser of the Prometheus text format 0.0.4.

It follows the specification of the format, not the exporter's writer. A line
that the format does not allow is an error, and so is a duplicate sample.
"""

import re

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def _labels(text):
    pairs, position = [], 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if not match:
            raise ValueError(f"bad labels: {text}")
        value = re.sub(r'\\[\\"n]', lambda seen: _ESCAPES[seen.group()],
                       match.group(2))
        pairs.append((match.group(1), value))
        position = match.end()
        if position < len(text):
            if text[position] != ",":
                raise ValueError(f"bad labels: {text}")
            position += 1
    return frozenset(pairs)


def parse(text):
    """{metric name: {frozenset of label pairs: value}}"""
    samples = {}
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no line feed")
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.match(line)
        if not match:
            raise ValueError(f"bad line: {line}")
        name, labels, value = match.groups()
        series = samples.setdefault(name, {})
        pairs = _labels(labels or "")
        if pairs in series:
            raise ValueError(f"duplicate sample: {line}")
        series[pairs] = float(value)
    return samples
