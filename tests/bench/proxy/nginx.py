"""nginx as a yardstick: `proxy_cache` keyed by the POST body, one worker, everything in a temporary folder.

Where nginx is not installed, Debian's package is fetched and unpacked under `.lanes/` (nothing is installed, no daemon is
started); where that can't be done the row is left out and the reason printed.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from pathlib import Path

from tests.bench.children import LOOPBACK, ROOT, Children, Server, free_port

UNPACKED = ROOT / ".lanes" / "nginx"
CONFIG = """
{user}
daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_buffer_size 64k; client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  open_file_cache max=4000 inactive=1h; open_file_cache_valid 1h;
  proxy_cache_path {folder}/cache keys_zone=answers:16m inactive=1h;
  upstream origin {{ server {host}:{origin}; keepalive 32; }}
  server {{
    listen {host}:{port};
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache answers; proxy_cache_methods POST; proxy_cache_valid 200 1h;
      proxy_cache_key "$request_uri|$request_body";
      add_header Cache-Status "nginx; $upstream_cache_status";
    }}
  }}
}}
"""


class NoNginxError(Exception):
    """There is no nginx here, and why none could be had."""


def start(children: Children, *, origin: int, core: int | None) -> Server:
    """Start nginx in front of the origin; raises NoNginxError with the reason where that can't be done."""
    binary = find()
    folder, port = children.folder(), free_port()
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, host=LOOPBACK, port=port, origin=origin, user=user))
    return children.start(str(binary), "-p", str(folder), "-c", str(config), "-e", "stderr", core=core, port=port)


def find() -> Path:
    """Return an nginx that runs: the installed one, or Debian's package unpacked."""
    if installed := shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return Path(installed)
    binary = UNPACKED / "usr" / "sbin" / "nginx"
    if not binary.exists():
        _unpack()
    check = subprocess.run([binary, "-v"], capture_output=True, text=True, check=False)
    if check.returncode != 0:
        raise NoNginxError(f"the unpacked nginx does not run here: {check.stderr.strip()}")
    return binary


def _unpack() -> None:
    if not shutil.which("apt-get"):
        raise NoNginxError("nginx is not installed and this is no Debian to fetch its package from")
    UNPACKED.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["apt-get", "download", "-q", "nginx"], cwd=UNPACKED, check=True, capture_output=True, text=True, timeout=60
        )
        package = next(UNPACKED.glob("nginx_*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), str(UNPACKED)], check=True, capture_output=True, text=True, timeout=60)
    except (subprocess.SubprocessError, StopIteration) as error:
        raise NoNginxError(f"Debian's nginx could not be fetched ({error}); try apt-get update") from error
