"""An upstream that answers at once, counts, and can be told to hold its answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer

BODY = b'{"flags":{"a":{"key":"a","enabled":true}},"errorsWhileComputingFlags":false,"requestId":"r"}'


class Upstream:
    """One flag service on a free port.

    Attributes:
        calls: Flag requests so far.
        say: What each is answered, by its number: status and body.
        open: While it is clear, answers are held back.
        holding: Set once a request is being held.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.say: Callable[[int], tuple[int, bytes]] = lambda _: (200, BODY)
        self.open = asyncio.Event()
        self.open.set()
        self.holding = asyncio.Event()
        app = web.Application()
        app.router.add_post("/{path:.*}", self._flags)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open.set()
        await self._server.close()

    async def _flags(self, _: web.Request) -> web.Response:
        self.calls += 1
        number = self.calls
        if not self.open.is_set():
            self.holding.set()
            await self.open.wait()
        status, body = self.say(number)
        return web.Response(status=status, body=body, content_type="application/json")
