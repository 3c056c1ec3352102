"""One HTTP exchange with a flag service: bytes out, bytes back, before an absolute deadline.

The client's own lines go out and nothing of the HTTP library's: no agent, no default types, no cookies, no proxies from the
environment; redirects are not followed and nothing is sent twice. The address is made from settings and a constant path; only
the query is the client's, byte for byte. Connections, TLS, DNS, pooling and parsing are the library's; its session, which costs
more than all of those together, is not used (decision 0045).
"""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache
from typing import Final, Protocol

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import Family, FlagsRequest
from proxy.clock import Clock
from proxy.config.settings import Upstream
from proxy.edge.headers import RESPONSE_DROPPED, relayable

from .errors import EXPECTED, failure_of

DNS_CACHE_S: Final = 30
PROBES: Final = 4
"""Connections for probes, which need no place among the exchanges; one that hangs is given up long before it ends."""

_DECIDE: Final = "X-Original-Endpoint: decide\r\n"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_NOT_RELAYED: Final = RESPONSE_DROPPED | {"content-type"}
_FINAL: Final = 200


class Transport(Protocol):
    """What talks to one upstream."""

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        """Send the request once; return the answer, its body encoded as it came, or why there is none."""
        ...

    async def close(self) -> None:
        """Close every connection."""


class HttpTransport:
    """A pool of connections to one upstream; made inside the running loop."""

    def __init__(self, upstream: Upstream, *, clock: Clock) -> None:
        url = URL(upstream.url)
        self._upstream = upstream
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._prefix = url.raw_path.rstrip("/")
        self._host = url.host_port_subcomponent or ""
        # Never sent: it tells the connector where to, and under which key to pool.
        self._where = aiohttp.ClientRequest("POST", url, loop=self._loop)
        self._connector = aiohttp.TCPConnector(
            limit=upstream.connections + upstream.slow_lane + PROBES,
            keepalive_timeout=upstream.keepalive_s,
            ttl_dns_cache=DNS_CACHE_S,
            ssl=ssl.create_default_context(cafile=upstream.ca_file) if upstream.ca_file else True,
        )

    async def close(self) -> None:
        await self._connector.close()

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        """Send the request once, inside its deadline."""
        left_s = request.exchange_deadline - self._clock.monotonic()
        if left_s <= 0:
            return Failure(trouble=Trouble.TIMEOUT, no_byte_received=True)
        alarm = _Alarm()
        timer = self._loop.call_later(left_s, alarm.ring)
        try:
            return await self._send(request, alarm, left_s)
        except EXPECTED as error:
            return Failure(trouble=Trouble.TIMEOUT) if alarm.rang else failure_of(error)
        finally:
            timer.cancel()

    async def _send(self, request: FlagsRequest, alarm: _Alarm, left_s: float) -> Whole | Failure:
        connection = await self._connect(left_s)
        if alarm.rang:  # while there was nothing to cut yet: nobody would end this exchange any more
            connection.release()
            return Failure(trouble=Trouble.TIMEOUT, no_byte_received=True)
        try:
            protocol = connection.protocol
            assert protocol is not None
            assert protocol.transport is not None
            alarm.transport = protocol.transport
            # Again for each answer: a pooled connection forgets how to read when one has ended.
            protocol.set_response_params(skip_payload=request.method == "HEAD", read_until_eof=True, auto_decompress=False)
            protocol.transport.write(self._head(request) + request.body)
            answer = await self._receive(protocol)
        except BaseException:
            connection.close()
            raise
        if isinstance(answer, Failure):
            connection.close()
        else:
            connection.release()
        return answer

    async def _connect(self, left_s: float) -> Connection:
        try:
            return await self._connector.connect(
                self._where, traces=[], timeout=_timeout(round(left_s, 3), self._upstream.connect_timeout_s)
            )
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error

    async def _receive(self, protocol: ResponseHandler) -> Whole | Failure:
        message, content = await _final_head(protocol)
        body = await self._read(content)
        if body is None:
            return Failure(trouble=Trouble.TOO_LARGE, status=message.code)
        headers = message.headers
        return Whole(message.code, headers.get("Content-Type", ""), body, relayable(headers, dropped=_NOT_RELAYED))

    async def _read(self, content: StreamReader) -> bytes | None:
        """Return the body's bytes; None when it is larger than allowed."""
        limit = self._upstream.response_bytes
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

    def _head(self, request: FlagsRequest) -> bytes:
        """Return the request's head. Its lines are clean: `proxy.edge.headers` lets no line break through."""
        target = f"{self._prefix}{request.path}?{request.query}" if request.query else self._prefix + request.path
        lines = "".join([f"{name}: {value}\r\n" for name, value in request.headers])
        decide = _DECIDE if request.family is Family.DECIDE else ""
        has_body = request.body or request.method in _WITH_BODY
        length = f"Content-Length: {len(request.body)}\r\n" if has_body else ""
        head = f"{request.method} {target} HTTP/1.1\r\nHost: {self._host}\r\n{lines}{decide}{length}\r\n"
        return head.encode("utf-8", "surrogateescape")


class _Alarm:
    """The end of an exchange's time: cuts its connection, which ends whatever waits for it."""

    __slots__ = ("rang", "transport")

    def __init__(self) -> None:
        self.rang = False
        self.transport: asyncio.Transport | None = None

    def ring(self) -> None:
        self.rang = True
        if self.transport is not None:
            self.transport.abort()


async def _final_head(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    """Return the head of the answer proper, past interim ones (RFC 9110 §15.2)."""
    while True:
        message, content = await protocol.read()
        if message.code >= _FINAL or message.code == 101:  # noqa: PLR2004 - a protocol switch that nobody asked for ends the talk
            return message, content


@lru_cache(maxsize=4096)  # most calls have their whole time left: the same few milliseconds again and again
def _timeout(left_s: float, connect_s: float) -> aiohttp.ClientTimeout:
    left_s = max(left_s, 0.001)
    return aiohttp.ClientTimeout(connect=left_s, sock_connect=min(left_s, connect_s))
