"""A receiver for the sink `otlp`: accepts logs by OTLP/HTTP, or plays a fault.

`taken` has each accepted record, in order. A record counts as accepted only
with a complete answer, not when a fault swallows it. `play` sets the mode
(`dead` refuses connections and ends those that are open), `next_answers` the
modes of the next requests. A connection serves one request after the other,
unless the receiver `closes_each`.
"""

import collections
import contextlib
import gzip
import json
import socket
import ssl
import threading
import time

import wire

NONSENSE = b"\x16\x03\x01 this is not HTTP\r\n\r\n"


class Record:
    """The parts of a log record that tests compare."""

    def __init__(self, resource, record):
        self.resource = attributes(resource)
        self.fields = attributes(record)
        self.id = self.fields["event.id"]
        self.object = self.resource["k8s.object.name"]
        self.delta = self.fields["kube_event.delta"]
        self.version = int(self.id.rpartition("/")[2])
        self.body = record["body"]["stringValue"]


def attributes(holder):
    found = {}
    for item in holder["attributes"]:
        value = item["value"]
        found[item["key"]] = (int(value["intValue"]) if "intValue" in value
                              else value["stringValue"])
    return found


def records(body):
    return [Record(logs["resource"], record)
            for logs in json.loads(body)["resourceLogs"]
            for scope in logs["scopeLogs"] for record in scope["logRecords"]]


def compare(taken, written, once=True):
    """The differences between records and {id: delta}, one line each."""
    found = {one.id: one.delta for one in taken}
    wrong = [f"{key} is lost" for key in written.keys() - found.keys()]
    wrong += [f"{key} was never written"
              for key in found.keys() - written.keys()]
    wrong += [f"{key}: written {written[key]}, taken {found[key]}"
              for key in written.keys() & found.keys()
              if written[key] != found[key]]
    if not once:
        return wrong
    newest, seen = {}, set()
    for one in taken:
        if one.id in seen:
            wrong.append(f"{one.id} arrived twice")
        elif one.version < newest.get(one.object, 0):
            wrong.append(f"{one.id} arrived after a newer one of {one.object}")
        seen.add(one.id)
        newest[one.object] = one.version
    return wrong


class Receiver:
    """certificates: None for plain HTTP. Clients may show a certificate."""

    MODES = ("up", "slow", "dead", "mute", "413", "429", "500", "503", "cut",
             "cut-answer", "garbage", "garbage-body")

    def __init__(self, certificates=None, closes_each=False):
        self.certificates = certificates
        self.closes_each = closes_each
        self.connections = 0  # that reached a request; with TLS, handshakes
        self.taken = []
        self.problems = []  # with requests
        self.answered = dict.fromkeys(self.MODES, 0)
        self.headers = []  # of each request
        self.clients = []  # names in certificates, of each request
        self.mode = "up"
        self.most = None  # records in a request; more get 413
        self.next_answers = collections.deque()
        self._changed = threading.Condition()
        self._open = set()
        self._listener = None
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind(("127.0.0.1", 0))
        self.port = self._holder.getsockname()[1]
        self._listen()

    @property
    def url(self):
        scheme = "https" if self.certificates else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def play(self, mode):
        assert mode in self.MODES, mode
        self.mode = mode
        if mode == "dead":
            self._refuse()
            self.hang_up()
        elif not self._listener:
            self._listen()

    def hang_up(self):
        """Ends all open connections, as after an idle timeout."""
        for connection in list(self._open):
            # close() would not wake the thread that reads.
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self._refuse()
        self.hang_up()
        self._holder.close()

    def wait_for(self, count, seconds):
        """Whether `count` records are taken within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.taken) >= count,
                                          seconds)

    def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,),
                         daemon=True).start()

    def _refuse(self):
        listener, self._listener = self._listener, None
        if listener:
            # Without shutdown() the accept would go on.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener):
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,),
                             daemon=True).start()

    def _serve(self, accepted):
        connection = None
        try:
            # Else the two writes of an answer wait for an acknowledgement.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.certificates:
                accepted = self._context().wrap_socket(accepted,
                                                       server_side=True)
            connection = wire.Connection(accepted)
            self._open.add(connection)
            self._serve_requests(connection)
            connection.close_notify()
        except (OSError, wire.Gone):
            pass
        finally:
            self._open.discard(connection)
            accepted.close()

    def _context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            *self.certificates.pair("server", "receiver", "a"))
        context.load_verify_locations(self.certificates.authority("a"))
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _serve_requests(self, connection):
        is_first = True
        while (request := connection.read_request()) is not None:
            body = connection.read_body(request)
            self.connections += is_first
            is_first = False
            self.headers.append(request.headers)
            self.clients.append(request.client)
            if not self._answer(request, body, connection) or self.closes_each:
                return

    def _answer(self, request, body, connection):
        """Whether the connection can carry another request."""
        mode = self.next_answers.popleft() if self.next_answers else self.mode
        if self.most and len(records(gzip.decompress(body))) > self.most:
            mode = "413"
        self.answered[mode] += 1
        if mode == "mute":
            while not connection.closed_by_client():
                time.sleep(0.05)
            return False
        if mode in ("413", "429", "500", "503"):
            connection.answer(int(mode), "not now",
                              {"Retry-After": "1"} if mode == "429" else {})
        elif mode == "garbage":
            connection.write(NONSENSE)
            return False
        elif mode == "cut-answer":
            connection.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            return False
        elif mode == "cut":
            return False
        else:
            if mode == "slow":
                time.sleep(0.3)
            answer = NONSENSE if mode == "garbage-body" else b"{}"
            # Under the lock, so that the next request, which follows the
            # answer, is not taken before this one.
            with self._changed:
                connection.answer(200, answer,
                                  {"Content-Type": "application/json"})
                self._take(request, body)
        return True

    def _take(self, request, body):
        if request.path != "/v1/logs" or request.method != "POST":
            self.problems.append(f"{request.method} {request.path}")
        if request.header("content-encoding") != "gzip":
            self.problems.append("a request is not compressed")
            return
        self.taken += records(gzip.decompress(body))
        self._changed.notify_all()
