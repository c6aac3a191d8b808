"""A TCP forwarder on loopback that can be cut and mended.

Stands between an exporter and the API server: a cut closes every connection
and refuses new ones, as a broken network path with a live router does.
"""

import contextlib
import select
import socket
import threading


class Wire:
    """Forwards 127.0.0.1:`port` to `target_port` from the start."""

    def __init__(self, target_port):
        self._target = target_port
        self._lock = threading.Lock()
        self._open = set()
        self._listener = None
        self.port = 0
        self.mend()

    def mend(self):
        self._listener = listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(16)
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,),
                         daemon=True).start()

    def cut(self):
        # shutdown() wakes the thread that blocks in accept(), close() alone
        # would leave the port open until the next connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,),
                             daemon=True).start()

    def _forward(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self._target), 5)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        other = {client: server, server: client}
        try:
            while True:
                for end in select.select(list(other), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    other[end].sendall(data)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {client, server}
            client.close()
            server.close()
