"""A worker's eyes on the file: one thread with a connection that only reads, asked over a queue, waited for until a deadline.

A disk that hangs holds this thread and nobody else: while it does, questions are not even asked. A file that is not there, not
sound or not ours has nothing to say; it is looked at again after a second. A file that was replaced is noticed by its number.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from .schema import FILE, open_to_read

MOST_WAITING: Final = 256
AT_ONCE: Final = 32
_AGAIN_S: Final = 1.0
_GET: Final = "SELECT value FROM answers WHERE key = ?"


class _Asked(NamedTuple):
    """One question, and whom to tell."""

    place: bytes
    answer: asyncio.Future[bytes | None]


class Reader:
    """One worker's.

    Attributes:
        read: Questions that the file answered, with a value or with none.
        late: Questions given up at the deadline.
        shed: Questions not asked because the disk hangs or too many wait.
        failures: Times that the file could not be opened or read.
    """

    def __init__(self, folder: Path, *, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self.read = 0
        self.late = 0
        self.shed = 0
        self.failures = 0
        self._path = folder / FILE
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._busy_since: float | None = None
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._not_before = 0.0

    def start(self) -> None:
        """Start the thread, inside the running loop. It never keeps the process from ending."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name="store reader", daemon=True)
        self._thread.start()

    async def get(self, place: bytes) -> bytes | None:
        """Return the value under a sealed key; None when there is none, or when the disk does not say in time."""
        if self._thread is None or self._is_stuck():
            self.shed += 1
            return None
        asked = _Asked(place, asyncio.get_running_loop().create_future())
        self._asked.put(asked)
        try:
            async with asyncio.timeout(self.timeout_s):
                return await asked.answer
        except TimeoutError:
            self.late += 1
            return None

    def close(self) -> None:
        """Let the thread end; a disk that hangs is not waited for."""
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join(self.timeout_s)
            self._thread = None

    def report(self) -> dict[str, Any]:
        """Return what is shown of it."""
        return {"read": self.read, "late": self.late, "shed": self.shed, "read_failures": self.failures}

    def _is_stuck(self) -> bool:
        since = self._busy_since
        return self._asked.qsize() >= MOST_WAITING or (since is not None and time.monotonic() - since > self.timeout_s)

    # --- in the thread

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while (batch := self._next()) is not None:
            self._busy_since = time.monotonic()
            values = [None if asked.answer.done() else self._look(asked.place) for asked in batch]
            self._busy_since = None
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._tell, batch, values)
        self._drop()

    def _next(self) -> list[_Asked] | None:
        """Wait for questions; return those that are there, or None at the end."""
        batch: list[_Asked] = []
        asked = self._asked.get()
        while asked is not None:
            batch.append(asked)
            if len(batch) >= AT_ONCE:
                return batch
            try:
                asked = self._asked.get_nowait()
            except Empty:
                return batch
        return None

    def _look(self, place: bytes) -> bytes | None:
        try:
            connection = self._opened()
            row = None if connection is None else connection.execute(_GET, (place,)).fetchone()
        except (sqlite3.Error, OSError):
            self._drop()
            self.failures += 1
            self._not_before = time.monotonic() + _AGAIN_S
            return None
        value = None if row is None else row[0]
        return value if isinstance(value, bytes) else None

    def _opened(self) -> sqlite3.Connection | None:
        try:
            inode = self._path.stat().st_ino
        except FileNotFoundError:
            self._drop()
            return None
        if self._connection is not None and inode == self._inode:
            return self._connection
        self._drop()
        if time.monotonic() < self._not_before:
            return None
        self._connection, self._inode = open_to_read(self._path), inode
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    # --- back in the loop

    def _tell(self, batch: Sequence[_Asked], values: Sequence[bytes | None]) -> None:
        for asked, value in zip(batch, values, strict=True):
            if not asked.answer.done():
                self.read += 1
                asked.answer.set_result(value)
