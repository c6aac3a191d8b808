"""The stand-in for a cluster (tests/scripted), and TLS in front of it."""

import os
import re
import select
import socket
import ssl
import threading

from rig import processes

_PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "scripted", "apiserver.py")


class StandIn:
    """Replays recorded Events at `url`."""

    def __init__(self, folder):
        self._process = processes.Process(folder, "stand-in", [
            "/usr/bin/python3", "-B", _PROGRAM, "--stand-in", "--speed=50"])
        self.url = processes.wait_until(self._find_url, 15, "the stand-in")

    def _find_url(self):
        self._process.expect_running()
        found = re.search(r"http://\S+:\d+", self._process.log())
        return found and found.group()

    def close(self):
        self._process.kill()


class TlsFront:
    """Terminates TLS and records the tokens of the requests."""

    def __init__(self, target, certificate, key):
        self.tokens = set()
        self._target = int(target.rpartition(":")[2])
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,),
                             daemon=True).start()

    def _serve(self, accepted):
        try:
            with self._context.wrap_socket(accepted, server_side=True) as near, \
                    socket.create_connection(("127.0.0.1",
                                              self._target)) as far:
                while True:
                    ready = select.select([near, far], [], [])[0]
                    for source, sink in ((near, far), (far, near)):
                        if source in ready:
                            data = source.recv(65536)  # a TLS record at most
                            if not data:
                                return
                            if source is near:
                                self._note(data)
                            sink.sendall(data)
        except OSError:
            pass

    def _note(self, data):
        self.tokens.update(re.findall(rb"[Aa]uthorization: Bearer (\S+)", data))
