"""The base of the tests of sinks: exporters with sinks, and Events by hand."""

import json

from rig import manifests, processes
from rig.case import ClusterCase

PATH = manifests.CORE_V1.format("default")


class SinkCase(ClusterCase):

    def start_with_sinks(self, name, sinks, *flags):
        """An exporter with a state file and these sinks."""
        config = self.folder.file(f"{name}-config.yaml",
                                  json.dumps({"sinks": sinks}))
        return self.exporter(
            name, "--config.file", config, "--state.file",
            self.folder.file(f"{name}.state"), *flags,
            listen=f"127.0.0.1:{processes.free_port()}")

    def kill_and_restart(self, exporter):
        exporter.process.kill()
        exporter.start_again()
        processes.wait_until(exporter.ready, 30, f"{exporter.name} is ready")

    def add_node(self, name):
        return self.api.post("/api/v1/nodes",
                             manifests.node(name, kwok=False))

    def write(self, name, about, reason, **more):
        return self.recorded(self.api.post(PATH, manifests.legacy_event(
            name, about, reason, **more)))

    def repeat(self, name, count):
        return self.recorded(self.api.patch(f"{PATH}/{name}", {"count": count}))

    def wait_failure(self, exporter, more_than):
        processes.wait_until(
            lambda: exporter.own("sink_failures_total") > more_than,
            20, "an attempt failed")
