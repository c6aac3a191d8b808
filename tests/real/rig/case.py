"""The base of the test classes: one control plane and one truth per class."""

import os
import subprocess
import sys
import time
import unittest

from rig import control_plane, processes
from rig.exporter import Exporter
from rig.recorder import Recorder
from rig.scopes import Scopes
from rig.truth import Truth

TOOLS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "tools.py")


def find_tools():
    """Sets KEM_REAL_BIN, if unset, to the programs built before."""
    if not os.environ.get("KEM_REAL_BIN"):
        done = subprocess.run([sys.executable, TOOLS, "--if-built"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise processes.RigError(done.stderr.strip())
        os.environ["KEM_REAL_BIN"] = done.stdout.strip()


class ClusterCase(unittest.TestCase):
    """Class attributes: folder, plane, api, recorder, scopes, truth."""

    API_SERVER_FLAGS = {}
    STORE = "etcd"

    @classmethod
    def setUpClass(cls):
        find_tools()
        control_plane.need(cls.STORE)
        begin = time.monotonic()
        cls.folder = processes.WorkFolder(cls.__name__.lower())
        cls.addClassCleanup(cls.folder.close)
        cls.plane = control_plane.ControlPlane(
            cls.folder, cls.STORE, **cls.API_SERVER_FLAGS)
        cls.addClassCleanup(cls.plane.close)
        cls.api = cls.plane.api
        cls.recorder = Recorder(cls.api)
        cls.addClassCleanup(cls.recorder.close)
        cls.scopes = Scopes(cls.api)
        cls.scopes.refresh()
        cls.truth = Truth(cls.recorder, cls.scopes)
        print(f"control plane up in {time.monotonic() - begin:.1f} s",
              file=sys.stderr, flush=True)

    def run(self, result=None):
        def bad():
            return len(result.failures) + len(result.errors)
        before = bad()
        begin = time.monotonic()
        super().run(result)
        if bad() > before:
            self.folder.keep = True
        print(f"  {time.monotonic() - begin:.1f} s", file=sys.stderr,
              flush=True)
        return result

    def exporter(self, name, *flags, **more):
        """Starts an exporter until this test ends; waits until it is ready."""
        return self.start_exporter(name, *flags, **more).wait_ready()

    def start_exporter(self, name, *flags, **more):
        """The same, without waiting until it is ready."""
        exporter = Exporter(self.plane, name, *flags, **more)
        self.addCleanup(self.expect_clean_stop, exporter)
        return exporter

    def expect_clean_stop(self, exporter):
        """In any state, SIGTERM ends it with 0 within 12 seconds."""
        self.assertEqual(exporter.stop(12), 0, f"{exporter.name} at SIGTERM")

    def recorded(self, answer):
        """Waits until the recorder has the object of the API's answer."""
        self.recorder.wait_for_version(
            int(answer["metadata"]["resourceVersion"]))
        return answer

    def wait_event(self, reason, seconds=30, **attributes):
        """Waits for a real Event with this reason (and other attributes)."""
        def matches(frame):
            return frame.reason == reason and all(
                getattr(frame, name) == value
                for name, value in attributes.items())
        return self.recorder.wait_for(matches, seconds,
                                      f"a {reason} Event {attributes}")
