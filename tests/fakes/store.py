"""A store in a folder of the test's own: records made by hand, a writer at work, a reader."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Self

from proxy.lastgood.disk.reader import Reader
from proxy.lastgood.disk.writer import Writer
from proxy.lastgood.tiers.record import Sealed
from proxy.lastgood.tiers.sealing import Seals

from .clock import FakeClock
from .definitions import Lines
from .tier import SECRET


def record(name: str, *, size: int = 300, project: str = "default", person: str = "", **times: float) -> Sealed:
    told = {"stored_at": 100.0, "expires_at": 1e12, **times}
    return Sealed(name.encode().ljust(32, b"."), project, person.encode().ljust(32, b"."), value=_value(name, size), **told)


def _value(name: str, size: int) -> bytes:
    return (name.encode() + b"-") * (size // (len(name) + 1) + 1)


class Store:
    """A writer at work in a folder, with virtual pauses, and a log that can be read."""

    def __init__(self, folder: Path, *, max_bytes: int = 1 << 24, projects: tuple[str, ...] = ("default",)) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.lines = Lines()
        self.pauses: list[float] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.seals = Seals(SECRET)
        self.writer = Writer(
            folder, self.seals, max_bytes=max_bytes, projects=projects, clock=self.clock, log=self.lines.log, sleep=self._sleep
        )
        self._task: asyncio.Task[None] | None = None

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if seconds:
            await self.go_on.wait()
            self.go_on.clear()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.writer.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()

    async def write(self, *records: Sealed) -> None:
        """Have records written and wait until they are."""
        self.writer.take(records)
        await self.idle()

    async def idle(self) -> None:
        async with asyncio.timeout(20):
            await self.writer.idle()

    async def until(self, claim: Any) -> None:
        async with asyncio.timeout(20):
            while not claim():  # noqa: ASYNC110  the writer need not know who waits
                await asyncio.sleep(0.005)

    async def read(self, name: str) -> bytes | None:
        """What a worker would read under a record's key."""
        reader = Reader(self.folder, timeout_s=10)
        reader.start()
        try:
            return await reader.get(record(name).key)
        finally:
            reader.close()
