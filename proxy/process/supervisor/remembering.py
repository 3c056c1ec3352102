"""The supervisor's share in what is remembered: it alone writes the disk, and it sees to it that a purge reaches everything.

A purge goes to every worker that is connected, waits for each, and then to the disk. A worker that was away is told when it is
back; what it sends meanwhile from before the purge is not written. Nobody is told twice: that would forget, in the middle of an
outage maybe, what was remembered since.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from weakref import WeakSet

from msgspec import Struct

from proxy.clock import Clock
from proxy.config.settings import Settings
from proxy.lastgood.disk.place import folder_of, seals_of
from proxy.lastgood.disk.writer import Forgotten, Writer
from proxy.lastgood.tiers.record import Purge
from proxy.process.control.messages import Done, Remember
from proxy.telemetry.logs import Logger

from .hub import Connected, Hub

RETOLD_S: Final = 600.0
"""A worker that was away longer has started anew, and remembers nothing."""
RETOLD: Final = 64
PATIENCE_S: Final = 5.0


class Purged(Struct, frozen=True):
    """What became of a purge.

    Attributes:
        workers: Worker → answers that its memory forgot.
        missing: Worker → why it did not say so; it is told again when it is back.
        disk: Answers that the disk forgot; None: the whole file went, or nothing is kept there.
        owed: Why the disk, or Redis, did not do it yet; it will as soon as it can be written. Empty: they did.
    """

    workers: Mapping[int, int]
    missing: Mapping[int, str]
    disk: int | None
    owed: str

    @property
    def is_done(self) -> bool:
        """Nothing of what was meant is left anywhere."""
        return not self.missing and not self.owed


class _Ordered:
    """One purge, and who knows of it.

    Attributes:
        at: When, on the monotonic clock.
        told: The connections on which it was said; what is said on one is heard, however late.
        took: Workers that forgot, by process.
        is_settled: Disk and Redis forgot, too: it is nothing to a worker that was born later.
    """

    def __init__(self, purge: Purge, at: float, told: list[Connected]) -> None:
        self.purge = purge
        self.at = at
        self.told = WeakSet(told)
        self.took: set[int] = set()
        self.is_settled = False

    def concerns(self, worker: Connected) -> bool:
        """Tell whether a worker is still to be told."""
        if worker in self.told or worker.hello.pid in self.took:
            return False
        return not (self.is_settled and worker.hello.born > self.at)


class Remembering:
    """Owner of the writer and of the purges. `writer` None: nothing is kept on disk."""

    def __init__(
        self, settings: Settings, runtime: str, *, hub: Hub, clock: Clock, environ: Mapping[str, str], log: Logger
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._purges: deque[_Ordered] = deque(maxlen=RETOLD)
        self.writer = _writer(settings, runtime, clock=clock, environ=environ, log=log)

    async def run(self) -> None:
        """Write what workers send. A duty; it ends at once where nothing is kept on disk."""
        if self.writer is not None:
            await self.writer.run()

    async def take(self, remember: Remember) -> Done:
        """Take what a worker sends; never waits for the disk."""
        if self.writer is not None:
            self.writer.take(remember.records)
        return Done()

    async def purge(self, purge: Purge) -> Purged:
        """Forget what is meant, in every worker, tier and file."""
        present = list(self._hub.workers.values())
        ordered = _Ordered(purge, self._clock.monotonic(), present)
        self._purges.append(ordered)
        replies = await self._hub.tell(present, purge, timeout_s=PATIENCE_S)
        ordered.took = {worker.hello.pid for worker, done in replies if not done.refusal}
        workers = {worker.hello.index: int(done.detail.get("forgotten", 0)) for worker, done in replies if not done.refusal}
        missing = {worker.hello.index: done.refusal for worker, done in replies if done.refusal}
        shared = next((str(done.detail["owed"]) for _, done in replies if done.detail.get("owed")), "")
        forgotten = Forgotten(None) if self.writer is None else await self.writer.purge(purge)
        ordered.is_settled = bool(ordered.took) and not (forgotten.refusal or shared)
        return Purged(workers, missing, forgotten.answers, forgotten.refusal or shared)

    async def settle(self, *, patience_s: float) -> None:
        """Wait until what workers sent is written, at the end; a disk that does not take it is not waited for longer."""
        if self.writer is not None and self.writer.trouble is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self.writer.idle()

    def tell(self, worker: Connected) -> None:
        """Tell a worker that came, or came back, what was purged lately and it does not know."""
        since = self._clock.monotonic() - RETOLD_S
        for ordered in self._purges:
            if ordered.at >= since and ordered.concerns(worker):
                ordered.told.add(worker)
                worker.channel.note(ordered.purge)

    def reconfigure(self, settings: Settings) -> None:
        """Take what a reload may change."""
        if self.writer is not None:
            self.writer.reconfigure(max_bytes=settings.store.max_bytes, projects=settings.project_names)

    def report(self) -> dict[str, Any] | None:
        """Return what is shown of the disk; None where nothing is kept there."""
        return None if self.writer is None else self.writer.report()


def _writer(settings: Settings, runtime: str, *, clock: Clock, environ: Mapping[str, str], log: Logger) -> Writer | None:
    store = settings.store
    if not store.enabled:
        return None
    folder = folder_of(store, runtime)
    seals = seals_of(store, folder, environ)
    if isinstance(seals, str):
        log.error("store_off", reason=seals, remedy="nothing is remembered on disk until a restart finds a secret")
        return None
    return Writer(folder, seals, max_bytes=store.max_bytes, projects=settings.project_names, clock=clock, log=log)
