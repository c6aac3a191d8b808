#!/usr/bin/python3
"""Always responsive: scrapes, /livez, reloads and SIGTERM, whatever hangs.

    KEM_EXPORTER=build/exporter/kube-event-metrics tests/scripted/test_responsive.py

Name servers, receivers, pipes and disks hang or are full while 30 clients scrape
in a loop. The bounds are those of users: Prometheus waits 10 s for a scrape, and
SIGTERM ends the exporter within 12 s. What needs root is skipped without it.
"""

import contextlib
import fcntl
import os
import random
import signal
import socket
import subprocess
import threading
import time
import unittest

from exporter import Exporter
from hanging import HangingReceiver, SilentNameServer
from sink_case import SinkCase

ANSWER = 10.0  # seconds
STOP = 12
CLIENTS = 30
ROOT = os.geteuid() == 0
# In /etc/resolv.conf of the exporter: a look-up hangs for minutes.
RESOLV_CONF = "nameserver {address}\noptions timeout:30 attempts:5\n"
# sh -c SCRIPT sh COMMAND...: the mounts exist for the exporter only.
WITH_RESOLV_CONF = ("mount --bind resolv.conf /etc/resolv.conf && exec \"$@\"")
WITH_SMALL_DISK = ("mount -t tmpfs -o size=96k none disk && exec \"$@\"")


def in_own_mounts(script):
    return ("unshare", "--mount", "sh", "-c", script, "sh")


class ResponsiveCase(SinkCase):

    def launch(self, *flags, prefix=(), api=None, listen="127.0.0.1:0"):
        """An exporter in a folder of its own, not ready yet."""
        folder = self.path("exporter")
        os.makedirs(folder, exist_ok=True)
        exporter = Exporter(os.path.abspath(os.environ["KEM_EXPORTER"]), folder,
                            prefix)
        self.addCleanup(exporter.kill)
        exporter.start([f"--apiserver={api or self.cluster.url}",
                        f"--web.listen-address={listen}",
                        "--metrics.initial-zero=0s", "--config.file",
                        self.path("config.yaml"), *flags])
        return exporter

    def launch_ready(self, *flags, prefix=()):
        exporter = self.launch(*flags, prefix=prefix)
        self.wait_ready(exporter)
        time.sleep(1.1)  # so that Events are newer than the baseline
        return exporter

    def store(self, url, **more):
        """A configuration with one sink of type otlp."""
        keys = "".join(f", {key}: {value}" for key, value in more.items())
        self.config(f"sinks:\n- {{name: store, type: otlp, endpoint: '{url}'"
                    f"{keys}}}\n")

    def post_reload(self, exporter):
        begin = time.monotonic()
        status, _, body = exporter.get("/-/reload", method="POST")
        self.assertLess(time.monotonic() - begin, ANSWER)
        self.assertEqual(status, 200, body)

    def hang_up(self, exporter):
        """Reloads by SIGHUP."""
        done = "kube_event_metrics_config_reloads_total"
        before = self.sample(exporter, done, result="success")
        exporter.signal("HUP")
        self.assertTrue(self.until(lambda: self.sample(
            exporter, done, result="success") > before, ANSWER))

    @contextlib.contextmanager
    def crowd(self, exporter):
        """Clients that scrape meanwhile: each gets an answer each time."""
        over, wrong, served = threading.Event(), [], [0] * CLIENTS

        def scrape(number):
            path = "/livez" if number % 3 == 0 else "/metrics"
            while not over.is_set():
                begin = time.monotonic()
                try:
                    status = exporter.get(path)[0]
                except OSError as error:
                    status = error
                took = time.monotonic() - begin
                if status != 200 or took > ANSWER:
                    wrong.append(f"{path}: {status} after {took:.1f} s")
                served[number] += 1
        threads = [threading.Thread(target=scrape, args=(number,))
                   for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
            self.assertTrue(self.until(lambda: min(served) >= 3, ANSWER * 3))
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])

    def expect_end(self, exporter, code=0):
        exporter.signal("TERM")
        ended, _ = exporter.wait_exit(STOP)
        self.assertEqual(ended, code, exporter.stderr()[-2000:])

    @staticmethod
    def threads(exporter):
        return len(os.listdir(f"/proc/{exporter.process.pid}/task"))


@unittest.skipUnless(ROOT, "needs root to replace /etc/resolv.conf")
class NameServerCase(ResponsiveCase):

    def setUp(self):
        super().setUp()
        self.names = SilentNameServer()
        self.addCleanup(self.names.stop)
        os.makedirs(self.path("exporter"), exist_ok=True)
        self.config(RESOLV_CONF.format(address=self.names.address),
                    "exporter/resolv.conf")
        self.config("")


