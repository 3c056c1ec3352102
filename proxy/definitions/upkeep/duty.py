"""The supervisor's duty: a poller for each project with definitions, kept through reloads, and the sets for every worker.

What is held outlives the duty: a restart of it, or of one poller, starts again from memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import msgspec

from proxy.clock import Clock
from proxy.config.settings import Definitions as Rules
from proxy.config.settings import Project, Settings, Upstream
from proxy.definitions.canary import Asked
from proxy.definitions.document import Unreadable, encode_set
from proxy.definitions.snapshot import folder_of
from proxy.process.control.messages import Body, DefinitionsChanged
from proxy.telemetry.handing import POLL, Handing, Whither
from proxy.telemetry.logs import Logger

from .boot import boot_set
from .fleet.made import Fleet
from .fleet.turns import Turns
from .keeper import Keeper
from .ledger import Ledger
from .poller import Poller, Ports, Sleep
from .shelf import Shelf
from .source import HttpSource, Source
from .standing import Current
from .watched import Watched

SourceFactory: TypeAlias = Callable[[Upstream], Source]
SampleOf: TypeAlias = Callable[[str], Awaitable[Sequence[Asked]]]


class Wanted(msgspec.Struct, frozen=True):
    """What a running poller was made from: while it stays the same, so does the poller."""

    token: str
    rules: Rules
    service: str
    upstream: Upstream


class Running(msgspec.Struct, frozen=True):
    """One poller at work, in a fleet or alone."""

    wanted: Wanted
    poller: Poller | Turns
    source: Source
    task: asyncio.Task[None]


class World(msgspec.Struct, frozen=True):
    """What the duty uses and a test replaces.

    Attributes:
        tell_all: Notes something to every worker.
        sample: Recent requests of a project.
        source: Makes what asks an upstream.
        clock: Time.
        rng: Jitter.
        environ: Where keys are read from.
        log: The supervisor's.
        sleep: Waits.
        fleet: The other instances; None: there are none.
        handing: What traces polls; None: nobody does.
    """

    tell_all: Callable[[Body], None]
    sample: SampleOf
    clock: Clock
    rng: Random
    environ: Mapping[str, str]
    log: Logger
    source: SourceFactory = HttpSource
    sleep: Sleep = asyncio.sleep
    fleet: Fleet | None = None
    handing: Handing | None = None


class Upkeep:
    """Every project's definitions.

    Attributes:
        ledger: The keys that upstream accepted.
    """

    def __init__(self, settings: Settings, runtime: str, *, world: World) -> None:
        self._settings = settings
        self._world = world
        self._folder: Path = folder_of(settings.definitions, runtime)
        keep_s = settings.definitions.auth_stale_s
        self.ledger = Ledger(
            self._folder, keep_s=keep_s, tell_all=world.tell_all, clock=world.clock, log=world.log, sleep=world.sleep
        )
        self._keepers: dict[str, Keeper] = {}
        self._running: dict[str, Running] = {}
        self._changed = asyncio.Event()

    def reconfigure(self, settings: Settings) -> None:
        """Run under new settings, as soon as the duty gets to it; what is held stays."""
        self._settings = settings
        self.ledger.keep_s = settings.definitions.auth_stale_s
        self._changed.set()

    async def run(self) -> None:
        """Keep a poller for every project, until cancelled. Disks are read before the network is asked for anything."""
        self._changed.set()
        try:
            async with asyncio.TaskGroup() as group:
                while await self._changed.wait():
                    self._changed.clear()
                    await self._arrange(group)
        finally:
            for running in self._running.values():
                await running.source.close()
            self._running.clear()

    def tell(self, note: Callable[[Body], object]) -> None:
        """Tell one worker every set in use and every accepted key."""
        for name, keeper in self._keepers.items():
            if keeper.current is not None:
                note(_change(name, keeper.current))
        self.ledger.tell(note)

    def report(self) -> dict[str, Any]:
        """Return what is shown of every project."""
        return {name: running.poller.report() for name, running in self._running.items()}

    async def accept(self, project: str, digest: str) -> str | None:
        """Use a set that waits or was refused; return why not, or nothing. None: no such project."""
        keeper = self._keepers.get(project)
        if keeper is None:
            return None
        async with keeper.turn:
            refusal = await keeper.accept(digest)
        return refusal or await self._decided(project)

    async def rollback(self, project: str, generation: int | None) -> str | None:
        """Use an earlier generation; return why not, or nothing. None: no such project."""
        keeper = self._keepers.get(project)
        if keeper is None:
            return None
        async with keeper.turn:
            refusal = await keeper.rollback(generation)
        return refusal or await self._decided(project)

    async def _decided(self, project: str) -> str:
        """Have the others follow an operator's decision; when they cannot be told, it holds here."""
        running = self._running.get(project)
        if running is not None and isinstance(running.poller, Turns) and not await running.poller.decided():
            self._world.log.warning("definitions_decision_not_shared", project=project, remedy="decide at each instance")
        return ""

    # --- pollers come and go with the settings

    async def _arrange(self, group: asyncio.TaskGroup) -> None:
        wanted = _wanted(self._settings)
        for name in [name for name, running in self._running.items() if wanted.get(name) != running.wanted]:
            await self._stop(name)
        for name in [name for name in self._keepers if name not in wanted]:
            del self._keepers[name]
        new = {name: each for name, each in wanted.items() if name not in self._running}
        await asyncio.gather(*(self._start(name, each, group) for name, each in new.items()))

    async def _start(self, name: str, wanted: Wanted, group: asyncio.TaskGroup) -> None:
        world, log = self._world, self._world.log.bind(project=name)
        keeper = await self._keeper(name, wanted.rules, log)
        source = self._source(name, wanted)
        ports = Ports(
            source=source,
            sample=lambda: world.sample(name),
            boot=lambda: self._boot(name),
            clock=world.clock,
            rng=world.rng,
            environ=world.environ,
            log=log,
            sleep=world.sleep,
        )
        poller = self._poller(name, wanted, keeper, ports)
        if keeper.current is None and isinstance(poller, Turns):
            await poller.boot()
        if keeper.current is None:
            async with keeper.turn:
                await self._boot(name)
        self._running[name] = Running(wanted, poller, source, group.create_task(poller.run(), name=f"poll {name}"))

    def _source(self, name: str, wanted: Wanted) -> Source:
        source, handing = self._world.source(wanted.upstream), self._world.handing
        return source if handing is None else Watched(source, handing, Whither(POLL, wanted.service, name))

    def _poller(self, name: str, wanted: Wanted, keeper: Keeper, ports: Ports) -> Poller | Turns:
        poller = Poller(name, wanted.token, rules=wanted.rules, keeper=keeper, ports=ports)
        if self._world.fleet is None:
            return poller
        member = self._world.fleet.member(name, poll_s=wanted.rules.poll_s, log=ports.log)
        return Turns(poller, member, keeper=keeper, ports=ports)

    async def _stop(self, name: str) -> None:
        running = self._running.pop(name)
        async with self._keepers[name].turn:  # not in the middle of a change
            running.task.cancel()
        await asyncio.wait([running.task])
        await running.source.close()

    async def _keeper(self, name: str, rules: Rules, log: Logger) -> Keeper:
        """Return the project's keeper, made and filled from the disk when there is none."""
        generations = self._settings.definitions.generations
        keeper = self._keepers.get(name)
        if keeper is not None:
            keeper.hold_polls, keeper.shelf.generations = rules.hold_polls, generations
            if keeper.current is not None:
                self._hand_on(name, keeper.current)  # a poller that was stopped in the act may not have
            return keeper
        shelf = Shelf(self._folder, name, generations=generations)
        clock = self._world.clock
        keeper = Keeper(
            shelf, hold_polls=rules.hold_polls, on_use=lambda current: self._hand_on(name, current), clock=clock, log=log
        )
        self._keepers[name] = keeper
        async with keeper.turn:
            await keeper.load()
        return keeper

    async def _boot(self, name: str) -> bool:
        place = self._settings.definitions.boot
        if place is None:
            return False
        found = await boot_set(place, name, clock=self._world.clock)
        if isinstance(found, Unreadable):
            self._world.log.warning("boot_source_unusable", project=name, reason=found.reason)
            return False
        return self._keepers[name].boot(found)

    def _hand_on(self, name: str, current: Current) -> None:
        self._world.tell_all(_change(name, current))


def _wanted(settings: Settings) -> dict[str, Wanted]:
    return {
        name: Wanted(project.tokens[0], project.definitions, project.upstream, settings.upstreams[project.upstream])
        for name, project in settings.projects.items()
        if _has_definitions(project) and project.definitions is not None
    }


def _has_definitions(project: Project) -> bool:
    return project.definitions is not None and bool(project.tokens)


def _change(name: str, current: Current) -> DefinitionsChanged:
    if current.path is not None:
        return DefinitionsChanged(name, current.kept.generation, str(current.path))
    return DefinitionsChanged(name, current.kept.generation, "", encode_set(current.kept))
