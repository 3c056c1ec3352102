"""The few answers that are our own: errors in the service's shapes (contract §3.9), preflights, refusals.

All of them carry the request's cross-origin headers, and none repeats a byte of what the client sent.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from . import cors

RETRY_AFTER_S: Final = 5
"""What a 503 of ours suggests, in seconds: long enough for a restart, short enough not to lose events."""


class Error(msgspec.Struct, frozen=True):
    """The service's JSON error envelope."""

    type: str
    code: str
    detail: str
    attr: str | None = None


UNAVAILABLE: Final = Error("server_error", "service_unavailable", "The flag service cannot be reached right now.")
NOT_SERVED: Final = Error("authentication_error", "permission_denied", "This proxy does not serve the project of this token.")


def error(request: web.BaseRequest, status: int, body: Error) -> web.Response:
    """Return a JSON error; a 503 suggests when to come back (SDKs ignore it on flags, ingestion clients honour it)."""
    headers = _headers(request)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return web.Response(status=status, body=msgspec.json.encode(body), headers=headers, content_type="application/json")


def text(request: web.BaseRequest, status: int) -> web.Response:
    """Return the status and its standard phrase as text."""
    return web.Response(status=status, text=HTTPStatus(status).phrase, headers=_headers(request))


def empty(request: web.BaseRequest, status: int) -> web.Response:
    """Return a status without a body, as axum does for unknown paths."""
    return web.Response(status=status, headers=_headers(request))


def preflight(request: web.BaseRequest) -> web.Response:
    """Answer any OPTIONS request: 200, empty (contract §1.2: the CORS layer answers before the routes)."""
    lines = cors.preflight_headers(request.headers.get("Origin"), request.headers.get("Access-Control-Request-Headers"))
    return web.Response(status=200, headers=CIMultiDict(lines))


def refusal(request: web.BaseRequest, status: int) -> web.Response:
    """Return the status as text and end the connection: what follows on it cannot be trusted."""
    response = text(request, status)
    response.force_close()
    return response


def _headers(request: web.BaseRequest) -> CIMultiDict[str]:
    return CIMultiDict(cors.headers_for(request.headers.get("Origin")))
