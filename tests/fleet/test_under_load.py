"""Under load, whatever befalls Redis: every caller is answered, it is left alone while it fails, and used again afterwards."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.faults.fault import PASS, How, RelayFault
from harness.faults.network.relay import Relay
from tests.fleet.support.server import Server
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import Upstream

USERS, CALLERS = 150, 12


class Stage:
    """One instance before an upstream, with a Redis behind a relay."""

    def __init__(self, instance: Instance, relay: Relay, redis: Server, session: aiohttp.ClientSession) -> None:
        self.instance = instance
        self.relay = relay
        self.redis = redis
        self._session = session

    async def load(self, users: range) -> Counter[int]:
        """Ask for each user once, by so many callers at a time; return how often each status came."""
        statuses: Counter[int] = Counter()
        left = iter(users)

        async def caller() -> None:
            for user in left:
                body = {"token": "phc_a", "distinct_id": f"user-{user}"}
                async with self._session.post(f"http://127.0.0.1:{self.instance.port}/flags/?v=2", json=body) as answer:
                    await answer.read()
                    statuses[answer.status] += 1

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        return statuses

    async def tier(self) -> dict[str, Any]:
        while True:  # on a busy machine a worker may be late for one report
            async with self._session.get(f"{self.instance.admin}/status.json") as answer:
                workers = json.loads(await answer.read())["workers"]
            for worker in workers:
                if "tiers" in worker:
                    found: dict[str, Any] = worker["tiers"]["redis"]
                    return found

    async def purge(self) -> tuple[int, str]:
        """Forget everything; return the status, and what is owed."""
        what = {"project": None, "reason": "a test", "by": "tests"}
        async with self._session.post(f"{self.instance.admin}/purge", json=what) as answer:
            return answer.status, str((await answer.json())["owed"])

    async def until(self, claim: Callable[[dict[str, Any]], object]) -> None:
        async with asyncio.timeout(30):
            while not claim(await self.tier()):  # noqa: ASYNC110  the claim is about another process
                await asyncio.sleep(0.05)


@pytest.fixture
async def stage(redis: Server, tmp_path: Path) -> AsyncIterator[tuple[Stage, Upstream]]:
    (tmp_path / "shared").write_text("s" * 40)
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Upstream())
        relay = await stack.enter_async_context(Relay(redis.port))
        settings = {
            "UPSTREAMS__DEFAULT__URL": upstream.url,
            "PROJECTS__SHOP__TOKENS": '["phc_a"]',
            "REDIS__ADDRESSES": f'["127.0.0.1:{relay.port}"]',
            "REDIS__SECRET__FILE": tmp_path / "shared",
            "ADMIN__PORT": 0,
        }
        instance = await stack.enter_async_context(Instance(**settings))
        await until(lambda: instance.events("listening"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        made = Stage(instance, relay, redis, session)
        await made.until(lambda tier: tier["is_there"])
        yield made, upstream


async def killed(stage: Stage) -> None:
    stage.redis.kill()


async def frozen(stage: Stage) -> None:
    stage.redis.freeze()


async def slow(stage: Stage) -> None:
    await stage.relay.switch(RelayFault(how=How.LATENCY, delay_s=0.4))


async def started_again(stage: Stage) -> None:
    stage.redis.start()


async def thawed(stage: Stage) -> None:
    stage.redis.thaw()


async def fast(stage: Stage) -> None:
    await stage.relay.switch(PASS)


STATES = [(killed, started_again), (frozen, thawed)]


@pytest.mark.parametrize(("strike", "heal"), STATES, ids=["killed", "frozen"])
async def test_no_caller_notices_that_redis_fails_and_it_is_used_again(
    stage: tuple[Stage, Upstream], strike: Callable[[Stage], Awaitable[None]], heal: Callable[[Stage], Awaitable[None]]
) -> None:
    here, _ = stage
    assert await here.load(range(USERS)) == {200: USERS}
    await here.until(lambda tier: tier["written"] == USERS)
    loading = asyncio.create_task(here.load(range(USERS, 4 * USERS)))
    await strike(here)
    assert await loading == {200: 3 * USERS}
    assert await here.load(range(4 * USERS, 5 * USERS)) == {200: USERS}
    await here.until(lambda tier: not tier["is_there"])
    before = (await here.tier())["asked"]
    assert await here.load(range(5 * USERS, 6 * USERS)) == {200: USERS}
    assert (await here.tier())["asked"] == before  # nobody asks it
    await heal(here)
    await here.until(lambda tier: tier["is_there"])
    assert await here.load(range(6 * USERS, 7 * USERS)) == {200: USERS}
    await here.until(lambda tier: tier["waiting"] == 0)
    assert here.redis.size() >= 2 * USERS
    assert (await here.tier())["dropped"] == 0


async def test_a_slow_redis_costs_callers_three_timeouts_at_most(stage: tuple[Stage, Upstream]) -> None:
    here, upstream = stage
    assert await here.load(range(USERS)) == {200: USERS}
    await here.until(lambda tier: tier["written"] == USERS)
    await slow(here)
    await upstream.__aexit__()
    assert set(await here.load(range(USERS, 2 * USERS))) <= {502, 503, 504}  # nobody knows these users
    tier = await here.tier()
    assert not tier["is_there"]
    assert 3 <= tier["troubles"]["timeout"] <= 3 + CALLERS  # those that were on their way when it was noticed
    assert await here.load(range(USERS)) == {200: USERS}
    await fast(here)
    await here.until(lambda tier: tier["is_there"])


async def test_no_caller_notices_that_redis_is_emptied_again_and_again(stage: tuple[Stage, Upstream]) -> None:
    here, _ = stage
    loading = asyncio.create_task(here.load(range(4 * USERS)))
    while not loading.done():
        here.redis.say("FLUSHALL")
        await asyncio.sleep(0.02)
    assert await loading == {200: 4 * USERS}
    await here.until(lambda tier: tier["is_there"] and tier["waiting"] == 0)


async def test_in_an_outage_of_both_what_memory_knows_is_answered_and_the_rest_is_told_at_once(
    stage: tuple[Stage, Upstream],
) -> None:
    here, upstream = stage
    assert await here.load(range(USERS)) == {200: USERS}
    here.redis.freeze()
    await upstream.__aexit__()
    assert await here.load(range(USERS)) == {200: USERS}
    unknown = await here.load(range(USERS, 2 * USERS))
    assert set(unknown) <= {502, 503, 504}
    here.redis.thaw()


async def test_a_purge_says_that_redis_has_yet_to_be_swept_and_it_is_when_it_is_back(stage: tuple[Stage, Upstream]) -> None:
    here, _ = stage
    assert await here.load(range(USERS)) == {200: USERS}
    await here.until(lambda tier: tier["written"] == USERS)
    here.redis.freeze()
    assert await here.purge() == (202, "Redis is being swept")
    await here.until(lambda tier: not tier["is_there"])
    here.redis.thaw()
    await here.until(lambda tier: tier["purges_waiting"] == 0)
    assert here.redis.size() == 0
    assert await here.load(range(USERS)) == {200: USERS}
    await here.until(lambda tier: tier["waiting"] == 0)
    assert await here.purge() == (200, "")
    assert here.redis.size() == 0
