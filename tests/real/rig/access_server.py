"""Servers that record how a client reaches them and who it says it is.

`AccessServer` answers every request with {}, by TLS or not. `Proxy` is an HTTP
or SOCKS5 proxy that leads every name to this machine. Nothing here knows the
exporter.
"""

import base64
import contextlib
import re
import select
import socket
import ssl
import threading

ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
# The last part of the exporter's and the oracle's path.
ASKED = re.compile(r"/(probe|apis/[^ ]*reviews)$")


def _read_until(connection, end):
    data = b""
    while not data.endswith(end):
        more = connection.recv(1)
        if not more:
            raise OSError("the client closed the connection")
        data += more
    return data


class _Listener:

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._socket.close()

    def _accept(self):
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            accepted.settimeout(10)
            threading.Thread(target=self._run, args=(accepted,),
                             daemon=True).start()

    def _run(self, accepted):
        with accepted, contextlib.suppress(OSError, ValueError):
            self.serve(accepted)

    def serve(self, accepted):
        raise NotImplementedError


class AccessServer(_Listener):
    """`seen` has one text for each request: "S token abc path=/p".

    context: makes it a TLS server, else it is a plain one.
    """

    def __init__(self, name, context=None):
        self.name = name
        self.seen = []
        self._context = context
        super().__init__()

    def serve(self, accepted):
        if self._context:
            with self._context.wrap_socket(accepted,
                                           server_side=True) as secured:
                self._answer(secured)
        else:
            self._answer(accepted)

    def _answer(self, connection):
        head = _read_until(connection, b"\r\n\r\n").decode("latin-1")
        length = re.search(r"(?im)^content-length: (\d+)", head)
        left = int(length[1]) if length else 0
        while left:
            received = len(connection.recv(left))
            if not received:
                return
            left -= received
        self.seen.append(" ".join([self.name, *self._facts(connection, head)]))
        connection.sendall(ANSWER)

    @staticmethod
    def _facts(connection, head):
        """Login, certificate, impersonation, path and name of a request."""
        first, *lines = head.strip().split("\r\n")
        headers = [line.split(": ", 1) for line in lines]
        login = [value for key, value in headers
                 if key.lower() == "authorization"] or ["anonymous"]
        kind, _, value = login[0].partition(" ")
        if kind == "Basic":
            value = base64.b64decode(value).decode()
        yield " ".join([{"Bearer": "token"}.get(kind, kind.lower()), value]
                       ).strip()
        if isinstance(connection, ssl.SSLSocket):
            subject = (connection.getpeercert() or {}).get("subject", ())
            for ((key, name),) in subject:
                if key == "commonName":
                    yield f"cert={name}"
        prefix = "impersonate-"
        yield from sorted(f"{key.lower()[len(prefix):]}={value}"
                          for key, value in headers
                          if key.lower().startswith(prefix))
        path = ASKED.sub("", first.split(" ")[1])
        if path:
            yield f"path={path}"
        if getattr(connection, "asked_name", None):
            yield f"sni={connection.asked_name}"


def tls_context(certificate, key, client_ca):
    """A server's context that takes client certificates and notes the SNI."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL

    def note(connection, name, _):
        connection.asked_name = name

    context.sni_callback = note
    return context


class Proxy(_Listener):
    """`seen` has one text for each connection: "http host:443 user:pass"."""

    def __init__(self):
        self.seen = []
        super().__init__()

    def serve(self, accepted):
        first = accepted.recv(1, socket.MSG_PEEK)
        port = (self._socks(accepted) if first == b"\x05" else
                self._connect(accepted))
        with socket.create_connection(("127.0.0.1", port), 10) as server:
            while True:
                for end in select.select([accepted, server], [], [], 10)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    (server if end is accepted else accepted).sendall(data)

    def _connect(self, accepted):
        head = _read_until(accepted, b"\r\n\r\n").decode("latin-1")
        target = head.split(" ")[1]
        login = re.search(r"(?im)^proxy-authorization: basic (\S+)", head)
        self.seen.append(" ".join(["http", target] + (
            [base64.b64decode(login[1]).decode()] if login else [])))
        accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        return int(target.rpartition(":")[2])

    def _socks(self, accepted):
        accepted.recv(accepted.recv(2)[1])
        accepted.sendall(b"\x05\x00")
        kind = accepted.recv(4)[3]
        host = (socket.inet_ntoa(accepted.recv(4)) if kind == 1 else
                accepted.recv(accepted.recv(1)[0]).decode())
        port = int.from_bytes(accepted.recv(2), "big")
        self.seen.append(f"socks5 {host}:{port}")
        accepted.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return port
