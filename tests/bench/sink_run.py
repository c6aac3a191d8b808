"""One run of an exporter with sinks, for `sinks` and `forward`, and what its
sinks of type otlp send to.
"""

import multiprocessing
import os
import socket
import sys
import threading
import time

import exporter
import sender

FLAGS = ["--metrics.initial-zero", "0s", "--config.file"]
# An empty success in protobuf; in JSON, one that is not read.
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Collector:
    """A process that takes requests and keeps connections open, or accepts
    connections and never answers. In a process, so that the exporter does not
    wait for this one's interpreter."""

    def __init__(self, answers=True):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._bytes = multiprocessing.Value("q", 0)  # of bodies
        self._process = multiprocessing.Process(
            target=self._accept, args=(answers,), daemon=True)
        self._process.start()
        self._listener.close()

    def take_bytes(self):
        """The bytes of all bodies since the last call."""
        with self._bytes.get_lock():
            taken, self._bytes.value = self._bytes.value, 0
        return taken

    def close(self):
        self._process.kill()
        self._process.join()

    def _accept(self, answers):
        stuck = []
        while True:
            connection, _ = self._listener.accept()
            if answers:
                threading.Thread(target=self._serve, args=(connection,),
                                 daemon=True).start()
            else:
                stuck.append(connection)

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while stream.readline():
                length = 0
                while (line := stream.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                size = len(stream.read(length))
                with self._bytes.get_lock():
                    self._bytes.value += size
                connection.sendall(ANSWER)


def total(program, name):
    text = program.get("/metrics")[2].decode()
    return sum(exporter.parse(text).get(name, {}).values())


def measure(binary, stream, config, core=None):
    """(CPU seconds, wall seconds, delivered, dropped) of one stream."""
    server = sender.Sender(stream.body)
    folder = exporter.tempfile.TemporaryDirectory(prefix="kem-bench-")
    path = os.path.join(folder.name, "config.yaml")
    with open(path, "w", encoding="ascii") as file:
        file.write(config.replace("{folder}", folder.name))
    flags = FLAGS + [path]
    with folder, exporter.Exporter(binary, server.port, flags) as program:
        if core is not None:
            for thread in os.listdir(f"/proc/{program.pid}/task"):
                os.sched_setaffinity(int(thread), {core})
        server.await_watch()
        program.wait_ready()
        cpu, start = program.cpu_seconds(), time.perf_counter()
        server.release()
        server.await_sent()
        wall = program.wait_idle(server.watch_port) - start
        cpu = program.cpu_seconds() - cpu
        delivered = total(program, "kube_event_metrics_sink_delivered_total")
        dropped = total(program, "kube_event_metrics_sink_dropped_total")
        counted = total(program, "kube_event_object_occurrences_total")
        truth = sum(stream.truth.objects.values())
        if counted != truth:
            sys.exit(f"bench: counted {counted}, truth {truth}")
    server.close()
    return cpu, wall, delivered, dropped
