"""Certificates for one run, made by the openssl program in a folder.

`Certificates` returns authorities ("a", "b", ...), server and client pairs by
name, and makes each on first use. Keys are EC P-256, which takes milliseconds.
"""

import os
import subprocess
import threading

EXTENSIONS = """
[server]
subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1
extendedKeyUsage=serverAuth
[client]
extendedKeyUsage=clientAuth
"""


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True,
                          text=True)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")


class Certificates:
    def __init__(self, folder):
        self.folder = folder
        self._lock = threading.RLock()  # connections use it concurrently
        self.extensions = os.path.join(folder, "extensions.cnf")
        with open(self.extensions, "w", encoding="ascii") as file:
            file.write(EXTENSIONS)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def authority(self, name):
        """Path of the authority's certificate; the key is beside it."""
        path = self._path(f"ca-{name}.crt")
        with self._lock:
            if not os.path.exists(path):
                _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                         "3", "-subj", f"/CN=scripted-ca-{name}", "-keyout",
                         self._path(f"ca-{name}.key"), "-out", path)
        return path

    def pair(self, role, name, authority):
        """(certificate, key) paths for role "server" or "client"."""
        base = self._path(f"{role}-{name}-{authority}")
        certificate, key = base + ".crt", base + ".key"
        with self._lock:
            if not os.path.exists(certificate):
                issuer = self.authority(authority)
                _openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                         f"/CN={name}", "-keyout", key, "-out", base + ".csr")
                _openssl("x509", "-req", "-in", base + ".csr", "-CA", issuer,
                         "-CAkey", issuer[:-4] + ".key", "-CAcreateserial",
                         "-days", "3", "-extfile", self.extensions,
                         "-extensions", role, "-out", certificate)
        return certificate, key
