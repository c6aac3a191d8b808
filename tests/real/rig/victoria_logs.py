"""A real VictoriaLogs: OTLP/HTTP in, LogsQL out."""

import json
import urllib.parse
import urllib.request

from rig import processes
from rig.control_plane import tool

# Events may have times of the past and of the future.
_FLAGS = ("-retentionPeriod=100y", "-futureRetention=100y",
          "-inmemoryDataFlushInterval=1s")


class VictoriaLogs:
    """One process; a restart keeps its data."""

    def __init__(self, folder):
        self._folder = folder
        self._port = processes.free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self.endpoint = f"{self._url}/insert/opentelemetry"
        self.process = None
        self.start()

    def start(self):
        self.process = processes.Process(
            self._folder, "victoria-logs",
            [tool("victoria-logs"), f"-httpListenAddr=127.0.0.1:{self._port}",
             f"-storageDataPath={self._folder.path}/victoria-logs", *_FLAGS])

        def answers():
            self.process.expect_running()
            return self._get("/health") == "OK"
        processes.wait_until(answers, 30, "VictoriaLogs answers")

    def _get(self, path, **query):
        with urllib.request.urlopen(
                f"{self._url}{path}?{urllib.parse.urlencode(query)}",
                timeout=20) as answer:
            return answer.read().decode()

    def kill(self):
        """SIGKILL, when all data is on disk: it acknowledges before that."""
        def on_disk():
            rows = [line for line in self._get("/metrics").splitlines()
                    if line.startswith('vl_storage_rows{type="storage/')]
            return sum(int(float(line.split()[-1])) for line in rows
                       if "inmemory" in line) == 0
        processes.wait_until(on_disk, 30, "VictoriaLogs wrote its data")
        self.process.kill()

    def query(self, text):
        """The records that a LogsQL query finds, a dict of texts each."""
        self._get("/internal/force_flush")
        found = self._get("/select/logsql/query", query=text, limit=100000)
        return [json.loads(line) for line in found.splitlines()]
