"""What is remembered and held, on the admin face: forget answers, and stop holding back refusals of a project's keys.

| call | does |
|---|---|
| `POST /purge` `{"project": null, "reason": "…"}` | forgets every remembered answer, in every worker, on disk and in Redis |
| … `{"project": "shop", "reason": "…"}` | those of a project |
| … `{"project": "shop", "distinct_id": "…", "reason": "…"}` | those about a person, in one project, or with null in every one |
| `POST /hysteresis/{project}/revoke` | relays refusals of the project's keys at once: an operator knows them to be real |

A person's id is given in the body only, and is never logged. 200: all of it is gone. 202: somebody has yet to do it, and will
when it is back; the answer says who. Definitions are not answers: what is evaluated from them has its own switch.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Protocol

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from proxy.config.settings import Settings
from proxy.lastgood.tiers.record import Purge
from proxy.process.supervisor.remembering import Purged
from proxy.process.switchboard.board import Spread

from .asked import note, read, unknown_project
from .reply import as_json
from .switches import told


class Desk(Protocol):
    """What an operator can ask for."""

    @property
    def settings(self) -> Settings: ...
    async def purge(self, purge: Purge) -> Purged: ...
    async def revoke_hold(self, project: str) -> Spread: ...


class Forget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a purge.

    Attributes:
        project: Whose answers; null: every project's. It must be said.
        distinct_id: About whom; left out: about everybody.
        reason: Why, for the log; it should not name the person.
        by: Who, for the log.
    """

    project: str | None
    reason: Annotated[str, Meta(min_length=1, max_length=200)]
    distinct_id: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    by: Annotated[str, Meta(max_length=100)] = ""


def routes(desk: Desk) -> list[web.RouteDef]:
    """Return the routes."""

    async def purge(request: web.Request) -> web.Response:
        asked = await read(request, Forget)
        if isinstance(asked, web.Response):
            return asked
        refused = unknown_project(desk.settings, asked.project)
        if refused is not None:
            return refused
        is_person = asked.distinct_id is not None
        note(request, project=asked.project, one_person=is_person, reason=asked.reason, by=asked.by)
        return _forgotten(await desk.purge(Purge(asked.project, asked.distinct_id)))

    async def revoke(request: web.Request) -> web.Response:
        project = request.match_info["project"]
        refused = unknown_project(desk.settings, project)
        return refused or told(await desk.revoke_hold(project), {"project": project})

    return [web.post("/purge", purge), web.post("/hysteresis/{project}/revoke", revoke)]


def _forgotten(purged: Purged) -> web.Response:
    said: dict[str, Any] = msgspec.to_builtins(purged, str_keys=True)
    return as_json({"done": purged.is_done, **said}, HTTPStatus.OK if purged.is_done else HTTPStatus.ACCEPTED)
