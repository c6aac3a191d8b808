"""The steps of a scenario other than answers: host, files, assertions.

`Steps` extends Play (play.py), which answers lists and watches.
"""

import gzip
import os
import subprocess
import time

import browser
import checks
import play

SCRAPES = 40  # seconds that metrics may take to become as expected
STEADY = 0.25  # seconds after which a condition must be true again


class Steps(play.Play):
    def do_server(self, value):
        """A state (up, refuse, down, drop, mute, full, cut, restore) or a mapping.

        certificate: the authority of the server's certificate; clients: the
        authority that client certificates need.
        """
        if isinstance(value, dict):
            self.server.server_pair = value.get("certificate",
                                                self.server.server_pair)
            self.server.client_authority = value.get(
                "clients", self.server.client_authority)
            return
        self.note(f"server {value}")
        if value in ("cut", "restore"):
            getattr(self.cable, value)()
        else:
            getattr(self.server, value)()

    def do_proxy(self, value):
        """up | mute | deny: what the proxy does with the next connections."""
        self.access.proxy.behavior = value

    def do_file(self, value):
        self.access.write(value)
        self.note(f"file {value}")

    def do_reload(self, value):
        """by: signal | post; config: the file's new text."""
        if "config" in value:
            self.access.write({"config": value["config"]})
        if value["by"] == "post":
            status, _, body = self.exporter.get("/-/reload", method="POST")
            text = body.decode()
            if status != value.get("status", 200):
                raise play.Failure(f"the reload returned {status} {text!r}")
            for part in value.get("has", []):
                if part not in text:
                    raise play.Failure(f"no {part!r} in {text!r}")
            return
        def logged():
            log = self.exporter.stderr()
            return sum(map(log.count, ("msg=Reloaded", "Reload failed",
                                       "Reload ignored")))
        before = logged()
        self.exporter.signal("HUP")
        self._poll(play.PATIENCE,
                   lambda: [] if logged() > before else ["no reload logged"])

    def do_discovery(self, value):
        table = self.server.discovery
        table.mode = value.get("mode", table.mode)
        table.stale = value.get("stale", table.stale)
        for entry in value.get("add", []):
            table.add(entry)

    def do_restart(self, value):
        """Ends the exporter and starts it again, in the same folder.

        In between, cut: bytes to remove from the end of a file; remove: files;
        write: text for a file; do: steps. flags: more flags for the second
        start.
        """
        name = value.get("signal", "TERM")
        self.exporter.signal(name)
        code, _ = self.exporter.wait_exit(12)
        self.note(f"SIG{name}: exit code {code}")
        if code != (-9 if name == "KILL" else 0):
            raise play.Failure(f"SIG{name}: got exit code {code}")
        for script in self.streams.values():
            if script.ended is None:
                script.connection.close()
                self.server.finish(script.exchange)
        self.streams = {}
        for file, count in value.get("cut", {}).items():
            path = self.exporter.path(file)
            os.truncate(path, os.path.getsize(path) - count)
        for file in value.get("remove", []):
            os.remove(self.exporter.path(file))
        for file, text in value.get("write", {}).items():
            with open(self.exporter.path(file), "w",
                      encoding="utf-8") as out:
                out.write(text)
        for step in value.get("do", []):
            self.step(step)
        self.exporter.restart(value.get("flags", []))

    def do_quiet(self, seconds):
        """No request for Events arrives in that time."""
        exchange = self.server.next_exchange(None, float(seconds))
        if exchange:
            raise play.Failure(f"expected {seconds} s without a request, got "
                               f"{exchange.request}")

    def do_hangup(self, value):
        """The exporter closes its watch within `patience` seconds."""
        path = self.last_path
        script = self.streams[path]
        self._poll(value.get("patience", play.PATIENCE), lambda: (
            [] if script.connection.closed_by_client()
            else ["the exporter keeps the watch open"]))
        script.connection.close()
        self._finish(script.exchange)

    def do_await(self, value):
        """Counts on the server's side: discovery, tls_failures, decoy, ...

        plugin_runs: runs of the credential plugin; proxied: connections that
        the proxy opened.
        """
        def wrong():
            got = {"tls_failures": self.server.tls_failures,
                   "decoy": self.server.decoy_connections,
                   "plugin_runs": self.access.plugin_runs()}
            if self.access.proxy:
                got["proxied"] = self.access.proxy.proxied
            for kind in ("discovery", "list", "watch"):
                got[kind] = self.server.count(kind)
            return [f"expected {name} {condition}, got {got[name]}"
                    for name, condition in value.items()
                    if name != "patience"
                    and not checks.compare_all(got[name], condition)]
        self._poll(value.get("patience", play.PATIENCE), wrong)

    def do_stderr(self, value):
        """has: text that the log must contain; not: text that it must not.

        lines: the number of lines that contain a text.
        """
        def wrong():
            text = self.exporter.stderr()
            return [f"the log lacks {one!r}" for one in value.get("has", [])
                    if one not in text] + [
                f"expected {count} lines with {one!r}, got {got}"
                for one, count in value.get("lines", {}).items()
                if (got := sum(one in line for line in text.splitlines()))
                != count]
        self._poll(play.PATIENCE, wrong)
        for one in value.get("not", []):
            if one in self.exporter.stderr():
                raise play.Failure(f"the log contains {one!r}")

    def do_probe(self, value):
        """A request to the exporter, polled until the answer is as expected."""
        def wrong():
            status, headers, body = self.exporter.get(
                value["path"], value.get("headers"))
            if headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            text = body.decode("utf-8", "replace")
            found = []
            if status != value.get("status", 200):
                found.append(f"{value['path']}: expected "
                             f"{value.get('status', 200)}, got {status} "
                             f"{text[:200]!r}")
            for part in value.get("has", []):
                if part not in text:
                    found.append(f"{value['path']}: no {part!r} in "
                                 f"{text[:300]!r}")
            found += [f"{value['path']}: contains {part!r}"
                      for part in value.get("not", []) if part in text]
            for name, expected in value.get("answer_headers", {}).items():
                if headers.get(name) != expected:
                    found.append(f"{value['path']}: expected {name}: "
                                 f"{expected}, got {headers.get(name)}")
            return found
        self._poll(0 if value.get("now") else
                   value.get("patience", play.PATIENCE), wrong)

    def do_browse(self, value):
        """A page of the exporter in a browser."""
        host, port = self.exporter.address
        try:
            page = browser.look(f"http://{host}:{port}{value['path']}")
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            raise play.Failure(str(error)) from None
        wrong = [f"no {part!r} in {page.text!r}"
                 for part in value.get("has", []) if part not in page.text]
        if page.title != value.get("title", page.title):
            wrong.append(f"the title is {page.title!r}")
        wrong += [f"{page.elements[name]} elements {name}, not {count}"
                  for name, count in value.get("elements", {}).items()
                  if page.elements[name] != count]
        if page.handlers:
            wrong.append(f"event handler attributes: {page.handlers}")
        if wrong:
            raise play.Failure("\n".join(wrong))

    def do_expect(self, value):
        """Metrics, polled until all are as expected, then checked once more."""
        def wrong():
            samples = self.exporter.scrape()
            found = []
            if value.get("no_event_series"):
                found += [f"series before the first list: {sample}"
                          for sample in samples
                          if sample[0] in checks.EVENT_FAMILIES]
            if "counts" in value:
                found += checks.check_counts(samples, value["counts"],
                                             value.get("others"))
            for line in value.get("metrics", []):
                problem = checks.check_metric(samples, line)
                found += [problem] if problem else []
            if "peak_mib" in value and not self.exporter.sanitized():
                peak = self.exporter.memory("VmHWM") / 1024
                if not checks.compare_all(peak, value["peak_mib"]):
                    found.append(f"expected a peak of {value['peak_mib']} "
                                 f"MiB, got {peak:.1f}")
            return found
        if value.get("now"):
            self._poll(0, wrong)
            return
        self._poll(value.get("patience", SCRAPES), wrong)
        time.sleep(STEADY)
        self._poll(0, wrong)

    def _poll(self, patience, wrong):
        deadline = time.monotonic() + patience
        while True:
            try:
                found = wrong()
            except checks.Malformed as error:
                raise play.Failure(f"exposition: {error}") from None
            except OSError as error:
                self._check_alive()
                found = [f"no answer from the exporter: {error}"]
            if not found:
                return
            if time.monotonic() >= deadline:
                raise play.Failure("\n".join(found))
            self._check_alive()
            time.sleep(0.05)
