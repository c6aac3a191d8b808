"""Starts the exporter for one measurement and measures it from outside."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time

SERIES = re.compile(r"^(kube_event_[a-z_]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


class Exporter:
    """A running exporter; use it as a context manager."""

    def __init__(self, binary, apiserver_port, flags=()):
        self._home = tempfile.TemporaryDirectory(prefix="kem-bench-")
        environment = {"PATH": os.environ.get("PATH", ""),
                       "HOME": self._home.name}
        self._log = os.path.join(self._home.name, "log")
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [binary, "--apiserver", f"http://127.0.0.1:{apiserver_port}",
                 "--web.listen-address", "127.0.0.1:0", *flags],
                stderr=log, env=environment, cwd=self._home.name)
        self.pid = self._process.pid
        self._apiserver_port = apiserver_port

    def __enter__(self):
        try:
            self.port = self._find_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._home.cleanup()

    def _find_port(self, seconds=15):
        deadline = time.monotonic() + seconds
        while True:
            ended = self._process.poll() is not None
            with open(self._log, encoding="utf-8", errors="replace") as file:
                log = file.read()
            found = re.search(r"Listening on.*?address=\S*:(\d+)", log)
            if found:
                return int(found.group(1))
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"the exporter did not start: {log}")
            time.sleep(0.02)

    def cpu_seconds(self):
        """User and system time of the process so far, in nanosecond steps."""
        # The ID of another process's CPU clock, as clock_getcpuclockid(3)
        # computes it.
        return time.clock_gettime((~self.pid << 3) | 2)

    def cpu_of_threads(self):
        """CPU seconds of each thread, in the order of their starts."""
        folder = f"/proc/{self.pid}/task"
        times = []
        for thread in sorted(os.listdir(folder), key=int):
            with open(f"{folder}/{thread}/schedstat", encoding="ascii") as file:
                times.append(int(file.read().split()[0]) / 1e9)
        return times

    def memory(self, field):
        """VmRSS or VmHWM in MB (10^6 bytes)."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            kilobytes = re.search(field + r":\s+(\d+) kB", status.read())
        return int(kilobytes.group(1)) * 1024 / 1e6

    def memory_until_exit(self, field):
        """The last reading while SIGTERM ends the process."""
        self._process.send_signal(signal.SIGTERM)
        value = self.memory(field)
        while self._process.poll() is None:
            try:
                value = self.memory(field)
            except (OSError, AttributeError):
                pass  # it has ended, or is ending
            time.sleep(0.005)
        return value

    def log(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def get(self, path, encoding="identity"):
        """(seconds, head, body) of one GET over a new connection."""
        request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                   f"Accept-Encoding: {encoding}\r\nConnection: close\r\n\r\n")
        buffer, filled = bytearray(64 << 20), 0
        start = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.port), 30) as server:
            server.sendall(request.encode())
            view = memoryview(buffer)
            while count := server.recv_into(view[filled:]):
                filled += count
        seconds = time.perf_counter() - start
        head, _, body = bytes(buffer[:filled]).partition(b"\r\n\r\n")
        return seconds, head.decode(), body

    def wait_ready(self, seconds=20):
        deadline = time.monotonic() + seconds
        while " 200 " not in self.get("/readyz")[1].splitlines()[0]:
            if time.monotonic() > deadline:
                raise RuntimeError("the exporter did not become ready")
            time.sleep(0.05)

    def wait_idle(self, watch_port, seconds=120):
        """Waits until the exporter has read and processed its watch."""
        deadline = time.monotonic() + seconds
        while _unread(watch_port, self._apiserver_port):
            if time.monotonic() > deadline:
                raise RuntimeError("the exporter does not read its watch")
            time.sleep(0.002)
        done = time.perf_counter()
        before = self.cpu_seconds()
        deadline = time.monotonic() + seconds
        while True:
            if time.monotonic() > deadline:
                raise RuntimeError("the exporter does not become idle")
            time.sleep(0.1)
            now = self.cpu_seconds()
            if now - before < 0.001:
                return done
            before, done = now, time.perf_counter()


def _unread(*ports):
    """Whether bytes wait in the kernel at either end of the loopback connection
    between these two ports. (One port alone can belong to several.)"""
    ends = {f"0100007F:{port:04X}" for port in ports}
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split()[1:5] for line in table]
    return any(queues != "00000000:00000000"
               for local, remote, _, queues in rows if {local, remote} == ends)


def parse(text):
    """{family: {sorted label pairs: value}} of the exporter's series."""
    families = {}
    for line in text.splitlines():
        if found := SERIES.match(line):
            name, labels, value = found.groups()
            pairs = tuple(sorted(LABEL.findall(labels or "")))
            families.setdefault(name, {})[pairs] = float(value)
    return families
