"""haproxy and nginx between an exporter and the API server.

Debian's programs, each as one process with a configuration in the test's
folder. They end TLS with a certificate of the cluster's authority, as proxies in
front of control planes do, or pass it through.
"""

import os
import pathlib
import shutil
import socket
import unittest

from rig import processes

_HAPROXY = """
defaults
  mode {mode}
  timeout connect 5s
  timeout client {idle}
  timeout server {idle}
frontend api
  bind 127.0.0.1:{port} {tls}
  default_backend api
backend api
  server api 127.0.0.1:{target} {upstream}
"""

_NGINX = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  scgi_temp_path {folder}/scgi;
  uwsgi_temp_path {folder}/uwsgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass https://127.0.0.1:{target};
      {options}
    }}
  }}
}}
"""


def need(name):
    """The path of the program; skips the calling test without it."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not path:
        raise unittest.SkipTest(f"{name} is not installed")
    return path


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Proxy:
    """A running proxy; `url` takes the place of the API server's."""

    def __init__(self, plane, name, command):
        self.process = processes.Process(plane.folder, name, command)
        self.url = f"https://127.0.0.1:{self.port}"

        def ready():
            self.process.expect_running()
            return _listens(self.port)
        processes.wait_until(ready, 15, f"{name} listens")

    def close(self):
        self.process.kill()


class Haproxy(Proxy):
    """Cuts connections that are idle for `idle`; layer 4, or 7 with `http`."""

    def __init__(self, plane, name, idle, http=False):
        pki = plane.certificates
        self.port = processes.free_port()
        pair = plane.folder.file(f"{name}.pem", "".join(
            pathlib.Path(file).read_text(encoding="utf-8")
            for file in (pki.serving, pki.serving_key)))
        config = plane.folder.file(f"{name}.cfg", _HAPROXY.format(
            mode="http" if http else "tcp", idle=idle, port=self.port,
            target=plane.port, tls=f"ssl crt {pair}" if http else "",
            upstream="ssl verify none" if http else ""))
        super().__init__(plane, name, [need("haproxy"), "-db", "-f", config])


class Nginx(Proxy):
    """nginx with its defaults and `options` of the location."""

    def __init__(self, plane, name, *options):
        pki = plane.certificates
        self.port = processes.free_port()
        folder = plane.folder.file(name)
        os.makedirs(folder, exist_ok=True)
        config = plane.folder.file(f"{name}.conf", _NGINX.format(
            folder=folder, port=self.port, target=plane.port,
            certificate=pki.serving, key=pki.serving_key,
            options="\n      ".join(f"{option};" for option in options)))
        super().__init__(plane, name, [need("nginx"), "-c", config,
                                       "-p", folder])
