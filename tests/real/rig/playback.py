"""Plays an operation through the exporter.

`Playback` feeds the occurrences to a scripted API server in steps of a scrape
interval, and reads /metrics after each. A last Event in each step, a counter of
steps, shows that the exporter has counted the others. rig/recording.py keeps the
samples and evaluates the rules on them.

What is compressed, and thereby not tested here:

- The exporter's own clock is the real one. The simulated times are in the past,
  so nothing is limited as being in the future. A Play with an anchor is as old
  as the real time at its anchor.
- Therefore --metrics.initial-zero is 0 and `Recording` delays new counters.
- Unobserved seconds are counted in real time: where they rise, the recording
  rises by the simulated time without a watch event.
- A watch does not end every few minutes; series do not retire after a day. All
  Events arrive late by the exporter's clock.
"""

import http.client
import os
import re
import time

from rig import event_server, exporter, processes, recording
from rig.recorders import Recorders
from rig.recording import STEP

ROOT = os.path.dirname(os.path.dirname(event_server.SCRIPTED))
BOOKMARK = 60
QUIET_STEPS = 10  # a quiet exporter is still read every 5 minutes
AGE = 20 * 3600  # of the simulated time 0
STEP_SERIES = (b'kube_event_occurrences_total{scope="namespaced",api_group="",'
               b'kind="ConfigMap",object_namespace="simulation",reason="Step",'
               b'type="Normal",reporting_component="simulation"} ')
_COUNTED = re.compile(rb"^kube_event_occurrences_total\{.*\} (\S+)$", re.M)
_LISTENING = re.compile(r'msg="Listening on" address="?([^\s"]+)')


class Playback:
    """One operation, played in `folder`; `run` returns its Recording."""

    def __init__(self, play, folder, wanted):
        self.play = play
        age = play.anchor if play.anchor is not None else AGE
        self.server = event_server.EventServer(int(time.time() - age))
        self.recorders = Recorders(self.server)
        self.recording = recording.Recording(
            self.server.epoch, wanted)
        self.steps = int(play.end // STEP) + 1
        self._folder = folder
        self._flags = list(play.flags)
        if play.keeps_state:
            self._flags += ["--state.file", folder.file("state")]
        self._process = self._connection = None
        self._body = b""
        self._step = 0
        self._counted = 0  # occurrences of STEP that the exporter has
        self._away_until = 0  # step until which the exporter is down

    def run(self):
        queue = sorted(
            [(each.at, 1, number, each)
             for number, each in enumerate(self.play.happened)] +
            [(restart[0], 0, number, restart)
             for number, restart in enumerate(self.play.restarts)] +
            [(fault[0], 2, number, fault)
             for number, fault in enumerate(self.play.faults)])
        position = 0
        self._start()
        try:
            self._read(True)
            for self._step in range(1, self.steps):
                limit = self._step * STEP
                begin = position
                while position < len(queue) and queue[position][0] <= limit:
                    self._apply(queue[position])
                    position += 1
                self._tick(limit, position > begin)
            self._check()
        finally:
            self._end()
            self.server.stop()
        return self.recording

    def _apply(self, entry):
        at, order, _, what = entry
        self.server.now = at
        if order == 0:
            self.recorders.restart(*what[1:])
        elif order == 1:
            self.recorders.write(what)
        else:
            getattr(self, what[1])(*what[2:])

    def _tick(self, now, changed):
        self.server.now = now
        self.recorders.flush(now)
        changed |= self.server.expire()
        if now % BOOKMARK == 0:
            self.server.bookmark()
        if self._away_until:
            if self._step < self._away_until:
                return
            self._away_until = 0
            self._start()
            changed = True
        self._read(changed or self._step % QUIET_STEPS == 0)

    def _read(self, scrape):
        """Waits until everything is counted, and records the metrics."""
        if not scrape:
            return
        if self.server.serving:
            self._write_step()
            self._counted += 1
            processes.wait_until(self._scrape, 30,
                                 "the exporter counts a step", 0.002)
        else:
            self._scrape()
        self.recording.add(self._step, self._body, self.server.now,
                           self.server.gap)

    def _check(self):
        """Without faults, everything that was reported is counted."""
        self._read(True)
        counted = sum(map(float, _COUNTED.findall(self._body)))
        reported = sum(self.server.counts.values())
        if counted != reported and not self.play.faults:
            raise processes.RigError(f"{counted} of {reported} are counted")

    def _write_step(self):
        stamp = self.server.stamp
        before = self.server.live.get(("simulation", "step"), {"count": 0})
        self.server.write({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": "step", "namespace": "simulation"},
            "involvedObject": {"kind": "ConfigMap", "name": "step",
                               "namespace": "simulation"},
            "reason": "Step", "type": "Normal", "message": "one more step",
            "count": before["count"] + 1, "firstTimestamp": stamp(0),
            "lastTimestamp": stamp(self.server.now),
            "source": {"component": "simulation"},
            "reportingComponent": "simulation"})

    def _scrape(self):
        """Reads the metrics; whether the last step is counted."""
        self._connection.request("GET", "/metrics")
        answer = self._connection.getresponse()
        self._body = answer.read()
        if answer.status != 200:
            raise processes.RigError(f"/metrics: {answer.status}")
        return STEP_SERIES + b"%d\n" % self._counted in self._body

    def _start(self):
        self._process = processes.Process(
            self._folder, f"exporter-{self._step}",
            [exporter.binary(), "--apiserver", self.server.url,
             "--web.listen-address", "127.0.0.1:0",
             "--metrics.initial-zero", "0s", *self._flags])
        address = processes.wait_until(self._address, 15, "the exporter runs",
                                       0.02)
        self._connection = http.client.HTTPConnection(address, timeout=20)
        self.server.wait_watched()

    def _end(self):
        self._connection.close()
        return self._process.stop(12)

    def _address(self):
        self._process.expect_running()
        found = _LISTENING.search(self._process.log())
        return found and found.group(1)

    # Faults, named by Play.faults.

    def down(self):
        self.server.down()

    def up(self):
        self.server.up()
        self.server.wait_watched()

    def back_up(self):
        self.server.back_up()

    def restore(self):
        self.server.restore()
        self.up()

    def restart(self, seconds):
        """Another exporter runs after that time, if any with its state."""
        if self._end() != 0:
            raise processes.RigError("the exporter failed at SIGTERM")
        self.server.drop()
        self.recording.process(self._step)
        self._away_until = self._step + -(-seconds // STEP)
        if not self.play.keeps_state:
            self._counted = 0
