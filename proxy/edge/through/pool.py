"""Connections to one upstream for requests that are handed on: bodies untouched, address from settings alone.

Nothing of the HTTP library's goes out: no agent, no default types, no cookies, no environment proxies, no redirects followed,
no decompression. Flag exchanges have pools of their own, so a flood of events never takes their place.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import msgspec
from yarl import URL

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.clock import SystemClock
from proxy.config.settings import Upstream
from proxy.edge.guard.targets import Target
from proxy.edge.headers import SKIP_AUTO_HEADERS, HeaderLines, relayable
from proxy.telemetry.handing import Handing, Whither
from proxy.upstream.errors import EXPECTED, failure_of

DNS_CACHE_S: Final = 30
WAIT_FOR_PLACE_S: Final = 5.0
"""How long a request may queue for a connection of a full pool, connecting included."""
LONGEST_IDLE_S: Final = 15.0
"""A pooled connection idle for longer is closed: requests are never sent twice, so a dead one costs an answer."""
LONGEST_LINE_BYTES: Final = 65_536


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What makes one pool: equal places share it, also across a reload.

    Attributes:
        use: What it is for; pools of different uses never mix.
        name: The service's, as configured.
        upstream: The service.
        url: Where, if not at the upstream's own address.
        connections: The pool's size.
        idle_s: Longest silence in an exchange, either way.
    """

    use: str
    name: str
    upstream: Upstream
    connections: int
    idle_s: float
    url: str | None = None


class Pool:
    """The connections to one place, opened by the first request."""

    def __init__(self, place: Place, handing: Handing | None = None) -> None:
        """`handing` traces exchanges; None: nobody does."""
        self._place = place
        self._whither = Whither(place.use, place.name)
        self._handing = handing or Handing(lambda: None, clock=SystemClock())
        self._base = (place.url or place.upstream.url).rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._in_use = 0
        self._is_retired = False

    @asynccontextmanager
    async def open(
        self, method: str, target: Target, *, headers: HeaderLines, body: bytes | AsyncIterable[bytes] | None
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Send a request and yield the answer once its head is there; errors are those of `proxy.upstream.errors`."""
        place = self._place
        timeout = aiohttp.ClientTimeout(
            total=None, connect=WAIT_FOR_PLACE_S, sock_connect=place.upstream.connect_timeout_s, sock_read=place.idle_s
        )
        session = self._session = self._session or _session(place)
        self._in_use += 1
        try:
            with self._handing.over(self._whither, method, headers) as exchange:
                async with session.request(
                    method, self._url(target), headers=exchange.lines, data=body, allow_redirects=False, timeout=timeout
                ) as response:
                    exchange.status = response.status
                    yield response
        finally:
            self._in_use -= 1
            if self._is_retired and not self._in_use:
                await self.close()

    async def retire(self) -> None:
        """Close once the last exchange is over."""
        self._is_retired = True
        if not self._in_use:
            await self.close()

    async def close(self) -> None:
        """Close every connection now."""
        if self._session is not None:
            await self._session.close()

    async def fetch(self, method: str, target: Target, *, headers: HeaderLines, body: bytes) -> Whole | Failure:
        """Send a request and return the whole answer, bytes untouched, or why there is none."""
        try:
            async with self.open(method, target, headers=headers, body=body or None) as response:
                content = await self._read(response)
                if content is None:
                    response.close()
                    return Failure(trouble=Trouble.TOO_LARGE, status=response.status)
                lines = relayable(response.headers)
                return Whole(response.status, response.headers.get("Content-Type", ""), content, lines)
        except EXPECTED as error:
            return failure_of(error)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > self._place.upstream.response_bytes:
                return None
        return b"".join(chunks)

    def _url(self, target: Target) -> URL:
        return URL(f"{self._base}{target.path}?{target.query}" if target.query else self._base + target.path, encoded=True)


def _session(place: Place) -> aiohttp.ClientSession:
    upstream = place.upstream
    connector = aiohttp.TCPConnector(
        limit=place.connections,
        keepalive_timeout=min(upstream.keepalive_s, LONGEST_IDLE_S),
        ttl_dns_cache=DNS_CACHE_S,
        ssl=ssl.create_default_context(cafile=upstream.ca_file) if upstream.ca_file else True,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=SKIP_AUTO_HEADERS,
        auto_decompress=False,
        trust_env=False,
        max_line_size=LONGEST_LINE_BYTES,
        max_field_size=LONGEST_LINE_BYTES,
    )
    # The library sends idempotent requests twice when a pooled connection was dead; we promise never to.
    session._retry_connection = False  # noqa: SLF001 - it has no public face
    return session
