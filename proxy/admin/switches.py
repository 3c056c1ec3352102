"""Switches on the admin face: turn a mechanism off, or everything to pure relay, at run time, for a project or for all.

| call | does |
|---|---|
| `GET /switches` | which switches there are, their normal positions, and what is turned, until when, why and by whom |
| `PUT /switches/{switch}` | turns one: `{"project": "shop" or null, "on": true, "for_s": 900, "reason": "…", "by": "…"}` |
| `DELETE /switches/{switch}` (`?project=`) | puts one back at once; without a project: the turn for all |

Every worker obeys before the answer is sent; the answer names those that do. `for_s` left out is an hour, null is until taken
back. 400: the body is not of this form, and where. 404: no such switch or project. Every change is in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
from aiohttp import web

from proxy.answer.switches import NAMES, NORMAL
from proxy.config.settings import Settings
from proxy.process.switchboard.board import Spread
from proxy.process.switchboard.order import Order, Place, Turned

from .asked import Ordered, note, read, unknown_project
from .reply import as_json


class Board(Protocol):
    """Who keeps the orders."""

    def now(self) -> float: ...
    async def give(self, order: Order) -> Spread: ...
    async def take_back(self, place: Place) -> Spread: ...
    def report(self) -> list[dict[str, Any]]: ...


class Desk(Protocol):
    """What an operator can ask for."""

    @property
    def settings(self) -> Settings: ...
    @property
    def board(self) -> Board: ...


class Turn(Ordered, frozen=True, kw_only=True):
    """The body of a turn."""

    on: bool


def routes(desk: Desk) -> list[web.RouteDef]:
    """Return the routes."""

    async def show(_: web.Request) -> web.Response:
        turned = [order for order in desk.board.report() if order["order"] == "switch"]
        return as_json({"normal": msgspec.to_builtins(NORMAL), "turned": turned})

    async def turn(request: web.Request) -> web.Response:
        switch, asked = request.match_info["switch"], await read(request, Turn)
        if isinstance(asked, web.Response):
            return asked
        refused = _unknown_switch(switch) or unknown_project(desk.settings, asked.project)
        if refused is not None:
            return refused
        now = desk.board.now()
        until = asked.until(now)
        note(request, project=asked.project, on=asked.on, until=until, reason=asked.reason, by=asked.by)
        order = Turned(
            switch=switch, on=asked.on, project=asked.project, since=now, until=until, reason=asked.reason, by=asked.by
        )
        return told(await desk.board.give(order), msgspec.to_builtins(order))

    async def put_back(request: web.Request) -> web.Response:
        switch, project = request.match_info["switch"], request.query.get("project")
        refused = _unknown_switch(switch)
        if refused is not None:
            return refused
        note(request, project=project)
        return told(await desk.board.take_back(("switch", switch, project)), {"switch": switch, "project": project})

    return [
        web.get("/switches", show),
        web.put("/switches/{switch}", turn),
        web.delete("/switches/{switch}", put_back),
    ]


def told(spread: Spread, order: Mapping[str, Any]) -> web.Response:
    """Say how far a change has come."""
    workers = {"obeying": spread.obeying, "missing": {str(index): why for index, why in spread.missing.items()}}
    return as_json({**order, "changed": spread.changed, "stored": spread.stored, "workers": workers})


def _unknown_switch(switch: str) -> web.Response | None:
    if switch in NAMES:
        return None
    return as_json({"error": f"there is no switch of this name; there are {', '.join(NAMES)}"}, HTTPStatus.NOT_FOUND)
