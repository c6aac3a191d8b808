"""A real Prometheus that scrapes one exporter, and promtool."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from rig import processes

_CONFIG = """global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
scrape_configs:
- job_name: kube-event-metrics
  static_configs: [{{targets: ["{target}"]}}]
{scrape}{more}"""


class _Server:
    """A running Prometheus."""

    def __init__(self, folder, name, program, config, flags):
        self.name = name
        self.queries = 0
        port = processes.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._process = processes.Process(folder, name, [
            program, "--config.file=" + folder.file(f"{name}.yaml", config),
            f"--web.listen-address=127.0.0.1:{port}", *flags])
        processes.wait_until(self._ready, 30, f"{name} is ready")

    def close(self):
        self._process.kill()

    def _ready(self):
        self._process.expect_running()
        with urllib.request.urlopen(self.url + "/-/ready", timeout=2) as got:
            return got.status == 200

    def query(self, expression):
        """{frozenset of label pairs: value} of an instant query.

        Without the name and the labels that Prometheus attaches.
        """
        return {labels: float(sample["value"][1])
                for labels, sample in self._results(expression)}

    def samples(self, selector):
        """{label pairs: [(time, value)]} of a range selector, as stored."""
        return {labels: [(at, float(value)) for at, value in sample["values"]]
                for labels, sample in self._results(selector)}

    def _results(self, expression):
        text = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{text}",
                                    timeout=30) as answer:
            results = json.load(answer)["data"]["result"]
        dropped = ("__name__", "instance", "job")
        for result in results:
            yield frozenset(
                (name, value) for name, value in result["metric"].items()
                if name not in dropped), result

    def at(self, expression, when):
        """{label pairs: [(time, value)]} of an instant query at `when`."""
        return {_pairs(result): [(when, float(result["value"][1]))]
                for result in self._get("query", query=expression,
                                        time=when)["result"]}

    def range(self, expression, start, end, step):
        """{label pairs: [(time, value)]} of a range query."""
        return {_pairs(result): [(at, float(value))
                                 for at, value in result["values"]]
                for result in self._get("query_range", query=expression,
                                        start=start, end=end,
                                        step=step)["result"]}

    def label_values(self, label, selector, start, end):
        """The values of `label` in the series of a selector."""
        return self._get(f"label/{label}/values", start=start, end=end,
                         **{"match[]": selector})

    def _get(self, path, **parameters):
        self.queries += 1
        text = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{text}",
                                        timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(
                f"{self.name} answered {error.code} to {parameters}: "
                f"{error.read().decode()}") from error

    def exemplars(self, expression):
        """The labels of each exemplar stored for the last five minutes."""
        now = time.time()
        text = urllib.parse.urlencode({"query": expression,
                                       "start": now - 300, "end": now + 60})
        with urllib.request.urlopen(f"{self.url}/api/v1/query_exemplars?{text}",
                                    timeout=5) as answer:
            series = json.load(answer)["data"]
        return [one["labels"] for each in series for one in each["exemplars"]]

    def targets(self):
        """The health and last error of each scrape target."""
        with urllib.request.urlopen(f"{self.url}/api/v1/targets",
                                    timeout=5) as answer:
            active = json.load(answer)["data"]["activeTargets"]
        return [(target["health"], target["lastError"]) for target in active]


class Stored(_Server):
    """Scrapes nothing; answers from the blocks in the folder `data`."""

    def __init__(self, folder, name, program, data):
        super().__init__(folder, name, program, "{}\n", [
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y"])


class Prometheus(_Server):
    """Scrapes `target` every second.

    `scrape` is more configuration of the job, indented by two spaces; `more` is
    configuration beside the jobs.
    """

    def __init__(self, folder, name, program, target, scrape="", flags=(),
                 more=""):
        super().__init__(
            folder, name, program,
            _CONFIG.format(target=target, scrape=scrape, more=more),
            [f"--storage.tsdb.path={folder.file(name + '-data')}", *flags])


def _pairs(result):
    return frozenset(result["metric"].items())


def check_metrics(promtool, text):
    """(exit code, output) of `promtool check metrics` on an exposition."""
    done = subprocess.run([promtool, "check", "metrics"], input=text.encode(),
                          capture_output=True, check=False, timeout=30)
    return done.returncode, (done.stdout + done.stderr).decode()
