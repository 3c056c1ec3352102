"""Services and proxies of one trial.

Every route has a faulty service of its own, all with the same fault, so that requests can be counted by route and no fault that
happens once is met by somebody else:

    SDK ─► relay ─► faulty service            direct
    SDK ─► relay ─► proxy ─► relay ─► faulty service

The proxies are real processes with default settings, which remember nothing when a trial begins.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Self

from aiohttp import web

from harness.faults.network.relay import Relay
from harness.faults.play.stage import Stage
from harness.faults.schedule import Phase
from harness.faults.semantic.layer import Layer
from harness.faults.semantic.service import build_faulty
from harness.matrix.world import KEY, TOKEN, document
from harness.scenarios.play.children import Child
from reference.service.app import WORLD
from reference.service.project.project import load_catalogue

HOST: Final = "127.0.0.1"
KEY_NAME: Final = "HOLDFAST_MATRIX_KEY"
POLL_S: Final = 1.0
"""How often a proxy that keeps definitions asks for them: sooner than by default, so that it meets the fault soon."""
KEEPING: Final = {
    "HOLDFAST_PROJECTS__WEB__DEFINITIONS__KEY__ENV": KEY_NAME,
    "HOLDFAST_PROJECTS__WEB__DEFINITIONS__POLL_S": str(POLL_S),
    KEY_NAME: KEY,
}
PATIENCE_S: Final = 240.0


class Service:
    """A faulty service behind a relay that breaks the network."""

    def __init__(self) -> None:
        layer = Layer()
        self._app: web.Application = build_faulty(load_catalogue(document(0)), layer)
        self.stage = Stage(self._app, layer)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.stage.port}"

    def publish(self, edition: int) -> None:
        """Make another edition the truth."""
        self._app[WORLD].catalogue = load_catalogue(document(edition))


class Door:
    """Where one application's requests come in, and are counted."""

    def __init__(self, relay: Relay) -> None:
        self.url = f"http://{HOST}:{relay.port}"
        self._relay = relay
        self._before = 0

    def forget(self) -> None:
        """Begin counting afresh."""
        self._before = self._relay.exchanges

    @property
    def requests(self) -> int:
        """How many came since counting began, those that were never answered included."""
        return self._relay.exchanges - self._before


class House:
    """One trial's services and proxies; leaving it ends all."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._services: list[Service] = []
        self._folder: Path

    async def __aenter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-matrix-")))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def service(self) -> Service:
        """Start one more service."""
        service = Service()
        await self._stack.enter_async_context(service.stage)
        self._services.append(service)
        return service

    async def direct(self) -> Door:
        """Start a service for one application alone."""
        return Door((await self.service()).stage.relay)

    async def proxy(self, service: Service, *, keeps: bool) -> int:
        """Start a proxy; return its port once it answers and, where it keeps definitions, once it has some."""
        folder = self._folder / f"proxy-{service.stage.port}"
        settings = {
            "HOLDFAST_UPSTREAMS__DEFAULT__URL": service.url,
            "HOLDFAST_PROJECTS__WEB__TOKENS": json.dumps([TOKEN]),
            "HOLDFAST_PROCESS__RUNTIME_DIR": str(folder),
            "HOLDFAST_LISTEN__PORT": "0",
            **(KEEPING | {"HOLDFAST_DEFINITIONS__DIRECTORY": str(folder / "kept")} if keeps else {}),
        }
        port = await self._start(settings)
        if keeps:
            await until(lambda: service.stage.seen().definitions >= 2)  # noqa: PLR2004 - the second poll comes after the first
        return port

    async def door(self, port: int) -> Door:
        """Open a door to a proxy for one application."""
        relay = Relay(port)
        await self._stack.enter_async_context(relay)
        return Door(relay)

    async def put_on(self, phase: Phase, *, edition: int = 0) -> None:
        """Play a phase on every service, which then have this edition for their truth."""
        for service in self._services:
            await service.stage.put_on(phase)
            service.publish(edition)

    async def calm(self) -> None:
        """End every fault."""
        for service in self._services:
            await service.stage.calm()

    async def _start(self, settings: Mapping[str, str]) -> int:
        child = await Child.start("-m", "proxy", "serve", core=os.sched_getaffinity(0), environ=settings)
        self._stack.push_async_callback(child.stop)
        port, is_answering = 0, False
        while not (port and is_answering):
            event: dict[str, Any] = json.loads(await child.line())
            if event["event"] == "listening":
                port = int(event["address"].rpartition(":")[2])
            is_answering |= event["event"] == "answering"
        reading = asyncio.create_task(child.drain())
        self._stack.push_async_callback(_cancelled, reading)
        return port


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, generously.

    Raises:
        TimeoutError: it did not come true.
    """
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - what is awaited happens in other processes
            await asyncio.sleep(0.05)


async def together(works: Iterable[Awaitable[None]]) -> None:
    """Do all at once; what one raises, all raise."""
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(_awaited(work))


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
