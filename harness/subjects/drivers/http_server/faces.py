"""The servers: where each answers, how a document gets there, and what had to be started for it.

`proxy` is a real `flags-proxy` in front of the embedded service, with a memory that would show if an earlier answer were given
again. `proxy-local` is one whose service answers about definitions only: every flag comes from the local rung.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple

TOKEN_VARIABLE: Final = "FLAGS_HARNESS_TOKEN"  # noqa: S105 — a name
PROJECT_TOKEN: Final = "phc_holdfast_local"  # noqa: S105 — of a project that exists in this process only
POLL_S: Final = "0.02"
EMPTY: Final[Mapping[str, Any]] = {"flags": [], "group_type_mapping": {}, "cohorts": {}}
COMMON: Final = {"PROCESS__WORKERS": "1", "LISTEN__PORT": "0", "LOG__LEVEL": "info"}
REMEMBERING: Final = {**COMMON, "POLICY__FRESH_S": "60", "POLICY__JUDGE_RATIO": "1"}
LOCAL: Final = {
    **COMMON,
    "PROJECTS__HARNESS__TOKENS": f'["{PROJECT_TOKEN}"]',
    "PROJECTS__HARNESS__DEFINITIONS__KEY__ENV": "HARNESS_DEFINITIONS_KEY",
    "PROJECTS__HARNESS__DEFINITIONS__POLL_S": "1",
    "PROJECTS__HARNESS__DEFINITIONS__TIMEZONE": "UTC",
    # Each document is unlike the one before: what guards a project against that would guard it against us.
    "PROJECTS__HARNESS__DEFINITIONS__SHRINK_RATIO": "1",
    "PROJECTS__HARNESS__DEFINITIONS__CANARY_RATIO": "1",
    "PROJECTS__HARNESS__DEFINITIONS__HOLD_POLLS": "0",
}


class Face(NamedTuple):
    """One server.

    Attributes:
        name: As `describe` tells it.
        address: Where it answers, with a path prefix where there is one.
        put: Puts a document there, the n-th.
        token: The token of the n-th document.
        close: Ends what was started.
        is_local: It answers as a local evaluator, from definitions alone.
    """

    name: str
    address: str
    put: Callable[[Mapping[str, Any], int], None]
    token: Callable[[int], str]
    close: Callable[[], None]
    is_local: bool = False


def url_face(url: str, file: Path) -> Face:
    """Return a server that runs already and watches a definitions file that we may write."""
    fixed = os.environ.get(TOKEN_VARIABLE, "").strip()
    token = (lambda _: fixed) if fixed else _own_token
    return Face("flags-server", url, lambda document, n: _write(file, document, token(n)), token, lambda: None)


def proxied_face() -> Face:
    """Start the embedded service and a proxy in front of it."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-proxy-"))
    file = folder / "definitions.json"
    _write(file, EMPTY, _own_token(0))
    service = _started("-m", "reference.service", "--definitions", str(file), "--port", "0", "--poll-s", POLL_S)
    address = _line(service).split()[-1]
    proxy, where = _proxy(folder, {**REMEMBERING, "UPSTREAMS__DEFAULT__URL": address})

    def close() -> None:
        for process in (proxy, service):
            _end(process)

    return Face("flags-proxy", where, lambda document, n: _write(file, document, _own_token(n)), _own_token, close)


def local_face() -> Face:
    """Start a proxy whose service is there for definitions, and for nothing else."""
    served = _Definitions(("127.0.0.1", 0), _Half)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-proxy-"))
    settings = {**LOCAL, "UPSTREAMS__DEFAULT__URL": f"http://127.0.0.1:{served.server_port}"}
    proxy, where = _proxy(folder, settings)

    def put(document: Mapping[str, Any], number: int) -> None:
        served.document = json.dumps(document).encode()
        served.etag = f'W/"{number}"'

    return Face("flags-proxy-local", where, put, lambda _: PROJECT_TOKEN, lambda: _end(proxy), is_local=True)


class _Definitions(ThreadingHTTPServer):
    daemon_threads = True
    document = json.dumps(EMPTY).encode()
    etag = 'W/"0"'


class _Half(BaseHTTPRequestHandler):
    """Definitions for whoever asks; 503 to everything else."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        held = self._held()
        if not self.path.startswith("/flags/definitions"):
            self._say(503, b"")
        elif self.headers.get("If-None-Match") == held.etag:
            self._say(304, b"")
        else:
            self._say(200, held.document)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._say(503, b"")

    def _held(self) -> _Definitions:
        assert isinstance(self.server, _Definitions)
        return self.server

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", self._held().etag)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it
        """Stay silent."""


def _own_token(number: int) -> str:
    return f"phc_load_{number}"


def _write(file: Path, document: Mapping[str, Any], token: str) -> None:
    beside = file.with_name(f"{file.name}.next")
    beside.write_text(json.dumps({**document, "service": {"tokens": [token]}}), encoding="utf-8")
    beside.replace(file)


def _proxy(folder: Path, settings: Mapping[str, str]) -> tuple[subprocess.Popen[str], str]:
    """Start a proxy; return it and its address, once a worker answers."""
    chosen = {**settings, "PROCESS__RUNTIME_DIR": str(folder / "run")}
    proxy = _started("-m", "proxy", "serve", **{f"HOLDFAST_{name}": value for name, value in chosen.items()})
    address = ""
    while True:
        event = json.loads(_line(proxy))
        if event["event"] == "listening":
            address = event["address"]
        if event["event"] == "answering":
            threading.Thread(target=_drain, args=(proxy,), daemon=True).start()
            return proxy, f"http://{address.removeprefix('http://')}"


def _started(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environ = {**clean, "HARNESS_DEFINITIONS_KEY": "phx_harness", **environ}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)  # noqa: S603 — our own modules


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"it ended with {process.wait()}")
    return line


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for _ in process.stdout:
        pass


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait()
