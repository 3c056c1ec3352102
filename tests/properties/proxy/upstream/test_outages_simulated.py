"""Whole outages in virtual time at 300 requests a second: when it trips, what upstream still gets, when all is normal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import FlagsRequest
from proxy.config.settings import Breaker, Upstream
from proxy.upstream.origin import Origin, OriginSettings
from tests.fakes.clock import FakeClock
from tests.fakes.loop import LeapingLoop
from tests.fakes.requests import flags_request
from tests.fakes.transport import good

RATE_PER_S = 300
CALM_S, AFTER_S = 15.0, 35.0
TRIPS_WITHIN_S, NORMAL_WITHIN_S, LOAD_RATIO = 5.0, 30.0, 0.02
BUSY = Whole(429, "", b"", (("retry-after", "5"),))
Fault = Callable[[Random], tuple[float, Whole | Failure]]  # how long it takes, and what comes
FAULTS: dict[str, Fault] = {
    "every answer is a 500": lambda _: (0.02, Whole(500, "", b"")),
    "34 of 100 are": lambda random: (0.02, Whole(500, "", b"") if random.random() < 0.34 else good()),
    "78 of 100 are a 504 after 5 s": lambda random: (5.0, Whole(504, "", b"")) if random.random() < 0.78 else (0.02, good()),
    "97 of 100 are a 429": lambda random: (0.01, BUSY if random.random() < 0.97 else good()),
    "right, in 4 s": lambda random: (3 + 2 * random.random(), good()),
    "nobody listens": lambda _: (0.001, Failure(trouble=Trouble.REFUSED, no_byte_received=True)),
    "silence": lambda _: (3600.0, good()),
}


class Outage:
    """An upstream that is ill for a while, and the traffic to it."""

    def __init__(self, fault: Fault, *, lasts_s: float, seed: int, every_s: float) -> None:
        self.clock = FakeClock(now=0.0)
        self.random = Random(seed)
        self.fault = fault
        self.every_s = every_s
        self.ends = CALM_S + lasts_s
        settings = OriginSettings(Upstream(url="http://x"), Breaker(), has_one_project=True)
        self.origin = Origin(settings, transport=self, clock=self.clock, rng=self.random)
        self.reached: list[float] = []
        self.answered: list[tuple[float, bool]] = []  # when asked, whether upstream answered well
        self.tripped_at: list[float] = []

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        self.reached.append(self.clock.now)
        is_ill = CALM_S <= self.clock.now < self.ends
        takes_s, says = self.fault(self.random) if is_ill else (0.02 + 0.02 * self.random.random(), good())
        left_s = request.deadline - self.clock.now
        await asyncio.sleep(min(takes_s, left_s))
        return says if takes_s <= left_s else Failure(trouble=Trouble.TIMEOUT)

    async def close(self) -> None:
        """Nothing is open."""

    async def ask(self) -> None:
        asked_at = self.clock.now
        tried = await self.origin.ask(flags_request(deadline=asked_at + 5.0))
        self.answered.append((asked_at, tried.failure is None))

    async def play(self) -> None:
        async with asyncio.TaskGroup() as callers:
            while self.clock.now < self.ends + AFTER_S:
                callers.create_task(self.ask())
                await asyncio.sleep(self.every_s)
                if self.origin.gate.trips > len(self.tripped_at):
                    self.tripped_at.append(self.clock.now)

    def asked_between(self, begin: float, end: float) -> float:
        return sum(begin <= at < end for at in self.reached) / (end - begin) / RATE_PER_S


def played(fault: Fault, *, lasts_s: float, seed: int, every_s: float = 1 / RATE_PER_S) -> Outage:
    outage = Outage(fault, lasts_s=lasts_s, seed=seed, every_s=every_s)
    loop = LeapingLoop(outage.clock)
    try:
        loop.run_until_complete(outage.play())
    finally:
        loop.close()
    return outage


@pytest.mark.parametrize("name", FAULTS)
def test_an_outage_is_noticed_left_alone_and_over_when_it_is_over(name: str) -> None:
    for seed, lasts_s in enumerate((20.0, 41.3)):
        outage = played(FAULTS[name], lasts_s=lasts_s, seed=seed)
        began, ended = CALM_S, outage.ends
        assert outage.tripped_at, "it trips"
        assert outage.tripped_at[0] - began <= TRIPS_WITHIN_S
        assert min(outage.tripped_at) >= began, "and not before"
        normal = [is_well for at, is_well in outage.answered if at >= ended + NORMAL_WITHIN_S]
        assert len(normal) > RATE_PER_S
        assert all(normal), "half a minute after the end every call is answered by upstream"
        if "34" not in name:  # of whose calls most are well: probes close it now and then, and it trips again
            assert outage.asked_between(outage.tripped_at[0] + 0.1, ended) <= LOAD_RATIO


@pytest.mark.parametrize("every_s", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("name", ["every answer is a 500", "silence"])
def test_where_few_ask_all_is_normal_as_soon(name: str, every_s: float) -> None:
    """Probes are requests: with one every four seconds the ramp may begin late, but each of them is answered by upstream."""
    for seed, lasts_s in enumerate((300.0, 307.7, 313.1)):
        outage = played(FAULTS[name], lasts_s=lasts_s, seed=seed, every_s=every_s)
        assert outage.tripped_at, "failures in a row trip where there are too few for a share"
        normal = [is_well for at, is_well in outage.answered if at >= outage.ends + NORMAL_WITHIN_S]
        assert normal
        assert all(normal)
