from __future__ import annotations

import asyncio

import pytest

from proxy.answer.flight import Flight
from tests.fakes.requests import key


class Trip:
    """A flight that lands when told."""

    def __init__(self) -> None:
        self.started = 0
        self.land = asyncio.Event()

    async def fly(self) -> str:
        self.started += 1
        number = self.started
        await self.land.wait()
        return f"flight {number}"


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_arrive_together_share_one_flight() -> None:
    flight, trip = Flight[str](), Trip()
    callers = [asyncio.create_task(flight.join(key(), trip.fly)) for _ in range(5)]
    await settle()
    trip.land.set()
    assert await asyncio.gather(*callers) == [("flight 1", False)] + [("flight 1", True)] * 4
    assert len(flight) == 0


async def test_other_keys_fly_on_their_own() -> None:
    flight, trip = Flight[str](), Trip()
    trip.land.set()
    assert await flight.join(key("a"), trip.fly) == ("flight 1", False)
    assert await flight.join(key("b"), trip.fly) == ("flight 2", False)


async def test_the_first_callers_cancellation_takes_nobody_with_it() -> None:
    flight, trip = Flight[str](), Trip()
    first, second = (asyncio.create_task(flight.join(key(), trip.fly)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    trip.land.set()
    assert await second == ("flight 1", True)
    assert trip.started == 1


async def test_a_flight_that_everybody_left_still_lands() -> None:
    flight, trip = Flight[str](), Trip()
    only = asyncio.create_task(flight.join(key(), trip.fly))
    await settle()
    only.cancel()
    await settle()
    assert len(flight) == 1
    trip.land.set()
    await settle()
    assert len(flight) == 0


async def test_what_comes_after_the_landing_asks_anew() -> None:
    flight, trip = Flight[str](), Trip()
    trip.land.set()
    await flight.join(key(), trip.fly)
    assert await flight.join(key(), trip.fly) == ("flight 2", False)


async def test_a_crash_reaches_everybody_and_is_not_kept() -> None:
    flight = Flight[str]()

    async def crash() -> str:
        raise RuntimeError("a bug")

    callers = [asyncio.create_task(flight.join(key(), crash)) for _ in range(2)]
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(result) for result in results] == ["a bug", "a bug"]
    assert len(flight) == 0


async def test_closing_ends_what_is_in_the_air() -> None:
    flight, trip = Flight[str](), Trip()
    caller = asyncio.create_task(flight.join(key(), trip.fly))
    await settle()
    await flight.close()
    with pytest.raises(asyncio.CancelledError):
        await caller
