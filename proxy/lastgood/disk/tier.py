"""The disk as a worker's tier: it reads the file itself, and has the supervisor write.

One batch at a time is on its way, and the next goes when the supervisor has taken it, so a supervisor that is slow or away is
never flooded: what waits for it is bounded, and the oldest is dropped and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from proxy.lastgood.tiers.backlog import Backlog
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from proxy.lastgood.tiers.sealing import Seals

from .reader import Reader

Send: TypeAlias = Callable[[Sequence[Sealed]], Awaitable[bool]]
"""Hands a batch to the writer; False: it did not take it, or nobody can tell."""
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

BACKLOG_BYTES: Final = 4 * 1024 * 1024
BATCH_BYTES: Final = 128 * 1024
PAUSE_S: Final = 0.02
"""Between two batches: at most 6 MiB a second, so that a burst of strangers does not take the supervisor's whole core."""
AWAY_S: Final = 0.5
CLOSE_S: Final = 1.0


class DiskTier:
    """One worker's.

    Attributes:
        send: How batches reach the writer; set once there is a line to the supervisor.
        sent: Records that the writer took.
    """

    name = "disk"
    is_near = True

    def __init__(self, seals: Seals, reader: Reader, *, sleep: Sleep = asyncio.sleep) -> None:
        self.send: Send = _nobody
        self.sent = 0
        self._seals = seals
        self._reader = reader
        self._sleep = sleep
        self._backlog = Backlog(max_bytes=BACKLOG_BYTES)
        self._waits = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def seals(self) -> Seals:
        """What its records are sealed with."""
        return self._seals

    async def get(self, place: bytes) -> bytes | None:
        """Return what the file has under a sealed key."""
        return await self._reader.get(place)

    def offer(self, records: Sequence[Sealed]) -> None:
        """Have records written."""
        self._backlog.add(records)
        self._waits.set()

    async def purge(self, purge: SealedPurge) -> None:
        """Forget what waits here; the file is the supervisor's affair."""
        self._backlog.purge(purge)

    def report(self) -> dict[str, Any]:
        """Return what is shown of it."""
        waiting = {"waiting_bytes": self._backlog.bytes, "dropped": self._backlog.dropped, "sent": self.sent}
        return {**self._reader.report(), **waiting}

    def reconfigure(self, *, timeout_s: float) -> None:
        """Wait for the disk so long from now on."""
        self._reader.timeout_s = timeout_s

    async def start(self) -> None:
        """Begin reading and sending."""
        self._reader.start()
        self._task = asyncio.create_task(self._run(), name="disk tier")

    async def close(self) -> None:
        """Send what waits, within a second."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._backlog and await self._send_some():
                    continue
        self._reader.close()

    async def _run(self) -> None:
        while await self._waits.wait():
            self._waits.clear()
            while self._backlog:
                await self._sleep(PAUSE_S if await self._send_some() else AWAY_S)

    async def _send_some(self) -> bool:
        batch = self._backlog.take(max_bytes=BATCH_BYTES)
        try:
            is_taken = await self.send(batch)
        except BaseException:
            self._backlog.put_back(batch)
            raise
        if is_taken:
            self.sent += len(batch)
        else:
            self._backlog.put_back(batch)
        return is_taken


async def _nobody(_: Sequence[Sealed]) -> bool:
    return False
