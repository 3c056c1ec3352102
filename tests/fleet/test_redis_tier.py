"""The tier on a real Redis: what one worker learnt another knows; what befalls Redis costs an answer, never a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest

from harness.faults.fault import PASS, How, RelayFault
from harness.faults.network.relay import Relay
from proxy.clock import SystemClock
from proxy.config.settings import Redis, SecretSource
from proxy.lastgood.redis.made import redis_tier
from proxy.lastgood.redis.tier import RedisTier
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from tests.fakes.definitions import Lines
from tests.fleet.support.server import Server
from tools.servers.redis import Installed

ENVIRON = {"SHARED": "s" * 32, "PASSWORD": "canary"}
CLOCK = SystemClock()
PATIENCE_S = 20.0


class House:
    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.lines = Lines()

    async def tier(self, port: int, *, is_met: bool = True, **more: Any) -> RedisTier:
        settings = Redis(**{"addresses": (f"127.0.0.1:{port}",), "secret": SecretSource(env="SHARED"), "timeout_s": 0.5} | more)
        made = redis_tier(settings, environ=ENVIRON, clock=CLOCK, rng=Random(1), log=self.lines.log)
        assert made is not None
        await made.start()
        self.stack.push_async_callback(made.close)
        if is_met:
            await until(lambda: made.report()["is_there"])
        return made


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(stack)


def record(number: int, *, project: str = "shop", person: int = 0, lasts_s: float = 60, size: int = 100) -> Sealed:
    now = CLOCK.wall()
    return Sealed(number.to_bytes(32), project, person.to_bytes(32), now, now + lasts_s, b"%06d" % number * (size // 6))


async def until(claim: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not claim():  # noqa: ASYNC110  the claim is about another process
            await asyncio.sleep(0.01)


async def written(tier: RedisTier, *records: Sealed) -> None:
    before = tier.written
    tier.offer(records)
    await until(lambda: tier.written == before + len(records))


async def test_what_one_worker_offers_another_gets_and_it_expires_with_its_use(redis: Server, house: House) -> None:
    one, other = await house.tier(redis.port), await house.tier(redis.port)
    await written(one, record(1, lasts_s=60), record(2))
    assert await other.get(record(1).key) == record(1).value
    assert await other.get(record(3).key) is None
    lasts_ms = int(redis.say("PTTL", f"holdfast:answer:{record(1).key.hex()}").strip()[1:])
    assert 50_000 < lasts_ms <= 60_000
    assert (other.found, other.missed, other.unknown) == (1, 1, 0)


async def test_what_nobody_could_use_any_more_or_is_too_large_is_not_written(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port, max_value_bytes=1000)
    tier.offer([record(1, lasts_s=-1), record(2, size=2000), record(3)])
    await until(lambda: tier.written == 1)
    assert (tier.late, tier.oversized, redis.size()) == (1, 1, 1)


async def test_two_fleets_with_prefixes_of_their_own_share_nothing(redis: Server, house: House) -> None:
    one, other = await house.tier(redis.port), await house.tier(redis.port, prefix="other")
    await written(one, record(1))
    assert await other.get(record(1).key) is None


PURGES = [
    (SealedPurge(), set()),
    (SealedPurge(project="shop"), {3}),
    (SealedPurge(project="shop", people=frozenset({(7).to_bytes(32)})), {1, 3}),
    (SealedPurge(people=frozenset({(9).to_bytes(32)})), {1, 2}),
]


@pytest.mark.parametrize(("purge", "left"), PURGES)
async def test_a_purge_forgets_what_it_means_and_nothing_else(
    purge: SealedPurge, left: set[int], redis: Server, house: House
) -> None:
    redis.say("SET", "not-ours", "1")
    tier = await house.tier(redis.port)
    await written(tier, record(1), record(2, person=7), record(3, project="blog", person=9))
    await tier.purge(purge)
    found = {number for number in (1, 2, 3) if await tier.get(record(number).key) is not None}
    assert found == left
    assert tier.purged == 3 - len(left)
    assert redis.size() == len(left) + 1


async def test_a_purge_of_many_pages_finds_every_record(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    await written(tier, *(record(number, project=("shop", "blog")[number % 2]) for number in range(3000)))
    await tier.purge(SealedPurge(project="shop"))
    await until(lambda: tier.purged == 1500)
    assert redis.size() == 1500


async def test_a_purge_that_redis_cannot_hear_is_made_up_for_and_what_waited_is_forgotten(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    await written(tier, record(1), record(2, project="blog"))
    redis.freeze()
    tier.offer([record(3), record(4, project="blog")])
    await until(lambda: not tier.report()["is_there"])
    await tier.purge(SealedPurge(project="shop"))
    assert tier.report()["purges_waiting"] == 1
    redis.thaw()
    await until(lambda: tier.report()["purges_waiting"] == 0 and tier.report()["waiting"] == 0)
    assert [await tier.get(record(number).key) is not None for number in (1, 2, 3, 4)] == [False, True, False, True]


async def test_what_was_on_its_way_when_it_was_purged_is_not_written_later(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    redis.freeze()
    tier.offer([record(1), record(2, project="blog")])
    await until(lambda: tier.report()["waiting"] == 0)  # sent, and not heard of
    await tier.purge(SealedPurge(project="shop"))
    await until(lambda: not tier.report()["is_there"])
    redis.thaw()
    await until(lambda: tier.written == 1 and tier.report()["purges_waiting"] == 0)
    assert [await tier.get(record(number).key) is not None for number in (1, 2)] == [False, True]


async def test_a_killed_redis_is_left_alone_after_three_failures_and_used_again_once_it_is_back(
    redis: Server, house: House
) -> None:
    tier = await house.tier(redis.port)
    await written(tier, record(1))
    redis.kill()
    for _ in range(10):
        assert await tier.get(record(1).key) is None
    assert tier.report()["trips"] == 1
    assert tier.report()["asked"] <= 1 + 1 + 3  # the write, and what it took to notice
    tier.offer([record(2), record(2, size=600)])
    redis.start()
    await until(lambda: tier.report()["is_there"] and tier.written == 2)
    assert await tier.get(record(2).key) == record(2, size=600).value
    assert house.lines.events() == ["redis_back", "redis_away", "redis_back"]


async def test_a_frozen_redis_costs_three_timeouts_and_then_nothing(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port, timeout_s=0.1)
    await written(tier, record(1))
    redis.freeze()
    assert [await tier.get(record(1).key) for _ in range(200)] == [None] * 200
    assert tier.report()["troubles"] == {"timeout": 3, "away": 197}
    redis.thaw()
    await until(lambda: tier.report()["is_there"])
    assert await tier.get(record(1).key) == record(1).value


async def test_a_flushed_redis_is_filled_again(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    await written(tier, record(1))
    redis.say("FLUSHALL")
    assert await tier.get(record(1).key) is None
    await written(tier, record(1))
    assert await tier.get(record(1).key) == record(1).value


async def test_a_slow_redis_stays_away_until_it_is_as_fast_as_requests_need_it(redis: Server, house: House) -> None:
    async with Relay(redis.port) as relay:
        tier = await house.tier(relay.port, timeout_s=0.1)
        await written(tier, record(1))
        await relay.switch(RelayFault(how=How.LATENCY, delay_s=0.3))
        while tier.report()["is_there"]:
            assert await tier.get(record(1).key) is None
        before = relay.exchanges
        await until(lambda: relay.exchanges >= before + 4)  # it is tried, and found too slow
        assert not tier.report()["is_there"]
        await relay.switch(PASS)
        await until(lambda: tier.report()["is_there"])
        assert await tier.get(record(1).key) == record(1).value


async def test_an_answer_that_came_too_late_is_never_taken_for_the_next_one(redis: Server, house: House) -> None:
    async with Relay(redis.port) as relay:
        tier = await house.tier(relay.port, timeout_s=0.1)
        await written(tier, *(record(number) for number in range(50)))
        for _ in range(4):
            await relay.switch(PASS)
            await until(lambda: tier.report()["is_there"])
            await relay.switch(RelayFault(how=How.LATENCY, delay_s=0.09, jitter_s=0.08))
            values = await asyncio.gather(*(tier.get(record(number).key) for number in range(50)))
            assert all(value in {None, record(number).value} for number, value in enumerate(values))
        await relay.switch(PASS)
        await until(lambda: tier.report()["is_there"])
        values = await asyncio.gather(*(tier.get(record(number).key) for number in range(50)))
        assert all(value in {None, record(number).value} for number, value in enumerate(values))
        assert tier.report()["troubles"]["timeout"] > 0


FAULTS = [How.REFUSE, How.RESET_BEFORE, How.RESET_AFTER, How.SILENCE, How.HANG, How.DRIP, How.TRUNCATE, How.HALF_OPEN]


@pytest.mark.parametrize("how", FAULTS)
async def test_whatever_the_network_does_a_lookup_is_none_or_right(how: How, redis: Server, house: House) -> None:
    async with Relay(redis.port) as relay:
        tier = await house.tier(relay.port, timeout_s=0.1)
        await written(tier, record(1, size=6000))
        await relay.switch(RelayFault(how=how, bytes=40))
        for _ in range(20):
            assert await tier.get(record(1).key) in {None, record(1, size=6000).value}
        await relay.switch(PASS)
        await until(lambda: tier.report()["is_there"])
        assert await tier.get(record(1).key) == record(1, size=6000).value
    assert "redis_unexpected" not in house.lines.events()


async def test_the_backlog_is_bounded_while_redis_is_away_and_the_oldest_go_first(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port, queue_bytes=20_000)
    redis.kill()
    tier.offer([record(number, size=600) for number in range(1000)])
    assert tier.report()["waiting_bytes"] <= 20_000
    redis.start()
    await until(lambda: tier.report()["waiting"] == 0 and tier.written)
    assert await tier.get(record(999).key) == record(999, size=600).value
    assert await tier.get(record(0).key) is None
    assert tier.report()["dropped"] == 1000 - tier.written


async def test_a_full_redis_refuses_and_is_read_on(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    await written(tier, record(1))
    redis.say("CONFIG", "SET", "maxmemory", "1")
    tier.offer([record(2)])
    await until(lambda: tier.refused == 1)
    assert await tier.get(record(1).key) == record(1).value
    redis.say("CONFIG", "SET", "maxmemory", "0")
    await written(tier, record(3))


async def test_a_wrong_password_is_said_once_and_a_right_one_is_used_without_a_restart(
    installed: Installed, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(installed, "--requirepass", "canary") as guarded:
        monkeypatch.setitem(ENVIRON, "PASSWORD", "canary-wrong")
        tier = await house.tier(guarded.port, is_met=False, password=SecretSource(env="PASSWORD"))
        tier.offer([record(1)])
        await until(lambda: house.lines.lines)
        assert [line["reason"] for line in house.lines.lines] == ["login_refused"]
        monkeypatch.setitem(ENVIRON, "PASSWORD", "canary")
        await until(lambda: tier.written == 1)
        assert "canary" not in str(house.lines.lines)


async def test_values_of_another_format_are_no_answers_and_every_purge_takes_them(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    redis.say("SET", f"holdfast:answer:{record(1).key.hex()}", "\x02whatever")
    redis.say("LPUSH", f"holdfast:answer:{record(3).key.hex()}", "a list")
    assert [await tier.get(record(number).key) for number in (1, 3)] == [None] * 2
    assert tier.report()["is_there"]
    await tier.purge(SealedPurge(project="shop"))
    assert redis.size() == 0
