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

import otlp
import wire

NONSENSE = b"\x16\x03\x01 this is not HTTP\r\n\r\n"


class Record:
    """The parts of a log record that tests compare."""

    def __init__(self, resource, record):
        self.resource = attributes(resource)
        self.fields = attributes(record)
        self.id = self.fields["log.record.uid"]
        self.object = self.fields["k8s.object.name"]
        self.delta = self.fields["kube_event.delta"]
        self.body = record["body"]["stringValue"]
        self.whole = (resource, record)


def attributes(holder):
    found = {}
    for item in holder["attributes"]:
        value = item["value"]
        if item["key"] in found:
            raise ValueError(f"{item['key']} is there twice")
        found[item["key"]] = (int(value["intValue"]) if "intValue" in value
                              else value["stringValue"])
    return found


def records(request):
    """Of a request as JSON. Each resource is there once."""
    found, resources = [], set()
    for logs in request["resourceLogs"]:
        resource = json.dumps(logs["resource"])
        if resource in resources:
            raise ValueError(f"two groups of {resource}")
        resources.add(resource)
        found += [Record(logs["resource"], record) for scope in logs["scopeLogs"]
                  for record in scope["logRecords"]]
    return found


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
    places = {key: place for place, key in enumerate(written)}
    newest, seen = {}, set()
    for one in taken:
        place = places.get(one.id, len(places))
        if one.id in seen:
            wrong.append(f"{one.id} arrived twice")
        elif place < newest.get(one.object, 0):
            wrong.append(f"{one.id} arrived after a newer one of {one.object}")
        seen.add(one.id)
        newest[one.object] = place
    return wrong


class Receiver:
    """certificates: None for plain HTTP. Clients may show a certificate."""

    MODES = ("up", "slow", "dead", "mute", "413", "429", "500", "503", "cut",
             "cut-answer", "garbage", "garbage-body", "partial")

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
        # What requests must have.
        self.content_type, self.encoding = otlp.PROTOBUF, "gzip"
        self.rejected = []  # by the mode "partial", the first of each request
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
        while (head := connection.read_request()) is not None:
            body = connection.read_body(head)
            self.connections += is_first
            is_first = False
            self.headers.append(head.headers)
            self.clients.append(head.client)
            if not self._answer(head, body, connection) or self.closes_each:
                return

    def _answer(self, head, body, connection):
        """Whether the connection can carry another request."""
        mode = self.next_answers.popleft() if self.next_answers else self.mode
        request = self._read(head, body)
        if self.most and len(request) > self.most:
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
            rejected = request[:1] if mode == "partial" else []
            answer = (NONSENSE if mode == "garbage-body" else otlp.answer(
                self.content_type, len(rejected), "one too many"))
            # Under the lock, so that the next request, which follows the
            # answer, is not taken before this one.
            with self._changed:
                connection.answer(200, answer,
                                  {"Content-Type": self.content_type})
                self.rejected += rejected
                self.taken += request[len(rejected):]
                self._changed.notify_all()
        return True

    def _read(self, head, body):
        """The records of a request; none of a wrong one, which is noted."""
        content_type = head.header("content-type")
        encoding = head.header("content-encoding")
        if head.path != "/v1/logs" or head.method != "POST":
            self.problems.append(f"{head.method} {head.path}")
        if (content_type, encoding) != (self.content_type, self.encoding):
            self.problems.append(f"a request has {content_type}, {encoding}")
            return []
        if encoding == "gzip":
            body = gzip.decompress(body)
        try:
            return records(otlp.read_request(content_type, body))
        except (ValueError, KeyError, IndexError) as trouble:
            self.problems.append(f"a request cannot be read: {trouble}")
            return []
