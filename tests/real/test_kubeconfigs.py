"""The exporter reads kubeconfigs as client-go does.

kubeconfig-oracle, a program of the real client-go, and the exporter's dry run
get the same files, environment and flags. Both then send a request, and servers
record how they come: by which URL, name, proxy, login and certificate. There is
no control plane.
"""

import base64
import json
import os
import re
import subprocess
import unittest

from rig import case, control_plane, processes
from rig.access_server import AccessServer, Proxy, tls_context
from rig.certificates import Certificates
from rig.exporter import binary
from rig.kubeconfig_access import CASES, DIFFERENCES
from rig.kubeconfigs import ERROR
from rig.kubelet import in_pod


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def base64_of(path):
    return base64.b64encode(read(path).encode()).decode()


def readable(seen):
    """With what a plugin was told in place of its base64."""
    def decode(found):
        told = json.loads(base64.b64decode(found[1]))
        return f"token info {json.dumps(told, sort_keys=True)}"
    return re.sub(r"token info\.(\S+)", decode, seen)


class KubeconfigsTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        case.find_tools()
        control_plane.need("kubeconfig-oracle")
        cls.folder = processes.WorkFolder("kubeconfigs")
        cls.addClassCleanup(cls.folder.close)
        other_folder = processes.WorkFolder("kubeconfigs-other")
        cls.addClassCleanup(other_folder.close)
        pki, other = Certificates(cls.folder), Certificates(other_folder)
        context = tls_context(pki.serving, pki.serving_key, pki.ca)
        cls.servers = [AccessServer("S", context), AccessServer("T", context),
                       AccessServer("P")]
        cls.proxy = Proxy()
        for one in (*cls.servers, cls.proxy):
            cls.addClassCleanup(one.close)
        ports = [server.port for server in cls.servers]
        cert, key = pki.client("alice")
        ca = read(pki.ca)
        lines = ca.splitlines(keepends=True)
        lines[2] = "*" + lines[2][1:]
        cls.places = {
            "S": f"https://127.0.0.1:{ports[0]}",
            "T": f"https://127.0.0.1:{ports[1]}",
            "P": f"http://127.0.0.1:{ports[2]}",
            "PORT": str(ports[0]), "PLAIN_PORT": str(ports[2]),
            "X": f"127.0.0.1:{cls.proxy.port}",
            "CA": pki.ca, "CA64": base64_of(pki.ca), "CA_TEXT": ca,
            "BROKEN": "".join(lines), "TORN": ca[:len(ca) // 2],
            "CERT": cert, "CERT64": base64_of(cert),
            "KEY": key, "KEY64": base64_of(key), "KEY_TEXT": read(key),
            "OTHER_CA": other.ca, "OTHER_KEY": other.serving_key}
        cls.account = os.path.dirname(cls.folder.file("pod/token", "pod-token"))
        cls.folder.file("pod/ca.crt", ca)

    def fill(self, text, folder):
        return re.sub("@([A-Z0-9_]+)@",
                      lambda found: {**self.places, "F": folder}[found[1]],
                      text)

    def write(self, one, number):
        """The folder of a case."""
        folder = self.folder.file(f"case-{number}")
        os.makedirs(folder)
        for name, text in one.files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            # Bytes, so that line ends stay.
            with open(path, "wb") as file:
                file.write(self.fill(text, folder).encode())
            os.chmod(path, 0o700)
        return folder

    def run_program(self, one, folder, program):
        """(what the servers saw, what the program printed)."""
        for server in (*self.servers, self.proxy):
            server.seen.clear()
        env = {"PATH": "/usr/bin:/bin", "HOME": folder}
        if one.pod:
            program = [*in_pod(self.account), *program]
            env.update(KUBERNETES_SERVICE_HOST="127.0.0.1",
                       KUBERNETES_SERVICE_PORT=self.places["PORT"])
        env.update({key: self.fill(value, folder)
                    for key, value in one.env.items()})
        flags = [self.fill(flag, folder) for flag in one.flags]
        done = subprocess.run([*program, *flags], capture_output=True,
                              text=True, env=env, cwd=folder, check=False,
                              stdin=subprocess.DEVNULL, timeout=60)
        seen = sorted({entry for server in self.servers
                       for entry in server.seen})
        seen += [f"via {entry}" for entry in sorted(set(self.proxy.seen))]
        return readable(" ".join(seen)) or ERROR, done.stdout + done.stderr

    def test_every_shape(self):
        self.assertGreaterEqual(len(CASES), 60)
        self.assertEqual(len({one.name for one in CASES}), len(CASES))
        self.assertLessEqual(DIFFERENCES.keys(), {one.name for one in CASES})
        oracle = [control_plane.tool("kubeconfig-oracle")]
        exporter = [binary(), "--dry-run"]
        for number, one in enumerate(CASES):
            with self.subTest(one.name):
                if one.pod and not in_pod(self.account):
                    self.skipTest("mount namespaces are not allowed here")
                folder = self.write(one, number)
                expected = self.fill(one.expected, folder)
                seen, printed = self.run_program(one, folder, oracle)
                self.assertEqual(seen, expected, f"client-go: {printed}")
                if one.name in DIFFERENCES:
                    ours, why = DIFFERENCES[one.name]
                    self.assertNotEqual(ours, one.expected, why)
                    expected = self.fill(ours, folder)
                seen, printed = self.run_program(one, folder, exporter)
                self.assertEqual(seen, expected, f"the exporter: {printed}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
