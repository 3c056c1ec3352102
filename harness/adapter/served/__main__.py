"""Serve the adapter: `served HOST PORT`, in the SDK's own interpreter. Says where it listens, then answers until a signal."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .contract import BODY_BYTES, TOO_LARGE
from .face import Face
from .posthog_python import PosthogPython


class Handler(BaseHTTPRequestHandler):
    """HTTP around a face: JSON in, JSON out, connections kept open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Head and body are two writes: otherwise the second waits for the first's acknowledgement.
    face: Face

    def do_GET(self) -> None:
        """Answer `GET`."""
        self._answer()

    def do_POST(self) -> None:
        """Answer `POST`."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it
        """Stay silent: what is asked here may be personal."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= BODY_BYTES:
            self.close_connection = True
            self._send(TOO_LARGE, {"success": False, "error": f"a body must not be longer than {BODY_BYTES} bytes"})
            return
        body = self.rfile.read(length)
        self._send(*self.face.answer(self.command, urlsplit(self.path).path, body))

    def _send(self, status: int, content: Mapping[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def server(face: Face, host: str, port: int) -> ThreadingHTTPServer:
    """Return a server that listens already; port 0 lets the system choose."""
    return ThreadingHTTPServer((host, port), type("FacedHandler", (Handler,), {"face": face}))


def main(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    sdk = PosthogPython()
    face = Face(sdk)
    listening = server(face, host, port)

    def stop(*_: object) -> None:
        threading.Thread(target=listening.shutdown).start()  # It waits for the loop that this thread runs.

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    address = f"http://{host}:{listening.server_port}"
    print(f"adapter for {sdk.name} {sdk.version} on {address}", flush=True)
    listening.serve_forever(poll_interval=0.05)
    face.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
