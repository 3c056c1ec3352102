"""The scripts on a real Redis do what the fake board of the unit tests does, whatever is asked of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from proxy.definitions.upkeep.fleet.scripts import POST, REST, TURN, names_of
from tests.fakes.board import FakeBoard
from tests.fakes.clock import FakeClock
from tests.fleet.support.server import Server

LEASE, BOARD = names_of("holdfast", "shop")
LONG, GONE = 3_600_000, 0


def asked(rng: Random) -> tuple[str, tuple[Any, ...]]:
    me = rng.choice(["a", "b", "c"])
    match rng.randrange(6):
        case 0 | 1:
            return TURN, (me, LONG, rng.choice("01"), rng.choice(["", "t1", "t2"]), LONG)
        case 2 | 3 | 4:
            content = rng.choice([b"", b"x", b"y"])
            stamp = rng.choice(["", "s1", "s2"])
            return POST, (me, rng.choice("0001"), rng.randrange(5), rng.choice(["d1", "d2"]), content, stamp, LONG)
        case _:
            return REST, (me, LONG)


@pytest.mark.parametrize("seed", range(3))
async def test_the_real_redis_and_the_fake_say_the_same(seed: int, redis: Server) -> None:
    rng, fake = Random(seed), FakeBoard(FakeClock())
    client = Redis(port=redis.port)
    said = set()
    for _ in range(400):
        if rng.random() < 0.1:  # the lease runs out
            await client.delete(LEASE)
            fake._texts.clear()
        if rng.random() < 0.02:
            await client.flushall()
            fake.flush()
        script, arguments = asked(rng)
        real = await client.eval(script, 2, LEASE, BOARD, *arguments)
        assert await fake.eval(script, 2, LEASE, BOARD, *arguments) == real
        assert await fake.hget(BOARD, "content") == await client.hget(BOARD, "content")
        said.add(str(real) if isinstance(real, bytes | int) else real[0])
    assert {"b'done'", "b'not_leader'", "b'unknown'", "b'outdated'", 0, 1} <= said
    await client.aclose()


async def test_a_lease_ends_by_itself_and_a_board_that_nobody_confirms_too(redis: Server) -> None:
    client = Redis(port=redis.port)
    await client.eval(TURN, 2, LEASE, BOARD, "a", 5000, "1", "t", 60_000)
    assert 4000 < await client.pttl(LEASE) <= 5000
    assert 50_000 < await client.pttl(BOARD) <= 60_000
    await client.eval(POST, 2, LEASE, BOARD, "a", "0", 1, "d", b"x", "s", 120_000)
    assert 110_000 < await client.pttl(BOARD) <= 120_000
    await client.eval(REST, 2, LEASE, BOARD, "a", 9000)
    assert await client.get(LEASE) == b"resting"
    assert 8000 < await client.pttl(LEASE) <= 9000
    await client.aclose()
