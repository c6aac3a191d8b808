"""A real OpenTelemetry collector: OTLP/HTTP in, a file out.

It accepts requests with a client certificate of the test's authority and the
token, of no more than ten to twenty records.
"""

import json
import socket

from rig import processes
from rig.control_plane import tool

TOKEN = "collector-token-of-the-test"
LIMIT = 16384  # bytes of a request, unpacked

_CONFIG = """extensions:
  bearertokenauth: {{token: {token}}}
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:{port}
        auth: {{authenticator: bearertokenauth}}
        compression_algorithms: ["", gzip]
        max_request_body_size: {limit}
        tls: {{cert_file: {cert}, key_file: {key}, client_ca_file: {ca}}}
exporters:
  file: {{path: {path}}}
service:
  extensions: [bearertokenauth]
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [file]}}
"""


def _value(value):
    """An AnyValue of a text or a whole number."""
    if "intValue" in value:
        return int(value["intValue"])
    return value["stringValue"]


def _fields(attributes):
    return {field["key"]: _value(field["value"]) for field in attributes}


class Collector:
    """One process; after a restart it appends to the same file."""

    def __init__(self, folder, pki):
        self._folder = folder
        self._port = processes.free_port()
        self.endpoint = f"https://127.0.0.1:{self._port}"
        self._path = folder.file("collected.json", "")
        self._config = folder.file("otelcol.yaml", _CONFIG.format(
            token=TOKEN, limit=LIMIT, port=self._port, cert=pki.serving,
            key=pki.serving_key, ca=pki.ca, path=self._path))
        self.process = processes.Process(
            folder, "otelcol", [tool("otelcol"), f"--config={self._config}"])

        def listens():
            self.process.expect_running()
            with socket.create_connection(("127.0.0.1", self._port), 1):
                return True
        processes.wait_until(listens, 30, "the collector listens")

    def close(self):
        self.process.kill()

    def records(self):
        """The written records, in order: fields of the record, fields of its
        resource, and fields of the data model."""
        found = []
        with open(self._path, encoding="utf-8") as lines:
            batches = [json.loads(line) for line in lines
                       if line.endswith("\n")]
        for batch in batches:
            for resource in batch["resourceLogs"]:
                about = _fields(resource["resource"]["attributes"])
                for scope in resource["scopeLogs"]:
                    for record in scope["logRecords"]:
                        found.append({
                            **about, **_fields(record["attributes"]),
                            "time": int(record["timeUnixNano"]) / 1e9,
                            "severity": record["severityText"],
                            "event": record["eventName"],
                            "body": _value(record["body"])})
        return found
