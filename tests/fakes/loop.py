"""An event loop whose time stands still until a test moves it: timers fire when they are due by that clock; nobody sleeps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

from .clock import FakeClock


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its own time is the fake clock's."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._fake = clock

    def time(self) -> float:
        return self._fake.now

    def settle(self) -> None:
        """Run whatever can run without time passing."""
        self.run_until_complete(_turns())

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self._fake.now + seconds
        self.settle()
        while (due := min((at.when() for at in self._scheduled if not at.cancelled()), default=end)) < end:  # type: ignore[attr-defined]
            self._fake.now = max(self._fake.now, due)
            self.settle()
        self._fake.now = end
        self.settle()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task and run it as far as it gets."""
        task = self.create_task(coroutine)
        self.settle()
        return task


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its time is the fake clock's, and wherever it would sleep, the clock leaps: an hour of virtual traffic takes seconds."""

    def __init__(self, clock: FakeClock) -> None:
        self._fake = clock
        super().__init__(_LeapingSelector(clock))

    def time(self) -> float:
        return self._fake.now


class _LeapingSelector(selectors.DefaultSelector):
    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self._clock.now += timeout
        return super().select(0)


async def _turns() -> None:
    """Give the others their turns: a hand-over, the timer it cancels, the task it wakes and what that one starts."""
    for _ in range(8):
        await asyncio.sleep(0)
