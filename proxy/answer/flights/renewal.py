"""Stale-while-revalidate: one background flight per key renews an answer that is still being given, and never many at once.

It is a flight like any other: who misses meanwhile joins it, breaker and bulkhead are asked, and what it brings is judged and
remembered. When it fails, nobody has lost anything: the answer goes on being given until its time is up. Where it was refused
leave to ask, nobody asks for a moment: in an outage a copy that is still given costs what a fresh one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from proxy.answer.labels import NOT_ASKED
from proxy.answer.request import FlagsRequest, UpstreamName
from proxy.clock import Clock

from .flight import Flight
from .trip import Flown

MOST: Final = 64
"""Renewals under way at a time in a worker. What is beyond waits for the next request with its key."""
PAUSE_S: Final = 0.25
"""Between two renewals at an upstream that may not be asked."""


class Renewal:
    """Begins renewals.

    Attributes:
        under_way: Now.
        begun: How many ever began.
        failed: … of which so many brought nothing that was remembered.
        put_off: How often there were too many under way, or upstream was not to be asked.
    """

    def __init__(self, flight: Flight[Flown], *, clock: Clock, most: int = MOST) -> None:
        self._flight = flight
        self._clock = clock
        self._most = most
        self._paused_until: dict[UpstreamName, float] = {}
        self.under_way = 0
        self.begun = 0
        self.failed = 0
        self.put_off = 0

    def begin(self, request: FlagsRequest, fly: Callable[[], Coroutine[Any, Any, Flown]]) -> None:
        """Begin one unless the answer is being asked for anyway."""
        if request.key is None or self._flight.has(request.key):
            return
        if self.under_way >= self._most or self._is_paused(request.upstream):
            self.put_off += 1
            return
        aloft, _ = self._flight.board(request.key, fly, patience_s=0.0)
        self.under_way += 1
        self.begun += 1
        aloft.task.add_done_callback(lambda task: self._end(request.upstream, task))

    def _is_paused(self, upstream: UpstreamName) -> bool:
        until = self._paused_until.get(upstream)
        if until is None:
            return False
        if self._clock.monotonic() < until:
            return True
        del self._paused_until[upstream]
        return False

    def _end(self, upstream: UpstreamName, task: asyncio.Task[Flown]) -> None:
        self.under_way -= 1
        if not task.cancelled() and task.exception() is None:
            if task.result().stored:
                return
            failure = task.result().tried.failure
            if failure is not None and failure.trouble in NOT_ASKED:
                self._paused_until[upstream] = self._clock.monotonic() + PAUSE_S
        self.failed += 1
