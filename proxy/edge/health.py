"""Says whether this worker runs and whether it should get requests: two small texts, nothing about upstream.

An upstream that is down must not make us unready: answering without it is what we are for. The service's own `/_readiness`,
`/_liveness` and `/_startup` are not relayed: they speak about another process.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from proxy.edge import replies

LIVE: Final = "/_holdfast/live"
READY: Final = "/_holdfast/ready"


class Health:
    """Readiness of one worker: on once started, off as soon as it is told to drain."""

    def __init__(self, *, is_ready: bool = False) -> None:
        self.is_ready = is_ready

    async def handle(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer a health path; 404 for any other below the prefix."""
        if path == LIVE:
            return _said(request, HTTPStatus.OK, "live")
        if path == READY:
            return (
                _said(request, HTTPStatus.OK, "ready")
                if self.is_ready
                else _said(request, HTTPStatus.SERVICE_UNAVAILABLE, "draining")
            )
        return replies.empty(request, HTTPStatus.NOT_FOUND)


def _said(request: web.BaseRequest, status: int, word: str) -> web.Response:
    response = replies.text(request, status)
    response.text = word
    response.headers["Cache-Control"] = "no-store"
    return response
