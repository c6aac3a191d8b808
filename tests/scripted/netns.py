"""Two network namespaces and a veth pair: a cable that a test can cut.

Loopback cannot lose packets; a veth pair can. `cut()` gives the server's
namespace a blackhole route to the client. The server then neither sends nor
acknowledges, as with a half-open connection. (With the interface down, the
client's sends would fail locally, which the kernel does not count as unanswered
probes.) Needs root and `ip`.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess

SERVER, CLIENT = "10.213.0.1", "10.213.0.2"
CLONE_NEWNET = 0x40000000


def available():
    """Whether this process can create network namespaces."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    name = f"kem-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], check=False,
                      capture_output=True).returncode:
        return False
    return subprocess.run(["ip", "netns", "del", name], check=False,
                          capture_output=True).returncode == 0


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Cable:
    def __init__(self):
        self.server_name = f"kem-s-{os.getpid()}"
        self.client_name = f"kem-c-{os.getpid()}"
        ends = ((self.server_name, "veth0", SERVER),
                (self.client_name, "veth1", CLIENT))
        for name, _, _ in ends:
            _ip("netns", "add", name)
        _ip("-n", self.server_name, "link", "add", "veth0", "type", "veth",
            "peer", "name", "veth1", "netns", self.client_name)
        for name, link, address in ends:
            _ip("-n", name, "address", "add", address + "/24", "dev", link)
            _ip("-n", name, "link", "set", link, "up")
            _ip("-n", name, "link", "set", "lo", "up")
        # Without static entries ARP would fail first.
        for (name, link, _), (peer, peer_link, address) in (ends, ends[::-1]):
            mac = subprocess.run(
                ["ip", "netns", "exec", peer, "cat",
                 f"/sys/class/net/{peer_link}/address"], check=True,
                capture_output=True, text=True).stdout.strip()
            _ip("-n", name, "neigh", "replace", address, "lladdr", mac, "dev",
                link, "nud", "permanent")

    def cut(self):
        _ip("-n", self.server_name, "route", "add", "blackhole", CLIENT)

    def restore(self):
        _ip("-n", self.server_name, "route", "del", "blackhole", CLIENT)

    def client_command(self):
        return ["ip", "netns", "exec", self.client_name]

    def inside(self, name):
        """Returns a context whose new sockets belong to the namespace."""
        @contextlib.contextmanager
        def enter():
            libc = ctypes.CDLL(None, use_errno=True)
            with open("/proc/thread-self/ns/net", "rb") as home, \
                    open(f"/run/netns/{name}", "rb") as target:
                if libc.setns(target.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
                try:
                    yield
                finally:
                    libc.setns(home.fileno(), CLONE_NEWNET)
        return enter

    def remove(self):
        for name in (self.server_name, self.client_name):
            subprocess.run(["ip", "netns", "del", name], check=False,
                           capture_output=True)
