"""A proxy between the exporter and the scripted API server.

http and https proxies accept CONNECT and absolute-form requests, socks5 proxies
RFC 1928. With credentials, they reject clients without them. `behavior` makes
the proxy mute or lets it deny every client.
"""

import base64
import contextlib
import re
import select
import socket
import ssl
import threading
import urllib.parse


def _receive(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("the client closed the connection")
        data += more
    return data


class Proxy:
    """kind: http | https | socks5; credentials: "user:password" or None."""

    def __init__(self, kind, credentials=None, certificate=None):
        self.kind = kind
        self.credentials = credentials
        self.behavior = "up"
        self.proxied = 0  # connections opened for clients
        self._context = None
        if kind == "https":
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        user = ""
        if self.credentials:
            user = urllib.parse.quote(self.credentials, safe=":") + "@"
        return f"{self.kind}://{user}127.0.0.1:{self.port}"

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        server = None
        with contextlib.suppress(OSError):
            if self.behavior == "mute":
                client.recv(1 << 16)
                select.select([client], [], [], 60)
                return
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            server = (self._socks(client) if self.kind == "socks5" else
                      self._http(client))
            if server:
                self.proxied += 1
                self._relay(client, server)
        for end in (client, server):
            if end:
                end.close()

    def _http(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _receive(client, 1)
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        wanted = b""
        if self.credentials:
            wanted = (b"\r\nProxy-Authorization: Basic " +
                      base64.b64encode(self.credentials.encode()) + b"\r\n")
        if self.behavior == "deny" or wanted not in head:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            return None
        if method == "CONNECT":
            host, port = target.rsplit(":", 1)
            server = socket.create_connection((host, int(port)), 5)
            client.sendall(b"HTTP/1.1 200 OK\r\nVia: scripted\r\n\r\n")
            return server
        url = urllib.parse.urlsplit(target)
        server = socket.create_connection((url.hostname, url.port), 5)
        origin = f"{url.path}?{url.query}" if url.query else url.path
        head = head.replace(target.encode(), origin.encode(), 1)
        # The header is for the proxy, not for the server.
        server.sendall(re.sub(rb"\r\nProxy-Authorization: [^\r]*", b"", head))
        return server

    def _socks(self, client):
        methods = _receive(client, _receive(client, 2)[1])
        if not self.credentials:
            client.sendall(b"\x05\x00")
        elif 2 not in methods:
            client.sendall(b"\x05\xff")
            return None
        else:
            client.sendall(b"\x05\x02")
            user = _receive(client, _receive(client, 2)[1])
            password = _receive(client, _receive(client, 1)[0])
            good = b"%s:%s" % (user, password) == self.credentials.encode()
            client.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return None
        _, _, _, kind = _receive(client, 4)
        if kind == 1:
            host = socket.inet_ntoa(_receive(client, 4))
        else:
            host = _receive(client, _receive(client, 1)[0]).decode()
        port = int.from_bytes(_receive(client, 2), "big")
        if self.behavior == "deny":
            client.sendall(b"\x05\x02\x00\x01" + bytes(6))
            return None
        server = socket.create_connection((host, port), 5)
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return server

    def _relay(self, client, server):
        other = {client: server, server: client}
        while True:
            if not (self._context and client.pending()):
                ready = select.select(list(other), [], [])[0]
            else:
                ready = [client]
            for end in ready:
                data = end.recv(1 << 16)
                if not data:
                    return
                other[end].sendall(data)
