"""OTLP log requests and answers as bytes: protobuf and JSON, with a reader of
its own. Field numbers: opentelemetry-proto, logs and collector/logs v1.
"""

import json

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

# {field number: (name, how to read, fields of a message)}
TEXT, INTEGER, MESSAGE, LIST, FIXED64, NUMBER = range(6)
_VALUE = {1: ("stringValue", TEXT, None), 3: ("intValue", INTEGER, None)}
_PAIR = {1: ("key", TEXT, None), 2: ("value", MESSAGE, _VALUE)}
_RECORD = {1: ("timeUnixNano", FIXED64, None),
           2: ("severityNumber", NUMBER, None),
           3: ("severityText", TEXT, None), 5: ("body", MESSAGE, _VALUE),
           6: ("attributes", LIST, _PAIR),
           11: ("observedTimeUnixNano", FIXED64, None),
           12: ("eventName", TEXT, None)}
_SCOPE_LOGS = {1: ("scope", MESSAGE, {1: ("name", TEXT, None)}),
               2: ("logRecords", LIST, _RECORD)}
_RESOURCE_LOGS = {1: ("resource", MESSAGE, {1: ("attributes", LIST, _PAIR)}),
                  2: ("scopeLogs", LIST, _SCOPE_LOGS)}
_REQUEST = {1: ("resourceLogs", LIST, _RESOURCE_LOGS)}
# The wire type of each way to read.
_WIRE = {TEXT: 2, INTEGER: 0, MESSAGE: 2, LIST: 2, FIXED64: 1, NUMBER: 0}


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _message(data, fields):
    """A message as in OTLP's JSON. A field that is not listed is an error."""
    found, at = {}, 0
    while at < len(data):
        tag, at = _varint(data, at)
        name, kind, inner = fields[tag >> 3]
        if tag & 7 != _WIRE[kind]:
            raise ValueError(f"{name} has the wire type {tag & 7}")
        if kind in (INTEGER, NUMBER):
            value, at = _varint(data, at)
            signed = value - (value >> 63 << 64)
            found[name] = value if kind == NUMBER else str(signed)
            continue
        if kind == FIXED64:
            size = 8
        else:
            size, at = _varint(data, at)
        part, at = data[at:at + size], at + size
        if len(part) < size:
            raise ValueError(f"{name} is cut")
        if kind == TEXT:
            found[name] = part.decode()
        elif kind == FIXED64:
            found[name] = str(int.from_bytes(part, "little"))
        elif kind == MESSAGE:
            found[name] = _message(part, inner)
        else:
            found.setdefault(name, []).append(_message(part, inner))
    return found


def read_request(content_type, body):
    """The request as in OTLP's JSON, whatever its encoding."""
    if content_type == JSON:
        return json.loads(body)
    if content_type == PROTOBUF:
        return _message(body, _REQUEST)
    raise ValueError(f"the content type {content_type}")


def answer(content_type, rejected=0, message=""):
    """The body of a success, of fewer than 128 rejected records."""
    if not rejected:
        return b"{}" if content_type == JSON else b""
    if content_type == JSON:
        return json.dumps({"partialSuccess": {
            "rejectedLogRecords": str(rejected),
            "errorMessage": message}}).encode()
    text = message.encode()
    partial = bytes((0x08, rejected, 0x12, len(text))) + text
    return bytes((0x0a, len(partial))) + partial
