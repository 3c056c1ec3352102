"""The writer's hands on the file: write, forget, make room, give space back. Synchronous; one thread at a time.

The file stays within its bytes because room is made before a batch is written, from what was written longest ago. A newer
answer is never replaced by an older one, unless that newer one is from the future: then the clock was wrong.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from proxy.lastgood.tiers.record import Sealed, SealedPurge

from .schema import PAGE_BYTES, check, open_to_write
from .trouble import of_sqlite

_WRITE: Final = """INSERT OR REPLACE INTO answers (key, project, person, stored_at, expires_at, value)
SELECT :key, :project, :person, :stored_at, :expires_at, :value WHERE NOT EXISTS
(SELECT 1 FROM answers WHERE key = :key AND stored_at > :stored_at AND stored_at <= :now)"""
_FORGET_OLDEST: Final = "DELETE FROM answers WHERE id IN (SELECT id FROM answers ORDER BY id LIMIT ?)"
_FORGET_ENDED: Final = "DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE expires_at <= ? LIMIT ?)"
_OLDEST_AT_ONCE: Final = 32
_ENDED_AT_ONCE: Final = 500
_PAGES_AT_ONCE: Final = 1024
_SPARE_PAGES: Final = 16
_INLINE_BYTES: Final = 3 * 1024
"""A row up to this lies in its page; a longer one has pages of its own."""
_ROW_BYTES: Final = 256


class Book:
    """One open file. Every method raises `StoreError`."""

    def __init__(self, path: Path, *, max_bytes: int, is_checked: bool = False) -> None:
        """Open it; `is_checked`: it was found sound by this process before, and need not be read whole again."""
        self.max_bytes = max_bytes
        self.forgotten = 0
        self._path = path
        self._turn = threading.Lock()  # a duty that is stopped closes the file while a thread may still be at it
        self._connection = open_to_write(path)
        self._inode = path.stat().st_ino
        if not is_checked:
            try:
                check(self._connection)
            except BaseException:
                self._connection.close()
                raise

    def is_in_place(self) -> bool:
        """Tell whether the file under our name is still the one we have open."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return False

    @property
    def bytes(self) -> int:
        """What the answers take in the file, without its free pages."""
        with self._told():
            return (self._number("page_count") - self._number("freelist_count")) * PAGE_BYTES

    def count(self) -> int:
        """Return how many answers there are."""
        with self._told():
            return int(self._connection.execute("SELECT count(*) FROM answers").fetchone()[0])

    def projects(self) -> list[str]:
        """Return the projects that have answers here."""
        with self._told():
            return [row[0] for row in self._connection.execute("SELECT DISTINCT project FROM answers")]

    def write(self, records: Sequence[Sealed], *, now: float) -> None:
        """Write a batch, whole or not at all; `now` in Unix seconds."""
        rows = [{name: getattr(record, name) for name in record.__struct_fields__} | {"now": now} for record in records]
        self._make_room(_pages(records) * PAGE_BYTES)
        with self._transaction():
            self._connection.executemany(_WRITE, rows)

    def purge(self, purge: SealedPurge) -> int:
        """Forget what is meant, in the log beside the file too; return how many answers those were."""
        which, values = _where(purge)
        with self._transaction():
            gone = self._connection.execute(f"DELETE FROM answers WHERE {which}", values).rowcount  # noqa: S608  texts of ours
        self.give_back(everything=True)
        return gone

    def forget_ended(self, *, now: float) -> bool:
        """Forget some answers that no policy can use any more; tell whether there may be more."""
        with self._transaction():
            gone = self._connection.execute(_FORGET_ENDED, (now, _ENDED_AT_ONCE)).rowcount
        return gone == _ENDED_AT_ONCE

    def keep_only(self, projects: Iterable[str]) -> int:
        """Forget the answers of every other project; return of how many projects."""
        others = sorted(set(self.projects()) - set(projects))
        for name in others:
            self.purge(SealedPurge(name))
        return len(others)

    def trim(self) -> None:
        """Make room until what is there fits: the limit may have been lowered."""
        self._make_room(0)

    def give_back(self, *, everything: bool = False) -> None:
        """Return free pages to the disk, some or all, and shorten the log where no reader is in the way."""
        with self._told():
            pages = self._number("freelist_count") if everything else _PAGES_AT_ONCE
            self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")  # `execute` would stop after one page
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file; never raises."""
        with self._turn, suppress(sqlite3.Error):  # what it could not write it has rolled back
            self._connection.close()

    def _make_room(self, wanted: int) -> None:
        excess = self.bytes + wanted - self.max_bytes
        while excess > 0:
            with self._transaction():
                gone = self._connection.execute(_FORGET_OLDEST, (_OLDEST_AT_ONCE,)).rowcount
            self.forgotten += gone
            excess = self.bytes + wanted - self.max_bytes
            if not gone:
                return

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        with self._turn:
            try:
                yield
            except sqlite3.Error as error:
                raise of_sqlite(error) from error

    def _number(self, pragma: str) -> int:
        return int(self._connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _where(purge: SealedPurge) -> tuple[str, list[bytes | str]]:
    if purge.people is not None:
        return f"person IN ({', '.join('?' * len(purge.people))})", [*purge.people]
    if purge.project is not None:
        return "project = ?", [purge.project]
    return "true", []


def _pages(records: Iterable[Sealed]) -> int:
    """Return how many pages records need at most."""
    short = [size for record in records if (size := len(record.value) + _ROW_BYTES) <= _INLINE_BYTES]
    long = [size for record in records if (size := len(record.value) + _ROW_BYTES) > _INLINE_BYTES]
    return _SPARE_PAGES + 2 * sum(short) // PAGE_BYTES + sum(size // (PAGE_BYTES - 4) + 2 for size in long)
