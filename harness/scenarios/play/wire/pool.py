"""Keep-alive connections that send requests when they are due, whatever became of those before: an open loop.

They take turns, so that every worker behind the port gets its share; more are opened while all are busy.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from harness.scenarios.play.shot import Contents, Shot

CONNECTIONS: Final = 24
PATIENCE_S: Final = 5.0
"""An answer that has not come by then never does; an SDK gives up at 3 s."""

_END: Final = b"\r\n\r\n"

Done = Callable[[], None]


class Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._held = b""
        self._length: int | None = None
        self._shot: Shot | None = None
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, shot: Shot, request: bytes) -> None:
        """Send one request."""
        loop = asyncio.get_running_loop()
        self._shot, self._held, self._length = shot, b"", None
        shot.sent_at = loop.time()
        self._timer = loop.call_later(PATIENCE_S, self._transport.abort)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        shot = self._shot
        if shot is None:
            return
        if self._length is None and _END in self._held:
            head, _, self._held = self._held.partition(_END)
            self._length = _read_head(shot, head)
        if self._length is not None and len(self._held) >= self._length:
            self._finish(shot, self._held[: self._length])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason, no answer came
        shot, self._shot = self._shot, None
        if shot is not None:
            shot.received_at = asyncio.get_running_loop().time()
            shot.status = 0
        self._pool.lost(self)
        if self._timer is not None:
            self._timer.cancel()

    def _finish(self, shot: Shot, body: bytes) -> None:
        assert self._timer is not None
        self._timer.cancel()
        self._shot = None
        shot.received_at = asyncio.get_running_loop().time()
        self._pool.contents.note(shot, body)
        self._pool.free(self)

    def close(self) -> None:
        """End it."""
        self._transport.abort()


class Pool:
    """The connections to one port."""

    def __init__(self, port: int, contents: Contents) -> None:
        self.contents = contents
        self._port = port
        self._idle: deque[Connection] = deque()
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()

    async def open(self, count: int = CONNECTIONS) -> None:
        """Open so many at the start."""
        for _ in range(count):
            self._idle.append(await self._connect())

    def fire(self, shot: Shot, request: bytes) -> None:
        """Send a request now."""
        if self._idle:
            self._idle.popleft().send(shot, request)
            return
        task = asyncio.get_running_loop().create_task(self._fire_on_new(shot, request))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def free(self, connection: Connection) -> None:
        """Take a connection back."""
        self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """Forget a connection."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in list(self._all):
            connection.close()

    async def _fire_on_new(self, shot: Shot, request: bytes) -> None:
        try:
            connection = await self._connect()
        except OSError:
            shot.sent_at = shot.received_at = asyncio.get_running_loop().time()
            return
        connection.send(shot, request)

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
        self._all.add(connection)
        return connection


def _read_head(shot: Shot, head: bytes) -> int:
    first, *lines = head.decode("latin-1").split("\r\n")
    shot.status = int(first.split(" ", 2)[1])
    length = 0
    for line in lines:
        name, _, value = line.partition(":")
        match name.lower():
            case "content-length":
                length = int(value)
            case "cache-status":
                shot.cache = value.strip()
            case "proxy-status":
                shot.proxy = value.strip()
            case "age":
                shot.age_s = int(value)
    return length


def request_of(body: bytes) -> bytes:
    """Return the bytes of one flags request."""
    head = (
        "POST /flags/?v=2 HTTP/1.1\r\nHost: flags.example.com\r\nUser-Agent: posthog-python/7.91.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
