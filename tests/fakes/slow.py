"""A whole line in virtual time, in front of an upstream that takes as long as a test says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, Self

from proxy.answer.answer import Answer, Failure, Trouble, Whole
from proxy.answer.flights.asking import Asking
from proxy.answer.flights.trip import Trip
from proxy.answer.request import FlagsRequest
from proxy.answer.rungs.walk import Walk

from .clock import FakeClock
from .line import FakeLine
from .loop import VirtualLoop
from .transport import good

BODY = {"token": "t", "distinct_id": "u"}


class SlowTransport:
    """`after_s`: how long each exchange takes; one that would outlast its deadline ends there, without an answer."""

    def __init__(self, clock: FakeClock) -> None:
        self.say: Whole | Failure | Callable[[FlagsRequest], Whole | Failure] = good()
        self.after_s = 0.0
        self.asked: list[FlagsRequest] = []
        self.ended: list[float] = []
        self._clock = clock

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        self.asked.append(request)
        said = self.say(request) if callable(self.say) else self.say
        after_s, left_s = self.after_s, request.exchange_deadline - self._clock.now
        await asyncio.sleep(min(after_s, left_s))
        self.ended.append(self._clock.now)
        return said if after_s < left_s else Failure(trouble=Trouble.TIMEOUT)

    async def close(self) -> None:
        pass


class SlowLine:
    """`start` asks and lets time stand still; `advance` lets it pass, timer by timer."""

    def __init__(self, make: Callable[..., FakeLine] = FakeLine, **settings: Any) -> None:
        self.clock = FakeClock()
        self.loop = VirtualLoop(self.clock)
        self.transport = SlowTransport(self.clock)

        async def made() -> FakeLine:
            return make(clock=self.clock, transport=self.transport, **settings)

        self.fake = self.loop.run_until_complete(made())
        self.line = self.fake.line
        self.began = self.clock.now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.run_until_complete(self.line.close())
        self.loop.close()

    @property
    def asking(self) -> Asking:
        return self.line._flags._ladder._asking

    @property
    def walk(self) -> Walk:
        return self.asking._walk

    @property
    def trip(self) -> Trip:
        return self.line.asked.trip

    def start(self, body: Any = BODY, **how: Any) -> asyncio.Task[Answer]:
        task = self.loop.create_task(self.fake.ask(body, **how))
        self.settle()
        return task

    def settle(self) -> None:
        """Run whatever can run without time passing, to the end."""
        while self.loop._ready:  # type: ignore[attr-defined]
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()  # one turn

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.clock.now + seconds
        while (due := self._next_due()) <= end:
            self.clock.now = max(self.clock.now, due)
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            self.settle()
        self.clock.now = end

    def now(self) -> float:
        """Seconds since the test began."""
        return self.clock.now - self.began

    def ask(self, body: Any = BODY, **how: Any) -> Answer:
        """Ask and let time pass until there is an answer."""
        task = self.start(body, **how)
        while not task.done():
            self.advance(max(0.0, self._next_due() - self.clock.now))
        return task.result()

    def _next_due(self) -> float:
        return min((timer.when() for timer in self.loop._scheduled if not timer.cancelled()), default=math.inf)  # type: ignore[attr-defined]
