"""Breakers on the admin face: hold one open (nobody asks upstream) or closed (everybody does), whatever it has seen.

| call | does |
|---|---|
| `GET /breakers` | what is held, until when and why; and how every breaker of every worker stands |
| `PUT /breakers/{upstream}` | holds one: `{"project": null, "state": "open" or "closed", "for_s": 900, "reason": "…"}` |
| `DELETE /breakers/{upstream}` (`?project=`) | lets it go: held open it probes first, held closed it starts afresh |

`project` null means the upstream's own breaker, a name that of one project at it. The rest is as with switches.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, Protocol

import msgspec
from aiohttp import web

from proxy.config.settings import Settings
from proxy.process.switchboard.order import Forced

from .asked import Ordered, note, read, unknown_project
from .reply import as_json
from .switches import Board, told


class Desk(Protocol):
    """What an operator can ask for."""

    @property
    def settings(self) -> Settings: ...
    @property
    def board(self) -> Board: ...
    async def status(self) -> Mapping[str, Any]: ...


class Force(Ordered, frozen=True, kw_only=True):
    """The body of an order."""

    state: Literal["open", "closed"]


def routes(desk: Desk) -> list[web.RouteDef]:
    """Return the routes."""

    async def show(_: web.Request) -> web.Response:
        held = [order for order in desk.board.report() if order["order"] == "breaker"]
        workers = (await desk.status())["workers"]
        return as_json({"held": held, "workers": {str(each["index"]): each.get("breakers") for each in workers}})

    async def hold(request: web.Request) -> web.Response:
        upstream, asked = request.match_info["upstream"], await read(request, Force)
        if isinstance(asked, web.Response):
            return asked
        refused = _unknown_upstream(desk.settings, upstream) or unknown_project(desk.settings, asked.project)
        if refused is not None:
            return refused
        now = desk.board.now()
        until = asked.until(now)
        note(request, project=asked.project, state=asked.state, until=until, reason=asked.reason, by=asked.by)
        order = Forced(
            upstream=upstream,
            state=asked.state,
            project=asked.project,
            since=now,
            until=until,
            reason=asked.reason,
            by=asked.by,
        )
        return told(await desk.board.give(order), msgspec.to_builtins(order))

    async def let_go(request: web.Request) -> web.Response:
        upstream, project = request.match_info["upstream"], request.query.get("project")
        refused = _unknown_upstream(desk.settings, upstream)
        if refused is not None:
            return refused
        note(request, project=project)
        return told(await desk.board.take_back(("breaker", upstream, project)), {"upstream": upstream, "project": project})

    return [
        web.get("/breakers", show),
        web.put("/breakers/{upstream}", hold),
        web.delete("/breakers/{upstream}", let_go),
    ]


def _unknown_upstream(settings: Settings, upstream: str) -> web.Response | None:
    if upstream in settings.upstreams:
        return None
    return as_json({"error": "no upstream of this name is configured"}, HTTPStatus.NOT_FOUND)
