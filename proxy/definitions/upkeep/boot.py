"""The boot source: a file or URL with a set, for a machine whose disk has none. Either form will do: ours, or a plain document.

It is read before the first poll, and again after polls that failed while still nothing is held.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from proxy.clock import Clock
from proxy.config.settings import BOOT_PROJECT
from proxy.definitions.document import DefinitionsSet, Unreadable, decode_set, definitions_set, is_set

from .source import Fetched, fetch_plain

PATIENCE_S: Final = 10.0
LARGEST_BYTES: Final = 32 * 1024 * 1024


async def boot_set(place: str, project: str, *, clock: Clock) -> DefinitionsSet | Unreadable:
    """Return the set at a place (`{project}` filled in), or why there is none. Its age is the file's, or now for a URL."""
    place = place.replace(BOOT_PROJECT, project)
    if "://" in place:
        fetched = await fetch_plain(place, limit=LARGEST_BYTES, timeout_s=PATIENCE_S)
        return _made(project, fetched.body, clock.wall()) if isinstance(fetched, Fetched) else Unreadable(_why(fetched))
    return await asyncio.to_thread(_of_file, Path(place), project)


def _of_file(path: Path, project: str) -> DefinitionsSet | Unreadable:
    try:
        return _made(project, path.read_bytes(), path.stat().st_mtime)
    except OSError as error:
        return Unreadable(f"cannot be read: {error.strerror}")


def _made(project: str, content: bytes, written_at_wall: float) -> DefinitionsSet | Unreadable:
    if not is_set(content):
        return definitions_set(project, content, etag=None, fetched_at_wall=written_at_wall)
    found = decode_set(content)
    if isinstance(found, DefinitionsSet) and found.project != project:
        return Unreadable("it is another project's")
    return found


def _why(answer: object) -> str:
    return str(getattr(answer, "why", "no document"))
