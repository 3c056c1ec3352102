"""When memory is given back to the system."""

from __future__ import annotations

import asyncio
import threading

import pytest

from proxy.config.settings import Memory as MemorySettings
from proxy.lastgood.cache import Cache
from proxy.lastgood.trim import Trimming, allocator_trim
from reference.steps import finish
from tests.fakes.clock import FakeClock
from tests.fakes.line import FakeLine
from tests.fakes.tier import FakeTier


async def filled() -> tuple[Cache[int, bytes], Trimming, list[int]]:
    cache: Cache[int, bytes] = Cache(max_bytes=10_000, clock=FakeClock())
    calls: list[int] = []
    trimming = Trimming(cache, trim=lambda: calls.append(cache.bytes))
    put(cache, 0, 4)
    await trimming.look()
    return cache, trimming, calls


def put(cache: Cache[int, bytes], start: int, count: int) -> None:
    for key in range(start, start + count):
        cache.put(key, b"", cost_bytes=1_000, fresh_s=1, usable_s=10)


async def test_nothing_is_given_back_while_nothing_was_forgotten() -> None:
    cache, trimming, calls = await filled()
    put(cache, 4, 2)
    assert not await trimming.look()
    assert calls == []


async def test_evictions_leave_holes_that_are_given_back_once() -> None:
    cache, trimming, calls = await filled()
    put(cache, 10, 20)
    assert cache.evicted
    assert await trimming.look()
    assert not await trimming.look()
    assert (trimming.done, len(calls)) == (1, 1)


async def test_a_purge_is_given_back_too() -> None:
    cache, trimming, calls = await filled()
    finish(cache.purging(lambda key, _: key == 0))
    assert await trimming.look()
    assert len(calls) == 1


async def test_without_anything_to_call_the_duty_is_over_finish() -> None:
    cache, _, _ = await filled()
    trimming = Trimming(cache, trim=None)
    await trimming.run()
    put(cache, 10, 20)
    assert not await trimming.look()


async def test_it_is_done_beside_the_loop_which_goes_on_answering() -> None:
    cache, _, _ = await filled()
    answered, others = threading.Event(), list[int]()

    def slow() -> None:
        assert answered.wait(60), "the loop stood still"
        others.append(threading.get_ident())

    trimming = Trimming(cache, trim=slow)
    put(cache, 10, 20)
    looking = asyncio.create_task(trimming.look())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(answered.set)
    assert await looking
    assert others != [threading.get_ident()]


def test_where_the_c_library_has_it_it_can_be_called() -> None:
    trim = allocator_trim()
    assert trim is None or trim() in (0, 1)


@pytest.mark.parametrize(("tiers", "share"), [((), 8), ((FakeTier(),), 7)])
async def test_what_waits_for_a_tier_comes_out_of_the_memory_s_budget(tiers: tuple[FakeTier, ...], share: int) -> None:
    budget = 80_000
    line = FakeLine(tiers=tiers, memory=MemorySettings(max_bytes=budget))
    cache = line.line.memory.cache
    for number in range(200):
        await line.ask({"token": "phc_a", "distinct_id": f"user-{number}"})
    assert cache.evicted
    assert budget * (share - 1) / 8 < cache.bytes <= budget * share / 8
    await line.line.close()