class NameServerTest(NameServerCase):

    def test_the_name_of_a_collector(self):
        receiver = self.make_receiver()
        self.store("http://collector.example:4318")
        exporter = self.launch_ready(prefix=in_own_mounts(WITH_RESOLV_CONF))
        self.happen("n-1")
        self.assertTrue(self.until(
            lambda: self.names.was_asked("collector.example")))
        before = self.threads(exporter)
        with self.crowd(exporter):
            for number in range(20):
                self.store("http://collector.example:4318",
                           **{"queue-entries": 1000 + number})
                self.post_reload(exporter)
                self.happen("n-1")
                self.hang_up(exporter)
        self.assertLessEqual(self.threads(exporter), before)
        self.expect_counted(exporter)
        self.store(receiver.url)
        self.post_reload(exporter)
        self.expect_delivered(receiver)
        self.store("http://other.example:4318")
        self.post_reload(exporter)
        self.happen("n-2")
        self.assertTrue(self.until(
            lambda: self.names.was_asked("other.example")))
        self.expect_end(exporter)

    def test_the_name_of_the_api_server(self):
        exporter = self.launch(api="http://api.example:8080",
                               prefix=in_own_mounts(WITH_RESOLV_CONF))
        exporter.wait_listening()
        self.assertTrue(self.until(lambda: self.names.was_asked("api.example")))
        with self.crowd(exporter):
            self.post_reload(exporter)
            self.hang_up(exporter)
        self.assertEqual(exporter.get("/readyz")[0], 503)
        self.expect_end(exporter)

    def test_sigterm_at_any_time_of_the_start(self):
        for _ in range(10):
            exporter = self.launch(api="http://api.example:8080",
                                   prefix=in_own_mounts(WITH_RESOLV_CONF))
            self.assertTrue(self.until(lambda one=exporter: blocks_sigterm(one)))
            time.sleep(random.random() / 5)
            self.expect_end(exporter)

    def test_the_name_to_listen_on(self):
        exporter = self.launch(listen="here.example:0",
                               prefix=in_own_mounts(WITH_RESOLV_CONF))
        self.assertTrue(self.until(
            lambda: self.names.was_asked("here.example")))
        self.expect_end(exporter, code=1)
        self.assertIn("cannot listen on here.example:0", exporter.stderr())


def blocks_sigterm(exporter):
    """Whether its start has come so far; SIGTERM waits from then on."""
    proc = f"/proc/{exporter.process.pid}"
    if os.readlink(f"{proc}/exe") != exporter.binary:
        return False  # still a shell
    # Not of the first thread only, which unblocks it to wait for it.
    for task in os.listdir(f"{proc}/task"):
        with open(f"{proc}/task/{task}/status", encoding="ascii") as file:
            blocked, = (int(line.split()[1], 16) for line in file
                        if line.startswith("SigBlk:"))
        if blocked >> (signal.SIGTERM - 1) & 1:
            return True
    return False


class ReceiverTest(ResponsiveCase):

    def check(self, phase):
        hanging = HangingReceiver(phase)
        self.addCleanup(hanging.stop)
        receiver = self.make_receiver()
        self.store("http://127.0.0.1:1")
        exporter = self.launch_ready()
        dice = random.Random(3)
        for _ in range(300):  # a batch that no buffer takes
            self.happen("n-1", message=dice.randbytes(1500).hex())
        self.expect_counted(exporter)
        self.store(hanging.url)
        self.post_reload(exporter)
        self.assertTrue(hanging.reached.wait(ANSWER), phase)
        with self.crowd(exporter):
            self.store(receiver.url)
            self.post_reload(exporter)
            self.expect_delivered(receiver)
        again = HangingReceiver(phase)
        self.addCleanup(again.stop)
        self.store(again.url)
        self.hang_up(exporter)
        for _ in range(300):
            self.happen("n-2", message=dice.randbytes(1500).hex())
        self.assertTrue(again.reached.wait(ANSWER), phase)
        self.expect_end(exporter)

    def test_connect(self):
        self.check("connect")

    def test_handshake(self):
        self.check("handshake")

    def test_request_body(self):
        self.check("request body")

    def test_response_head(self):
        self.check("response head")

    def test_response_body(self):
        self.check("response body")


