"""What can be wrong with the file: SQLite's error codes, and the operating system's, in a closed vocabulary of ours."""

from __future__ import annotations

import errno
import sqlite3
from enum import StrEnum
from typing import Final


class Trouble(StrEnum):
    """Why the store does not work now. The value is what the log and the status say."""

    DAMAGED = "damaged"
    NEWER = "newer_release"
    FULL = "disk_full"
    READ_ONLY = "read_only"
    IN_USE = "in_use"
    UNAVAILABLE = "unavailable"


REMEDIES: Final = {
    Trouble.DAMAGED: "it is set aside and a new one begun; nothing to do",
    Trouble.NEWER: "a newer release wrote it and this one cannot read it; move the file away, or run the newer release",
    Trouble.FULL: "make room on the disk; writing begins again by itself",
    Trouble.READ_ONLY: "make the folder of the store writable; writing begins again by itself",
    Trouble.IN_USE: "another instance uses this folder; give each its own store.directory",
    Trouble.UNAVAILABLE: "the disk does not serve it; it is tried again",
}


class StoreError(Exception):
    """The store did not do what it was asked to. `detail` names SQLite's or the system's own word for it, never content."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = detail


_OF_SQLITE: Final = {
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_FORMAT: Trouble.DAMAGED,
    sqlite3.SQLITE_SCHEMA: Trouble.DAMAGED,
    sqlite3.SQLITE_ERROR: Trouble.DAMAGED,  # a statement of ours that the file's tables do not fit
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_BUSY: Trouble.IN_USE,
    sqlite3.SQLITE_LOCKED: Trouble.IN_USE,
}
_OF_SYSTEM: Final = {
    errno.ENOSPC: Trouble.FULL,
    errno.EDQUOT: Trouble.FULL,
    errno.EFBIG: Trouble.FULL,
    errno.EROFS: Trouble.READ_ONLY,
    errno.EACCES: Trouble.READ_ONLY,
    errno.EPERM: Trouble.READ_ONLY,
    errno.EAGAIN: Trouble.IN_USE,
}


def of_sqlite(error: sqlite3.Error) -> StoreError:
    """Return what an error of SQLite means."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by the module itself
        return StoreError(Trouble.UNAVAILABLE, type(error).__name__)
    return StoreError(_OF_SQLITE.get(code & 0xFF, Trouble.UNAVAILABLE), error.sqlite_errorname)


def of_system(error: OSError) -> StoreError:
    """Return what an error of the operating system means."""
    return StoreError(_OF_SYSTEM.get(error.errno or 0, Trouble.UNAVAILABLE), error.strerror or type(error).__name__)
