"""Listens on the sockets it is given and bounds what clients may cost.

Connections beyond the limit are closed at once; one sweep per server, not a timer per connection or request, ends those whose
client is overdue. Works on asyncio's loop and on uvloop.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from proxy.config.settings import Limits

from .guard.connection import Connection, missing_private_names
from .guard.files import connections_within, raise_file_limit
from .guard.gate import gated

log = logging.getLogger(__name__)

BACKLOG: Final = 4096
RESERVED_FILES: Final = 512
"""Descriptors kept for upstream pools, stores and files."""
_SLICE: Final = 256  # connections swept before the loop turns: 0.1 ms


class EdgeServer:
    """The listening side of one worker."""

    def __init__(
        self,
        app: web.Application | web.Server,
        *,
        limits: Limits,
        drain_s: float = 10.0,
        reserved_files: int = RESERVED_FILES,
    ) -> None:
        if missing := missing_private_names():
            raise RuntimeError(f"this aiohttp lacks {missing}: install the locked version")
        self.limits = limits
        self.capacity = connections_within(raise_file_limit(), wanted=limits.connections, reserved=reserved_files)
        self.refused = 0
        """Connections closed at once because the limit was reached."""
        self._runner = _runner(app, drain_s)
        self._open: set[Connection] = set()
        self._listening: list[asyncio.Server] = []
        self._pending: asyncio.Handle | None = None

    @property
    def connections(self) -> int:
        """Open client connections."""
        return len(self._open)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Run the application's start-up and accept on bound sockets (listening or not)."""
        await self._runner.setup()
        manager = self._runner.server
        assert manager is not None
        handler, loop = gated(manager.request_handler), asyncio.get_running_loop()

        def accept() -> asyncio.Protocol:
            if len(self._open) >= self.capacity:
                self.refused += 1
                return _Refused()
            return Connection(manager, owner=self, handler=handler, loop=loop)

        for sock in sockets:
            self._listening.append(await loop.create_server(accept, sock=sock, backlog=BACKLOG))
        self._schedule(loop)

    async def stop(self) -> None:
        """Stop accepting, let requests in flight finish within the drain time, run the application's clean-up."""
        for server in self._listening:
            server.close()
        await self._runner.cleanup()
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    def opened(self, connection: Connection) -> None:
        self._open.add(connection)

    def closed(self, connection: Connection) -> None:
        self._open.discard(connection)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        limits = self.limits
        shortest = min(limits.header_timeout_s, limits.body_timeout_s, limits.write_timeout_s)
        self._pending = loop.call_later(min(1.0, shortest / 4), self._sweep, loop, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop, rest: list[Connection] | None) -> None:
        """Look at a slice of the connections, then let the loop turn; a full round takes one interval more."""
        rest = list(self._open) if rest is None else rest
        now = loop.time()
        for connection in rest[-_SLICE:]:
            connection.sweep(now)
        del rest[-_SLICE:]
        if rest:
            self._pending = loop.call_soon(self._sweep, loop, rest)
        else:
            self._schedule(loop)


class _Refused(asyncio.Protocol):
    """A connection too many: closed before anything is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _runner(app: web.Application | web.Server, drain_s: float) -> web.BaseRunner:
    options: dict[str, Any] = {"shutdown_timeout": drain_s, "handle_signals": False}
    return web.AppRunner(app, **options) if isinstance(app, web.Application) else web.ServerRunner(app, **options)
