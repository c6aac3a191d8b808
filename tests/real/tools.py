#!/usr/bin/python3
"""Brings together the real software of these tests in one folder.

Prints the folder's path on standard output, for KEM_REAL_BIN, and where each
program comes from on standard error. With Go it builds them, once, into
$KEM_TOOL_CACHE (or ~/.cache/kube-event-metrics); without, it takes those that
$KUBEBUILDER_ASSETS holds. `--if-built` builds nothing and fails instead. `--all`
adds what only tests/run --all uses: kine.
"""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CONTROL_PLANE = HERE / "controlplane"
CHART_TOOLS = HERE / "charttools"
COLLECTOR = HERE / "collector"
TOOLKIT = HERE / "toolkit"
KINE = HERE / "kine"
VICTORIA_LOGS = HERE / "victorialogs"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager",
              "kube-scheduler")
# What client-go makes of a kubeconfig, for test_kubeconfigs.py.
ORACLE = "kubeconfig-oracle"
# What exporter-toolkit makes of a web configuration, for test_toolkit.py.
WEB_ORACLE = "web-config-oracle"
CHART_PROGRAMS = ("helm", "helm-unittest", "kubeconform", "kubectl",
                  "kustomize")
GO_NEEDED = (1, 26, 5)

KWOK = "sigs.k8s.io/kwok"
KWOK_VERSION = "v0.8.0"
# In the order in which kwok shall know them.
KWOK_STAGES = ("node/fast/node-initialize",
               "node/heartbeat-with-lease/node-heartbeat-with-lease",
               "pod/general/pod-create", "pod/general/pod-ready",
               "pod/general/pod-delete")

# The custom resources of the Prometheus Operator.
OPERATOR = "github.com/prometheus-operator/prometheus-operator"
OPERATOR_VERSION = "v0.85.0"
OPERATOR_CRDS = "prometheus-operator-crd"
KUBERNETES_API = "kubernetes-openapi.json"

PROMETHEUS = "github.com/prometheus/prometheus/cmd/"
PROMETHEUS_VERSION = "v0.316.0"
PROMETHEUS_TAGS = "remove_all_sd,enable_kubernetes_sd"

# The reader that docker compose is made with, as a program.
COMPOSE = "github.com/compose-spec/compose-go/v2/cmd"
COMPOSE_VERSION = "v2.9.1"

# Reads the prose, for tests/lint/prose.py.
VALE = "github.com/vale-cli/vale/v3/cmd/vale"
VALE_VERSION = "v3.21.0"


class Missing(Exception):
    """Nothing to take the programs from; its text is one sentence."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def cache_folder():
    default = pathlib.Path.home() / ".cache" / "kube-event-metrics"
    return pathlib.Path(os.environ.get("KEM_TOOL_CACHE") or default)


def go_version():
    """The text of `go version`, or None where Go is missing or too old."""
    if not shutil.which("go"):
        return None
    text = subprocess.run(["go", "version"], capture_output=True, text=True,
                          check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", text)
    if not found or tuple(map(int, found.groups("0"))) < GO_NEEDED:
        return None
    return text.split()[2]


def run_go(arguments, folder, **environment):
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local",
           **environment}
    subprocess.run(["go", *arguments], cwd=folder, env=env, check=True,
                   stdout=sys.stderr)


def module_folder(module, version):
    """Where the module cache keeps a module's files."""
    run_go(["mod", "download", f"{module}@{version}"], HERE)
    root = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True,
                          text=True, check=True).stdout.strip()
    return pathlib.Path(root) / f"{module}@{version}"


def pinned(folder, module):
    """The version that the go.mod in `folder` asks for."""
    return re.search(rf"^\s*{re.escape(module)} (v\S+)",
                     (folder / "go.mod").read_text(), re.MULTILINE).group(1)


def kubernetes_version():
    return pinned(CONTROL_PLANE, "k8s.io/kubernetes")


