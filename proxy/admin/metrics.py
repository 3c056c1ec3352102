"""`GET /metrics` on the admin face: what all processes counted, as Prometheus reads it.

Totals are exact however many workers there are, and go on from where they stood when one dies (decision 0175).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from proxy.telemetry.metrics.prometheus import CONTENT_TYPE

from .reply import as_json


class Figures(Protocol):
    """What was measured."""

    def prometheus(self) -> str: ...


class Desk(Protocol):
    """Who has it."""

    @property
    def figures(self) -> Figures | None: ...


def routes(desk: Desk) -> list[web.RouteDef]:
    """Return the routes."""

    async def show(_: web.Request) -> web.Response:
        if desk.figures is None:
            return as_json({"error": "nothing is measured here"}, HTTPStatus.NOT_FOUND)
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=desk.figures.prometheus().encode(), headers=headers)

    return [web.get("/metrics", show)]
