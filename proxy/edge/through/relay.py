"""Hands definitions and remote config to the service, and its answer back: status, lines and bytes untouched.

Nothing is remembered: remote config carries decrypted secrets. Definitions are read whole before a byte is given on: a document
that upstream cut short becomes a 503, which every SDK survives, and never half a document. No 502 or 504 is made here (SDKs ask
again on those), and `no-cache` from clients is not passed on (node sends it with every conditional GET).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.edge import cors, replies
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.guard.targets import Target
from proxy.edge.headers import REQUEST_DROPPED, HeaderLines, forwardable

from .pool import Pool
from .tenants import Tenants

DEADLINE_S: Final = 9.0
"""Within the 10 s that python and node wait for definitions; go gives up after 3 (sdks.md §1.4)."""
LARGEST_BODY_BYTES: Final = 64 * 1024
"""These are GET requests; a body is only carried so that the service can refuse it itself."""

_DROPPED: Final = REQUEST_DROPPED | {"cache-control", "pragma"}


class Relay:
    """The endpoints that are relayed as they are."""

    def __init__(
        self, tenants: Tenants, pools: Mapping[str, Pool], *, trusted: TrustedProxies, deadline_s: float = DEADLINE_S
    ) -> None:
        self._tenants = tenants
        self._pools = pools
        self._trusted = trusted
        self._deadline_s = deadline_s

    async def handle(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """Answer one request for a target that `routes` let through."""
        upstream = self._tenants.upstream(request, target.query)
        pool = self._pools.get(upstream) if upstream is not None else None
        if pool is None:
            return replies.error(request, HTTPStatus.FORBIDDEN, replies.NOT_SERVED)
        body = await _small_body(request)
        if body is None:
            return replies.text(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        answer = await self.ask(pool, request.method, target, lines=self.lines(request), body=body)
        if isinstance(answer, Failure):
            return replies.error(request, HTTPStatus.SERVICE_UNAVAILABLE, replies.UNAVAILABLE)
        return handed_on(request, answer)

    def lines(self, request: web.BaseRequest) -> HeaderLines:
        """Return the header lines that go upstream for a request."""
        return forwardable(request.headers, peer=request.remote or "", trusted=self._trusted, dropped=_DROPPED)

    async def ask(self, pool: Pool, method: str, target: Target, *, lines: HeaderLines, body: bytes = b"") -> Whole | Failure:
        """Return upstream's answer, whole, or why there is none within the deadline."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await pool.fetch(method, target, headers=lines, body=body)
        except TimeoutError:
            return Failure(trouble=Trouble.TIMEOUT)


async def _small_body(request: web.BaseRequest) -> bytes | None:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            return None
    return bytes(body)


def handed_on(request: web.BaseRequest, answer: Whole) -> web.Response:
    """Return upstream's answer as it is, with our cross-origin lines."""
    headers = CIMultiDict(answer.headers)
    headers.extend(cors.headers_for(request.headers.get("Origin")))
    return web.Response(status=answer.status, body=answer.body, headers=headers)
