"""One HTTP exchange with a flag service: bytes out, bytes back, before an absolute deadline.

The client's own lines go out and nothing of the HTTP library's: no agent, no default types, no cookies, no proxies from the
environment, no redirects. The address is made from settings and a constant path; only the query is the client's, byte for byte.
An upstream that zips an answer although it was asked not to is unzipped here. Every exception of the library becomes a
`Failure`, in `errors`.
"""

from __future__ import annotations

import io
import ssl
from functools import lru_cache
from typing import Final, Protocol

import aiohttp
from yarl import URL

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.intake.body import Trouble as BodyTrouble
from proxy.answer.intake.body import gunzip
from proxy.answer.request import Family, FlagsRequest
from proxy.clock import Clock
from proxy.config.settings import Upstream
from proxy.edge.headers import RESPONSE_DROPPED, SKIP_AUTO_HEADERS, relayable

from .errors import EXPECTED, failure_of

DNS_CACHE_S: Final = 30
REMEMBERED_URLS: Final = 512
WRITE_WHOLE_BYTES: Final = 1024 * 1024
"""Larger bodies are written from a file object: the library warns when it is handed more bytes at once."""

_DECIDE: Final = ("X-Original-Endpoint", "decide")
_NOT_RELAYED: Final = RESPONSE_DROPPED | {"content-type"}
_NOT_RELAYED_UNZIPPED: Final = _NOT_RELAYED | {"content-encoding"}


class Transport(Protocol):
    """What talks to one upstream."""

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        """Send the request once; return the answer, or why there is none."""
        ...

    async def close(self) -> None:
        """Close every connection."""


class HttpTransport:
    """A pool of connections to one upstream; made inside the running loop."""

    def __init__(self, upstream: Upstream, *, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self._base = upstream.url.rstrip("/")
        self._urls: dict[tuple[str, str], URL] = {}
        connector = aiohttp.TCPConnector(
            limit=upstream.connections,
            keepalive_timeout=upstream.keepalive_s,
            ttl_dns_cache=DNS_CACHE_S,
            ssl=ssl.create_default_context(cafile=upstream.ca_file) if upstream.ca_file else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=SKIP_AUTO_HEADERS,
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        """Send the request once, inside its deadline."""
        left_s = request.deadline - self._clock.monotonic()
        if left_s <= 0:
            return Failure(trouble=Trouble.TIMEOUT, no_byte_received=True)
        try:
            return await self._send(request, _timeout(round(left_s, 3), self._upstream.connect_timeout_s))
        except EXPECTED as error:
            return failure_of(error)

    async def _send(self, request: FlagsRequest, limits: aiohttp.ClientTimeout) -> Whole | Failure:
        async with self._session.request(
            request.method,
            self._url(request),
            data=_payload(request.body),
            headers=request.headers if request.family is Family.FLAGS else (*request.headers, _DECIDE),
            allow_redirects=False,
            timeout=limits,
        ) as response:
            body = await self._read(response)
            if body is None:
                response.close()
                return Failure(trouble=Trouble.TOO_LARGE, status=response.status)
            return self._whole(response, body)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Return the body's bytes; None when it is larger than allowed."""
        content, limit = response.content, self._upstream.response_bytes
        body = await content.readany()
        if content.at_eof():
            return body if len(body) <= limit else None
        chunks, size = [body], len(body)
        while not content.at_eof():
            chunks.append(await content.readany())
            size += len(chunks[-1])
            if size > limit:
                return None
        return b"".join(chunks)

    def _whole(self, response: aiohttp.ClientResponse, body: bytes) -> Whole | Failure:
        headers = response.headers
        content_type = headers.get("Content-Type", "")
        dropped = _NOT_RELAYED
        if body and headers.get("Content-Encoding", "").strip().lower() in ("gzip", "x-gzip"):
            text = gunzip(body, limit=self._upstream.response_bytes)
            if isinstance(text, BodyTrouble):
                return Failure(trouble=Trouble.MALFORMED, status=response.status)
            body, dropped = text, _NOT_RELAYED_UNZIPPED
        return Whole(response.status, content_type, body, relayable(headers, dropped=dropped))

    def _url(self, request: FlagsRequest) -> URL:
        place = (request.path, request.query)
        url = self._urls.get(place)
        if url is None:
            if len(self._urls) >= REMEMBERED_URLS:
                self._urls.clear()
            url = self._urls[place] = _url(self._base, *place)
        return url


@lru_cache(maxsize=4096)  # most calls have their whole time left: the same few milliseconds again and again
def _timeout(left_s: float, connect_s: float) -> aiohttp.ClientTimeout:
    # One timer per exchange: `total` covers the pool, the connection, the answer and its body.
    return aiohttp.ClientTimeout(total=max(left_s, 0.001), sock_connect=min(max(left_s, 0.001), connect_s))


def _url(base: str, path: str, query: str) -> URL:
    return URL(f"{base}{path}?{query}" if query else base + path, encoded=True)


def _payload(body: bytes) -> aiohttp.Payload | None:
    if not body:
        return None
    return aiohttp.BytesPayload(body) if len(body) <= WRITE_WHOLE_BYTES else aiohttp.BytesIOPayload(io.BytesIO(body))
