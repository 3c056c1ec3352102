"""How much may be asked of somebody's project, and how fast: every billable request goes through here first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

DEFINITIONS_COST: Final = 10
"""A definitions answer with a body counts as ten requests; an unchanged one (304) is free (contract §4.1)."""


class Stopped(Exception):  # noqa: N818 — an outcome, not an error of the program
    """The check cannot go on; the message says why and what to do, and holds nothing of the project's."""


class Spent(Stopped):
    """The budget is used up: the regular end of a check that has found things to narrow down."""


class Budget:
    """Counts and paces requests.

    Attributes:
        spent: Billable requests so far.
    """

    def __init__(
        self,
        most: int,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Set the limits.

        Args:
            most: Billable requests, at most.
            rate: Requests a second, at most.
            clock: Monotonic seconds.
            sleep: Waits so many seconds.
        """
        self.most = most
        self.spent = 0
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._next = clock()

    @property
    def left(self) -> int:
        """Requests that may still be sent."""
        return self.most - self.spent

    async def take(self, cost: int = 1, *, keep: int = 0) -> None:
        """Wait for the next place, and count it.

        Args:
            cost: Billable requests.
            keep: So many must be left after it.

        Raises:
            Spent: nothing is left for it.
        """
        if cost + keep > self.left:
            raise Spent("the budget of requests is used up")
        self.spent += cost
        await self.pace()

    async def pace(self) -> None:
        """Wait for the next place without counting it: for what is free."""
        ready = max(self._next, self._clock())
        self._next = ready + 1 / self._rate
        if ready > self._clock():
            await self._sleep(ready - self._clock())

    def give_back(self, cost: int) -> None:
        """Take back what turned out to be free."""
        self.spent -= cost

    async def rest(self, seconds: float) -> None:
        """Wait because the server asked for it."""
        await self._sleep(seconds)
