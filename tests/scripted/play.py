"""Plays one scenario: answers the exporter, changes its environment, asserts.

The steps of `play:` run strictly one after the other. `list` and `watch` wait
for the exporter's next request for Events, compare it and answer it. The other
steps change the host, the files or the process, or assert. A request that no
step expects fails the scenario, so that the script also asserts the numbers of
lists and watches. README.md describes the grammar.
"""

import math
import time

import checks
import discovery
import objects
import rules
import stream
import wire

PATIENCE = 60  # seconds that a step waits by default
PATHS = {"core": "/api/v1", "events.k8s.io": "/apis/events.k8s.io/v1"}


REQUEST = ["after", "body", "answer_headers", "continue", "client", "do",
           "fail", "from", "group", "head_delay", "headers", "hold",
           "location", "ns", "page", "patience", "query", "retry_after",
           "token"]
KEYS = {  # the words of each step: a typo must not weaken a scenario
    "list": REQUEST + ["items", "raw", "rv"],
    "watch": REQUEST + ["gzip", "send", "timeout", "until_close"],
    "send": ["group", "ns", "send"],
    "during": ["list", "list_per_watch", "lists", "patience", "seconds",
               "until", "watch", "watches"],
    "expect": ["counts", "metrics", "no_event_series", "now", "others",
               "patience", "peak_mib"],
    "probe": ["answer_headers", "has", "headers", "not", "now", "path",
              "patience", "status"],
    "browse": ["elements", "has", "path", "title"],
    "await": ["decoy", "discovery", "list", "patience", "plugin_runs",
              "proxied", "tls_failures", "watch"],
    "stop": ["code", "signal", "within"],
    "restart": ["cut", "do", "flags", "remove", "signal", "write"],
    "server": ["certificate", "clients"],
    "file": ["ca", "client", "config", "plugin", "token"],
    "reload": ["by", "config", "has", "status"],
    "discovery": ["add", "mode", "stale"],
    "stderr": ["has", "lines", "not"],
    "hangup": ["patience"],
    "quiet": [],
    "proxy": [],
}


def check_steps(steps):
    """Raises ValueError for an unknown step or word."""
    for step in steps:
        (name, value), = step.items()
        if name not in KEYS:
            raise ValueError(f"unknown step {name!r}")
        if not isinstance(value, dict):
            continue
        unknown = set(value) - set(KEYS[name])
        if unknown:
            raise ValueError(f"unknown words of {name}: "
                             f"{', '.join(sorted(unknown))}")
        check_steps(value.get("do", []))
        for kind in ("list", "watch"):
            if name == "during" and kind in value:
                check_steps([{kind: value[kind]}])


def _group(request):
    return "core" if request.path.startswith("/api/") else "events.k8s.io"


def _stream(path):
    """The key of a stream: its namespace, whatever the API group."""
    return path.split("/v1", 1)[1]


class Failure(Exception):
    """The scenario failed; the text names what was expected."""


