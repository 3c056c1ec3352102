"""The one writer, a duty of the supervisor: it takes what workers send, bounded, and writes behind, whatever the disk does.

A damaged file is set aside and a new one begun. A full or read-only disk is told once and tried again, from a second to half a
minute apart, while the newest records wait. A purge that the file cannot take removes the file: what cannot be searched is
forgotten whole.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from proxy.clock import Clock
from proxy.lastgood.tiers.backlog import Backlog
from proxy.lastgood.tiers.record import Purge, Sealed, SealedPurge
from proxy.lastgood.tiers.sealing import Seals
from proxy.telemetry.logs import Logger

from .book import Book
from .place import Lock, forget_aside, remove, set_aside
from .schema import FILE
from .trouble import REMEDIES, StoreError, Trouble

BACKLOG_BYTES: Final = 16 * 1024 * 1024
BATCH_BYTES: Final = 512 * 1024
TIDY_S: Final = 30.0
PURGE_S: Final = 5.0
LATE_S: Final = 600.0
"""A record that was said before a purge may come in after it, for so long."""
_PAUSE_S: Final = (1.0, 30.0)

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


class Forgotten(msgspec.Struct, frozen=True):
    """What became of a purge on disk.

    Attributes:
        answers: How many were forgotten; None: the whole file was.
        refusal: Why nothing was yet; it stays owed, and is done as soon as the disk lets us. Empty: it was done.
    """

    answers: int | None = 0
    refusal: str = ""


class _Owed(msgspec.Struct, frozen=True):
    """A purge that waits for the file."""

    purge: SealedPurge
    done: asyncio.Future[Forgotten]


class Writer:
    """Owner of the file.

    Attributes:
        trouble: Why it does not write now; None: it does.
        written: Records written.
        set_aside: Damaged files set aside.
        forgotten: Answers that made room for others, in files closed meanwhile.
        answers: Answers in the file, and
        bytes: what they take, as of the last tidying.
        patience_s: How long a purge waits for the disk before it is told to be owed.
    """

    def __init__(
        self,
        folder: Path,
        seals: Seals,
        *,
        max_bytes: int,
        projects: Sequence[str],
        clock: Clock,
        log: Logger,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.trouble: Trouble | None = None
        self.written = 0
        self.set_aside = 0
        self.forgotten = 0
        self.answers = 0
        self.bytes = 0
        self.patience_s = PURGE_S
        self._folder = folder
        self._seals = seals
        self._max_bytes = max_bytes
        self._projects = tuple(projects)
        self._clock = clock
        self._log = log
        self._sleep = sleep
        self._backlog = Backlog(max_bytes=BACKLOG_BYTES)
        self._owed: deque[_Owed] = deque()
        self._purged: deque[tuple[float, SealedPurge]] = deque()
        self._book: Book | None = None
        self._lock: Lock | None = None
        self._is_checked = False
        self._is_told = False
        self._failures = 0
        self._tidied_at = float("-inf")
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()

    # --- what others ask of it

    def take(self, records: Sequence[Sealed]) -> None:
        """Have records written; never waits."""
        while self._purged and self._purged[0][0] < self._clock.wall() - LATE_S:
            self._purged.popleft()
        self._backlog.add(record for record in records if not self._is_late(record))
        self._stir()

    async def purge(self, purge: Purge) -> Forgotten:
        """Forget what is meant, what still waits to be written too."""
        sealed = self._seals.purge(purge, self._projects)
        self._purged.append((self._clock.wall(), sealed))
        self._backlog.purge(sealed)
        owed = _Owed(sealed, asyncio.get_running_loop().create_future())
        self._owed.append(owed)
        self._stir()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience_s):
                return await asyncio.shield(owed.done)
        return Forgotten(refusal=self.trouble or "slow")

    def reconfigure(self, *, max_bytes: int, projects: Sequence[str]) -> None:
        """Work within another size, and for these projects only."""
        self._max_bytes, self._projects = max_bytes, tuple(projects)
        self._tidied_at = float("-inf")
        self._stir()

    async def idle(self) -> None:
        """Wait until everything taken is written and forgotten."""
        await self._idle.wait()

    def report(self) -> dict[str, Any]:
        """Return what is shown of it."""
        return {
            "trouble": self.trouble,
            "answers": self.answers,
            "bytes": self.bytes,
            "written": self.written,
            "waiting_bytes": self._backlog.bytes,
            "dropped": self._backlog.dropped,
            "forgotten": self.forgotten + (0 if self._book is None else self._book.forgotten),
            "set_aside": self.set_aside,
            "purges_owed": len(self._owed),
        }

    # --- the duty

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            while True:
                try:
                    await self._work()
                except StoreError as error:
                    await self._sleep(await self._cope(error))
        finally:
            self._let_go()

    async def _work(self) -> None:
        """Do what there is to do, purges first, until the file gives trouble."""
        while True:
            book = self._book or await self._open()
            if self._owed:
                await self._forget(book)
            elif self._clock.monotonic() - self._tidied_at >= TIDY_S:
                await self._tidy(book)
            elif self._backlog:
                await self._write(book)
            else:
                await self._rest()

    async def _open(self) -> Book:
        self._lock = self._lock or await asyncio.to_thread(Lock, self._folder)
        path, limit, is_checked = self._folder / FILE, self._max_bytes, self._is_checked
        self._book = book = await asyncio.to_thread(lambda: Book(path, max_bytes=limit, is_checked=is_checked))
        self._is_checked = True
        self._tidied_at = float("-inf")
        return book

    async def _write(self, book: Book) -> None:
        batch, now = self._backlog.take(max_bytes=BATCH_BYTES), self._clock.wall()
        try:
            await asyncio.to_thread(lambda: book.write(batch, now=now))
        except StoreError:
            self._backlog.put_back(batch)
            raise
        self.written += len(batch)
        self._well()

    async def _forget(self, book: Book) -> None:
        owed = self._owed[0]
        gone = await asyncio.to_thread(book.purge, owed.purge)
        await asyncio.to_thread(lambda: remove(self._folder, aside_only=True))
        self._owed.popleft()
        _settle(owed, Forgotten(gone))
        self._well()

    async def _tidy(self, book: Book) -> None:
        self._tidied_at = self._clock.monotonic()
        book.max_bytes = self._max_bytes
        if not await asyncio.to_thread(book.is_in_place):
            raise StoreError(Trouble.UNAVAILABLE, "somebody removed the file")
        now, projects = self._clock.wall(), self._projects
        while await asyncio.to_thread(lambda: book.forget_ended(now=now)):
            continue
        await asyncio.to_thread(book.keep_only, projects)
        await asyncio.to_thread(book.trim)
        await asyncio.to_thread(book.give_back)
        await asyncio.to_thread(forget_aside, self._folder)
        self.answers, self.bytes = await asyncio.to_thread(lambda: (book.count(), book.bytes))
        if not self._is_told:
            self._is_told = True
            self._log.info("store_open", answers=self.answers, bytes=self.bytes)
        self._well()

    async def _rest(self) -> None:
        self._idle.set()
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDY_S):
                await self._changed.wait()

    # --- when it does not work

    async def _cope(self, error: StoreError) -> float:
        """Get out of trouble, or say it; return how long to wait before the next try."""
        self._close()
        pause_s = 0.0 if self._failures == 0 else min(_PAUSE_S[1], _PAUSE_S[0] * 2 ** min(self._failures - 1, 10))
        self._failures += 1
        try:
            if error.trouble is Trouble.DAMAGED:
                await asyncio.to_thread(set_aside, self._folder)
                self.set_aside += 1
                self._is_checked = False
                self._log.error("store_set_aside", reason=error.detail, remedy=REMEDIES[error.trouble])
                return pause_s
            if self._owed and self._lock is not None:
                await asyncio.to_thread(remove, self._folder)
                while self._owed:
                    _settle(self._owed.popleft(), Forgotten(None))
                self._log.warning("store_removed", trouble=error.trouble, reason="a purge that it could not take")
                return pause_s
        except StoreError as another:
            error = another
        if error.trouble is not self.trouble:
            self._log.error("store_unusable", trouble=error.trouble, reason=error.detail, remedy=REMEDIES[error.trouble])
        self.trouble = error.trouble
        return pause_s or _PAUSE_S[0]

    def _well(self) -> None:
        if self.trouble is not None:
            self._log.info("store_works_again", trouble=self.trouble)
        self.trouble = None
        self._failures = 0

    def _stir(self) -> None:
        self._idle.clear()
        self._changed.set()

    def _is_late(self, record: Sealed) -> bool:
        return any(record.stored_at <= at and purge.is_meant(record) for at, purge in self._purged)

    def _close(self) -> None:
        if self._book is not None:
            self.forgotten += self._book.forgotten
            self._book.close()
            self._book = None

    def _let_go(self) -> None:
        self._close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _settle(owed: _Owed, forgotten: Forgotten) -> None:
    if not owed.done.done():
        owed.done.set_result(forgotten)
