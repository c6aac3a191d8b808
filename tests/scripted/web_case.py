"""What the tests of the exporter's own HTTP server share.

There is no API server: a scrape has only the exporter's own metrics, or those
of a file.
"""

import os
import subprocess
import tempfile
import unittest

import certs
from exporter import Exporter

SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


class WebCase(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kem-web-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.certificates = certs.Certificates(self.folder)
        self.exporter = Exporter(
            os.path.abspath(os.environ["KEM_EXPORTER"]), self.folder)
        self.addCleanup(self.exporter.kill)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name) + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(self.path(name) + ".new", self.path(name))

    def install(self, name, authority="a"):
        """Writes a server's pair as server.crt and server.key."""
        pair = self.certificates.pair("server", name, authority)
        for source, target in zip(pair, ("server.crt", "server.key")):
            with open(source, encoding="ascii") as file:
                self.write(target, file.read())

    def start(self, config=None, more=("--apiserver=http://127.0.0.1:1",)):
        flags = ["--web.listen-address=127.0.0.1:0", *more]
        if config is not None:
            self.write("web.yaml", config)
            flags.append("--web.config.file=web.yaml")
        self.exporter.start(flags)
        self.exporter.wait_listening()

    def stop(self):
        self.exporter.signal("TERM")
        code, _ = self.exporter.wait_exit(12)
        self.assertEqual(code, 0, self.exporter.stderr())

    def curl(self, *flags, scheme="https", path="/metrics"):
        """(HTTP status, curl's exit code)."""
        host, port = self.exporter.address
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "10",
             "--output", os.devnull, "--write-out", "%{http_code}", *flags,
             f"{scheme}://{host}:{port}{path}"],
            capture_output=True, text=True, check=False)
        return int(done.stdout or 0), done.returncode

    def status(self, *flags, **more):
        return self.curl("--cacert", self.certificates.authority("a"), *flags,
                         **more)[0]
