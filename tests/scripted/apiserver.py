#!/usr/bin/python3
"""The scripted API server: listeners, connections and the record of requests.

`Server` answers discovery and passes every request for Events, as an
`Exchange`, to the player of the scenario (play.py), which writes the answer.
It can also fail as a host: refuse connections, accept and never answer, drop
every connection, come back, or present another certificate.

On the command line it is a stand-in for a cluster: `apiserver.py --stand-in`
prints its URL and replays recorded Events until interrupted (see standin.py).
"""

import argparse
import contextlib
import socket
import ssl
import sys
import threading
import time

import discovery as discovery_module
import wire


class Exchange:
    """A request for Events that waits for its answer."""

    def __init__(self, request, connection):
        self.request = request
        self.connection = connection
        self.done = threading.Event()


class Server:
    """host: address to listen on; certificates: None for plain HTTP."""

    def __init__(self, discovery=None, certificates=None, host="127.0.0.1",
                 port=0, namespace=contextlib.nullcontext):
        self.discovery = discovery or discovery_module.Discovery()
        self.certificates = certificates
        self.host = host
        self.namespace = namespace  # entered around socket creation
        self.prefix = ""  # path before /api, as behind a proxy
        self.server_pair, self.client_authority = "a", "a"
        self.requests = []  # every request, in order of arrival
        self.tls_failures = 0
        self.decoy_connections = 0
        self._pending = []
        self._changed = threading.Condition()
        self._connections = set()
        self._listener = None
        self._fillers = []
        self._holder = self._socket()
        self._holder.bind((host, port))
        self.port = self._holder.getsockname()[1]
        self._decoy = None
        self.stopped = False

    @property
    def url(self):
        scheme = "https" if self.certificates else "http"
        return f"{scheme}://{self.host}:{self.port}"

    def _socket(self):
        # The holder reserves the port while nothing listens: connections are
        # refused, and no other process gets the port.
        with self.namespace():
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return made

    # States of the host.

    def up(self):
        self._listen(128, self._serve)

    def mute(self):
        """Accepts connections and never reads or writes, TLS included."""
        self._listen(128, None)

    def refuse(self):
        """Refuses new connections; open ones stay."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for filler in self._fillers:
            filler.close()
        self._fillers = []

    def down(self):
        self.refuse()
        self.drop()

    def drop(self):
        """Closes every connection: RST on watches, EOF on idle ones."""
        with self._changed:
            busy = {item.connection for item in self._pending}
            everything = list(self._connections)
        for connection in everything:
            if connection in busy or connection.release_holder:
                connection.reset()
            else:
                connection.close()

    def full(self):
        """A full accept queue: SYNs are dropped, connects hang."""
        self.refuse()
        listener = self._socket()
        listener.bind((self.host, self.port))
        listener.listen(0)
        self._listener = listener
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((self.host, self.port))
            self._fillers.append(filler)

    def decoy(self):
        """URL of a listener that must never get a connection."""
        if not self._decoy:
            self._decoy = socket.create_server((self.host, 0))
            threading.Thread(target=self._watch_decoy, daemon=True).start()
        return f"http://{self.host}:{self._decoy.getsockname()[1]}/"

    def _watch_decoy(self):
        while True:
            try:
                accepted, _ = self._decoy.accept()
            except OSError:
                return
            self.decoy_connections += 1
            accepted.close()

    def stop(self):
        self.stopped = True
        self.down()
        self._holder.close()
        if self._decoy:
            self._decoy.close()

    # Requests.

    def next_exchange(self, path, timeout):
        """The oldest waiting exchange (of the path, if given), or None."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for item in self._pending:
                    if path is None or item.request.path == path:
                        self._pending.remove(item)
                        item.connection.release_holder = True
                        return item
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(min(left, 0.5))

    def pending(self, timeout=0.0):
        """Waiting exchanges; waits up to `timeout` seconds for a first one."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending, timeout)
            return list(self._pending)

    def finish(self, exchange):
        """The answer is written; the connection can carry the next request."""
        exchange.connection.release_holder = False
        exchange.done.set()

    def count(self, kind):
        return sum(request.kind == kind for request in list(self.requests))

    # Connections.

    def _listen(self, backlog, handler):
        self.refuse()
        listener = self._socket()
        listener.bind((self.host, self.port))
        listener.listen(backlog)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener, handler),
                         daemon=True).start()

    def _accept(self, listener, handler):
        muted = []
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if handler is None:
                muted.append(accepted)
                continue
            threading.Thread(target=handler, args=(accepted,),
                             daemon=True).start()

    def _context(self):
        certificates = self.certificates
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            *certificates.pair("server", "apiserver", self.server_pair))
        context.load_verify_locations(
            certificates.authority(self.client_authority))
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _serve(self, accepted):
        if self.certificates:
            accepted.settimeout(30)
            try:
                accepted = self._context().wrap_socket(accepted,
                                                       server_side=True)
            except (OSError, ValueError):
                self.tls_failures += 1
                return
            accepted.settimeout(None)
        connection = wire.Connection(accepted)
        connection.release_holder = False
        self._connections.add(connection)
        try:
            while connection.open:
                request = connection.read_request()
                if request is None:
                    break
                self.requests.append(request)
                self._dispatch(request, connection)
        except wire.Gone:
            pass
        finally:
            self._connections.discard(connection)
            connection.close()

    def _dispatch(self, request, connection):
        if not request.path.startswith(self.prefix):
            connection.answer(404, "404 page not found\n")
            return
        request.path = request.path[len(self.prefix):]
        if not request.is_events:
            if not self.discovery.answer(connection, request):
                connection.answer(404, "404 page not found\n")
            return
        exchange = Exchange(request, connection)
        with self._changed:
            self._pending.append(exchange)
            self._changed.notify_all()
        while not exchange.done.wait(0.2):
            if self.stopped:
                return
            if not connection.open:
                return


def main():
    parser = argparse.ArgumentParser(
        description="Runs the scripted API server as a stand-in for a cluster.")
    parser.add_argument("--stand-in", action="store_true",
                        help="replay the recordings as a cluster would")
    parser.add_argument("--port", type=int, default=0,
                        help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--speed", type=float, default=4.0,
                        help="Events a second (default: %(default)s)")
    arguments = parser.parse_args()
    if not arguments.stand_in:
        parser.error("pass --stand-in; run_scenario.py runs scenarios")
    import standin  # pylint: disable=import-outside-toplevel
    return standin.serve(arguments.port, arguments.speed)


if __name__ == "__main__":
    sys.exit(main())
