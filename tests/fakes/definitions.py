"""Definitions documents made by hand, an upstream that hands them out, virtual time, and a log that can be read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from random import Random
from typing import Any, Self

import structlog

from proxy.config.secret import Secret
from proxy.config.settings import Definitions as Rules
from proxy.config.settings import SecretSource
from proxy.definitions.canary import Asked
from proxy.definitions.document import DefinitionsSet, definitions_set
from proxy.definitions.upkeep.keeper import Keeper
from proxy.definitions.upkeep.poller import Poller, Ports
from proxy.definitions.upkeep.shelf import Shelf
from proxy.definitions.upkeep.source import NO_LINES, Answer, Fetched, NotModified
from proxy.definitions.upkeep.standing import Current
from proxy.telemetry.logs import Logger

from .clock import FakeClock

KEY = "phx_canary_key"


def flag(key: str, *, rollout: float | None = 100, properties: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    """One plain flag; its id follows from its key."""
    condition = {"properties": properties or [], "rollout_percentage": rollout}
    number = int.from_bytes(key.encode(), "big") % 1_000_000_007
    return {"id": number, "key": key, "active": True, "version": 5, "filters": {"groups": [condition]}} | fields


def flags(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [flag(f"f{number:03}", **fields) for number in range(count)]


def body(entries: list[Any], **fields: Any) -> bytes:
    return json.dumps({"flags": entries, "group_type_mapping": {}, "cohorts": {}} | fields).encode()


def kept(entries: list[Any], *, project: str = "shop", generation: int = 0, **fields: Any) -> DefinitionsSet:
    return definitions_set(project, body(entries, **fields), etag='W/"1"', fetched_at_wall=1.0, generation=generation)


class VirtualTime(FakeClock):
    """A clock and a sleep: time stands still until `spend`, then passes exactly as fast as the one sleeper sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self._until = self.now
        self._paused = asyncio.Event()
        self._resumed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        wake = self.now + seconds
        while wake > self._until:
            self._resumed.clear()
            self._paused.set()
            await self._resumed.wait()
        self.now = max(self.now, wake)

    async def settled(self) -> None:
        await self._paused.wait()

    async def spend(self, seconds: float) -> None:
        await self.settled()
        self._until += seconds
        self._paused.clear()
        self._resumed.set()
        await self.settled()
        self.now = self._until


class FakeSource:
    """An upstream: `say` is what it says now. A document with an ETag is answered with 304 when that was sent."""

    def __init__(self, say: Answer | Exception) -> None:
        self.say = say
        self.asked: list[tuple[float, str | None]] = []
        self.keys: list[str] = []
        self.lines: list[dict[str, str]] = []
        self.clock: FakeClock = FakeClock()
        self.closed = False

    async def fetch(
        self, *, token: str, key: Secret, etag: str | None, timeout_s: float, lines: Mapping[str, str] = NO_LINES
    ) -> Answer:
        assert (token, timeout_s) == ("phc_shop", 10.0)
        self.lines.append(dict(lines))
        self.asked.append((self.clock.now, etag))
        self.keys.append(key.reveal())
        if isinstance(self.say, Exception):
            raise self.say
        if isinstance(self.say, Fetched) and etag is not None and etag == self.say.etag:
            return NotModified()
        return self.say

    async def close(self) -> None:
        self.closed = True


def fetched(entries: list[Any], *, etag: str | None = None, **fields: Any) -> Fetched:
    """A document as upstream sends it; its ETag follows from its content, as the service's does."""
    text = body(entries, **fields)
    return Fetched(text, etag or f'W/"{hash(text) & 0xFFFFFFFF:08x}"')


class Lines:
    """A log whose lines can be read."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

        def keep(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
            self.lines.append({"level": level, **event})
            raise structlog.DropEvent

        wrapper = structlog.make_filtering_bound_logger(10)
        self.log: Logger = structlog.wrap_logger(None, processors=[keep], wrapper_class=wrapper)

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]


class Polled:
    """One project under a poller, in virtual time, with an upstream that the test scripts and a real folder."""

    def __init__(self, folder: Path, source: FakeSource, *, sample: list[Asked] | None = None, **rules: Any) -> None:
        self.time = source.clock = VirtualTime()
        self.lines = Lines()
        self.source = source
        self.handed_on: list[Current] = []
        self.environ = {"KEY": KEY}
        self.rules = Rules(**{"key": SecretSource(env="KEY"), **rules})
        self.boots = 0
        self.shelf = Shelf(folder, "shop", generations=5)
        self.keeper = Keeper(
            self.shelf, hold_polls=self.rules.hold_polls, on_use=self.handed_on.append, clock=self.time, log=self.lines.log
        )
        self._sample = sample or []
        self.poller = Poller("shop", "phc_shop", rules=self.rules, keeper=self.keeper, ports=self._ports())
        self._task: asyncio.Task[None] | None = None

    def _ports(self) -> Ports:
        async def sample() -> list[Asked]:
            return self._sample

        async def boot() -> bool:
            self.boots += 1
            return False

        return Ports(
            source=self.source,
            sample=sample,
            boot=boot,
            clock=self.time,
            rng=Random(7),
            environ=self.environ,
            log=self.lines.log,
            sleep=self.time.sleep,
        )

    async def __aenter__(self) -> Self:
        async with self.keeper.turn:
            await self.keeper.load()
        self._task = asyncio.create_task(self.poller.run())
        await self.time.settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])

    def held(self) -> set[str]:
        """The keys of the flags in use that can have a value."""
        current = self.keeper.current
        assert current is not None
        return {each.key for each in current.definitions.flags if each.active and not each.deleted and each.defect is None}
