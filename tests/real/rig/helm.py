"""helm with the folders and the cluster of a test."""

import os
import subprocess

import yaml

from rig.control_plane import tool


class Helm:
    """Runs one chart's commands; `warnings` are those of the last one."""

    def __init__(self, plane, chart):
        self._chart = chart
        folder = plane.folder
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": folder.file("helm"),
            "KUBECONFIG": plane.kubeconfig("helm.yaml"),
            **{f"HELM_{name}_HOME": folder.file(f"helm/{name.lower()}")
               for name in ("CACHE", "CONFIG", "DATA")}}
        self.warnings = []

    def run(self, *arguments):
        done = subprocess.run([tool("helm"), *arguments], check=False,
                              env=self._environment, capture_output=True,
                              text=True, timeout=120)
        # helm logs each link among the chart's files.
        self.warnings = [line for line in done.stderr.splitlines()
                         if not line.startswith("walk.go")]
        if done.returncode:
            raise AssertionError(f"helm {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def template(self, release, namespace, *flags):
        """The objects of a release, without those of `helm test`."""
        text = self.run("template", release, self._chart, "--namespace",
                        namespace, "--no-hooks", *flags)
        return [one for one in yaml.safe_load_all(text) if one]

    def install(self, release, namespace, *flags):
        return self.run("install", release, self._chart, "--namespace",
                        namespace, *flags)

    def upgrade(self, release, namespace, *flags):
        return self.run("upgrade", release, self._chart, "--namespace",
                        namespace, *flags)

    def hooks(self, release, namespace):
        """The objects that `helm test` creates."""
        text = self.run("get", "hooks", release, "--namespace", namespace)
        return [one for one in yaml.safe_load_all(text) if one]
