"""HTTP/1.1 on a raw socket, with control over every fault.

`Connection` reads requests and writes answers for one accepted socket (plain
or TLS). It knows nothing about Kubernetes; apiserver.py and standin.py do.
http.server would hide what the scenarios control: where a chunk begins, whether
the terminator is sent, and how the socket is closed.
"""

import email.utils
import gzip
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse

MAX_HEAD = 64 * 1024
REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized",
           403: "Forbidden", 404: "Not Found", 410: "Gone",
           422: "Unprocessable Entity", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable",
           504: "Gateway Timeout"}


class Gone(Exception):
    """Either side has closed the connection."""


class Request:
    """One request, kept for the assertions of a scenario."""

    def __init__(self, method, target, headers, client):
        self.time = time.monotonic()
        self.method = method
        self.target = target
        self.path, _, raw = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(raw, keep_blank_values=True))
        self.headers = headers  # keys in lower case
        self.client = client  # common name of the client certificate, or None

    @property
    def is_events(self):
        return self.path.endswith("/events")

    @property
    def is_watch(self):
        return self.query.get("watch") in ("1", "true")

    @property
    def kind(self):
        if not self.is_events:
            return "discovery"
        return "watch" if self.is_watch else "list"

    def header(self, name):
        return self.headers.get(name.lower())

    def __str__(self):
        return f"{self.kind}: {self.method} {self.target}"


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


class Connection:
    """One accepted connection; used by one thread at a time."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.chunked = True
        self.gzip = False
        self.open = True
        self.release = threading.Event()  # set when the connection closes
        self.client = None
        if isinstance(sock, ssl.SSLSocket):
            subject = (sock.getpeercert() or {}).get("subject", ())
            names = {k: v for part in subject for k, v in part}
            self.client = names.get("commonName")

    def read_request(self):
        """The next request, or None at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            try:
                data = self.sock.recv(65536)
            except (OSError, ValueError):
                return None
            if not data or len(self.buffer) > MAX_HEAD:
                return None
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = (lines[0] + "  ").split(" ", 2)
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return Request(method, target, headers, self.client)

    def read_body(self, request):
        """The body of the request just read, by its Content-Length."""
        length = int(request.header("content-length") or 0)
        while len(self.buffer) < length:
            data = self.sock.recv(65536)
            if not data:
                raise Gone
            self.buffer += data
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return body

    def write(self, data):
        """Writes raw bytes; raises Gone when the client is gone."""
        if not self.open:
            raise Gone
        try:
            self.sock.sendall(data)
        except (OSError, ValueError) as error:
            self.close()
            raise Gone from error

    def head(self, status, headers, date):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append("Date: " + http_date(date))
        self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def answer(self, status, body, headers=None, date=None):
        """A complete answer with a length; a dict body is sent as JSON."""
        full = {"Audit-Id": "scripted", "Cache-Control": "no-cache, private"}
        if isinstance(body, dict):
            body = json.dumps(body, separators=(",", ":")).encode() + b"\n"
            full["Content-Type"] = "application/json"
        elif isinstance(body, str):
            body = body.encode()
            full["Content-Type"] = "text/plain; charset=utf-8"
        full.update(headers or {})
        full["Content-Length"] = len(body)
        self.head(status, full, time.time() if date is None else date)
        self.write(body)

    def start_stream(self, date=None, use_gzip=False, until_close=False):
        """The head of a watch: 200, chunked; gzip: one member per chunk.

        until_close: without chunks, as HTTP/1.0 has it.
        """
        headers = {"Content-Type": "application/json",
                   "Cache-Control": "no-cache, private"}
        if until_close:
            headers["Connection"] = "close"
        else:
            headers["Transfer-Encoding"] = "chunked"
        if use_gzip:
            headers["Content-Encoding"] = "gzip"
        self.gzip = use_gzip
        self.chunked = not until_close
        self.head(200, headers, time.time() if date is None else date)

    def chunk(self, data, sizes=None):
        """Sends data as one chunk, or as chunks of the given sizes.

        The last size repeats until the data is used up.
        """
        if self.gzip:
            data = gzip.compress(data)
        if not self.chunked:
            self.write(data)
            return
        if not sizes:
            self.write(b"%x\r\n%s\r\n" % (len(data), data))
            return
        out, position, index = [], 0, 0
        while position < len(data):
            size = sizes[min(index, len(sizes) - 1)]
            part = data[position:position + size]
            out.append(b"%x\r\n%s\r\n" % (len(part), part))
            position, index = position + size, index + 1
        for piece in out if len(out) < 4096 else [b"".join(out)]:
            self.write(piece)

    def end_stream(self):
        """The clean end of a watch; the connection stays usable."""
        self.write(b"0\r\n\r\n")

    def close(self):
        """EOF without any terminator (nor a TLS close_notify)."""
        self._shut(reset=False)

    def close_notify(self):
        """EOF with a TLS close_notify, but no chunk terminator."""
        if isinstance(self.sock, ssl.SSLSocket) and self.open:
            try:
                self.sock.settimeout(0.2)
                self.sock.unwrap()
            except (OSError, ValueError):
                pass
        self._shut(reset=False)

    def reset(self):
        """RST, as from a crashed or killed peer."""
        self._shut(reset=True)

    def _shut(self, reset):
        if not self.open:
            return
        self.open = False
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        try:
            self.sock.close()
        except OSError:
            pass
        self.release.set()

    def closed_by_client(self):
        """Whether the client has closed; reads nothing from a plain stream."""
        if not self.open:
            return True
        raw = self.sock
        try:
            raw.settimeout(0)
            if isinstance(raw, ssl.SSLSocket):
                data = raw.recv(1)
            else:
                data = raw.recv(1, socket.MSG_PEEK)
            return data == b""
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except (OSError, ValueError):
            return True
        finally:
            if self.open:
                raw.settimeout(None)
