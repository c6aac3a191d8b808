"""Child processes with a log file each, stopped by their process ID.

Every part of the rig that starts a program uses it. It has nothing specific to
a program.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class RigError(Exception):
    """The rig itself failed: a program did not start or did not get ready."""


def free_port():
    """A TCP port on 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what, pause=0.1):
    """Polls `condition` until it is true, and returns its value.

    A condition that raises counts as not yet true; the message of the
    TimeoutError has its last error.
    """
    deadline = time.monotonic() + seconds
    trouble = None
    while True:
        try:
            value = condition()
            if value:
                return value
            trouble = None
        except RigError:
            raise
        except Exception as error:  # pylint: disable=broad-except
            trouble = error
        if time.monotonic() > deadline:
            detail = f" (last error: {trouble!r})" if trouble else ""
            raise TimeoutError(f"not within {seconds} s: {what}{detail}")
        time.sleep(pause)


class WorkFolder:
    """A temporary folder for logs and data, removed only after success."""

    def __init__(self, name):
        self.path = tempfile.mkdtemp(prefix=f"kem-{name}-")
        self.keep = bool(os.environ.get("KEM_KEEP"))

    def file(self, name, text=None, mode=0o600):
        path = os.path.join(self.path, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            os.chmod(path, mode)
        return path

    def close(self):
        if self.keep:
            print(f"logs are kept in {self.path}", flush=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


def _die_with_parent():
    """Ends the child when the test is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One child in its own session, its output in `<folder>/<name>.log`."""

    def __init__(self, folder, name, command, environment=None):
        self.name = name
        self.log_path = folder.file(f"{name}.log")
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
               "HOME": folder.path, "LANG": "C.UTF-8"}
        env.update(environment or {})
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(  # pylint: disable=consider-using-with
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=env, start_new_session=True,
                preexec_fn=_die_with_parent)

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def expect_running(self):
        if not self.running():
            tail = "\n".join(self.log().splitlines()[-15:])
            raise RigError(f"{self.name} ended with {self._child.returncode}; "
                           f"{self.log_path} ends with:\n{tail}")

    def kill(self):
        if self.running():
            self._child.kill()
        self._child.wait()
        return self._child.returncode

    def stop(self, grace):
        """SIGTERM, then SIGKILL after `grace` seconds; returns the exit code."""
        if self.running():
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                return self.kill()
        return self._child.returncode
