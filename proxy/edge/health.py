"""Says how this worker is: whether it runs, whether it should get requests, whether what it knows is fresh, and in which mode.

Small texts of a closed vocabulary, which name nobody. Only the first two are for load balancers and orchestrators: an upstream
that is down must not make us unready, answering without it is what we are for. The service's own `/_readiness`, `/_liveness`
and `/_startup` are not relayed: they speak about another process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from proxy.edge import replies
from proxy.telemetry.standing import Mode

LIVE: Final = "/_holdfast/live"
READY: Final = "/_holdfast/ready"
FRESH: Final = "/_holdfast/fresh"
MODE: Final = "/_holdfast/mode"
UNKNOWN: Final = "unknown"
"""What is said of freshness and mode while nobody looks after them (the supervisor is being restarted)."""


class Health:
    """Health of one worker.

    Attributes:
        is_ready: On once started, off as soon as it is told to drain; whatever upstream does.
        mode: Tells how the instance stands; None: nobody knows.
    """

    def __init__(self, *, is_ready: bool = False) -> None:
        self.is_ready = is_ready
        self.mode: Callable[[], Mode | None] = _nobody_knows

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
        if path == FRESH:
            return _said(request, *self._freshness())
        if path == MODE:
            return _said(request, HTTPStatus.OK, self._mode())
        return replies.empty(request, HTTPStatus.NOT_FOUND)

    def _freshness(self) -> tuple[HTTPStatus, str]:
        mode = self.mode()
        if mode is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, UNKNOWN
        return (HTTPStatus.OK, "fresh") if mode.is_fresh else (HTTPStatus.SERVICE_UNAVAILABLE, "stale")

    def _mode(self) -> str:
        if not self.is_ready:
            return "draining"
        mode = self.mode()
        if mode is None:
            return UNKNOWN
        reasons = (f"{reason} since {_stamp(at)}" for reason, at in sorted(mode.since.items()))
        return " ".join([mode.state, ", ".join(reasons)]).rstrip()


def _nobody_knows() -> None:
    """Stand in where nobody looks after the instance."""


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _said(request: web.BaseRequest, status: int, word: str) -> web.Response:
    response = replies.text(request, status)
    response.text = word
    response.headers["Cache-Control"] = "no-store"
    return response
