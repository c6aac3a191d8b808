"""A TCP relay on loopback that a test can cut and restore.

It sits between an exporter and the API server. A cut closes every connection
and refuses new ones, like a broken network path behind a working router.
"""

import contextlib
import select
import socket
import threading


class Wire:
    """Relays 127.0.0.1:`port` to `target_port`."""

    def __init__(self, target_port):
        self._target = target_port
        self._lock = threading.Lock()
        self._open = set()
        self._listener = None
        self.port = 0
        self.restore()

    def restore(self):
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
            threading.Thread(target=self._relay, args=(client,),
                             daemon=True).start()

    def _relay(self, client):
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
