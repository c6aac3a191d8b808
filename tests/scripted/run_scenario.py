#!/usr/bin/python3
"""Runs scenarios against the exporter binary.

  run_scenario.py --binary PATH [--tls] scenarios/02-cut-inside-a-frame.yaml
  run_scenario.py --binary PATH --all [-j 4]
  run_scenario.py --binary PATH --report FILE.xml scenarios/02-...yaml

Each scenario over each transport is one process. With --all, --report or
several files this program starts the processes; --report writes their results
as JUnit XML. Exit code 0: all passed; 1: one failed (the output shows what was expected
and what arrived); 77: skipped.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import apiserver
import browser
import certs
import discovery
import exporter as exporter_module
import netns
import play
import proxy as proxy_module
import steps
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
LONGEST = 800  # seconds that a scenario may take; ctest waits for 900
FLAGS = ["--web.listen-address=127.0.0.1:0", "--metrics.initial-zero=0s"]


def load(path):
    with open(path, encoding="utf-8") as file:
        scenario = yaml.safe_load(file)
    scenario["name"] = os.path.basename(path)[:-5]
    return scenario


def transports(scenario):
    return scenario.get("transports", ["http", "tls"])


def flags_of(scenario, access):
    given = [flag.replace("{url}", access.server.url)
             for flag in scenario.get("flags", [])]
    names = {flag.split("=")[0] for flag in given}
    flags = [f for f in FLAGS if f.split("=")[0] not in names]
    if not scenario.get("no_kubeconfig"):
        flags.append("--kubeconfig=" + access.kubeconfig)
    return flags + given


def run_exits(scenario, binary, access, folder):
    """`exits:` starts that must fail with one sentence on stderr."""
    for case in scenario["exits"]:
        if "kubeconfig" in case:
            access.write_kubeconfig(case["kubeconfig"])
        elif not case.get("missing"):
            access.write_kubeconfig()
        if "config" in case:
            access.write({"config": case["config"]})
        process = exporter_module.Exporter(binary, folder)
        process.start(flags_of({**scenario, **case}, access))
        try:
            code, _ = process.wait_exit(20)
            text = process.stderr().strip()
        finally:
            process.kill()
        wrong = []
        if code != case.get("code", 2):
            wrong.append(f"expected exit code {case.get('code', 2)}, "
                         f"got {code}")
        if len(text.split("\n")) != 1:
            wrong.append("expected one line on stderr")
        wrong += [f"expected {part!r} on stderr" for part in case["error"]
                  if part.lower() not in text.lower()]
        if wrong:
            raise play.Failure(f"{case['about']}:\n" + "\n".join(wrong)
                               + f"\nstderr: {text}")


def run_play(scenario, server, access, folder, binary, cable):
    prefix, namespace = (), None
    if cable:
        prefix = cable.client_command()
        namespace = cable.inside(cable.client_name)
    process = exporter_module.Exporter(binary, folder, prefix)
    if namespace:
        process.namespace = namespace
    script = steps.Steps(scenario, server, access, process, cable)
    try:
        getattr(server, scenario.get("start", "up"))()
        access.write_kubeconfig(scenario.get("kubeconfig"))
        if "config" in scenario:
            access.write({"config": scenario["config"]})
        process.start(flags_of(scenario, access))
        process.wait_listening()
        script.run()
        for token in access.tokens:
            if token in process.stderr():
                raise play.Failure(f"the log contains the credential {token}")
        if "Sanitizer" in process.stderr():
            raise play.Failure("a sanitizer reports an error")
    except Exception as error:
        trace = "\n".join(script.trace[-60:])
        log = "\n".join(process.stderr().splitlines()[-40:])
        raise play.Failure(f"{error}\n--- what happened\n{trace}\n"
                           f"--- the exporter's log\n{log}") from (
                               None if isinstance(error, play.Failure)
                               else error)
    finally:
        process.kill()


def run_one(path, binary, tls):
    scenario = load(path)
    if ("tls" if tls else "http") not in transports(scenario):
        print(f"skipped: {scenario['name']} does not use this transport")
        return SKIPPED
    if scenario.get("browser") and not browser.available():
        print("skipped: needs chromium")
        return SKIPPED
    cable = None
    if scenario.get("network") == "cable":
        if not netns.available():
            print("skipped: needs root and network namespaces")
            return SKIPPED
        cable = netns.Cable()
    server = proxy = None
    try:
        with tempfile.TemporaryDirectory(prefix="kem-scripted-") as folder:
            certificates = certs.Certificates(folder) if tls else None
            host = netns.SERVER if cable else "127.0.0.1"
            extra = {"namespace": cable.inside(cable.server_name)} if cable \
                else {}
            server = apiserver.Server(
                discovery.Discovery(**scenario.get("discovery", {})),
                certificates, host, **extra)
            options = dict(scenario.get("access", {}))
            server.prefix = options.get("prefix", "")
            if "proxy" in options:
                pair = certificates and certificates.pair("server", "proxy", "a")
                proxy = proxy_module.Proxy(**options.pop("proxy"),
                                           certificate=pair)
                options["proxy"] = proxy
            access = exporter_module.Access(
                folder, server, options.pop("credentials", "token"), options)
            if "exits" in scenario:
                run_exits(scenario, binary, access, folder)
            else:
                run_play(scenario, server, access, folder, binary, cable)
        print(f"ok {scenario['name']} over {'tls' if tls else 'http'}")
        return 0
    except play.Failure as failure:
        print(f"FAILED {scenario['name']} over {'tls' if tls else 'http'}\n"
              f"{failure}")
        return 1
    finally:
        if server:
            server.stop()
        if proxy:
            proxy.stop()
        if cable:
            cable.remove()


def write_report(path, results):
    """Writes [(name, word, seconds, output)] as JUnit XML."""
    words = [word for _, word, _, _ in results]
    suite = xml.etree.ElementTree.Element(
        "testsuite", name="scripted", tests=str(len(words)),
        failures=str(words.count("FAILED")),
        skipped=str(words.count("skipped")))
    for name, word, seconds, output in results:
        case = xml.etree.ElementTree.SubElement(
            suite, "testcase", name=name, time=f"{seconds:.3f}")
        if word != "ok":
            kind = "failure" if word == "FAILED" else "skipped"
            xml.etree.ElementTree.SubElement(case, kind).text = \
                re.sub(r"[^\t\n -~]", "?", output)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    xml.etree.ElementTree.ElementTree(suite).write(path)


def run_many(jobs, binary, workers, report=None):
    def run(job):
        path, transport = job
        command = [sys.executable, os.path.abspath(__file__), "--binary",
                   binary, path] + (["--tls"] if transport == "tls" else [])
        began = time.monotonic()
        try:
            done = subprocess.run(command, capture_output=True, text=True,
                                  check=False, timeout=LONGEST)
        except subprocess.TimeoutExpired as late:
            done = subprocess.CompletedProcess(command, 1, "", str(late))
        seconds = time.monotonic() - began
        word = {0: "ok", SKIPPED: "skipped"}.get(done.returncode, "FAILED")
        name = f"{os.path.basename(path)[:-5]}.{transport}"
        print(f"{word:8}{name}  {seconds:.1f} s", flush=True)
        if word == "FAILED":
            print(done.stdout + done.stderr, flush=True)
        return name, word, seconds, done.stdout + done.stderr
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(run, jobs))
    failed = [name for name, word, _, _ in results if word == "FAILED"]
    if report:
        write_report(report, results)
    print(f"{len(jobs) - len(failed)} of {len(jobs)} passed"
          + "".join(f"\n  FAILED {name}" for name in failed))
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description="Runs scripted scenarios.")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--all", action="store_true",
                        help="every scenario over each of its transports")
    parser.add_argument("--report", help="run each file over each of its "
                        "transports and write the results to this file")
    parser.add_argument("-j", type=int, default=4, dest="workers")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    binary = os.path.abspath(arguments.binary)
    if arguments.all:
        folder = os.path.join(HERE, "scenarios")
        files = sorted(os.path.join(folder, name)
                       for name in os.listdir(folder)
                       if name.endswith(".yaml"))
        jobs = [(path, one) for path in files for one in transports(load(path))]
        return run_many(jobs, binary, arguments.workers)
    if arguments.report:
        jobs = [(path, one) for path in arguments.files
                for one in transports(load(path))]
        return run_many(jobs, binary, arguments.workers, arguments.report)
    if len(arguments.files) > 1:
        transport = "tls" if arguments.tls else "http"
        jobs = [(path, transport) for path in arguments.files
                if transport in transports(load(path))]
        return run_many(jobs, binary, arguments.workers)
    if not arguments.files:
        parser.error("name a scenario file, or pass --all")
    return run_one(arguments.files[0], binary, arguments.tls)


if __name__ == "__main__":
    sys.exit(main())