def build_control_plane(into):
    version = kubernetes_version()
    major, minor = version[1:].split(".")[:2]
    package = "k8s.io/component-base/version"
    flags = (f"-s -w -X {package}.gitVersion={version} "
             f"-X {package}.gitMajor={major} -X {package}.gitMinor={minor}")
    run_go(["build", "-buildvcs=false", "-trimpath", "-ldflags", flags,
            "-o", f"{into}/", "./..."], CONTROL_PLANE)


def build_kwok(into):
    run_go(["install", "-ldflags", "-s -w",
            f"{KWOK}/cmd/kwok@{KWOK_VERSION}"], HERE, GOBIN=str(into))
    stages = module_folder(KWOK, KWOK_VERSION) / "kustomize" / "stage"
    texts = [(stages / f"{name}.yaml").read_text() for name in KWOK_STAGES]
    (into / "kwok-stages.yaml").write_text("\n---\n".join(texts))


def build_chart_tools(into):
    """helm and others; helm shall know the Kubernetes of the control plane."""
    version = kubernetes_version()
    minor = version.split(".")[1]
    helm = "helm.sh/helm/v3"
    names = {"k8s.io/component-base/version.gitVersion": version,
             f"{helm}/internal/version.version": pinned(CHART_TOOLS, helm)}
    for package in ("chartutil", "lint/rules"):
        names[f"{helm}/pkg/{package}.k8sVersionMajor"] = "1"
        names[f"{helm}/pkg/{package}.k8sVersionMinor"] = minor
    flags = "-s -w " + " ".join(f"-X {key}={value}"
                                for key, value in names.items())
    run_go(["install", "-buildvcs=false", "-trimpath", "-ldflags", flags,
            "tool"], CHART_TOOLS, GOBIN=str(into))


def copy_definitions(into):
    """What objects look like, of Kubernetes and of the Prometheus Operator."""
    folder = module_folder(OPERATOR, OPERATOR_VERSION)
    shutil.copytree(folder / "example" / OPERATOR_CRDS, into / OPERATOR_CRDS)
    folder = module_folder("k8s.io/kubernetes", kubernetes_version())
    shutil.copyfile(folder / "api" / "openapi-spec" / "swagger.json",
                    into / KUBERNETES_API)


def build_prometheus(into):
    run_go(["install", "-ldflags", "-s -w", "-tags", PROMETHEUS_TAGS,
            f"{PROMETHEUS}prometheus@{PROMETHEUS_VERSION}",
            f"{PROMETHEUS}promtool@{PROMETHEUS_VERSION}"], HERE,
           GOBIN=str(into))


def build_compose(into):
    run_go(["install", "-ldflags", "-s -w", f"{COMPOSE}@{COMPOSE_VERSION}"],
           HERE, GOBIN=str(into))
    (into / "cmd").rename(into / "compose-spec")


def build_vale(into):
    """Vale needs cgo for its parsers of source code, which no test uses."""
    run_go(["install", "-ldflags", "-s -w", f"{VALE}@{VALE_VERSION}"], HERE,
           GOBIN=str(into), CGO_ENABLED="1", CGO_CFLAGS="-O0 -w")


def build_module(folder, program, into, **env):
    """A program whose Go module is a folder here."""
    run_go(["build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w",
            "-o", f"{into}/{program}", "."], folder, **env)


def build_collector(into):
    build_module(COLLECTOR, "otelcol", into)


def build_toolkit(into):
    build_module(TOOLKIT, WEB_ORACLE, into)


def build_victoria_logs(into):
    run_go(["install", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w",
            "tool"], VICTORIA_LOGS, GOBIN=str(into))


def build_kine(into):
    """kine's usual driver of SQLite needs cgo."""
    build_module(KINE, "kine", into, CGO_ENABLED="1", CGO_CFLAGS="-O1 -w")


