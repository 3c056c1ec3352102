"""Refuses what aiohttp's parser lets through but no proxy should carry on, before any handler sees it.

That is: HTTP versions we cannot answer in, tunnels and websockets, and transfer codings beyond plain `chunked` (their
meaning would be lost on the way). `Expect: 100-continue` is met here too. The usual request costs four attribute reads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeAlias

from aiohttp import HttpVersion10, HttpVersion11, web

from proxy.edge import replies

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_TUNNELS: Final = frozenset({"websocket"})
_CONTINUE: Final = "100-continue"


def gated(handler: Handler) -> Handler:
    """Return the handler behind the gate."""

    def enter(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        message = request._message  # noqa: SLF001 - its public faces cost a call each, on every request
        if message.version == HttpVersion11 and not message.chunked and not message.upgrade and request.content.is_eof():
            return handler(request)
        status = fault_of(request)
        if status is not None:
            return _refuse(request, status)
        _encourage(request)
        return handler(request)

    return enter


def fault_of(request: web.BaseRequest) -> int | None:
    """Return the status to refuse a request with; None: let it in."""
    version = request._message.version  # noqa: SLF001 - `request.version` would remember what `_refuse` has to replace
    if version not in {HttpVersion10, HttpVersion11}:
        return HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    if request.method == "CONNECT" or request.headers.get("Upgrade", "").strip().lower() in _TUNNELS:
        return HTTPStatus.BAD_REQUEST
    codings = [value.strip().lower() for value in request.headers.getall("Transfer-Encoding", ())]
    if codings and (codings != ["chunked"] or version == HttpVersion10):
        return HTTPStatus.BAD_REQUEST  # RFC 9112 §6.1: a 1.0 message with a transfer coding has faulty framing
    expectations = request.headers.getall("Expect", ())
    if any(value.strip().lower() != _CONTINUE for value in expectations):
        return HTTPStatus.EXPECTATION_FAILED
    return None


def _encourage(request: web.BaseRequest) -> None:
    """Send `100 Continue` to a client that waits for it (RFC 9110 §10.1.1); HTTP/1.0 knows none."""
    transport = request.transport
    if (
        "Expect" in request.headers
        and request.version == HttpVersion11
        and transport is not None
        and not transport.is_closing()
    ):
        transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


async def _refuse(request: web.BaseRequest, status: int) -> web.StreamResponse:
    request._version = HttpVersion11  # noqa: SLF001 - otherwise the status line claims the version we refuse
    return replies.refusal(request, status)
