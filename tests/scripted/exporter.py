"""The exporter under test: its kubeconfig, its process, its HTTP endpoint.

One `Exporter` is one process, started on port 0 with its own environment and
ended by its process ID. `Access` writes the kubeconfig and the files it names,
and replaces them while the exporter runs (rotation).
"""

import base64
import contextlib
import ctypes
import http.client
import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import checks
import yaml

LISTENING = re.compile(r'"?Listening on"?.*?address"?[=:]"?([^"\s,}]+):(\d+)')
START_SECONDS = 30
PR_SET_PDEATHSIG = 1

# A credential plugin that runs the file plugin.act beside it.
PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >>"$(dirname "$0")/plugin.runs"
. "$(dirname "$0")/plugin.act"
"""
EXEC_VERSION = "client.authentication.k8s.io/v1"


def _die_with_parent():
    """Ends the exporter when its runner is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Access:
    """How the exporter connects and authenticates to the server.

    credentials: token | tokenFile | clientCert | clientCertFile | exec |
    anonymous.
    """

    def __init__(self, folder, server, credentials="token", options=None):
        self.folder = folder
        self.server = server
        self.credentials = credentials
        self.options = options or {}
        self.tokens = {"token-1"}
        self.proxy = self.options.get("proxy")
        if self.proxy and self.proxy.credentials:
            self.tokens.add(self.proxy.credentials.split(":")[1])
        self.kubeconfig = os.path.join(folder, "kubeconfig")
        self.write({"token": "token-1"})
        if credentials == "exec":
            self._replace("plugin", PLUGIN)
            os.chmod(self.path("plugin"), 0o755)
            self.write({"plugin": self.options.get("plugin",
                                                   {"token": "token-1"})})
        if server.certificates:
            self.write({"ca": "a", "client": "client-1"})

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, changes):
        """token, config: text; ca: name of an authority, or empty for an
        empty file; client: common name.

        plugin: {token, expires (seconds from its run), fail (its stderr,
        exit code 1), hang}: what the credential plugin does from now on.
        """
        for what, value in changes.items():
            if what == "token":
                self.tokens.add(value)
                self._replace("token", value)
            elif what == "ca" and value == "empty":
                self._replace("ca.crt", "")
            elif what == "ca":
                self._copy(self.server.certificates.authority(value), "ca.crt")
            elif what == "config":
                self._replace("config.yaml", value)
            elif what == "plugin":
                self._replace("plugin.act", self._plugin_act(**value))
            elif what == "client":
                certificate, key = self.server.certificates.pair(
                    "client", value, "a")
                self._copy(key, "client.key")
                self._copy(certificate, "client.crt")
            else:
                raise ValueError(f"unknown file {what!r}")

    def _plugin_act(self, token=None, expires=None, fail=None, hang=False):
        if hang:
            return "sleep 1000\n"
        if fail:
            return f"echo {shlex.quote(fail)} >&2; exit 1\n"
        self.tokens.add(token)
        end = ""
        if expires is not None:
            end = ('\\",\\"expirationTimestamp\\":\\"$(date -u -d '
                   f"'{expires} seconds' +%Y-%m-%dT%H:%M:%SZ)")
        return (f'echo "{{\\"kind\\":\\"ExecCredential\\",\\"apiVersion\\":'
                f'\\"{EXEC_VERSION}\\",\\"status\\":{{\\"token\\":'
                f'\\"{token}{end}\\"}}}}"\n')

    def plugin_runs(self):
        """Number of runs of the credential plugin."""
        try:
            with open(self.path("plugin.runs"), encoding="utf-8") as file:
                return len(file.readlines())
        except FileNotFoundError:
            return 0

    def _replace(self, name, text):
        temporary = self.path(name + ".new")
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, self.path(name))

    def _copy(self, source, name):
        shutil.copyfile(source, self.path(name + ".new"))
        os.replace(self.path(name + ".new"), self.path(name))

    def _data(self, name):
        with open(self.path(name), "rb") as file:
            return base64.b64encode(file.read()).decode()

    def write_kubeconfig(self, text=None):
        """The default kubeconfig, or a scenario's own text with {url} in it."""
        if text is not None:
            text = text.replace("{url}", self.server.url)
            text = text.replace("{folder}", self.folder)
            if "{ca}" in text:
                text = text.replace("{ca}", self._data("ca.crt"))
            self._replace("kubeconfig", text)
            return
        cluster = {"server": self.server.url + self.options.get("prefix", "")}
        if self.server.certificates:
            if self.options.get("ca") == "file":
                cluster["certificate-authority"] = "ca.crt"
            else:
                cluster["certificate-authority-data"] = self._data("ca.crt")
        if self.proxy:
            cluster["proxy-url"] = self.proxy.url
        user = {}
        tls = self.server.certificates is not None
        if self.credentials == "token":
            user["token"] = "token-1"
        elif self.credentials == "tokenFile":
            user["tokenFile"] = "token"
        elif self.credentials == "exec":
            user["exec"] = {"command": "./plugin", "apiVersion": EXEC_VERSION,
                            "interactiveMode": "IfAvailable",
                            "provideClusterInfo": True}
        elif self.credentials == "clientCert" and tls:
            user["client-certificate-data"] = self._data("client.crt")
            user["client-key-data"] = self._data("client.key")
        elif self.credentials == "clientCertFile" and tls:
            user["client-certificate"] = "client.crt"
            user["client-key"] = "client.key"
        context = {"cluster": "scripted", "user": "exporter"}
        self._replace("kubeconfig", yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "scripted", "cluster": cluster}],
            "users": [{"name": "exporter", "user": user}],
            "contexts": [{"name": "it", "context": context}]}))


