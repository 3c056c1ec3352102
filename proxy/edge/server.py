"""Listens on the sockets it is given and bounds what clients may cost.

Connections beyond the limit are closed at once; one sweep per server, not a timer per connection or request, ends those whose
client is overdue. Works on asyncio's loop and on uvloop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from proxy.config.settings import Limits

from .guard.connection import Connection, missing_private_names
from .guard.files import connections_within, raise_file_limit
from .guard.gate import gated

BACKLOG: Final = 4096  # capped by net.core.somaxconn
ACCEPTED_AT_ONCE: Final = 64
"""Connections asyncio takes in one turn of the loop, before those too many can be closed: what a burst may overshoot by."""
RESERVED_FILES: Final = 512
"""Descriptors kept for upstream pools, stores and files."""
_SLICE: Final = 64  # connections swept before the loop turns: 0.1 ms (1 µs each on uvloop, 1–5 on asyncio)


class EdgeServer:
    """The listening side of one worker.

    Attributes:
        limits: What clients may cost; may be replaced while running.
        drain_s: How long `stop` waits for requests in flight; likewise.
        refused: Connections closed at once because too many were open.
    """

    def __init__(
        self, manager: web.Server, *, limits: Limits, drain_s: float = 10.0, reserved_files: int = RESERVED_FILES
    ) -> None:
        """Take what answers requests; made inside the running loop, raises the file limit of the process."""
        if missing := missing_private_names():
            raise RuntimeError(f"this aiohttp lacks {missing}: install the locked version")
        self.limits = limits
        self.refused = 0
        self._files = raise_file_limit()
        self._reserved_files = reserved_files
        self._manager = manager
        self._handler = gated(manager.request_handler)
        self.drain_s = drain_s
        self._open: set[Connection] = set()
        self._listening: list[asyncio.Server] = []
        self._pending: asyncio.Handle | None = None

    @property
    def connections(self) -> int:
        """Open client connections."""
        return len(self._open)

    @property
    def capacity(self) -> int:
        """Connections that may be open at once: as configured, and below the file limit."""
        return connections_within(self._files, wanted=self.limits.connections, reserved=self._reserved_files)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on bound sockets, now and with `listen`; begin to end overdue clients."""
        for sock in sockets:
            await self.listen(sock)
        self._schedule(asyncio.get_running_loop())

    async def listen(self, sock: socket.socket) -> asyncio.Server:
        """Accept on one more bound socket, ours from now on; closing what is returned ends it and leaves open connections."""
        server = await asyncio.get_running_loop().create_server(self._accept, sock=sock, backlog=ACCEPTED_AT_ONCE)
        sock.listen(BACKLOG)  # asyncio takes its `backlog` for both; the kernel's queue stays long
        self._listening = [*(held for held in self._listening if held.is_serving()), server]
        return server

    async def stop(self) -> None:
        """Stop accepting, let requests in flight finish within the drain time, then close what is left."""
        for server in self._listening:
            server.close()
        await asyncio.sleep(0)  # what was read in this turn of the loop becomes a request before idle connections go
        self._manager.pre_shutdown()
        await self._manager.shutdown(self.drain_s)
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def opened(self, connection: Connection) -> bool:
        """Count a connection; False when it is one too many (a burst is accepted before any of it is open)."""
        if len(self._open) >= self.capacity:
            self.refused += 1
            return False
        self._open.add(connection)
        return True

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)

    def _accept(self) -> asyncio.Protocol:
        if len(self._open) >= self.capacity:
            self.refused += 1
            return _Refused()
        return Connection(self._manager, owner=self, handler=self._handler, loop=asyncio.get_running_loop())

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        limits = self.limits
        shortest = min(limits.header_timeout_s, limits.body_timeout_s, limits.write_timeout_s)
        self._pending = loop.call_later(min(1.0, shortest / 4), self._sweep, loop, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop, rest: list[Connection] | None) -> None:
        """Look at a slice of the connections, then let the loop turn; a full round takes one interval more."""
        rest = list(self._open) if rest is None else rest
        part, rest = rest[:_SLICE], rest[_SLICE:]
        try:
            now = loop.time()
            for connection in part:
                connection.sweep(now)
        finally:  # whatever one connection does to us, the others are still watched
            if rest:
                self._pending = loop.call_soon(self._sweep, loop, rest)
            else:
                self._schedule(loop)


class _Refused(asyncio.Protocol):
    """A connection too many: closed before anything is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
