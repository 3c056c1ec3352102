"""Where the store lies, its secret, its lock, and how files that are no good are got out of the way.

A damaged file is renamed, not deleted, so that somebody can look at it; for a day, because it holds answers that no purge can
search. A purge removes it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from proxy.config.secret import Secret, read_secret
from proxy.config.settings import Store
from proxy.definitions.acceptance import secret_of
from proxy.definitions.document import Unreadable
from proxy.lastgood.tiers.sealing import Seals

from .schema import FILE
from .trouble import of_system

FOLDER: Final = "answers"
ASIDE: Final = FILE + ".damaged"
ASIDE_KEPT_S: Final = 86_400.0
_LOCK: Final = "writer.lock"
_BESIDE: Final = ("", "-wal", "-shm")


def folder_of(store: Store, runtime: str) -> Path:
    """Return the store's own folder, inside the configured one or the runtime folder."""
    return Path(runtime if store.directory is None else store.directory) / FOLDER


def seals_of(store: Store, folder: Path, environ: Mapping[str, str]) -> Seals | str:
    """Return what records are sealed with, or why there can be none: without a secret nothing is written."""
    secret = secret_of(store.hmac_key, folder, environ)
    if isinstance(secret, Unreadable):
        return secret.reason
    if store.previous_hmac_key is None:
        return Seals(secret)
    previous = read_secret(store.previous_hmac_key, environ)
    return Seals(secret, previous.reveal().encode()) if isinstance(previous, Secret) else f"previous_hmac_key: {previous}"


class Lock:
    """The right to write in a folder: one process has it, until it ends."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and take its lock.

        Raises:
            StoreError: Another process has it, or the disk does not take it.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise of_system(error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise of_system(error) from error

    def release(self) -> None:
        """Let another process write."""
        os.close(self._descriptor)


def set_aside(folder: Path) -> None:
    """Rename a damaged store; one that was set aside before goes.

    Raises:
        StoreError: The disk does not take it.
    """
    try:
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                (folder / (FILE + suffix)).replace(folder / (ASIDE + suffix))
        (folder / (FILE + "-shm")).unlink(missing_ok=True)
    except OSError as error:
        raise of_system(error) from error


def remove(folder: Path, *, aside_only: bool = False) -> None:
    """Remove what was set aside, and the store itself.

    Raises:
        StoreError: The disk does not take it.
    """
    try:
        for name in (ASIDE,) if aside_only else (ASIDE, FILE):
            for suffix in _BESIDE:
                (folder / (name + suffix)).unlink(missing_ok=True)
    except OSError as error:
        raise of_system(error) from error


def forget_aside(folder: Path) -> None:
    """Remove what was set aside a day ago; never raises."""
    with suppress(OSError):
        if time.time() - (folder / ASIDE).stat().st_ctime > ASIDE_KEPT_S:  # its own clock: when it was renamed
            for suffix in _BESIDE:
                (folder / (ASIDE + suffix)).unlink(missing_ok=True)
