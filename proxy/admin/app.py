"""The operators' face over HTTP: one table of routes, guarded alike, every change in the audit log.

Off unless a port is configured. It speaks JSON; it never shows a secret, a token or an identity.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeAlias

from aiohttp import web

from proxy.config.settings import Settings
from proxy.lastgood.tiers.record import Purge
from proxy.process.supervisor.remembering import Purged
from proxy.process.switchboard.board import Spread
from proxy.telemetry.logs import Logger

from . import breakers, definitions, memory, metrics, switches
from .asked import ABOUT
from .guard import refusal
from .reply import as_json


class Outcome(Protocol):
    """What became of a change: which configuration runs now, and why nothing changed (empty: it did)."""

    @property
    def version(self) -> object: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class Desk(Protocol):
    """What an operator can ask for."""

    @property
    def settings(self) -> Settings: ...
    @property
    def token(self) -> Any: ...
    @property
    def figures(self) -> metrics.Figures | None: ...
    @property
    def board(self) -> switches.Board: ...
    async def status(self) -> Mapping[str, Any]: ...
    async def reload(self) -> Outcome: ...
    async def purge(self, purge: Purge) -> Purged: ...
    async def revoke_hold(self, project: str) -> Spread: ...
    def definitions(self) -> Mapping[str, Any]: ...
    async def accept_definitions(self, project: str, digest: str) -> str | None: ...
    async def roll_back_definitions(self, project: str, generation: int | None) -> str | None: ...
    async def forget_keys(self, project: str) -> str | None: ...


Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BODY_BYTES: Final = 64 * 1024


async def serve(desk: Desk, listener: int | None, *, log: Logger) -> None:
    """Answer on an inherited listener until cancelled; None: the face is off."""
    if listener is None:
        return
    runner = web.AppRunner(application(desk, log=log), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, socket.socket(fileno=os.dup(listener))).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def application(desk: Desk, *, log: Logger) -> web.Application:
    """Build the face. Later faces add a route here."""

    async def status(_: web.Request) -> web.Response:
        return as_json(await desk.status())

    async def reload(_: web.Request) -> web.Response:
        outcome = await desk.reload()
        said = {"config": str(outcome.version), "problems": list(outcome.problems)}
        return as_json(said, HTTPStatus.CONFLICT if outcome.problems else HTTPStatus.OK)

    app = web.Application(client_max_size=_BODY_BYTES, middlewares=[_guarded(desk, log), _audited(log)])
    app.add_routes([web.get("/status.json", status), web.post("/reload", reload)])
    for face in (definitions, metrics, switches, breakers, memory):
        app.add_routes(face.routes(desk))
    return app


def _guarded(desk: Desk, log: Logger) -> Any:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        found = refusal(request.headers, own_host=desk.settings.admin.host, token=desk.token)
        if found is None:
            return await handler(request)
        status, reason = found
        log.warning("admin_refused", status=int(status), method=request.method, peer=request.remote)
        return as_json({"error": reason}, status)

    return guarded


def _audited(log: Logger) -> Any:
    @web.middleware
    async def audited(request: web.Request, handler: Handler) -> web.StreamResponse:
        status: int | None = None
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as refused:  # no such path, or not this method: the library's own answers
            status = refused.status
            raise
        finally:
            if request.method not in {"GET", "HEAD"} and (route := request.match_info.route.resource) is not None:
                about = {**request.match_info, **request.get(ABOUT, {})}  # names, never a secret
                ended = (
                    {"status": HTTPStatus.INTERNAL_SERVER_ERROR, "broke_off": True} if status is None else {"status": status}
                )
                log.info("audit", action=route.canonical, method=request.method, **about, **ended, peer=request.remote)
        return response

    return audited
