"""Reloads the definitions file when it changes; a file that cannot be used is reported and the projects in force stay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from .app import WORLD
from .project.file import DefinitionsFileError
from .project.project import Catalogue

POLL_S: Final = 0.5

Load = Callable[[Path], Catalogue]
Report = Callable[[str], None]


class Mark(NamedTuple):
    """What tells two states of a file apart without reading it."""

    modified_ns: int
    size: int
    inode: int


def mark_of(path: Path) -> Mark | None:
    """Take a file's mark; None while it is missing (an editor may be replacing it)."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return Mark(stat.st_mtime_ns, stat.st_size, stat.st_ino)


def reload_once(app: web.Application, path: Path, load: Load, *, report: Report) -> None:
    """Load the file and put its projects in force; all or nothing."""
    try:
        catalogue = load(path)
    except (DefinitionsFileError, OSError) as error:
        report(f"kept the earlier definitions: {error}")
        return
    app[WORLD].catalogue = catalogue
    report("reloaded the definitions")


def keep_reloading(app: web.Application, path: Path, load: Load, *, report: Report, poll_s: float = POLL_S) -> None:
    """Watch the file for as long as the application runs; to be called before it starts."""
    first = mark_of(path)

    async def watching(_app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_watch(app, path, load, report, first, poll_s))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app.cleanup_ctx.append(watching)


async def _watch(app: web.Application, path: Path, load: Load, report: Report, mark: Mark | None, poll_s: float) -> None:
    while True:
        await asyncio.sleep(poll_s)
        current = mark_of(path)
        if current is not None and current != mark:
            mark = current
            reload_once(app, path, load, report=report)
