"""An upstream that answers at once, counts, and can be told to hold its answers back."""

from __future__ import annotations

import asyncio
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer

BODY = b'{"flags":{"a":{"key":"a","enabled":true}},"errorsWhileComputingFlags":false,"requestId":"r"}'


class Upstream:
    """One flag service on a free port.

    Attributes:
        calls: Flag requests so far.
        status: With what they are answered.
        open: While it is clear, answers are held back.
        holding: Set once a request is being held.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.status = 200
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
        if not self.open.is_set():
            self.holding.set()
            await self.open.wait()
        return web.Response(status=self.status, body=BODY, content_type="application/json")
