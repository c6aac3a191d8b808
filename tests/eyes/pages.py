"""The page that draws a dashboard: its packages, its bundle, its server.

Downloaded packages are in the cache folder, under the hash of the lock file.
"""

import fcntl
import hashlib
import http.server
import os
import pathlib
import shutil
import socketserver
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE / "page"
NODE_NEEDED = 20
INSTALLED_FROM = ("package.json", "package-lock.json", ".npmrc")
# Where Grafana's components expect icons and fonts, and the files of the
# packages that have them.
PUBLIC = {"public/build/img/": "@grafana/ui/dist/public/img/",
          "public/fonts/inter/": "@fontsource-variable/inter/files/"
                                 "inter-latin-wght-normal.woff2",
          "public/fonts/roboto/": "@fontsource/roboto-mono/files/"
                                  "roboto-mono-latin-400-normal.woff2"}
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html",
         ".json": "application/json", ".svg": "image/svg+xml",
         ".woff2": "font/woff2"}


class Missing(Exception):
    """Something to draw with is missing; the text is one sentence."""


def _cache():
    default = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(default) / "kube-event-metrics"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(command, what, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)
    if done.returncode:
        raise Missing(f"{what} failed: {done.stdout[-2000:].strip()}")
    return done.stdout


def check_node():
    """Raises Missing without npm or a recent Node."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing(f"Node {NODE_NEEDED} or newer and npm are needed to "
                      "draw the dashboards.")
    version = _run(["node", "--version"], "node --version").strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_NEEDED:
        raise Missing(f"Node {NODE_NEEDED} or newer is needed to draw the "
                      f"dashboards; this one is {version}.")


def packages():
    """The folder of the locked packages; installs them first if needed."""
    check_node()
    digest = hashlib.sha256()
    for name in INSTALLED_FROM:
        digest.update((HERE / name).read_bytes())
    folder = _cache() / f"eyes-{digest.hexdigest()[:12]}"
    with open(_cache() / "eyes.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_suffix(".installing")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            for name in INSTALLED_FROM:
                shutil.copy(HERE / name, half)
            _run(["npm", "ci", "--ignore-scripts"], "npm ci", cwd=half)
            half.rename(folder)
    return folder / "node_modules"


def bundle(modules, folder):
    """Bundles the page's scripts and styles into one folder."""
    _run([modules / ".bin" / "esbuild", PAGE / "main.jsx", "--bundle",
          "--format=esm", "--splitting", f"--outdir={folder}",
          "--jsx=automatic", '--define:process.env.NODE_ENV="production"',
          "--loader:.woff2=file", "--loader:.woff=file", "--loader:.ttf=empty",
          "--legal-comments=none", "--log-level=error"], "esbuild",
         env={**os.environ, "NODE_PATH": str(modules)})
    shutil.copy(PAGE / "index.html", folder)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def _send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _proxied(self, rest):
        url = f"{self.server.prometheus.rstrip('/')}/{rest}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read()
        except OSError as trouble:
            return 502, f'{{"error": "Prometheus: {trouble}"}}'.encode()

    def _file(self, path):
        root, wanted = self.server.bundle, path or "index.html"
        for prefix, target in PUBLIC.items():
            if path.startswith(prefix):
                root = self.server.modules
                wanted = target + (path.removeprefix(prefix)
                                   if target.endswith("/") else "")
        file = (root / wanted).resolve()
        found = file.is_relative_to(root.resolve()) and file.is_file()
        return file if found else None

    def do_GET(self):
        uid, _, rest = self.path.lstrip("/").partition("/")
        path = urllib.parse.urlsplit(rest).path
        if rest.startswith("prometheus/"):
            status, body = self._proxied(rest.removeprefix("prometheus/"))
            return self._send(status, TYPES[".json"], body)
        if path == "dashboard.json" and uid in self.server.dashboards:
            return self._send(200, TYPES[".json"],
                              self.server.dashboards[uid].read_bytes())
        file = self._file(path)
        if file is None:
            return self._send(404, "text/plain", b"")
        return self._send(200, TYPES.get(file.suffix, "text/plain"),
                          file.read_bytes())


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Serves a dashboard at http://127.0.0.1:PORT/UID/ and proxies its queries
    to the Prometheus. A context manager."""

    daemon_threads = True

    def __init__(self, folder, modules, dashboards, prometheus):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bundle = pathlib.Path(folder)
        self.modules = modules
        self.dashboards = dashboards  # {uid: path}
        self.prometheus = prometheus
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, uid, end, view):
        rows = "open" if view.open_rows else "saved"
        return (f"http://127.0.0.1:{self.server_port}/{uid}/?end={end}"
                f"&theme={view.theme}&width={view.width}&rows={rows}")

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
