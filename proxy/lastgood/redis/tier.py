"""The tier that machines share. Requests wait for it only when memory has nothing, and never longer than its timeout.

Writing goes on behind, in batches, from a backlog bounded by bytes; while Redis is away it waits there, the newest record of a
question in the place of older ones, and never takes the place of what another instance has written since. A purge that Redis
cannot hear is kept and made up for when it is back, before anything is written; one that it refuses is tried again now and
then, and keeps nothing from being written. Records expire when no policy can use them any more.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from redis.exceptions import ResponseError

from proxy.clock import Clock
from proxy.lastgood.tiers.backlog import Backlog
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from proxy.lastgood.tiers.sealing import Seals
from proxy.shared.connecting import Client
from proxy.shared.link import Link, Trouble

from .packing import WRITE, moment, name_of, pack, unpack
from .sweep import sweep

BATCH_BYTES: Final = 256 * 1024
WRITE_S: Final = 1.0
PATIENCE_S: Final = 0.9
"""`purge` and `close` return within a second."""

REST_S: Final = 0.2
"""After a command that failed while Redis is still there."""

REFUSED_S: Final = 30.0
"""After a purge that Redis refuses: an operator has to change what its user may do."""

_NO_USE: Final = frozenset({"out_of_memory", "no_permission", "refused"})
"""Redis is there and says no: trying the same again would be heard the same way."""


class RedisTier:
    """One worker's.

    Attributes:
        found, missed, unknown: Lookups: there, not there, no telling.
        written, refused, oversized, late: Records written; refused by Redis; too large; expired while they waited.
        outdated: Records for which a later one was there already.
        purged: Records that purges of ours removed.
    """

    name = "redis"
    is_near = False

    def __init__(
        self,
        link: Link,
        *,
        seals: Seals,
        prefix: str,
        max_value_bytes: int,
        queue_bytes: int,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.seals = seals
        self.found = self.missed = self.unknown = 0
        self.written = self.refused = self.oversized = self.late = self.outdated = self.purged = 0
        self._link = link
        self._prefix = prefix
        self._max_value_bytes = max_value_bytes
        self._backlog = Backlog(max_bytes=queue_bytes)
        self._clock = clock
        self._sleep = sleep
        self._purges: deque[SealedPurge] = deque()
        self._newly_purged: list[SealedPurge] = []
        self._sweep_at = -math.inf
        self._waits = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def get(self, place: bytes) -> bytes | None:
        """Return the value under a sealed key; None when there is none, or Redis does not say in time."""
        name = name_of(self._prefix, place)
        content = await self._link.ask(lambda client: client.get(name))
        if isinstance(content, Trouble):
            self.unknown += 1
            return None
        value = unpack(content) if isinstance(content, bytes) else None
        if value is None:
            self.missed += 1
        else:
            self.found += 1
        return value

    def offer(self, records: Sequence[Sealed]) -> None:
        """Have records written behind."""
        small = [record for record in records if len(record.value) <= self._max_value_bytes]
        self.oversized += len(records) - len(small)
        self._backlog.add(small)
        self._wake()

    async def purge(self, purge: SealedPurge) -> None:
        """Forget; what takes longer than a second, or waits for Redis, goes on behind."""
        self._backlog.purge(purge)
        self._newly_purged.append(purge)
        self._purges.append(purge)
        self._wake()
        await self._settled()

    @property
    def owed(self) -> str:
        """Why a purge is not done yet; empty: all are."""
        if not self._purges:
            return ""
        if self._is_sweep_refused:
            return "Redis refuses to be swept: see what its user may do; it is tried again every half minute"
        return "Redis is being swept" if self._link.is_there else "Redis is away; it is swept when it is back"

    def report(self) -> dict[str, Any]:
        """Return what is shown of it."""
        counted = ("found", "missed", "unknown", "written", "refused", "oversized", "late", "outdated", "purged")
        return {
            **self._link.report(),
            **{name: getattr(self, name) for name in counted},
            "waiting": len(self._backlog),
            "waiting_bytes": self._backlog.bytes,
            "dropped": self._backlog.dropped,
            "purges_waiting": len(self._purges),
        }

    async def start(self) -> None:
        """Begin what runs behind."""
        self._tasks = [
            asyncio.create_task(self._link.run(), name="redis link"),
            asyncio.create_task(self._run(), name="redis tier"),
        ]

    async def close(self) -> None:
        """Write what waits, within a second, and give everything back."""
        if self._link.is_there:
            await self._settled()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._link.close()

    def _wake(self) -> None:
        if len(self._backlog) or self._purges:
            self._idle.clear()
            self._waits.set()

    async def _settled(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._idle.wait()

    async def _run(self) -> None:
        """Purge and write what waits, one thing at a time, so that no record is written after it was purged."""
        while await self._waits.wait():
            await self._link.there()
            if not await self._step():
                await self._sleep(REST_S)
            if not self._purges and not len(self._backlog):
                self._waits.clear()
                self._idle.set()

    @property
    def _is_sweep_refused(self) -> bool:
        return self._clock.monotonic() < self._sweep_at

    async def _step(self) -> bool:
        """Do one thing; False when the next should wait a little."""
        if self._purges and not self._is_sweep_refused:
            return await self._purge_one()
        return len(self._backlog) > 0 and await self._write_some()

    async def _purge_one(self) -> bool:
        forgotten = await sweep(self._link, self._prefix, self._purges[0])
        if isinstance(forgotten, Trouble):
            if forgotten.why in _NO_USE:
                self._sweep_at = self._clock.monotonic() + REFUSED_S
            return False
        self._purges.popleft()
        self.purged += forgotten
        return True

    async def _write_some(self) -> bool:
        """Write one batch; False when that should wait a little."""
        self._newly_purged.clear()
        batch = self._backlog.take(max_bytes=BATCH_BYTES)
        now = self._clock.wall()
        current = [(record, round((record.expires_at - now) * 1000)) for record in batch]
        lasting = [(record, lasts_ms) for record, lasts_ms in current if lasts_ms > 0]
        self.late += len(batch) - len(lasting)
        said = await self._link.ask(lambda client: self._write(client, lasting, now), timeout_s=WRITE_S) if lasting else _Said()
        if not isinstance(said, Trouble):
            self.refused += said.refused
            self.outdated += said.outdated
            self.written += len(lasting) - said.refused - said.outdated
            return True
        if said.why in _NO_USE:
            self.refused += len(lasting)
            return False
        self._backlog.put_back(record for record, _ in lasting if not any(each.is_meant(record) for each in self._newly_purged))
        return False

    async def _write(self, client: Client, records: Sequence[tuple[Sealed, int]], now: float) -> _Said:
        """Return how many Redis refused, or had later; raises its word when it refused all of them."""
        writing, today = client.pipeline(transaction=False), moment(now)
        for record, lasts_ms in records:
            name = name_of(self._prefix, record.key)
            writing.execute_command("EVAL", WRITE, 1, name, pack(record), lasts_ms, moment(record.stored_at), today)
        results = await writing.execute(raise_on_error=False)
        errors = [result for result in results if isinstance(result, Exception)]
        worst = next((error for error in errors if not isinstance(error, ResponseError)), None)
        if worst is not None or (errors and len(errors) == len(results)):
            raise worst if worst is not None else errors[0]
        return _Said(len(errors), results.count(0))


class _Said(NamedTuple):
    """What Redis said to a batch: how many records it refused, and of how many it had later ones."""

    refused: int = 0
    outdated: int = 0
