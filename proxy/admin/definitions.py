"""Definitions on the admin face: how they stand, take what was held back or refused, go back to what was before.

| call | does |
|---|---|
| `GET /definitions` | every project: what is in use, what waits, what was refused and why, how polling fares |
| `POST /definitions/{project}/accept` (`?digest=` its beginning) | uses the latest set that waits or was refused |
| `POST /definitions/{project}/rollback` (`?generation=`) | uses the previous set, or the one given |
| `POST /definitions/{project}/forget-keys` | forgets which callers' keys upstream accepted: it is asked about each again |

404: no such project. 409: nothing was done, and why. Every call that changes something is in the audit log.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

from aiohttp import web

from .reply import as_json

_NUMBER_DIGITS: Final = 10


class Desk(Protocol):
    """What an operator can ask for."""

    def definitions(self) -> Mapping[str, Any]: ...
    async def accept_definitions(self, project: str, digest: str) -> str | None: ...
    async def roll_back_definitions(self, project: str, generation: int | None) -> str | None: ...
    async def forget_keys(self, project: str) -> str | None: ...


def routes(desk: Desk) -> list[web.RouteDef]:
    """Return the routes."""

    async def show(_: web.Request) -> web.Response:
        return as_json(desk.definitions())

    async def accept(request: web.Request) -> web.Response:
        project = request.match_info["project"]
        return _told(desk, project, await desk.accept_definitions(project, request.query.get("digest", "")))

    async def rollback(request: web.Request) -> web.Response:
        project, text = request.match_info["project"], request.query.get("generation")
        if text is not None and not (text.isascii() and text.isdecimal() and len(text) <= _NUMBER_DIGITS):
            return as_json({"error": "generation must be a number that GET /definitions shows"}, HTTPStatus.BAD_REQUEST)
        done = await desk.roll_back_definitions(project, None if text is None else int(text))
        return _told(desk, project, done)

    async def forget_keys(request: web.Request) -> web.Response:
        project = request.match_info["project"]
        return _told(desk, project, await desk.forget_keys(project))

    return [
        web.get("/definitions", show),
        web.post("/definitions/{project}/accept", accept),
        web.post("/definitions/{project}/rollback", rollback),
        web.post("/definitions/{project}/forget-keys", forget_keys),
    ]


def _told(desk: Desk, project: str, problem: str | None) -> web.Response:
    """Say what became of a call. `problem`: why nothing was done; empty: it was; None: no such project."""
    if problem is None:
        return as_json({"error": "no project of this name has definitions"}, HTTPStatus.NOT_FOUND)
    if problem:
        return as_json({"error": problem}, HTTPStatus.CONFLICT)
    return as_json(desk.definitions().get(project))
