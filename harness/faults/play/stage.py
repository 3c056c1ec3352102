"""The stage: the faulty service, the relay in front of it, and the one call that puts a phase on.

caller ─► relay ─► layer ─► reference.service
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Self

import msgspec
from aiohttp import web

from harness.faults.fault import PASS, Endpoint
from harness.faults.network.relay import Relay
from harness.faults.schedule import Phase
from harness.faults.semantic.layer import Layer

CALM: Phase = Phase(duration_s=1.0)
HOST = "127.0.0.1"


class Seen(msgspec.Struct, frozen=True):
    """What came since counting began: connections and exchanges at the relay, requests at the service, faults played."""

    connections: int
    exchanges: int
    flags: int
    definitions: int
    played: dict[str, int]


class Stage:
    """Owns relay and service; leaving it stops both."""

    def __init__(self, app: web.Application, layer: Layer, *, seed: int = 0) -> None:
        self.phase = CALM
        self.layer = layer
        self.relay: Relay
        self._app = app
        self._seed = seed
        self._stack = AsyncExitStack()

    @property
    def port(self) -> int:
        """Where callers connect."""
        return self.relay.port

    async def start(self, port: int = 0) -> None:
        """Start the service on a free port and the relay on this one (0: a free one)."""
        runner = web.AppRunner(self._app, shutdown_timeout=0, access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, 0).start()
        self.relay = Relay(runner.addresses[0][1], seed=self._seed)
        await self.relay.start(port)
        self._stack.push_async_callback(self.relay.close)

    async def put_on(self, phase: Phase) -> None:
        """Play a phase from now on."""
        self.layer.switch(phase.rules)
        await self.relay.switch(phase.relay)
        self.phase = phase

    async def calm(self) -> None:
        """End every fault."""
        await self.put_on(CALM)

    @property
    def is_calm(self) -> bool:
        """Nothing goes wrong now."""
        return not self.layer.rules and self.relay.fault == PASS

    def seen(self) -> Seen:
        """Tell what came through since counting began."""
        requests = self.layer.requests
        return Seen(
            self.relay.connections,
            self.relay.exchanges,
            requests[Endpoint.FLAGS],
            requests[Endpoint.DEFINITIONS],
            dict(self.layer.played),
        )

    def forget(self) -> None:
        """Begin counting afresh."""
        self.relay.forget()
        self.layer.forget()

    async def close(self) -> None:
        """Stop everything."""
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
