"""Takes spans from a worker to the supervisor: one packet each on a private Unix socket, never waited for.

The kernel's buffer is the queue, so it is bounded in bytes by construction (a datagram socket would be bounded in messages:
ten, by default). When it is full, or nobody is there, the span is lost and counted; the request it tells of is not.
"""

from __future__ import annotations

import socket
from collections import Counter
from pathlib import Path
from typing import Final, Protocol

from .span import Span, encode

SENT: Final = "sent"
NO_ROOM: Final = "no_room"
NOBODY: Final = "nobody"


class Post(Protocol):
    """Where finished spans go."""

    fates: Counter[str]

    def send(self, span: Span) -> None:
        """Take a span; never wait, never raise."""
        ...

    def close(self) -> None:
        """Give back what was opened."""


class SocketPost:
    """Over a socket of packets at a path.

    Attributes:
        fates: Spans by what became of them.
    """

    def __init__(self, path: str) -> None:
        self.fates: Counter[str] = Counter()
        self._path = path
        self._socket: socket.socket | None = None

    def send(self, span: Span) -> None:
        self.fates[self._sent(encode(span))] += 1

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _sent(self, content: bytes) -> str:
        try:
            self._opened().send(content)
        except BlockingIOError:
            return NO_ROOM
        except OSError:  # nobody listens, or not any more: look for the successor next time
            self.close()
            return NOBODY
        return SENT

    def _opened(self) -> socket.socket:
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            made.setblocking(False)
            self._socket = made
            made.connect(self._path)
        return self._socket


def socket_path(runtime: str) -> str:
    """Return where the supervisor of the instance in this folder takes spans."""
    return str(Path(runtime) / "spans.sock")
