"""A real cluster of two nodes, and a real sentinel that promotes a replica: tier and lease work there as on one server."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from random import Random
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection

from proxy.clock import SystemClock
from proxy.config.settings import Redis, SecretSource
from proxy.definitions.upkeep.fleet.made import Fleet, fleet
from proxy.definitions.upkeep.fleet.member import Role
from proxy.definitions.upkeep.fleet.posting import Posted
from proxy.lastgood.redis.made import redis_tier
from proxy.lastgood.redis.tier import RedisTier
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from tests.fakes.definitions import Lines, flags, kept
from tests.fleet.support.server import Server
from tools.servers.redis import Installed

ENVIRON = {"SHARED": "s" * 32}
CLOCK = SystemClock()
HALF = 8191


async def until(claim: Any) -> None:
    async with asyncio.timeout(40):
        while not claim():  # noqa: ASYNC110  the claim is about another process
            await asyncio.sleep(0.02)


def record(number: int, project: str = "shop") -> Sealed:
    now = CLOCK.wall()
    return Sealed(number.to_bytes(32), project, bytes(32), now, now + 60, b"value %d" % number)


class House:
    def __init__(self, stack: AsyncExitStack, settings: Redis) -> None:
        self.settings = settings
        self.stack = stack
        self.lines = Lines()

    async def tier(self) -> RedisTier:
        made = redis_tier(self.settings, environ=ENVIRON, clock=CLOCK, rng=Random(1), log=self.lines.log)
        assert made is not None
        await made.start()
        self.stack.push_async_callback(made.close)
        await until(lambda: made.report()["is_there"])
        return made

    async def fleet(self) -> Fleet:
        made = fleet(self.settings, environ=ENVIRON, clock=CLOCK, rng=Random(1), log=self.lines.log)
        assert made is not None
        task = asyncio.create_task(made.run())

        async def end() -> None:
            task.cancel()
            await asyncio.wait([task])

        self.stack.push_async_callback(end)
        await until(lambda: made.report()["is_there"])
        return made


def settings(*addresses: str, **more: Any) -> Redis:
    return Redis(addresses=addresses, secret=SecretSource(env="SHARED"), timeout_s=0.5, **more)


@pytest.fixture(autouse=True)
async def tidied() -> AsyncIterator[None]:
    """redis-py 8.1 lets go of a cluster's nodes with connections open; they end here, not in the middle of another test."""
    yield
    for connection in [each for each in gc.get_objects() if isinstance(each, AbstractConnection)]:
        await connection.disconnect(nowait=True)


@pytest.fixture
async def stack(tidied: None) -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def cluster(installed: Installed) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        nodes = [stack.enter_context(Server(installed, "--cluster-enabled", "yes")) for _ in range(2)]
        nodes[0].say("CLUSTER", "ADDSLOTSRANGE", "0", str(HALF))
        nodes[1].say("CLUSTER", "ADDSLOTSRANGE", str(HALF + 1), "16383")
        nodes[1].say("CLUSTER", "SET-CONFIG-EPOCH", "2")
        nodes[0].say("CLUSTER", "MEET", "127.0.0.1", str(nodes[1].port))
        yield nodes


async def test_in_a_cluster_records_lie_on_all_nodes_and_a_purge_finds_them_there(
    cluster: list[Server], stack: AsyncExitStack
) -> None:
    await until(lambda: all(b"cluster_state:ok" in node.say("CLUSTER", "INFO") for node in cluster))
    house = House(stack, settings(cluster[0].address, mode="cluster"))
    tier = await house.tier()
    tier.offer([record(number, ("shop", "blog")[number % 2]) for number in range(100)])
    await until(lambda: tier.written == 100)
    assert sum(node.size() for node in cluster) == 100
    assert min(node.size() for node in cluster) > 20
    assert [await tier.get(record(number).key) for number in range(100)] == [record(number).value for number in range(100)]
    await tier.purge(SealedPurge(project="shop"))
    await until(lambda: tier.purged == 50)
    assert sum(node.size() for node in cluster) == 50
    await tier.purge(SealedPurge())
    await until(lambda: sum(node.size() for node in cluster) == 0)


async def test_in_a_cluster_lease_and_board_of_a_project_are_on_one_node(cluster: list[Server], stack: AsyncExitStack) -> None:
    await until(lambda: all(b"cluster_state:ok" in node.say("CLUSTER", "INFO") for node in cluster))
    house = House(stack, settings(cluster[1].address, mode="cluster"))
    made = await house.fleet()
    for project in ("shop", "blog", "docs"):
        one, other = (made.member(project, poll_s=30, log=house.lines.log) for _ in range(2))
        assert [await one.turn(ask_s=10), await other.turn(ask_s=10)] == [Role.LEADER, Role.FOLLOWER]
        posted = Posted(kept(flags(3), project=project, generation=7))
        assert await one.post(posted, is_confirmed=True)
        await other.turn(ask_s=None)
        assert await other.read() == posted
    assert sum(node.size() for node in cluster) == 6


async def dying(cluster: list[Server]) -> None:
    async with AsyncExitStack() as stack:
        house = House(stack, settings(*(node.address for node in cluster), mode="cluster"))
        tier = await house.tier()
        tier.offer([record(number) for number in range(50)])
        await until(lambda: tier.written == 50)
        cluster[1].kill()
        found = [await tier.get(record(number).key) for number in range(50)]
        assert all(value in {None, record(number).value} for number, value in enumerate(found))
        assert "redis_unexpected" not in house.lines.events()


async def test_a_node_of_a_cluster_that_dies_costs_answers_and_nothing_else(cluster: list[Server]) -> None:
    await until(lambda: all(b"cluster_state:ok" in node.say("CLUSTER", "INFO") for node in cluster))
    await dying(cluster)


async def test_when_a_sentinel_promotes_a_replica_it_is_used_from_then_on(installed: Installed, stack: AsyncExitStack) -> None:
    with Server(installed) as master, Server(installed, "--replicaof", "127.0.0.1", str(master.port)) as replica:
        await until(lambda: b"master_link_status:up" in replica.say("INFO", "replication"))
        config = (
            f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
            "sentinel down-after-milliseconds main 300\nsentinel failover-timeout main 3000\n"
        )
        with Server(installed, config=config) as sentinel:
            await until(lambda: str(replica.port).encode() in sentinel.say("SENTINEL", "REPLICAS", "main"))
            nobody = "127.0.0.1:1"
            house = House(stack, settings(nobody, sentinel.address, mode="sentinel", sentinel_name="main"))
            tier = await house.tier()
            tier.offer([record(1)])
            await until(lambda: tier.written == 1)
            await until(lambda: replica.size() == 1)
            master.kill()
            for _ in range(5):
                await tier.get(record(1).key)
            await until(lambda: tier.report()["is_there"] and b"role:master" in replica.say("INFO", "replication"))
            tier.offer([record(2)])
            await until(lambda: tier.written == 2)
            assert [await tier.get(record(number).key) for number in (1, 2)] == [record(1).value, record(2).value]
            assert replica.size() == 2
