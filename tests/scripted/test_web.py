#!/usr/bin/python3
"""The exporter's own HTTP server: TLS and logins by curl, and hostile clients.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_web.py
"""

import contextlib
import os
import re
import resource
import socket
import time
import unittest

from web_case import SCRAPE, WebCase

# bcrypt of "open-sesame", at the lowest cost.
OPEN_SESAME = "$2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G"
# Seconds that a scrape may take beside hostile clients. Normal are a few
# milliseconds; a server that waits for a client takes seconds.
SOON = 2.0


class CurlTest(WebCase):
    TLS = ("tls_server_config:\n"
           "  cert_file: server.crt\n"
           "  key_file: server.key\n")
    # At a higher level, OpenSSL 3.5 sends no ClientHello of this version.
    OLD_TLS = ("--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")

    def test_tls(self):
        self.install("server")
        self.start(self.TLS)
        self.assertEqual(self.status(), 200)
        self.assertEqual(self.status("--tlsv1.3"), 200)
        self.assertEqual(self.status(*self.OLD_TLS), 0)
        self.assertEqual(self.status("--http2"), 200)
        self.assertEqual(self.status(scheme="http"), 400)
        self.stop()

    def test_suites_with_forward_secrecy_only(self):
        self.install("server")
        self.start(self.TLS)
        for suite in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
                      "ECDHE-ECDSA-CHACHA20-POLY1305"):
            self.assertEqual(self.status("--tls-max", "1.2", "--ciphers",
                                         suite), 200, suite)
        for suite in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",
                      "AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA"):
            self.assertEqual(self.status("--tls-max", "1.2", "--ciphers",
                                         suite), 0, suite)
        self.stop()

    def test_a_client_authority_without_a_certificate(self):
        self.install("server")
        ours = self.certificates.authority("a")
        config = (self.TLS +
                  "  client_auth_type: RequireAndVerifyClientCert\n"
                  "  client_ca_file: clients.crt\n")
        with open(ours, encoding="ascii") as file:
            good = file.read()
        certificate, key = self.certificates.pair("client", "prometheus", "a")
        pair = ("--cert", certificate, "--key", key)
        for wrong in ("", "\n", "no certificate\n"):
            with self.subTest(repr(wrong)):
                self.write("clients.crt", wrong)
                self.write("web.yaml", config)
                self.exporter.start(["--apiserver=http://127.0.0.1:1",
                                     "--web.listen-address=127.0.0.1:0",
                                     "--web.config.file=web.yaml"])
                self.assertEqual(self.exporter.wait_exit(10)[0], 2)
                self.assertIn("--web.config.file web.yaml: client_ca_file "
                              "clients.crt has no PEM certificate",
                              self.exporter.stderr())
                self.write("clients.crt", good)
                self.start(config)
                self.assertEqual(self.status(*pair), 200)
                self.write("clients.crt", wrong)
                for _ in range(2):
                    time.sleep(1.1)  # the exporter checks once a second
                    self.assertEqual(self.status(*pair), 200)
                    self.assertEqual(self.status(), 0)
                self.assertEqual(self.exporter.stderr().count(
                    "clients.crt has no PEM certificate"), 1)
                self.stop()

    def test_failed_handshakes_are_in_the_debug_log(self):
        self.install("server")
        authority = self.certificates.authority("a")
        self.start(self.TLS +
                   "  client_auth_type: RequireAndVerifyClientCert\n"
                   f"  client_ca_file: {authority}\n"
                   "  client_allowed_sans: [prometheus]\n",
                   ["--apiserver=http://127.0.0.1:1", "--log.level=debug"])
        certificate, key = self.certificates.pair("client", "prometheus", "a")
        other, other_key = self.certificates.pair("client", "other", "b")
        cases = (((), "peer did not return a certificate"),
                 (("--cert", certificate, "--key", key), "mismatch"),
                 (("--cert", other, "--key", other_key),
                  "unable to get local issuer certificate"),
                 (self.OLD_TLS, "unsupported protocol"))
        for flags, reason in cases:
            self.assertEqual(self.status(*flags), 0)
            self.expect_logged(
                r'level=debug msg="TLS handshake failed" client=127\.0\.0\.1:'
                rf'[0-9]+ error="[^"]*{reason}[^"]*"\n')
        self.assertEqual(self.status(scheme="http"), 400)
        self.expect_logged('error="http request"')
        self.stop()

    def expect_logged(self, pattern):
        """The client may end before the exporter logs why."""
        deadline = time.monotonic() + 10
        while (not re.search(pattern, self.exporter.stderr()) and
               time.monotonic() < deadline):
            time.sleep(0.02)
        self.assertRegex(self.exporter.stderr(), pattern)

    def test_a_client_certificate_and_a_login(self):
        self.install("server")
        authority = self.certificates.authority("a")
        self.start(self.TLS +
                   "  client_auth_type: RequireAndVerifyClientCert\n"
                   f"  client_ca_file: {authority}\n"
                   f"basic_auth_users:\n  prometheus: {OPEN_SESAME}\n")
        certificate, key = self.certificates.pair("client", "prometheus", "a")
        ours = ("--cert", certificate, "--key", key)
        other, other_key = self.certificates.pair("client", "other", "b")
        login = ("--user", "prometheus:open-sesame")
        self.assertEqual(self.status(), 0)
        self.assertEqual(self.status(*login), 0)
        self.assertEqual(self.status("--cert", other, "--key", other_key), 0)
        self.assertEqual(self.status(*ours), 401)
        self.assertEqual(self.status(*ours, "--user", "prometheus:no"), 401)
        for path in ("/", "/metrics", "/livez"):
            self.assertEqual(self.status(*ours, *login, path=path), 200)
        self.assertNotIn("open-sesame", self.exporter.stderr())
        self.assertNotIn(OPEN_SESAME, self.exporter.stderr())
        self.stop()

    def test_a_certificate_is_replaced_and_a_bad_one_logged_once(self):
        self.install("server")
        self.start(self.TLS)
        self.assertEqual(self.status(), 200)
        self.install("server", "b")
        time.sleep(1.1)  # the exporter checks once a second
        self.assertEqual(self.status(), 0)
        second = self.certificates.authority("b")
        self.assertEqual(self.curl("--cacert", second), (200, 0))
        self.write("server.crt", "nonsense")
        for _ in range(3):
            time.sleep(1.1)
            self.assertEqual(self.curl("--cacert", second), (200, 0))
        self.assertEqual(self.exporter.stderr().count("Reloading the web "
                                                       "configuration failed"), 1)
        self.stop()

    def test_a_wrong_file_prevents_the_start(self):
        self.write("web.yaml", "tls_server_confg: {}\n")
        self.exporter.start(["--apiserver=http://127.0.0.1:1",
                             "--web.config.file=web.yaml"])
        self.assertEqual(self.exporter.wait_exit(10)[0], 2)
        self.assertRegex(
            self.exporter.stderr(), r"^kube-event-metrics: --web\.config\.file "
            r"web\.yaml line 1: the file has the unknown key "
            r"\"tls_server_confg\"; [^\n]*\n$")


