"""Streams ingestion and assets through, because an SDK has one host setting for everything.

An allow-list of path prefixes, the rest 404. Both directions stream with back-pressure, from a pool of their own, and nothing
is ever sent twice: an event may be counted again. A body larger than allowed is refused; an unreachable upstream is a 503 with
`Retry-After`, for which capture clients keep their batch; an answer that breaks off breaks off for the client too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from proxy.config.settings import Passthrough as Settings
from proxy.edge import cors, replies
from proxy.edge.forwarded import TrustedProxies
from proxy.edge.guard.connection import STREAMED
from proxy.edge.guard.targets import Target, is_below
from proxy.edge.headers import (
    BAGGAGE,
    COOKIES,
    CORS_ANSWERS,
    REQUEST_DROPPED,
    RESPONSE_DROPPED,
    HeaderLines,
    forwardable,
    relayable,
)
from proxy.upstream.errors import EXPECTED

from .pool import Pool

_AS_THEY_CAME: Final = ("Content-Length", "Date")


class Passthrough:
    """The endpoints that are streamed through."""

    def __init__(self, settings: Settings, *, ingestion: Pool, assets: Pool, trusted: TrustedProxies) -> None:
        self._settings = settings
        self._ingestion = ingestion
        self._assets = assets
        self._trusted = trusted
        allowed = (COOKIES if settings.forward_cookies else frozenset()) | (
            BAGGAGE if settings.forward_baggage else frozenset()
        )
        self._request_dropped = REQUEST_DROPPED - allowed
        # With cookies on, upstream's own CORS stands: mirroring every origin would lend the visitor's session to any site.
        self._response_dropped = RESPONSE_DROPPED - allowed - (CORS_ANSWERS if settings.forward_cookies else frozenset())

    async def handle(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """Answer one request."""
        pool = self._pool_for(target.path)
        if pool is None:
            return replies.empty(request, HTTPStatus.NOT_FOUND)
        if request.method == "OPTIONS" and not self._settings.forward_cookies:
            return replies.preflight(request)
        if (request.content_length or 0) > self._settings.body_bytes:
            return replies.refusal(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return await self._stream(request, target, pool)

    def _pool_for(self, path: str) -> Pool | None:
        settings = self._settings
        if not settings.enabled:
            return None
        if is_below(path, settings.asset_prefixes):
            return self._assets
        return self._ingestion if settings.all or is_below(path, settings.prefixes) else None

    async def _stream(self, request: web.BaseRequest, target: Target, pool: Pool) -> web.StreamResponse:
        request[STREAMED] = True
        upload = Upload(request, self._settings.body_bytes)
        answer: web.StreamResponse | None = None
        try:
            async with pool.open(request.method, target, headers=self._lines(request), body=upload.chunks()) as upstream:
                answer = self._begun(request, upstream)
                await answer.prepare(request)
                async for chunk in upstream.content.iter_any():
                    await answer.write(chunk)
        except EXPECTED:
            return _broken_off(request, answer, upload)
        await answer.write_eof()
        return answer

    def _lines(self, request: web.BaseRequest) -> HeaderLines:
        lines = forwardable(request.headers, peer=request.remote or "", trusted=self._trusted, dropped=self._request_dropped)
        length = request.headers.get("Content-Length")
        # Without a length the library frames the body in chunks, as the client must have done.
        return (*lines, ("Content-Length", length)) if length is not None and request.body_exists else lines

    def _begun(self, request: web.BaseRequest, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        headers = CIMultiDict(relayable(upstream.headers, dropped=self._response_dropped))
        for name in _AS_THEY_CAME:
            if (value := upstream.headers.get(name)) is not None:
                headers[name] = value
        if not self._settings.forward_cookies:
            headers.extend(cors.headers_for(request.headers.get("Origin")))
        return web.StreamResponse(status=upstream.status, headers=headers)


class Upload:
    """A request body on its way through; knows whether the client sent too much."""

    def __init__(self, request: web.BaseRequest, limit_bytes: int) -> None:
        self._request = request
        self._limit = limit_bytes
        self.is_too_large = False

    def chunks(self) -> AsyncIterator[bytes] | None:
        """Return the body as it arrives; None when the request has none."""
        return self._chunks() if self._request.body_exists else None

    async def _chunks(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._request.content.iter_any():
            size += len(chunk)
            if size > self._limit:
                self.is_too_large = True
                raise ConnectionAbortedError("the request body is larger than passthrough.body_bytes")
            yield chunk


def _broken_off(request: web.BaseRequest, answer: web.StreamResponse | None, upload: Upload) -> web.StreamResponse:
    """Return what a client gets when an exchange failed; when its answer has begun, end the connection instead."""
    if answer is not None and answer.prepared:
        if request.transport is not None:
            request.transport.abort()
        return answer
    if upload.is_too_large:
        return replies.refusal(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return replies.error(request, HTTPStatus.SERVICE_UNAVAILABLE, replies.UNAVAILABLE)
