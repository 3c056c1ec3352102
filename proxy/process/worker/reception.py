"""Takes definitions in: from the disk when the worker starts, then whenever the supervisor says that there are newer ones.

One set at a time is made ready, beside the requests and beside the conversation, so that neither waits. What cannot be used
is told to the log and changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from proxy.definitions.document import DefinitionsSet, Unreadable
from proxy.definitions.held import Held
from proxy.definitions.snapshot import newest, told
from proxy.process.control.messages import DefinitionsChanged
from proxy.telemetry.logs import Logger


class Reception:
    """One worker's."""

    def __init__(self, held: Held, *, log: Logger) -> None:
        self._held = held
        self._log = log
        self._waiting: dict[str, DefinitionsChanged] = {}
        self._task: asyncio.Task[None] | None = None

    async def recall(self, folder: Path, projects: Iterable[str]) -> None:
        """Put the newest set on disk in force, for each of these projects that has one."""
        for project in projects:
            found = await asyncio.to_thread(newest, folder, project)
            if found is not None:
                await self._use(project, found)

    def receive(self, changed: DefinitionsChanged) -> None:
        """Have a set put in force; of several for one project only the last counts."""
        self._waiting[changed.project] = changed
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def idle(self) -> None:
        """Wait until everything received is in force."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Leave undone what is not done yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        while self._waiting:
            project = next(iter(self._waiting))
            changed = self._waiting.pop(project)
            await self._use(project, await asyncio.to_thread(told, changed))

    async def _use(self, project: str, found: DefinitionsSet | Unreadable) -> None:
        trouble = found if isinstance(found, Unreadable) else await self._held.replace(found)
        if trouble is not None:
            self._log.warning("definitions_unusable", project=project, reason=trouble.reason)
            return
        held = self._held.get(project)
        if held is not None:
            self._log.info("definitions_in_force", project=project, generation=held.set.generation)
