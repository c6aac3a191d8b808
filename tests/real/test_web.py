"""A real Prometheus that scrapes by TLS, with a client certificate and a login.

There is no control plane: a scrape has only the exporter's own metrics.
"""

import os
import re
import shutil
import socket
import ssl
import time
import unittest

from rig import case, control_plane, processes
from rig.certificates import Certificates
from rig.exporter import binary
from rig.prometheus import Prometheus

# bcrypt of "open-sesame", at the lowest cost.
WEB = """tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: pki/ca.crt
basic_auth_users:
  prometheus: $2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G
"""
SCRAPE = """  scheme: https
  tls_config: {{ca_file: {ca}, cert_file: {cert}, key_file: {key}}}
  basic_auth: {{username: prometheus, password: {password}}}
"""


class WebTest(unittest.TestCase):

    def setUp(self):
        case.find_tools()
        control_plane.need("prometheus")
        self.folder = processes.WorkFolder("web")
        self.addCleanup(self.folder.close)
        self.pki = Certificates(self.folder)
        self.install(self.pki.serving, self.pki.serving_key)
        web = self.folder.file("web.yaml", WEB)
        self.exporter = processes.Process(self.folder, "exporter", [
            binary(), "--apiserver=http://127.0.0.1:1",
            "--web.listen-address=127.0.0.1:0", f"--web.config.file={web}"])
        self.addCleanup(self.exporter.kill)
        self.address = processes.wait_until(self.find_address, 15,
                                            "the exporter listens")

    def find_address(self):
        found = re.search(r'msg="Listening on" address="?([^\s"]+)',
                          self.exporter.log())
        return found and found.group(1)

    def install(self, certificate, key):
        target = self.folder.file("server.crt", "")
        shutil.copyfile(certificate, target + ".new")
        shutil.copyfile(key, self.folder.file("server.key", ""))
        os.replace(target + ".new", target)

    def installed(self):
        with open(self.folder.file("server.crt"), encoding="ascii") as file:
            return file.read()

    def presented(self):
        """The certificate that the server presents to a new connection."""
        host, port = self.address.split(":")
        context = ssl.create_default_context(cafile=self.pki.ca)
        context.load_cert_chain(*self.pki.client("prometheus"))
        with socket.create_connection((host, int(port)), 5) as plain, \
                context.wrap_socket(plain, server_hostname=host) as secured:
            return ssl.DER_cert_to_PEM_cert(secured.getpeercert(True))

    def scrapers(self, password="open-sesame"):
        certificate, key = self.pki.client("prometheus")
        for program in ("prometheus", "prometheus-debian"):
            path = control_plane.tool(program)
            if path:
                server = Prometheus(
                    self.folder, program, path, self.address,
                    SCRAPE.format(ca=self.pki.ca, cert=certificate, key=key,
                                  password=password))
                self.addCleanup(server.close)
                yield server

    def test_scrapes_go_on_while_the_certificate_is_replaced(self):
        servers = list(self.scrapers())
        for server in servers:
            processes.wait_until(lambda s=server: s.query("up == 1"), 20,
                                 f"{server.name} scrapes")
        begin = time.monotonic()
        while time.monotonic() < begin + 8:
            self.install(*self.pki.serving_again())
            time.sleep(1.1)  # the exporter checks once a second
        self.assertEqual(self.presented(), self.installed())
        for server in servers:
            with self.subTest(server.name):
                self.assertEqual(
                    list(server.query("min_over_time(up[8s])").values()), [1])
                answered = ('kube_event_metrics_http_requests_total'
                            '{handler="/metrics",code="200"}')
                self.assertTrue(server.query(f"{answered} > 0"))

    def test_a_wrong_password_is_told_of(self):
        for server in self.scrapers("no"):
            processes.wait_until(
                lambda s=server: "401" in s.targets()[0][1], 20,
                f"{server.name} is refused")


if __name__ == "__main__":
    unittest.main(verbosity=2)
