"""Runs the exporter as a kubelet would run the container of a Pod.

The root of its mount namespace has the binary, the Pod's volumes and the
machine's libraries, read-only as in the Pod. It runs as the Pod's user, without
capabilities, with the Pod's arguments except for the listen address. There is
no network namespace, because the API server is at 127.0.0.1.
"""

import base64
import os
import shlex
import subprocess

from rig import processes
from rig.exporter import ACCOUNT_NAMESPACE, Exporter, binary

MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# Runs in a private mount namespace, so that the machine stays unchanged: $1 is
# a folder with a pod's files, the other arguments are the program.
_IN_POD = f"""set -e
folder=$1; shift
exec 3<"$folder/token" 4<"$folder/ca.crt"
mount -t tmpfs none "$(readlink -f /var/run)"
mkdir -p {MOUNT}
cat <&3 >{MOUNT}/token; cat <&4 >{MOUNT}/ca.crt
printf {ACCOUNT_NAMESPACE} >{MOUNT}/namespace
exec "$@" 3<&- 4<&-
"""
ENTRY_POINT = "/kube-event-metrics"
LISTEN = "--web.listen-address="
DEFAULT_PORT = 9953


def unshare():
    """The command for a private mount namespace, or None if forbidden."""
    command = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
    try:
        done = subprocess.run([*command, "mount", "-t", "tmpfs", "none",
                               "/mnt"], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return command if done.returncode == 0 else None


def in_pod(folder):
    """The command for a program with a service account, None if forbidden.

    folder: has the account's token and ca.crt.
    """
    prefix = unshare()
    return prefix and [*prefix, "sh", "-c", _IN_POD, "sh", folder]


class Volumes:
    """The volumes of a Pod as folders of this machine, by name."""

    def __init__(self, plane, pod):
        self._plane = plane
        self._api = plane.api
        self._pod = pod
        meta = pod["metadata"]
        self._space = f"/api/v1/namespaces/{meta['namespace']}"
        self._own = f"pods/{meta['uid']}"
        self.group = pod["spec"]["securityContext"].get("fsGroup", 0)
        self.folders = {one["name"]: self._make(one)
                        for one in pod["spec"].get("volumes", ())}

    def _make(self, volume):
        kind = next(key for key in volume if key != "name")
        folder = f"{self._own}/{volume['name']}"
        return getattr(self, f"_{kind.lower()}")(volume[kind], folder)

    def _writable(self, folder):
        path = self._plane.folder.file(folder)
        os.makedirs(path, exist_ok=True)
        if os.getuid() == 0:
            os.chown(path, 0, self.group)
            os.chmod(path, 0o2775)
        return path

    def _emptydir(self, _, folder):
        return self._writable(folder)

    def _persistentvolumeclaim(self, source, _):
        claim = self._api.get(f"{self._space}/persistentvolumeclaims/"
                              f"{source['claimName']}")
        return self._writable(f"claims/{claim['metadata']['uid']}")

    def _files(self, folder, files, mode=0o644):
        for path, text in files.items():
            made = self._plane.folder.file(f"{folder}/{path}", text, mode)
            if os.getuid() == 0:
                os.chown(made, 0, self.group)
        return self._plane.folder.file(folder)

    def _configmap(self, source, folder):
        name = source.get("name")
        data = self._api.get(f"{self._space}/configmaps/{name}")["data"]
        return self._files(folder, _chosen(source, data), _mode(source))

    def _secret(self, source, folder):
        data = self._api.get(f"{self._space}/secrets/"
                             f"{source['secretName']}")["data"]
        return self._files(folder, _chosen(source, {
            key: base64.b64decode(value).decode()
            for key, value in data.items()}), _mode(source))

    def _projected(self, source, folder):
        for one in source["sources"]:
            (kind, what), = one.items()
            if kind == "serviceAccountToken":
                self._files(folder, {what["path"]: self.token()})
            elif kind == "configMap":
                self._configmap(what, folder)
            elif kind == "downwardAPI":
                self._files(folder, {
                    item["path"]: self._field(item["fieldRef"]["fieldPath"])
                    for item in what["items"]})
        return self._plane.folder.file(folder)

    def _field(self, path):
        value = self._pod
        for part in path.split("."):
            value = value[part]
        return value

    def token(self):
        """A token of the Pod's service account, bound to the Pod."""
        meta = self._pod["metadata"]
        answer = self._api.post(
            f"{self._space}/serviceaccounts/"
            f"{self._pod['spec']['serviceAccountName']}/token",
            {"spec": {"expirationSeconds": 3607, "boundObjectRef": {
                "kind": "Pod", "apiVersion": "v1", "name": meta["name"],
                "uid": meta["uid"]}}})
        return answer["status"]["token"]


def _chosen(source, data):
    if not source.get("items"):
        return data
    return {item["path"]: data[item["key"]] for item in source["items"]}


def _mode(source):
    return source.get("defaultMode", 0o644)


class Container:
    """The only container of a Pod that the API server admitted."""

    def __init__(self, plane, pod):
        self._plane = plane
        self.pod = pod
        self.spec, = pod["spec"]["containers"]
        self.args = self.spec.get("args", [])
        self.volumes = Volumes(plane, pod)
        self.token = self.volumes.token()
        meta = pod["metadata"]
        self.user = (f"system:serviceaccount:{meta['namespace']}:"
                     f"{pod['spec']['serviceAccountName']}")
        self.environment = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(plane.port)}
        for one in self.spec.get("env", ()):
            self.environment[one["name"]] = one["value"]

    def arg(self, name):
        """The value of one argument, or None."""
        for one in self.args:
            if one.startswith(f"{name}="):
                return one.partition("=")[2]
        return None

    def watched_namespaces(self):
        """The namespaces in its arguments; none for all."""
        names = self.arg("--watch.namespaces")
        return tuple(names.split(",")) if names else ()

    def port(self):
        """The port on which the Pod listens."""
        address = self.arg(LISTEN.rstrip("="))
        return int(address.rpartition(":")[2]) if address else DEFAULT_PORT

    def probe_path(self, name):
        """The path of a probe, whose port must be the Pod's."""
        get = self.spec[name]["httpGet"]
        ports = {one["name"]: one["containerPort"]
                 for one in self.spec["ports"]}
        if ports.get(get["port"], get["port"]) != self.port():
            raise AssertionError(f"{name} asks elsewhere: {get}, {ports}")
        return get["path"]

    def _script(self):
        """Creates the root of the container and executes its program."""
        root = self._plane.folder.file(f"pods/{self.pod['metadata']['uid']}/+")
        os.makedirs(root, exist_ok=True)
        lines = ["set -e", f"mount -t tmpfs -o mode=755 none {_q(root)}",
                 f"cd {_q(root)}", "mkdir usr proc dev",
                 "cp -a /lib /lib64 .", "mount --bind /usr usr",
                 "mount --rbind /proc proc", "mount --rbind /dev dev",
                 f"touch .{ENTRY_POINT}",
                 f"mount --bind {_q(os.path.abspath(binary()))} "
                 f".{ENTRY_POINT}"]
        for mount in self.spec.get("volumeMounts", ()):
            inside = _q("." + mount["mountPath"])
            lines += [f"mkdir -p {inside}", "mount --bind "
                      f"{_q(self.volumes.folders[mount['name']])} {inside}"]
            if mount.get("readOnly"):
                lines.append(f"mount -o remount,bind,ro {inside}")
        security = {**self.pod["spec"]["securityContext"],
                    **self.spec["securityContext"]}
        if security.get("readOnlyRootFilesystem"):
            lines.append(f"mount -o remount,ro {_q(root)}")
        become = ["setpriv", "--pdeathsig=KILL", "--no-new-privs"]
        if os.getuid() == 0:
            become += [f"--reuid={security['runAsUser']}",
                       f"--regid={security['runAsGroup']}",
                       f"--groups={self.volumes.group}",
                       "--bounding-set=-all", "--inh-caps=-all"]
        lines.append(f"exec chroot . /usr/bin/{' '.join(become)} \"$@\"")
        return "\n".join(lines) + "\n"

    def command(self, *more, listen="127.0.0.1:0"):
        """The command to run on this machine; `more` arguments come last."""
        args = [one for one in self.args if not one.startswith(LISTEN)]
        script = self._plane.folder.file(
            f"pods/{self.pod['metadata']['uid']}/start", self._script())
        return [*unshare(), "sh", script,
                *self.spec.get("command", [ENTRY_POINT]), *args,
                LISTEN + listen, *more]

    def run(self, *more):
        """(exit code, output) of a container that terminates."""
        done = subprocess.run(
            self.command(*more), env={**self.environment,
                                      "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, timeout=60)
        return done.returncode, done.stdout


def _q(path):
    return shlex.quote(path)


class PodExporter(Exporter):
    """The exporter as a Pod's container, on this machine."""

    # The Pod has its account and rights, so Exporter creates none.
    def __init__(self, plane, pod, name):  # pylint: disable=W0231
        self.container = Container(plane, pod)
        self.name = name
        self.user = self.container.user
        self._plane = plane
        self._namespaces = self.container.watched_namespaces()
        self._command = self.container.command()
        self._environment = self.container.environment
        self._baselines = None
        self.start_again()
        self.address = processes.wait_until(
            self._find_address, 15, f"{name} logs its address")

    def baselines(self):
        # Later watches of this user may come from a test of its rights.
        if self._baselines is None:
            found = super().baselines()
            if len(found) < max(len(self._namespaces), 1):
                return found
            self._baselines = found
        return self._baselines
