"""A real Alertmanager, and a webhook that receives its notifications."""

import http.server
import json
import threading
import urllib.request

from rig import processes

_CONFIG = """route:
  receiver: test
  group_by: [alertname, cluster]
  group_wait: 0s
  group_interval: 1s
receivers:
- name: test
  webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]
"""


class Webhook:
    """Collects the alerts of each notification, newest last."""

    def __init__(self):
        self._alerts = []
        alerts = self._alerts

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                length = int(self.headers["Content-Length"])
                alerts.extend(json.loads(self.rfile.read(length))["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                       Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()

    def alerts(self, status="firing", **labels):
        """Those received so far, with these labels."""
        return [each for each in list(self._alerts)
                if each["status"] == status and
                labels.items() <= each["labels"].items()]

    def wait_for(self, seconds, status="firing", **labels):
        return processes.wait_until(
            lambda: self.alerts(status, **labels), seconds,
            f"a {status} alert {labels}")[-1]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Alertmanager:
    """Sends all alerts to a webhook, at once."""

    def __init__(self, folder, program, webhook):
        port = processes.free_port()
        self.address = f"127.0.0.1:{port}"
        self._process = processes.Process(folder, "alertmanager", [
            program, f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
            f"--storage.path={folder.file('alertmanager-data')}",
            "--config.file=" + folder.file(
                "alertmanager.yaml", _CONFIG.format(port=webhook.port))])
        processes.wait_until(self._ready, 30, "Alertmanager is ready")

    def _ready(self):
        self._process.expect_running()
        with urllib.request.urlopen(f"http://{self.address}/-/ready",
                                    timeout=2) as answer:
            return answer.status == 200

    def close(self):
        self._process.kill()
