"""The file's form, and how it is opened.

The number in the file (`user_version`) is 100 × format + revision. A later revision only adds columns with defaults, so every
release of one format reads and writes what any other of it wrote; a later format is refused and left alone. One table in order
of writing (`id`), so that what was written longest ago is found without an index of its own.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from .trouble import StoreError, Trouble, of_sqlite, of_system

FILE: Final = "answers.db"
VERSION: Final = 100
PAGE_BYTES: Final = 4096
BUSY_S: Final = 1.0
WAL_BYTES: Final = 8 * 1024 * 1024
"""What the write-ahead log beside the file is cut back to."""

_APPLICATION: Final = 0x48464C47  # "HFLG"
_REVISIONS: Final = 100
_COLUMNS: Final = frozenset({"id", "key", "project", "person", "stored_at", "expires_at", "value"})
_CREATE: Final = (
    """CREATE TABLE answers (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    project TEXT NOT NULL,
    person BLOB NOT NULL,
    stored_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    value BLOB NOT NULL)""",
    "CREATE INDEX answers_by_end ON answers (expires_at)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)
_EACH_TIME: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # a crash of the machine may lose the last writes, never the file
    "PRAGMA secure_delete = ON",  # what is forgotten is overwritten
    "PRAGMA mmap_size = 0",  # a mapped file that somebody cuts short kills the process
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    f"PRAGMA journal_size_limit = {WAL_BYTES}",
)


def open_to_write(path: Path) -> sqlite3.Connection:
    """Return the writer's connection to a sound file of our format, made if there is none; its folder is there.

    Raises:
        StoreError: It cannot be had.
    """
    try:
        _make_private(path)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise of_system(error) from error
    except sqlite3.Error as error:
        raise of_sqlite(error) from error
    try:
        _prepare(connection)
    except sqlite3.Error as error:
        connection.close()
        raise of_sqlite(error) from error
    except StoreError:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads, to be used in the thread that calls.

    On a disk that takes no writes the log beside the file cannot be shared; then the file alone is read, as it is. That is safe
    because every value is authenticated.

    Raises:
        sqlite3.Error: There is nothing that can be read.
    """
    options = "?mode=ro" if os.access(path.parent, os.W_OK) else "?mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}{options}", uri=True, timeout=0.05, isolation_level=None)


def check(connection: sqlite3.Connection) -> None:
    """Read the whole file; damage raises.

    Raises:
        StoreError: It is damaged.
    """
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise of_sqlite(error) from error
    if said != "ok":
        raise StoreError(Trouble.DAMAGED, "quick_check")


def _make_private(path: Path) -> None:
    """Make the file ours alone before SQLite, which would let others read it, does; its log and index follow it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _prepare(connection: sqlite3.Connection) -> None:
    if _number(connection, "page_count") == 0:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, or never
    for statement in _EACH_TIME:
        connection.execute(statement).fetchall()
    connection.execute("BEGIN IMMEDIATE")
    try:
        version, application = _number(connection, "user_version"), _number(connection, "application_id")
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            for statement in _CREATE:
                connection.execute(statement)
        elif application != _APPLICATION:
            raise StoreError(Trouble.DAMAGED, "not a store of ours")
        elif version // _REVISIONS > VERSION // _REVISIONS:
            raise StoreError(Trouble.NEWER, f"format {version}, this release reads up to {VERSION + _REVISIONS - 1}")
        elif not {row[1] for row in connection.execute("PRAGMA table_info(answers)")} >= _COLUMNS:
            raise StoreError(Trouble.DAMAGED, "columns are missing")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
