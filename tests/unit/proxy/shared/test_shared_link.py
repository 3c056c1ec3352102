"""The line to Redis, without one: three failures in a row and it is away, and no request is the probe that brings it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from redis import exceptions

from proxy.shared.link import PAUSES_S, TRIP, Link, Trouble
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import Lines


class FakeClient:
    """Every command ends as `say`: an exception is raised; a number of seconds passes on the clock before an answer."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.say: Exception | float = 0.0
        self.commands: list[str] = []

    async def get(self, name: str) -> bytes:
        return await self._do("get", name.encode())

    async def ping(self) -> bytes:
        return await self._do("ping", b"PONG")

    async def aclose(self) -> None:
        self.commands.append("close")

    async def _do(self, name: str, answer: bytes) -> bytes:
        self.commands.append(name)
        if isinstance(self.say, Exception):
            raise self.say
        self.clock.advance(self.say)
        return answer


class House:
    def __init__(self, *, is_there: bool = True) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(self.clock)
        self.lines = Lines()
        self.naps: list[float] = []
        self.may_wake = asyncio.Event()
        self.link = Link(
            self.client,  # type: ignore[arg-type]
            timeout_s=0.1,
            clock=self.clock,
            rng=Random(1),
            log=self.lines.log,
            sleep=self._nap,
            is_there=is_there,
        )

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        await asyncio.sleep(0)
        await self.may_wake.wait()

    async def get(self) -> Any:
        return await self.link.ask(lambda client: client.get("a"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.link.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])


DOWN = exceptions.ConnectionError("canary")


async def test_two_failures_and_a_success_are_no_trip_and_three_in_a_row_are() -> None:
    house = House()
    for say in (DOWN, DOWN, 0.0, DOWN, DOWN):
        house.client.say = say
        await house.get()
    assert house.link.is_there
    assert await house.get() == Trouble("connection")
    assert not house.link.is_there
    assert await house.get() == Trouble("away")
    assert house.client.commands == ["get"] * 6
    assert (house.link.trips, house.link.troubles) == (1, {"connection": 5, "away": 1})


async def test_only_our_own_task_tries_it_again_with_growing_pauses() -> None:
    house = House()
    house.client.say = DOWN
    for _ in range(TRIP):
        await house.get()
    house.client.commands.clear()
    house.may_wake.set()
    async with house.running():
        while len(house.naps) < 10:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert await house.get() == Trouble("away")
        house.client.say = 0.0
        await house.link.there()
    assert set(house.client.commands) == {"close", "ping"}
    assert house.client.commands[-2:] == ["ping", "ping"]
    assert all(PAUSES_S[0] <= nap <= 1.5 * PAUSES_S[1] for nap in house.naps)
    assert house.naps[4] > 4 * house.naps[0]
    assert await house.get() == b"a"
    assert [event for event in house.lines.events() if event.startswith("redis")] == ["redis_away", "redis_back"]
    assert "canary" not in str(house.lines.lines)


async def test_away_again_soon_after_it_came_back_the_pauses_go_on_growing_and_start_anew_after_calm() -> None:
    house = House()
    house.may_wake.set()
    firsts = []
    async with house.running():
        for calm_s in (60.0, 1.0, 1.0, 60.0):
            house.clock.advance(calm_s)
            house.client.say = DOWN
            for _ in range(TRIP):
                await house.get()
            naps = len(house.naps)
            house.client.say = 0.0
            await house.link.there()
            firsts.append(house.naps[naps])
    assert firsts[0] < 0.31 < firsts[1] < 0.61 < firsts[2]
    assert firsts[3] < 0.31


async def test_a_success_that_took_longer_than_requests_have_does_not_make_up_for_failures() -> None:
    house = House()
    for say in (DOWN, 0.5, DOWN, 0.5):
        house.client.say = say
        await house.link.ask(lambda client: client.get("a"), timeout_s=2)
    house.client.say = DOWN
    await house.get()
    assert not house.link.is_there


async def test_at_first_it_is_looked_for_and_nobody_waits_for_that() -> None:
    house = House(is_there=False)
    assert await house.get() == Trouble("away")
    assert house.client.commands == []
    async with house.running():
        await house.link.there()
    assert house.naps == []
    assert await house.get() == b"a"


async def test_one_that_is_not_there_at_first_is_said_once_and_found_later() -> None:
    house = House(is_there=False)
    house.client.say = DOWN
    house.may_wake.set()
    async with house.running():
        while len(house.naps) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0)
        house.client.say = 0.0
        await house.link.there()
    assert house.lines.events() == ["redis_away", "redis_back"]


ERRORS = [
    (exceptions.TimeoutError("x"), "timeout", True),
    (TimeoutError(), "timeout", True),
    (exceptions.AuthenticationError("x"), "login_refused", True),
    (exceptions.BusyLoadingError("x"), "loading", True),
    (exceptions.ConnectionError("x"), "connection", True),
    (OSError(5, "x"), "connection", True),
    (exceptions.ReadOnlyError("x"), "read_only", True),
    (exceptions.ClusterDownError("x"), "cluster_down", True),
    (exceptions.RedisClusterException("x"), "cluster_down", True),
    (exceptions.InvalidResponse("x"), "malformed", True),
    (RuntimeError("x"), "unexpected", True),
    (exceptions.OutOfMemoryError("x"), "out_of_memory", False),
    (exceptions.NoPermissionError("x"), "no_permission", False),
    (exceptions.ResponseError("x"), "refused", False),
]


@pytest.mark.parametrize(("error", "word", "trips"), ERRORS, ids=[f"{type(error).__name__}" for error, _, _ in ERRORS])
async def test_every_error_has_a_word_and_one_that_says_no_is_not_away(error: Exception, word: str, *, trips: bool) -> None:
    house = House()
    house.client.say = error
    assert [await house.get() for _ in range(TRIP)] == [Trouble(word)] * TRIP
    assert house.link.is_there is not trips


async def test_cancelling_a_caller_is_no_failure_and_is_not_swallowed() -> None:
    house = House()

    async def hang(_: Any) -> None:
        await asyncio.Event().wait()

    asking = asyncio.create_task(house.link.ask(hang, timeout_s=60))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert house.link.troubles == {}


async def test_a_command_that_hangs_ends_in_its_time_and_so_do_those_that_wait_for_a_place() -> None:
    house = House()
    begun = 0

    async def hang(_: Any) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    asking = [asyncio.create_task(house.link.ask(hang)) for _ in range(50)]
    while begun < 8:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert begun == 8
    assert await asyncio.gather(*asking) == [Trouble("timeout")] * 50
    assert begun <= 24  # the wait for a place is part of a command's time: most never had one
