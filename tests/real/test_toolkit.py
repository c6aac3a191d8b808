"""The exporter reads a web configuration as exporter-toolkit does.

web-config-oracle, a program of the real toolkit, and the exporter get the same
files. Whether each serves HTTP, HTTPS or does not start is in the table
../unit/web/toolkit.yaml. With one of the files both answer the same requests.
There is no control plane.
"""

import base64
import contextlib
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


# bcrypt of "open-sesame", at the lowest cost.
USERS = """basic_auth_users:
  alice: $2b$04$abcdefghijklmnopqrstuuXcjcm5avyCiJoD2uS24xa2lb6fjMB3G
http_server_config: {headers: {X-Frame-Options: deny, X-XSS-Protection: "1"}}
"""
LIMIT = "rate_limit: {interval: 1h, burst: 2}\n"


def login(text, scheme="Basic"):
    return f"Authorization: {scheme} {base64.b64encode(text.encode()).decode()}"


RIGHT, WRONG = login("alice:open-sesame"), login("alice:open")
HOST = "Host: localhost"
# The status that the toolkit answers to a request of these lines.
REQUESTS = [
    (200, "GET / HTTP/1.1", HOST, RIGHT),
    (200, "GET / HTTP/1.0", RIGHT),
    (200, "HEAD / HTTP/1.1", HOST, RIGHT),
    (200, "GET http://localhost/ HTTP/1.1", HOST, RIGHT),
    (200, "GET / HTTP/1.1", HOST, login("alice:open-sesame", "basic")),
    (200, "GET / HTTP/1.1", HOST.lower(), RIGHT.replace("Auth", "auth")),
    (200, "GET / HTTP/1.1", HOST, RIGHT, WRONG),
    (401, "GET / HTTP/1.1", HOST, WRONG, RIGHT),
    (401, "GET / HTTP/1.1", HOST),
    (401, "HEAD / HTTP/1.1", HOST),
    (401, "GET / HTTP/1.1", HOST, WRONG),
    (401, "GET / HTTP/1.1", HOST, login("alice:")),
    (401, "GET / HTTP/1.1", HOST, login("alice")),
    (401, "GET / HTTP/1.1", HOST, login("Alice:open-sesame")),
    (401, "GET / HTTP/1.1", HOST, login("bob:open-sesame")),
    (401, "GET / HTTP/1.1", HOST, login(":open-sesame")),
    (401, "GET / HTTP/1.1", HOST, login("alice:open-sesame ")),
    (401, "GET / HTTP/1.1", HOST, login("alice:open-sesame", "Bearer")),
    (401, "GET / HTTP/1.1", HOST, "Authorization: Basic alice:open-sesame"),
    (401, "GET / HTTP/1.1", HOST, "Authorization: Basic"),
    (401, "GET / HTTP/1.1", HOST, "Authorization:"),
    (400, "GET / HTTP/1.1", RIGHT),
    (400, "GET / HTTP/1.1", HOST, HOST, RIGHT),
    (400, "GET / HTTP/1.1", "Host: a b", RIGHT),
    (400, "GET /", HOST, RIGHT),
    (400, "GET / HTTP/1.1", HOST, RIGHT, "no colon"),
    (505, "GET / HTTP/3.0", HOST, RIGHT)]
# {request line: (the exporter's status, why it differs)}
DIFFERENCES = {"GET / HTTP/3.0": (
    400, "it has one answer to all that is not HTTP/1.0 or HTTP/1.1")}
# Headers of an answer that come from the configuration.
COMPARED = ("www-authenticate", "x-frame-options", "x-xss-protection")


def read_table():
    with open(TABLE, encoding="utf-8") as file:
        return yaml.safe_load(file)


def ask(address, *lines):
    """The answer to one request of these lines."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall("\r\n".join(
            [*lines, "Connection: close", "", ""]).encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def protocol(address):
    """"tls" or "plain" by the answer to an HTTP request, "" without one."""
    try:
        answer = ask(address, "GET / HTTP/1.1", HOST)
    except OSError:
        return ""
    if not answer.startswith("HTTP/1."):
        return ""
    return "tls" if "HTTPS" in answer else "plain"


def summary(answer):
    """(status, the headers compared) of an answer."""
    lines = answer.partition("\r\n\r\n")[0].split("\r\n")
    pairs = [line.partition(":")[::2] for line in lines[1:]]
    return int(lines[0].split()[1]), {
        name.lower(): value.strip() for name, value in pairs
        if name.lower() in COMPARED}


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

    @contextlib.contextmanager
    def running(self, name, command, config):
        """(process, how to find its address or None) with a configuration."""
        file = self.folder.file("web.yaml", config)
        process = processes.Process(self.folder, name, [
            *command, "--web.listen-address=127.0.0.1:0",
            f"--web.config.file={file}"])

        def address():
            found = re.search(r'msg="Listening on" address="?([^\s"]+)',
                              process.log())
            return found and found.group(1)
        try:
            yield process, address
        finally:
            process.kill()
            os.remove(process.log_path)

    def verdict(self, name, command, config):
        """(plain, tls or refused; the log) of a program with a configuration."""
        with self.running(name, command, config) as (process, address):
            # The toolkit listens before it reads the file.
            def found():
                served = address() and protocol(address())
                return served or (not process.running() and "refused")
            return (processes.wait_until(found, 20, f"a verdict of {name}",
                                         pause=0.02), process.log())

    def answers(self, name, command, config, requests):
        """[(status, headers)] that a program answers."""
        with self.running(name, command, config) as (_, address):
            found = processes.wait_until(address, 20, f"{name} listens")
            return [summary(ask(found, *lines)) for lines in requests]

    def check(self, name, command, expected):
        """The verdict on each row of the table is the expected one."""
        for row in read_table():
            with self.subTest(row["name"]):
                verdict, log = self.verdict(name, command, row["config"])
                self.assertEqual(verdict, expected(row), log)
                if name == "exporter" and verdict == "refused":
                    self.assertIn(row["error"], log)

    def programs(self):
        return [("toolkit", [control_plane.tool("web-config-oracle")]),
                ("exporter", [binary(), "--apiserver=http://127.0.0.1:1"])]

    def test_the_verdicts_of_the_toolkit(self):
        self.check(*self.programs()[0], lambda row: row["toolkit"])

    def test_the_verdicts_of_the_exporter(self):
        self.check(*self.programs()[1],
                   lambda row: row.get("exporter", row["toolkit"]))

    def test_answers(self):
        requests = [lines for _, *lines in REQUESTS]
        toolkit, exporter = [
            self.answers(name, command, USERS, requests)
            for name, command in self.programs()]
        for (status, *lines), theirs, ours in zip(REQUESTS, toolkit, exporter):
            with self.subTest(lines):
                self.assertEqual(theirs[0], status)
                status, why = DIFFERENCES.get(lines[0], (status, ""))
                self.assertEqual(ours, (status, theirs[1]))
                self.assertEqual(bool(why), ours != theirs)

    def test_a_rate_limit(self):
        for name, command in self.programs():
            with self.subTest(name):
                found = self.answers(name, command, LIMIT,
                                     [("GET / HTTP/1.1", HOST)] * 4)
                self.assertEqual([status for status, _ in found],
                                 [200, 200, 429, 429])


if __name__ == "__main__":
    unittest.main(verbosity=2)
