from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from proxy.answer.flights.flight import Flight
from proxy.answer.request import Key
from tests.fakes.clock import FakeClock
from tests.fakes.requests import key

PATIENCE_S = 2.5


class Sky:
    """A flight on a clock, and callers that wait for it to the end."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.flight = Flight[str](clock=self.clock)

    async def join(self, key: Key, fly: Callable[[], Coroutine[Any, Any, str]]) -> tuple[str, bool]:
        return await self.flight.join(key, fly, patience_s=PATIENCE_S)


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
    sky, trip = Sky(), Trip()
    callers = [asyncio.create_task(sky.join(key(), trip.fly)) for _ in range(5)]
    await settle()
    trip.land.set()
    assert await asyncio.gather(*callers) == [("flight 1", False)] + [("flight 1", True)] * 4
    assert len(sky.flight) == 0


async def test_other_keys_fly_on_their_own() -> None:
    sky, trip = Sky(), Trip()
    trip.land.set()
    assert await sky.join(key("a"), trip.fly) == ("flight 1", False)
    assert await sky.join(key("b"), trip.fly) == ("flight 2", False)


async def test_the_first_callers_cancellation_takes_nobody_with_it() -> None:
    sky, trip = Sky(), Trip()
    first, second = (asyncio.create_task(sky.join(key(), trip.fly)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert first.cancelled()
    trip.land.set()
    assert await second == ("flight 1", True)
    assert trip.started == 1


async def test_a_flight_that_everybody_left_still_lands() -> None:
    sky, trip = Sky(), Trip()
    only = asyncio.create_task(sky.join(key(), trip.fly))
    await settle()
    only.cancel()
    await settle()
    assert len(sky.flight) == 1
    trip.land.set()
    await settle()
    assert len(sky.flight) == 0


async def test_what_comes_after_the_landing_asks_anew() -> None:
    sky, trip = Sky(), Trip()
    trip.land.set()
    await sky.join(key(), trip.fly)
    assert await sky.join(key(), trip.fly) == ("flight 2", False)


async def test_a_crash_reaches_everybody_and_is_not_kept() -> None:
    sky = Sky()

    async def crash() -> str:
        raise RuntimeError("a bug")

    callers = [asyncio.create_task(sky.join(key(), crash)) for _ in range(2)]
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(result) for result in results] == ["a bug", "a bug"]
    assert len(sky.flight) == 0


async def test_closing_ends_what_is_in_the_air() -> None:
    sky, trip = Sky(), Trip()
    caller = asyncio.create_task(sky.join(key(), trip.fly))
    await settle()
    await sky.flight.close()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_without_a_key_nobody_joins() -> None:
    sky, trip = Sky(), Trip()
    seats = [sky.flight.board(None, trip.fly, patience_s=PATIENCE_S) for _ in range(2)]
    await settle()
    assert (trip.started, [is_joined for _, is_joined in seats]) == (2, [False, False])
    trip.land.set()
    await asyncio.gather(*(aloft.task for aloft, _ in seats))
    assert len(sky.flight) == 0


async def test_a_flight_that_callers_gave_up_on_is_not_joined_and_takes_nothing_from_the_next_one() -> None:
    sky, first, second = Sky(), Trip(), Trip()
    early = asyncio.create_task(sky.join(key(), first.fly))
    await settle()
    sky.clock.advance(PATIENCE_S)
    late = asyncio.create_task(sky.join(key(), second.fly))
    await settle()
    assert second.started == 1
    first.land.set()
    assert await early == ("flight 1", False)
    assert sky.flight.has(key()), "the second flight is still the one to join"
    second.land.set()
    assert await late == ("flight 1", False)
    assert not sky.flight.has(key())


async def test_a_flight_that_is_over_is_not_joined_even_before_its_loop_has_heard_of_it() -> None:
    sky, trip = Sky(), Trip()
    aloft, _ = sky.flight.board(key("a"), trip.fly, patience_s=PATIENCE_S)
    trip.land.set()
    while not aloft.task.done():  # noqa: ASYNC110  its callbacks are due one turn later
        await asyncio.sleep(0)
    later, is_joined = sky.flight.board(key("a"), trip.fly, patience_s=PATIENCE_S)
    assert not is_joined
    assert await later.task == "flight 2"
    assert not sky.flight.has(key("a"))