class HostileTest(WebCase):

    def connect(self, request=b"", receive_buffer=None):
        client = socket.socket()
        self.addCleanup(client.close)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                              receive_buffer)
        client.settimeout(10)
        client.connect(self.exporter.address)
        with contextlib.suppress(OSError):
            client.sendall(request)
        return client

    def expect_serving(self, count=20):
        for path in ("/metrics", "/livez") * count:
            begin = time.monotonic()
            self.assertEqual(self.exporter.get(path)[0], 200)
            self.assertLess(time.monotonic() - begin, SOON)

    def proc(self, name):
        with open(f"/proc/{self.exporter.process.pid}/{name}",
                  encoding="utf-8") as file:
            return file.read()

    def status_value(self, key):
        """A number of /proc/<pid>/status."""
        for line in self.proc("status").splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise KeyError(key)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.exporter.process.pid}/fd"))

    def test_idle_and_slow_clients(self):
        self.start()
        threads = self.status_value("Threads")
        idle = [self.connect() for _ in range(100)]
        senders = [self.connect(b"GET /metrics HTTP/1.1\r\nX: ")
                   for _ in range(50)]
        # Each requests hundreds of scrapes and reads one byte.
        readers = [self.connect(SCRAPE * 400, 2048) for _ in range(50)]
        for _ in range(3):
            for client in senders:
                client.sendall(b"x")
            for client in readers:
                with contextlib.suppress(OSError):
                    client.recv(1, socket.MSG_DONTWAIT)
            self.expect_serving()
        self.assertEqual(self.status_value("Threads"), threads)
        for client in idle[:10]:
            client.sendall(SCRAPE)
            self.assertEqual(client.recv(15), b"HTTP/1.1 200 OK")
        self.stop()

    def test_endless_headers(self):
        self.start()
        for _ in range(20):
            client = self.connect(b"GET / HTTP/1.1\r\n")
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    client.sendall(b"header: value\r\n" * 100)
        self.expect_serving()
        self.stop()

    def test_ten_thousand_connections(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(10000, hard - 200)
        resource.setrlimit(resource.RLIMIT_NOFILE, (count + 200, hard))
        self.start()
        self.expect_serving()
        before = self.status_value("VmRSS")
        threads = self.status_value("Threads")
        crowd = []
        for number in range(count):
            crowd.append(self.connect(b"GET /met"))
            if number % 1000 == 999:
                self.expect_serving(2)
        self.expect_serving()
        self.assertEqual(self.status_value("Threads"), threads)
        self.assertLess(self.descriptors(), 400)
        if not self.exporter.sanitized():  # sanitizers keep freed memory
            # KiB.
            self.assertLess(self.status_value("VmRSS"), before + 8192)
        for client in crowd:
            client.close()
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
