"""Generations of definitions on disk: written so that a crash at any instant leaves the previous one, read newest first.

A generation is one file (`document` says its form) under a folder per project. It is written beside, flushed, renamed and
its folder flushed; then the oldest beyond the wanted number go. Nothing that does not check is ever returned.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from proxy.config.settings import DefinitionsStore
from proxy.process.control.messages import DefinitionsChanged

from .document import DefinitionsSet, Unreadable, decode_set, encode_set

_NAME: Final = re.compile(r"set-([0-9]{10})\.hfd")
FOLDER: Final = "definitions"
"""Inside the runtime folder, when no directory is configured."""


def folder_of(store: DefinitionsStore, runtime: str) -> Path:
    """Return the folder of all projects: the configured one, else one inside the runtime folder."""
    return Path(store.directory) if store.directory is not None else Path(runtime) / FOLDER


def newest(folder: Path, project: str) -> DefinitionsSet | None:
    """Return the newest generation of a project that checks; None when there is none."""
    for _, path in _files(folder / project):
        found = read_set(path)
        if isinstance(found, DefinitionsSet) and found.project == project:
            return found
    return None


def told(changed: DefinitionsChanged) -> DefinitionsSet | Unreadable:
    """Return the set that a message names."""
    return decode_set(changed.content) if changed.content else read_set(Path(changed.path))


def read_set(path: Path) -> DefinitionsSet | Unreadable:
    """Read one file."""
    try:
        return decode_set(path.read_bytes())
    except OSError as error:
        return Unreadable(f"cannot be read: {error.strerror}")


def generations(folder: Path, project: str) -> list[int]:
    """Return the numbers of a project's files, newest first, whether or not they check."""
    return [number for number, _ in _files(folder / project)]


def path_of(folder: Path, project: str, generation: int) -> Path:
    """Return where a generation is kept."""
    return folder / project / f"set-{generation:010}.hfd"


def keep(folder: Path, kept: DefinitionsSet, *, generations: int) -> Path:
    """Write one generation and drop the oldest beyond `generations`; return its path.

    Raises:
        OSError: The disk does not take it; what was there before still is.
    """
    path = path_of(folder, kept.project, kept.generation)
    private_folder(folder)
    private_folder(path.parent)
    write_durably(path, encode_set(kept))
    for _, old in list(_files(path.parent))[generations:]:
        with contextlib.suppress(OSError):  # it will be tried again with the next generation
            old.unlink()
    return path


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file so that after a crash there is the old or the new content, whole, and only we can read it.

    Raises:
        OSError: The disk does not take it; the old content stays and nothing is left beside it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    _flush_folder(path.parent)


def private_folder(folder: Path) -> None:
    """Make a folder that only we can open, parents too.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path) -> Iterator[tuple[int, Path]]:
    try:
        found = [(int(match[1]), entry) for entry in folder.iterdir() if (match := _NAME.fullmatch(entry.name))]
    except OSError:
        return iter(())
    return iter(sorted(found, reverse=True))
