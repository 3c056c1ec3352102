"""Reload: read, check, ask every worker, and only then let all of them change. All or nothing.

Phases: (1) the file and environment are read and checked here; (2) every worker prepares and may refuse; (3) the
configuration is stored, which is the point of no return: whoever starts from now on runs it; (4) every worker commits. A
worker that is away misses the ballot and is brought up to date when it is back.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Final

from msgspec import Struct

from proxy.config.load import Loaded, load
from proxy.config.problem import Problems
from proxy.config.settings import Settings
from proxy.process.accepted import Accepted, accepted, store
from proxy.process.control.channel import GONE, SILENT
from proxy.process.control.messages import Abort, Commit, Done, Drain, Prepare, Version
from proxy.process.family import Family
from proxy.telemetry.logs import Logger

from .hub import CALL_S, Connected, Hub

FIXED: Final = (
    "listen.host",
    "listen.port",
    "admin.host",
    "admin.port",
    "process.workers",
    "process.runtime_dir",
    "definitions.directory",
    "definitions.hmac_key",
    "store.enabled",
    "store.directory",
    "store.hmac_key",
    "store.previous_hmac_key",
    "redis",
)
"""What needs a restart: it belongs to the sockets and the processes themselves."""
ABSENT: Final = (GONE, SILENT)
"""No vote: who does not answer cannot keep the others from changing, and is brought up to date when it is back."""


class Outcome(Struct, frozen=True):
    """What became of a reload.

    Attributes:
        version: The configuration that runs now.
        problems: Why nothing changed; empty: it did.
    """

    version: Version
    problems: tuple[str, ...] = ()


class Reloader:
    """Owner of the accepted configuration; one reload at a time."""

    def __init__(self, family: Family, current: Accepted, *, hub: Hub, log: Logger) -> None:
        self.current = current
        self.on_accepted: list[Callable[[Settings], None]] = []
        self._family = family
        self._hub = hub
        self._log = log
        self._turn = asyncio.Lock()
        hub.on_arrival = self.bring_up_to_date

    async def reload(self) -> Outcome:
        """Read the configuration again and run it everywhere, or say why nothing changed."""
        async with self._turn:
            loaded = load(Path(self.current.source) if self.current.source else None, os.environ)
            problems = (
                tuple(str(item) for item in loaded.items)
                if isinstance(loaded, Problems)
                else frozen_changes(self.current.settings, loaded.settings)
            )
            if problems or isinstance(loaded, Problems):
                return self._refused(problems)
            return await self._ballot(self._successor(loaded))

    async def bring_up_to_date(self, worker: Connected) -> None:
        """Give a worker that runs another version the current one; one that cannot take it starts anew."""
        async with self._turn:
            if worker.version == self.current.version:
                return
            done = await worker.channel.call(self._prepare(self.current), timeout_s=CALL_S)
            done = done if done.refusal else await worker.channel.call(Commit(self.current.version), timeout_s=CALL_S)
            self._settle(worker, done, self.current.version)

    async def _ballot(self, successor: Accepted) -> Outcome:
        replies = await self._hub.tell(self._hub.answering(), self._prepare(successor))
        vetoes = [(worker, done) for worker, done in replies if done.refusal and done not in ABSENT]
        if vetoes:
            self._hub.note_all(Abort())
            return self._refused(tuple(f"worker {each.hello.index} cannot run it: {done.refusal}" for each, done in vetoes))
        try:
            store(self._family, successor)
        except OSError as error:
            self._hub.note_all(Abort())
            return self._refused((f"cannot be stored in the runtime folder: {error.strerror}",))
        self.current = successor
        await self._commit([worker for worker, done in replies if not done.refusal])
        self._log.info("reloaded", config=str(successor.version))
        for listener in self.on_accepted:
            listener(successor.settings)
        return Outcome(successor.version)

    async def _commit(self, prepared: Sequence[Connected]) -> None:
        for worker, done in await self._hub.tell(prepared, Commit(self.current.version)):
            self._settle(worker, done, self.current.version)

    def _settle(self, worker: Connected, done: Done, version: Version) -> None:
        if not done.refusal:
            worker.version = version
        elif done not in ABSENT:
            # It would go on with settings that are no longer the accepted ones; its successor starts with those.
            self._log.warning("worker_replaced", worker=worker.hello.index, reason=done.refusal)
            worker.channel.note(Drain())

    def _successor(self, loaded: Loaded) -> Accepted:
        version = Version(self.current.version.number + 1, loaded.digest)
        return accepted(loaded.settings, loaded.document, version=version, source=self.current.source, now=time.time())

    def _prepare(self, record: Accepted) -> Prepare:
        return Prepare(record.version, record.document)

    def _refused(self, problems: tuple[str, ...]) -> Outcome:
        self._log.error("reload_refused", problems=list(problems), config=str(self.current.version))
        return Outcome(self.current.version, problems)


def frozen_changes(old: Settings, new: Settings) -> tuple[str, ...]:
    """Return a refusal for each setting that changed and cannot change at run time."""
    return tuple(
        f"$.{path}: cannot change at run time; restart to change it"
        for path in FIXED
        if attrgetter(path)(old) != attrgetter(path)(new)
    )