def folder_key(folder):
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def recipes(go, everything):
    """(folder name, what is built, build function, what it makes)."""
    stages = hashlib.sha256(repr(KWOK_STAGES).encode()).hexdigest()[:8]
    found = [
        # First, as the lint checks run long before the real tests.
        (f"vale-{VALE_VERSION}-{go}", VALE, build_vale, ("vale",)),
        (f"control-plane-{folder_key(CONTROL_PLANE)}-{go}",
         "k8s.io/kubernetes and etcd", build_control_plane,
         (*COMPONENTS, ORACLE)),
        (f"kwok-{KWOK_VERSION}-{stages}-{go}", KWOK, build_kwok,
         ("kwok", "kwok-stages.yaml")),
        (f"chart-tools-{folder_key(CHART_TOOLS)}-{kubernetes_version()}-{go}",
         "helm, kustomize and kubectl", build_chart_tools, CHART_PROGRAMS),
        (f"definitions-{kubernetes_version()}-{OPERATOR_VERSION}", OPERATOR,
         copy_definitions, (OPERATOR_CRDS, KUBERNETES_API)),
        (f"prometheus-{PROMETHEUS_VERSION}-{go}", PROMETHEUS,
         build_prometheus, ("prometheus", "promtool")),
        (f"compose-{COMPOSE_VERSION}-{go}", COMPOSE, build_compose,
         ("compose-spec",)),
        (f"collector-{folder_key(COLLECTOR)}-{go}",
         "the OpenTelemetry collector", build_collector, ("otelcol",)),
        (f"toolkit-{folder_key(TOOLKIT)}-{go}", "exporter-toolkit",
         build_toolkit, (WEB_ORACLE,)),
        (f"victoria-logs-{folder_key(VICTORIA_LOGS)}-{go}", "VictoriaLogs",
         build_victoria_logs, ("victoria-logs",))]
    if everything:
        found.append((f"kine-{folder_key(KINE)}-{go}", "kine", build_kine,
                      ("kine",)))
    return found


def from_go(go, may_build, everything):
    """{program: path} from the cache, built first where it is not there."""
    found = {}
    for name, what, build, programs in recipes(go, everything):
        folder = cache_folder() / name
        if not folder.exists():
            if not may_build:
                raise Missing("The real software is not built yet: run "
                              "tests/real/tools.py first.")
            say(f"building {what} with {go} ...")
            begin = time.monotonic()
            half = folder.with_suffix(".building")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            build(half)
            half.rename(folder)
            say(f"built {what} in {(time.monotonic() - begin) / 60:.1f} min")
        found.update({program: folder / program for program in programs})
    return found


def from_assets():
    """{program: path} of what KUBEBUILDER_ASSETS holds."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        raise Missing("The tests on real software need Go 1.26.5 or newer, "
                      "or the binaries of KUBEBUILDER_ASSETS.")
    found = {name: pathlib.Path(assets) / name for name in COMPONENTS
             if (pathlib.Path(assets) / name).exists()}
    for name in ("etcd", "kube-apiserver"):
        if name not in found:
            raise Missing(f"KUBEBUILDER_ASSETS ({assets}) holds no {name}.")
    return found


def debian_prometheus(found):
    """Debian's own Prometheus, a second version, and its Alertmanager."""
    alertmanager = pathlib.Path("/usr/bin/prometheus-alertmanager")
    if alertmanager.exists():
        found["alertmanager"] = alertmanager
    amtool = pathlib.Path("/usr/bin/amtool")
    if amtool.exists():
        found["amtool"] = amtool
    for name in ("prometheus", "promtool"):
        path = pathlib.Path("/usr/bin") / name
        if path.exists():
            found[f"{name}-debian"] = path
            found.setdefault(name, path)


def gather(may_build, everything):
    """Makes the folder of links and returns its path."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        go = go_version()
        found = from_go(go, may_build, everything) if go else from_assets()
        debian_prometheus(found)
        listing = "".join(f"{name} {path}\n"
                          for name, path in sorted(found.items()))
        key = hashlib.sha256(listing.encode()).hexdigest()[:12]
        folder = cache / f"tools-{key}"
        folder.mkdir(exist_ok=True)
        for name, path in found.items():
            link = folder / name
            if not link.is_symlink():
                link.symlink_to(path)
    return folder, listing


def main():
    try:
        folder, listing = gather("--if-built" not in sys.argv[1:],
                                 "--all" in sys.argv[1:])
    except Missing as trouble:
        say(str(trouble))
        return 1
    except subprocess.CalledProcessError as trouble:
        say(f"Building the real software failed: {trouble}")
        return 1
    say(listing.rstrip())
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
