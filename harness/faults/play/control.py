"""The control endpoint: what a test or a demonstration in another process switches faults with. Loopback only.

| call | does |
|---|---|
| `GET /` | `{"phase", "scenario", "seen"}` |
| `PUT /phase` | a phase as JSON, until further notice |
| `PUT /scenario` | `{"id", "factor"}`: plays a scenario's phases, `factor` times as fast |
| `DELETE /phase` | ends every fault |
| `DELETE /seen` | begins counting afresh |
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import UNRESOLVABLE_HOST
from harness.faults.schedule import Phase

from .player import Player

NOT_OURS: Final = f"names are resolved by whoever asks, not here: give the proxy the host {UNRESOLVABLE_HOST}"


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which scenario, and how many times faster than it was."""

    id: str
    factor: Annotated[float, Meta(gt=0)] = 1.0


class State(msgspec.Struct, frozen=True):
    """What is on."""

    phase: Phase
    scenario: str | None
    seen: msgspec.Raw


class _Desk:
    """The handlers, around one player."""

    def __init__(self, player: Player) -> None:
        self._player = player

    async def tell(self, _: web.Request) -> web.Response:
        player = self._player
        seen = msgspec.Raw(msgspec.json.encode(player.stage.seen()))
        state = State(player.stage.phase, player.scenario, seen)
        return web.Response(body=msgspec.json.encode(state), content_type="application/json")

    async def hold(self, request: web.Request) -> web.Response:
        try:
            phase = msgspec.json.decode(await request.read(), type=Phase)
        except msgspec.MsgspecError as error:
            return _refused(str(error))
        if not phase.is_resolvable:
            return _refused(NOT_OURS)
        await self._player.hold(phase)
        return await self.tell(request)

    async def play(self, request: web.Request) -> web.Response:
        try:
            play = msgspec.json.decode(await request.read(), type=Play)
        except msgspec.MsgspecError as error:
            return _refused(str(error))
        scenario = SCENARIOS.get(play.id)
        if scenario is None:
            return _refused("no scenario of this name; `flags-harness faults list` shows them")
        if not scenario.is_resolvable:
            return _refused(NOT_OURS)
        await self._player.play(scenario, factor=play.factor)
        return await self.tell(request)

    async def calm(self, request: web.Request) -> web.Response:
        await self._player.calm()
        return await self.tell(request)

    async def forget(self, request: web.Request) -> web.Response:
        self._player.stage.forget()
        return await self.tell(request)


def control(player: Player) -> web.Application:
    """Build the endpoint around a player."""
    desk = _Desk(player)
    app = web.Application()
    app.add_routes(
        [
            web.get("/", desk.tell),
            web.put("/phase", desk.hold),
            web.put("/scenario", desk.play),
            web.delete("/phase", desk.calm),
            web.delete("/seen", desk.forget),
        ]
    )
    return app


def _refused(detail: str) -> web.Response:
    return web.Response(status=400, text=detail)