class PipeTest(ResponsiveCase):

    def unread_pipe(self, name):
        """A named pipe with room for 4 KiB and a reader that does not read."""
        os.makedirs(self.path("exporter"), exist_ok=True)
        path = self.path(f"exporter/{name}")
        os.mkfifo(path)
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, pipe)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        return pipe

    def check(self, path, prefix=()):
        self.config(f"sinks:\n- {{name: audit, type: log, path: '{path}'}}\n")
        exporter = self.launch_ready(prefix=prefix)
        for _ in range(20):
            self.happen("n-1")
        self.expect_counted(exporter)
        with self.crowd(exporter):
            self.config(f"sinks:\n- {{name: audit, type: log, path: '{path}', "
                        "queue-entries: 100}\n")
            self.post_reload(exporter)
            self.hang_up(exporter)
        self.assertGreater(self.sink_sample(exporter, "queued", "audit"), 0)
        self.expect_end(exporter)

    def test_a_log_sink_that_writes_to_a_pipe(self):
        self.unread_pipe("pipe")
        self.check("exporter/pipe")

    def test_a_log_sink_that_writes_to_standard_output(self):
        self.unread_pipe("stdout")
        self.check("-", ("sh", "-c", "exec \"$@\" >stdout", "sh"))

    def test_standard_error(self):
        pipe = self.unread_pipe("errors")
        self.config("")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        exporter = self.launch(listen=f"127.0.0.1:{port}",
                               prefix=("sh", "-c", "exec \"$@\" 2>errors", "sh"))
        exporter.address = ("127.0.0.1", port)
        self.assertTrue(self.until(lambda: answers(exporter)))
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(pipe, b"x" * 512)
        with self.crowd(exporter):
            for _ in range(5):
                self.post_reload(exporter)
                self.hang_up(exporter)
        self.expect_end(exporter)


    def test_a_configuration_file_that_hangs(self):
        self.config("")
        exporter = self.launch_ready()
        os.mkfifo(self.path("pipe"))  # without a writer
        os.replace(self.path("pipe"), self.path("config.yaml"))
        with self.crowd(exporter):
            for _ in range(3):
                status, _, body = exporter.get("/-/reload", method="POST")
                self.assertEqual(status, 500)
                self.assertIn(b"the reload is in progress", body)
                exporter.signal("HUP")
        self.expect_end(exporter)
        self.assertIn("A thread does not stop", exporter.stderr())


def answers(exporter):
    try:
        return exporter.get("/readyz")[0] == 200
    except OSError:
        return False


@unittest.skipUnless(ROOT, "needs root to mount a disk")
class DiskTest(ResponsiveCase):

    CONFIG = ("sinks:\n- {{name: audit, type: log, "
              "path: exporter/disk/log{more}}}\n")

    def expect_responsive(self, exporter):
        with self.crowd(exporter):
            for number in range(3):
                self.config(self.CONFIG.format(
                    more=f", queue-entries: {5000 + number}"))
                self.post_reload(exporter)
                self.happen("n-1")
                self.hang_up(exporter)

    def test_a_full_disk(self):
        os.makedirs(self.path("exporter/disk"))
        self.config(self.CONFIG.format(more=""))
        exporter = self.launch_ready(
            "--state.file=disk/state", "--state.interval=1s",
            prefix=in_own_mounts(WITH_SMALL_DISK))
        disk = f"/proc/{exporter.process.pid}/root{self.path('exporter/disk')}"
        with contextlib.suppress(OSError), \
                open(f"{disk}/filler", "wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        self.storm(2, 200, random.Random(2))
        self.assertTrue(self.until(lambda: self.sink_sample(
            exporter, "failures_total", "audit") > 0))
        self.expect_responsive(exporter)
        self.expect_counted(exporter)
        self.assertTrue(self.until(
            lambda: b"state: " in exporter.get("/readyz")[2]))
        self.assertEqual(exporter.get("/readyz")[0], 200)
        self.expect_end(exporter)

    def test_a_disk_that_hangs(self):
        disk = self.path("exporter/disk")
        os.makedirs(disk)
        image = self.path("image")
        self.run_or_skip("truncate", "--size=16M", image)
        self.run_or_skip("mkfs.ext4", "-q", image)
        self.run_or_skip("mount", "-o", "loop", image, disk)
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.config(self.CONFIG.format(more=""))
        exporter = self.launch_ready("--state.file=disk/state",
                                     "--state.interval=1s")
        self.happen("n-1")
        self.expect_counted(exporter)
        self.run_or_skip("fsfreeze", "--freeze", disk)
        thaw = contextlib.ExitStack()
        thaw.callback(subprocess.run, ["fsfreeze", "--unfreeze", disk],
                      check=True)
        with thaw:
            for _ in range(50):
                self.happen("n-1")
            self.expect_responsive(exporter)
            self.expect_counted(exporter)
            self.assertGreater(self.sink_sample(exporter, "queued", "audit"), 0)
        # The kernel ends no thread that writes to a frozen disk.
        self.expect_end(exporter)

    def run_or_skip(self, *command):
        done = subprocess.run(command, check=False, capture_output=True)
        if done.returncode:
            self.skipTest(f"{command[0]}: {done.stderr.decode().strip()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
