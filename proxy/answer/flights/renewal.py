"""Stale-while-revalidate: one background flight per key renews an answer that is still being given, and never many at once.

It is a flight like any other: who misses meanwhile joins it, breaker and bulkhead are asked, and what it brings is judged and
remembered. When it fails, nobody has lost anything: the answer goes on being given until its time is up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from proxy.answer.request import FlagsRequest

from .flight import Flight
from .trip import Flown

MOST: Final = 64
"""Renewals under way at a time in a worker. What is beyond waits for the next request with its key."""


class Renewal:
    """Begins renewals.

    Attributes:
        under_way: Now.
        begun: How many ever began.
        failed: … of which so many brought nothing that was remembered.
        put_off: How often there were too many under way.
    """

    def __init__(self, flight: Flight[Flown], *, most: int = MOST) -> None:
        self._flight = flight
        self._most = most
        self.under_way = 0
        self.begun = 0
        self.failed = 0
        self.put_off = 0

    def begin(self, request: FlagsRequest, fly: Callable[[], Coroutine[Any, Any, Flown]]) -> None:
        """Begin one unless the answer is being asked for anyway."""
        if request.key is None or self._flight.has(request.key):
            return
        if self.under_way >= self._most:
            self.put_off += 1
            return
        aloft, _ = self._flight.board(request.key, fly, patience_s=0.0)
        self.under_way += 1
        self.begun += 1
        aloft.task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[Flown]) -> None:
        self.under_way -= 1
        if task.cancelled() or task.exception() is not None or not task.result().stored:
            self.failed += 1
