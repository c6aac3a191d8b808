"""The exporter reads a web configuration as exporter-toolkit does.

web-config-oracle, a program of the real toolkit, and the exporter get the same
files. Whether each serves HTTP, HTTPS or does not start is in the table
../unit/web/toolkit.yaml. There is no control plane.
"""

import os
import re
import socket
import unittest

import yaml

from rig import case, control_plane, processes
from rig.certificates import Certificates
from rig.exporter import binary

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir,
                     "unit", "web", "toolkit.yaml")


def read_table():
    with open(TABLE, encoding="utf-8") as file:
        return yaml.safe_load(file)


def protocol(address):
    """"tls" or "plain" by the answer to an HTTP request, "" without one."""
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n"
                               b"Connection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError:
        return ""
    if not answer.startswith(b"HTTP/1."):
        return ""
    return "tls" if b"HTTPS" in answer else "plain"


class ToolkitTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        case.find_tools()
        control_plane.need("web-config-oracle")
        cls.folder = processes.WorkFolder("toolkit")
        cls.addClassCleanup(cls.folder.close)
        pki = Certificates(cls.folder)
        for name, path in [("ca.crt", pki.ca), ("server.crt", pki.serving),
                           ("server.key", pki.serving_key)]:
            with open(path, encoding="ascii") as file:
                cls.folder.file(name, file.read())
        cls.folder.file("empty", "")
        cls.folder.file("blank", "\n \n")

    def verdict(self, name, command, config):
        """(plain, tls or refused; the log) of a program with a configuration."""
        file = self.folder.file("web.yaml", config)
        process = processes.Process(self.folder, name, [
            *command, "--web.listen-address=127.0.0.1:0",
            f"--web.config.file={file}"])

        def found():
            # The toolkit listens before it reads the file.
            listens = re.search(r'msg="Listening on" address="?([^\s"]+)',
                                process.log())
            served = listens and protocol(listens.group(1))
            return served or (not process.running() and "refused")
        try:
            return (processes.wait_until(found, 20, f"a verdict of {name}",
                                         pause=0.02), process.log())
        finally:
            process.kill()
            os.remove(process.log_path)

    def check(self, name, command, expected):
        """The verdict on each row of the table is the expected one."""
        for row in read_table():
            with self.subTest(row["name"]):
                verdict, log = self.verdict(name, command, row["config"])
                self.assertEqual(verdict, expected(row), log)
                if name == "exporter" and verdict == "refused":
                    self.assertIn(row["error"], log)

    def test_the_toolkit(self):
        self.check("toolkit", [control_plane.tool("web-config-oracle")],
                   lambda row: row["toolkit"])

    def test_the_exporter(self):
        self.check("exporter", [binary(), "--apiserver=http://127.0.0.1:1"],
                   lambda row: row.get("exporter", row["toolkit"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
