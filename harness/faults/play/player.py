"""Plays a scenario's phases on a stage, one after the other, in real time divided by a factor. One scenario at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from harness.faults.scenario import Scenario
from harness.faults.schedule import Phase, compressed

from .stage import Stage


class Player:
    """Owns the one task that changes phases; `sleep` is time."""

    def __init__(self, stage: Stage, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.stage = stage
        self.scenario: str | None = None
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def hold(self, phase: Phase) -> None:
        """Put a phase on and leave it on."""
        await self._stop()
        await self.stage.put_on(phase)

    async def calm(self) -> None:
        """End every fault, and the scenario with it."""
        await self._stop()
        await self.stage.calm()

    async def play(self, scenario: Scenario, *, factor: float = 1.0) -> None:
        """Begin a scenario; its first phase is on when this returns."""
        await self._stop()
        self.scenario = scenario.id
        first, *later = compressed(scenario.phases, factor)
        await self.stage.put_on(first)
        self._task = asyncio.create_task(self._walk(first, later))

    async def ended(self) -> None:
        """Wait until the scenario is over."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Stop playing."""
        await self._stop()

    async def _walk(self, phase: Phase, later: list[Phase]) -> None:
        await self._sleep(phase.duration_s)
        for each in later:
            await self.stage.put_on(each)
            await self._sleep(each.duration_s)
        await self.stage.calm()
        self.scenario = None

    async def _stop(self) -> None:
        task, self._task, self.scenario = self._task, None, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
