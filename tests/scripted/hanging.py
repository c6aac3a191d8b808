"""Peers that hang: a name server, and a collector in each phase of a request.

Used by test_responsive.py. Each accepts what comes and never completes it.
"""

import contextlib
import os
import socket
import threading
import time


class SilentNameServer:
    """Receives queries and never answers."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # resolv.conf has no ports.
        for number in range(1, 255):
            self.address = f"127.53.{os.getpid() % 250}.{number}"
            with contextlib.suppress(OSError):
                self.socket.bind((self.address, 53))
                break
        self.asked = []  # queries
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        with contextlib.suppress(OSError):
            while True:
                self.asked.append(self.socket.recv(4096))

    def was_asked(self, host):
        labels = b"".join(bytes([len(label)]) + label.encode()
                          for label in host.split("."))
        return any(labels in query for query in self.asked)

    def stop(self):
        self.socket.close()


class HangingReceiver:
    """A collector that hangs in one phase of the first request."""

    PHASES = ("connect", "handshake", "request body", "response head",
              "response body")

    def __init__(self, phase):
        self.phase = phase
        self.reached = threading.Event()
        self.open = []
        self.listener = socket.socket()
        # Small segments and little room: the exporter's kernel buffers little.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        if phase == "connect":
            self._fill_backlog()
        else:
            threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        scheme = "https" if self.phase == "handshake" else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def _fill_backlog(self):
        for _ in range(2):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", self.port))
            self.open.append(client)
        threading.Thread(target=self._watch_for_syn, daemon=True).start()

    def _watch_for_syn(self):
        """The two fillers and the exporter: one more in SYN_SENT."""
        remote = f":{self.port:04X} 02 "
        while not self.reached.is_set():
            with open("/proc/net/tcp", encoding="ascii") as table:
                if sum(remote in line for line in table) >= 2:
                    self.reached.set()
            time.sleep(0.05)

    def _serve(self):
        with contextlib.suppress(OSError):
            accepted, _ = self.listener.accept()
            self.open.append(accepted)
            if self.phase != "handshake":
                head = b""
                while b"\r\n\r\n" not in head:
                    head += accepted.recv(1024)
            if self.phase.startswith("response"):
                length = int(head.lower().split(b"content-length: ")[1]
                             .split(b"\r\n")[0])
                left = length - len(head.partition(b"\r\n\r\n")[2])
                while left > 0:
                    left -= len(accepted.recv(65536))
            if self.phase == "response body":
                accepted.sendall(b"HTTP/1.1 200 OK\r\n"
                                 b"Content-Length: 100\r\n\r\n{")
            self.reached.set()

    def stop(self):
        self.reached.set()
        for one in [self.listener, *self.open]:
            one.close()