class Exporter:
    """command_prefix and namespace: to run in a network namespace."""

    def __init__(self, binary, folder, command_prefix=(),
                 namespace=contextlib.nullcontext):
        self.binary = binary
        self.folder = folder
        self.prefix = list(command_prefix)
        self.namespace = namespace
        self.process = None
        self.flags = []
        self.address = None
        self.stderr_path = os.path.join(folder, "stderr")

    def path(self, name):
        return os.path.join(self.folder, name)

    def restart(self, more):
        self.start(self.flags + more)
        self.wait_listening()

    def start(self, flags):
        self.flags = list(flags)
        keep = {k: v for k, v in os.environ.items()
                if k.endswith("SAN_OPTIONS") or k in ("PATH", "TZ")}
        keep.update({"HOME": self.folder, "LC_ALL": "C.UTF-8"})
        keep["TSAN_OPTIONS"] = "halt_on_error=1 " + keep.get("TSAN_OPTIONS", "")
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                self.prefix + [self.binary, *flags], stderr=stderr, env=keep,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                cwd=self.folder, preexec_fn=_die_with_parent)

    def stderr(self):
        try:
            with open(self.stderr_path, encoding="utf-8",
                      errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def memory(self, name):
        """A size of /proc/<pid>/status, in KiB."""
        with open(f"/proc/{self.process.pid}/status",
                  encoding="ascii") as file:
            sizes = dict(line.split(":", 1) for line in file)
        return int(sizes[name].split()[0])

    def sanitized(self):
        """Sanitizers reserve terabytes of address space."""
        return self.memory("VmSize") > 1 << 30

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_listening(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            match = LISTENING.search(self.stderr())
            if match:
                host = match[1] if match[1] not in ("", "0.0.0.0", "[::]",
                                                    "::") else "127.0.0.1"
                self.address = (host, int(match[2]))
                return
            if not self.running():
                break
            time.sleep(0.02)
        raise RuntimeError("no `Listening on` in the log within "
                           f"{START_SECONDS} s: {self.stderr()[-500:]}")

    def get(self, path, headers=None, method="GET"):
        """(status, headers, body); OSError without an answer."""
        with self.namespace():
            connection = http.client.HTTPConnection(*self.address, timeout=20)
            connection.connect()
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def scrape(self):
        status, headers, body = self.get("/metrics")
        if status != 200:
            raise checks.Malformed(f"/metrics returned {status}")
        kind = headers.get("Content-Type", "")
        if not kind.startswith("text/plain; version=0.0.4"):
            raise checks.Malformed(f"/metrics has Content-Type {kind!r}")
        samples = checks.parse_metrics(body)
        checks.check_labels(samples)
        return samples

    def wait_exit(self, within):
        """(exit code, seconds); the code is None if it still runs."""
        started = time.monotonic()
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            code = None
        return code, time.monotonic() - started

    def signal(self, name):
        os.kill(self.process.pid, getattr(signal, "SIG" + name))

    def kill(self):
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()