class Play:
    def __init__(self, scenario, server, access, exporter, cable=None):
        self.scenario = scenario
        self.server = server
        self.access = access
        self.exporter = exporter
        self.cable = cable
        self.tls = server.certificates is not None
        self.began = time.monotonic()
        self.world = objects.World(time.time())
        self.committed = set()  # paths whose first list is complete
        self.streams = {}
        self.last_path = None
        self.last_end = {}  # namespace -> end of the last answer
        self.trace = []
        seconds = 290
        for flag in scenario.get("flags", []):
            if flag.startswith("--watch.timeout="):
                seconds = int(flag.split("=")[1].rstrip("s"))
        self.timeouts = (math.floor(seconds * 24 / 29), seconds)
        self.stopped = False

    def note(self, text):
        self.trace.append(f"{time.monotonic() - self.began:8.2f}s  {text}")

    def run(self):
        check_steps(self.scenario["play"])
        for number, step in enumerate(self.scenario["play"], 1):
            try:
                self.step(step)
            except Failure as error:
                raise Failure(f"step {number} {self._short(step)}:\n"
                              f"{error}") from None
        self.no_request_left()
        if not self.stopped:
            self.do_stop({})

    @staticmethod
    def _short(step):
        text = str(step)
        return text if len(text) < 160 else text[:157] + "..."

    def step(self, step):
        (name, value), = step.items()
        getattr(self, "do_" + name)(value)

    # Requests for Events.

    def _path(self, value):
        base = PATHS.get(value.get("group"), PATHS["core"])
        return (f"{base}/namespaces/{value['ns']}/events" if "ns" in value
                else base + "/events")

    def _next(self, kind, value):
        path = self._path(value)
        wanted = path if "ns" in value else None
        exchange = self.server.next_exchange(
            wanted, value.get("patience", PATIENCE))
        if exchange is None:
            self._check_alive()
            raise Failure(f"expected a {kind} of {path}, got no request")
        self._check_request(kind, path, value, exchange.request)
        for step in value.get("do", []):
            self.step(step)
        return exchange

    def _check_request(self, kind, path, value, request):
        since = request.time - self.last_end.get(_stream(request.path),
                                                 self.began)
        self.note(f"{request}  ({since:.2f} s after the last answer)")
        wrong = []
        paths = [path]
        if value.get("group") == "any":
            paths.append(path.replace(PATHS["core"], PATHS["events.k8s.io"]))
        if request.kind != kind or request.path not in paths:
            raise Failure(f"expected a {kind} of {path}\ngot      {request}")
        wrong += rules.broken(request, value.get("timeout", self.timeouts),
                              self.access.tokens, self.tls)
        if "after" in value and not checks.compare_all(since, value["after"]):
            wrong.append(f"expected {value['after']} after the last answer, "
                         f"got {since:.2f} s")
        if kind == "watch":
            versions = str(value.get("from", "any")).split("|")
            got = request.query.get("resourceVersion")
            if versions != ["any"] and got not in versions:
                wrong.append(f"expected resourceVersion {value['from']}, "
                             f"got {got}")
        else:
            got = request.query.get("continue", "")
            if got != value.get("page", ""):
                wrong.append(f"expected continue token "
                             f"{value.get('page', '')!r}, got {got!r}")
        wrong += self._check_credentials(value, request)
        for name, expected in value.get("query", {}).items():
            if request.query.get(name, "absent") != str(expected):
                wrong.append(f"expected {name}={expected}, got "
                             f"{request.query.get(name, 'absent')}")
        for name, expected in value.get("headers", {}).items():
            got = request.header(name) or "absent"
            if got != expected:
                wrong.append(f"expected header {name}: {expected}, got {got}")
        if wrong:
            raise Failure("\n".join(wrong + [f"in       {request}"]))

    def _check_credentials(self, value, request):
        if not self.tls:
            return []
        wrong = []
        default = ("token-1" if self.access.credentials == "token" else None)
        token = value.get("token", default)
        if token and request.header("authorization") != f"Bearer {token}":
            wrong.append(f"expected the credentials Bearer {token}, got "
                         f"{request.header('authorization')}")
        client = value.get("client")
        if client is None and self.access.credentials == "clientCert":
            client = "client-1"
        if client and request.client != client:
            wrong.append(f"expected the client certificate {client}, got "
                         f"{request.client}")
        return wrong

    def _fail(self, exchange, value):
        """Answers with an error: `fail: 410 Expired`."""
        code, _, reason = str(value["fail"]).partition(" ")
        headers = dict(value.get("answer_headers", {}))
        if "retry_after" in value:
            headers["Retry-After"] = value["retry_after"]
        if "location" in value:
            headers["Location"] = (self.server.decoy()
                                   if value["location"] == "decoy"
                                   else value["location"])
        body = value.get("body")
        if body is None:
            body = discovery.status(int(code), reason or None,
                                    f"scripted {code}", value.get("continue"))
        exchange.connection.answer(int(code), body, headers)
        self.note(f"    -> {value['fail']}")

    def _finish(self, exchange):
        self.last_end[_stream(exchange.request.path)] = time.monotonic()
        self.server.finish(exchange)

    def do_list(self, value):
        exchange = self._next("list", value)
        self.answer_list(exchange, value)

    def answer_list(self, exchange, value):
        if value.get("hold"):
            self.note("    -> held")
            return
        if value.get("head_delay"):
            time.sleep(value["head_delay"])
        try:
            if "fail" in value:
                self._fail(exchange, value)
            elif "raw" in value:
                exchange.connection.answer(
                    200, value["raw"].encode(),
                    {"Content-Type": "application/json"})
            else:
                self._answer_items(exchange, value)
        except wire.Gone:
            self.note("    -> the client was gone")
        self._finish(exchange)

    def _answer_items(self, exchange, value):
        group, items = _group(exchange.request), []
        for entry in value.get("items", []):
            words = entry if isinstance(entry, dict) else {"item": entry}
            for line in objects.expand(words["item"]):
                spec = self.world.event(line, list_rv=value["rv"])
                item = self.world.render(spec, group, words.get("merge"))
                stream.fatten(item, words, group)
                del item["kind"], item["apiVersion"]  # as the server does
                items.append(item)
        metadata = {"resourceVersion": str(value["rv"])}
        if "continue" in value:
            metadata["continue"] = value["continue"]
            metadata["remainingItemCount"] = 1000
        api = "v1" if group == "core" else "events.k8s.io/v1"
        path = exchange.request.path
        date = None if path in self.committed else self.world.horizon
        exchange.connection.answer(
            200, {"kind": "EventList", "apiVersion": api,
                  "metadata": metadata, "items": items}, date=date)
        if "continue" not in value:
            self.committed.add(path)
        self.note(f"    -> {len(items)} items, rv {value['rv']}")

    def do_watch(self, value):
        exchange = self._next("watch", value)
        self.answer_watch(exchange, value)

    def answer_watch(self, exchange, value):
        path = exchange.request.path
        self.last_path = path
        if value.get("head_delay"):
            time.sleep(value["head_delay"])
        if value.get("hold"):
            self.note("    -> held")
            return
        try:
            if "fail" in value:
                self._fail(exchange, value)
                self._finish(exchange)
                return
            accepts = exchange.request.header("accept-encoding") or ""
            exchange.connection.start_stream(
                use_gzip=bool(value.get("gzip")) and "gzip" in accepts,
                until_close=bool(value.get("until_close")))
        except wire.Gone:
            self.note("    -> the client was gone")
            self._finish(exchange)
            return
        old = self.streams.get(path)
        if old and old.ended is None:  # the exporter abandoned it
            old.connection.close()
            self.server.finish(old.exchange)
        self.streams[path] = stream.Stream(exchange, self.world,
                                           _group(exchange.request))
        self._send(path, value.get("send", []))

    def do_send(self, value):
        """More lines on the open watch (with ns: of that namespace)."""
        if isinstance(value, list):
            self._send(self.last_path, value)
        else:
            self._send(self._path(value), value["send"])

    def _send(self, path, items):
        script = self.streams[path]
        for item in items:
            self.note(f"    {item}")
            try:
                script.send(item)
            except wire.Gone:
                self.note("    the client closed the connection")
                script.end()
            if script.ended is not None:
                self._finish(script.exchange)
                return
        self.last_end[_stream(path)] = time.monotonic()

    def do_during(self, value):
        """Answers all requests for some seconds, then compares their number."""
        deadline = time.monotonic() + value["seconds"]
        seen = {"list": 0, "watch": 0}
        until, patience = value.get("until"), value.get("patience", PATIENCE)
        while True:
            left = deadline - time.monotonic()
            waiting = self.server.pending(min(max(left, 0.1), 1))
            left = deadline - time.monotonic()
            if left <= 0 and (not until or any(
                    item.request.kind == until for item in waiting)):
                break
            if left < -patience:
                raise Failure(f"no {until} within {patience} s")
            if not waiting:
                self._check_alive()
                continue
            exchange = self.server.next_exchange(None, 0)
            kind = exchange.request.kind
            seen[kind] += 1
            answer = value.get(kind)
            if answer is None:
                raise Failure(f"unexpected {kind}: {exchange.request}")
            self._check_request(kind, self._path(answer), answer,
                                exchange.request)
            (self.answer_list if kind == "list" else self.answer_watch)(
                exchange, answer)
        for name, kind in (("lists", "list"), ("watches", "watch")):
            if name in value and not checks.compare_all(seen[kind],
                                                        value[name]):
                raise Failure(f"expected {name} {value[name]}, got {seen}")
        if value.get("list_per_watch") and seen["list"] < seen["watch"] - 1:
            raise Failure(f"expected a list for each watch, got {seen}")

    # The end.

    def _check_alive(self):
        if self.exporter.process and not self.exporter.running():
            raise Failure("the exporter has ended with code "
                          f"{self.exporter.process.returncode}")

    def no_request_left(self):
        left = [str(item.request) for item in self.server.pending()]
        if left:
            raise Failure("requests that no step expects:\n" + "\n".join(left))

    def do_stop(self, value):
        """Ends the exporter with a signal: exit code 0 within 12 s."""
        self._check_alive()
        name, within = value.get("signal", "TERM"), value.get("within", 12)
        self.exporter.signal(name)
        code, seconds = self.exporter.wait_exit(within)
        self.stopped = True
        self.note(f"SIG{name}: exit code {code} after {seconds:.2f} s")
        if code is None:
            raise Failure(f"SIG{name}: still running after {within} s")
        if code != value.get("code", 0):
            raise Failure(f"SIG{name}: expected exit code "
                          f"{value.get('code', 0)}, got {code}")
