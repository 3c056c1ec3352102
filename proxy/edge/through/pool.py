"""Connections to one upstream for requests that are handed on: bodies untouched, address from settings alone.

Nothing of the HTTP library's goes out: no agent, no default types, no cookies, no environment proxies, no redirects followed,
no decompression. Flag exchanges have pools of their own, so a flood of events never takes their place.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from typing import Final

import aiohttp
from yarl import URL

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.config.settings import Upstream
from proxy.edge.guard.targets import Target
from proxy.edge.headers import SKIP_AUTO_HEADERS, HeaderLines, relayable
from proxy.upstream.errors import EXPECTED, failure_of

DNS_CACHE_S: Final = 30
WAIT_FOR_PLACE_S: Final = 5.0
"""How long a request may queue for a connection of a full pool, connecting included."""
LONGEST_IDLE_S: Final = 15.0
"""A pooled connection idle for longer is closed: requests are never sent twice, so a dead one costs an answer."""
LONGEST_LINE_BYTES: Final = 65_536


class Pool:
    """One upstream's connections; open between `start` and `close`."""

    def __init__(self, upstream: Upstream, *, connections: int, idle_s: float, url: str | None = None) -> None:
        """Take the place (`url`, by default the upstream's own), the pool's size and the longest silence in an exchange."""
        self._upstream = upstream
        self._base = (url or upstream.url).rstrip("/")
        self._connections = connections
        self._idle_s = idle_s
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool; inside the running loop."""
        upstream = self._upstream
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            keepalive_timeout=min(upstream.keepalive_s, LONGEST_IDLE_S),
            ttl_dns_cache=DNS_CACHE_S,
            ssl=ssl.create_default_context(cafile=upstream.ca_file) if upstream.ca_file else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=SKIP_AUTO_HEADERS,
            auto_decompress=False,
            trust_env=False,
            max_line_size=LONGEST_LINE_BYTES,
            max_field_size=LONGEST_LINE_BYTES,
        )
        # The library sends idempotent requests twice when a pooled connection was dead; we promise never to.
        self._session._retry_connection = False  # noqa: SLF001 - it has no public face

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def open(
        self, method: str, target: Target, *, headers: HeaderLines, body: bytes | AsyncIterable[bytes] | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Send a request and yield the answer once its head is there; errors are those of `proxy.upstream.errors`."""
        assert self._session is not None, "start() comes first"
        timeout = aiohttp.ClientTimeout(
            total=None, connect=WAIT_FOR_PLACE_S, sock_connect=self._upstream.connect_timeout_s, sock_read=self._idle_s
        )
        return self._session.request(
            method, self._url(target), headers=headers, data=body, allow_redirects=False, timeout=timeout
        )

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
            if size > self._upstream.response_bytes:
                return None
        return b"".join(chunks)

    def _url(self, target: Target) -> URL:
        return URL(f"{self._base}{target.path}?{target.query}" if target.query else self._base + target.path, encoded=True)
