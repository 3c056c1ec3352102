"""Upstream against what is at hand: how long a caller waits for its flight, and what it gets when that is late.

    flight ─► recent p95 ─► prepare, while waiting on ─► `deadline_at_hand_s`: what was prepared, if it is complete
                                                      └► `deadline_s`: what was prepared, whatever it is

Instants are absolute, on the injected clock. The wait for the flight is never lengthened by preparing: whichever is there first
when the other is due wins. A flight that lost goes on, inside its own time, and is judged and remembered when it lands. One
that is known to be late is not waited for again by who has something complete at hand.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, Final

from msgspec.structs import replace

from proxy.answer.answer import Source
from proxy.answer.request import FlagsRequest
from proxy.answer.rungs.walk import Rescued
from proxy.clock import Clock

from .flight import Aloft
from .trip import Flown

EARLIEST_S: Final = 0.05
"""Nothing is prepared before this: one in twenty callers of a service of 5 ms would have it made for nothing."""
AHEAD_S: Final = 0.1
"""Preparing begins at least this long before the deadline it is made for, however slow upstream has become."""


class Winner(StrEnum):
    """Who gave the answer once upstream had passed its p95."""

    UPSTREAM = "upstream"
    RESCUE = "rescue"
    NOBODY = "nobody"


class Landing(StrEnum):
    """What became of an exchange that landed after a caller was answered without it."""

    REMEMBERED = "remembered"
    GIVEN = "given"
    FAILED = "failed"


class Race:
    """Runs races.

    Attributes:
        won: By whom; NOBODY: the deadline came and nothing complete was at hand.
        late: What flights brought that landed after a caller was answered without them; each flight once.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self.won: Counter[Winner] = Counter()
        self.late: Counter[Landing] = Counter()

    async def is_prompt(self, aloft: Aloft[Flown], request: FlagsRequest, *, p95_s: float) -> bool:
        """Wait for a flight as long as upstream usually takes; tell whether it has landed."""
        usual_s = min(max(p95_s, EARLIEST_S), max(0.0, request.policy.deadline_at_hand_s - AHEAD_S))
        return await self._landed(aloft, min(aloft.started_at + usual_s, request.deadline))

    async def run(
        self,
        aloft: Aloft[Flown],
        request: FlagsRequest,
        *,
        is_on: bool,
        prepare: Callable[[], Coroutine[Any, Any, Rescued]],
    ) -> Rescued | None:
        """Return what is to be given instead of upstream's answer; None when the flight has landed.

        `is_on` False: who has something at hand waits until `deadline_s`, too.
        """
        began = self._clock.monotonic()
        preparing = asyncio.get_running_loop().create_task(prepare())
        try:
            rescued = await self._run(aloft, request, preparing, is_on=is_on)
        finally:
            await _end(preparing)
        if rescued is None:
            self.won[Winner.UPSTREAM] += 1
            return None
        self.won[Winner.RESCUE if rescued.is_complete else Winner.NOBODY] += 1
        self._lost(aloft)
        return _aged(rescued, self._clock.monotonic() - began)

    async def _run(
        self, aloft: Aloft[Flown], request: FlagsRequest, preparing: asyncio.Task[Rescued], *, is_on: bool
    ) -> Rescued | None:
        await self._first_of(aloft, preparing, request.deadline)
        if preparing.done() and not aloft.task.done():
            at_hand = is_on and preparing.exception() is None and preparing.result().is_complete
            # Counted from the flight's start for who joined it: what is late for one is late for all.
            due = min(aloft.started_at, request.started) + request.policy.deadline_at_hand_s
            await self._landed(aloft, min(due, request.deadline) if at_hand else request.deadline)
        elif not aloft.task.done():
            await asyncio.wait({aloft.task, preparing}, return_when=asyncio.FIRST_COMPLETED)
        return None if aloft.task.done() else preparing.result()

    async def _first_of(self, aloft: Aloft[Flown], preparing: asyncio.Task[Rescued], until: float) -> None:
        left_s = max(0.0, until - self._clock.monotonic())
        await asyncio.wait({aloft.task, preparing}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)

    async def _landed(self, aloft: Aloft[Flown], until: float) -> bool:
        """Wait for a flight until an instant, without a hand on it; tell whether it has landed."""
        task = aloft.task
        left_s = until - self._clock.monotonic()
        if task.done() or left_s <= 0:
            return task.done()
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()

        def wake(_: object = None) -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = loop.call_later(left_s, wake)
        task.add_done_callback(wake)
        try:
            await waiter
        finally:
            timer.cancel()
            task.remove_done_callback(wake)
        return task.done()

    def _lost(self, aloft: Aloft[Flown]) -> None:
        if not aloft.is_late:
            aloft.is_late = True
            aloft.task.add_done_callback(self._landed_late)

    def _landed_late(self, task: asyncio.Task[Flown]) -> None:
        if task.cancelled() or task.exception() is not None:
            return
        flown = task.result()
        if flown.stored:
            self.late[Landing.REMEMBERED] += 1
        else:
            self.late[Landing.FAILED if flown.tried.failure is not None else Landing.GIVEN] += 1


def _aged(rescued: Rescued, seconds: float) -> Rescued:
    """Return what was prepared so long ago with the age that it has by now."""
    answer = rescued.answer
    if answer.source is Source.NONE:
        return rescued
    left_s = None if answer.fresh_for_s is None else answer.fresh_for_s - seconds
    return Rescued(replace(answer, age_s=answer.age_s + seconds, fresh_for_s=left_s), rescued.is_complete)


async def _end(preparing: asyncio.Task[Rescued]) -> None:
    """Stop preparing what nobody needs any more. A bug in it is told, and costs nobody the answer that upstream gave."""
    if not preparing.done():
        preparing.cancel()
        await asyncio.wait({preparing})
    if not preparing.cancelled() and (error := preparing.exception()) is not None:
        asyncio.get_running_loop().call_exception_handler({"message": "preparing an answer failed", "exception": error})
