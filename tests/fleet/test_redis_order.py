"""On a real Redis: what was said last stays, whoever comes back late; and a refused purge keeps nobody from writing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from harness.faults.fault import PASS, How, RelayFault
from harness.faults.network.relay import Relay
from proxy.answer.answer import Whole
from proxy.answer.request import Key, ProjectName
from proxy.config.settings import SecretSource
from proxy.lastgood.redis import tier as redis_tier_module
from proxy.lastgood.redis.tier import RedisTier
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from tests.fleet.support.server import Server
from tests.fleet.test_redis_tier import CLOCK, ENVIRON, House, house, until

__all__ = ["house"]

QUESTION = Key(1, b'[["shop"],{"distinct_id":"a"}]')
LIMITED = ["~holdfast:*", *(f"+{name}" for name in ("get", "set", "unlink", "getrange", "eval", "ping", "client", "hello"))]


def sealed(tier: RedisTier, text: bytes, *, age_s: float, project: str = "shop") -> Sealed:
    now = CLOCK.wall()
    whole, times = Whole(200, "application/json", text), {"stored_at": now - age_s, "expires_at": now + 600}
    return tier.seals.seal(QUESTION, whole, project=ProjectName(project), **times)


async def held(tier: RedisTier, project: str = "shop") -> bytes | None:
    place = tier.seals.places(QUESTION)[0]
    value = await tier.get(place)
    opened = None if value is None else tier.seals.open(place, value, project=ProjectName(project))
    return None if opened is None else opened.whole.body


@pytest.mark.parametrize("project", ["s", "shop", "p" * 255])
async def test_who_was_cut_off_does_not_put_an_old_answer_in_a_later_ones_place(
    project: str, redis: Server, house: House
) -> None:
    async with Relay(redis.port) as relay:
        cut_off, other = await house.tier(relay.port, timeout_s=0.1), await house.tier(redis.port)
        await relay.switch(RelayFault(how=How.REFUSE))
        while cut_off.report()["is_there"]:
            await cut_off.get(b"0" * 32)
        cut_off.offer([sealed(cut_off, b"old", age_s=60, project=project)])
        other.offer([sealed(other, b"new", age_s=1, project=project)])
        await until(lambda: other.written == 1)
        await relay.switch(PASS)
        await until(lambda: cut_off.outdated == 1)
        assert await held(other, project) == b"new"
        assert (cut_off.written, cut_off.report()["waiting"]) == (0, 0)


async def test_what_was_said_later_takes_the_place_of_what_was_said_before(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    for text, age_s in ((b"first", 3.0), (b"second", 2.0), (b"second again", 2.0)):
        tier.offer([sealed(tier, text, age_s=age_s)])
        await until(lambda: tier.report()["waiting"] == 0)
    await until(lambda: tier.written == 3)
    assert await held(tier) == b"second again"


async def test_what_seems_to_come_from_the_future_keeps_nothing_out(redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    tier.offer([sealed(tier, b"by a clock that runs ahead", age_s=-3600)])
    await until(lambda: tier.written == 1)
    tier.offer([sealed(tier, b"now", age_s=0)])
    await until(lambda: tier.written == 2)
    assert await held(tier) == b"now"


@pytest.mark.parametrize("found", [("SET", "\x02another format"), ("SET", "\x01short"), ("LPUSH", "a list")])
async def test_whatever_else_lies_there_is_written_over(found: tuple[str, str], redis: Server, house: House) -> None:
    tier = await house.tier(redis.port)
    record = sealed(tier, b"ours", age_s=60)
    redis.say(found[0], f"holdfast:answer:{record.key.hex()}", found[1])
    tier.offer([record])
    await until(lambda: tier.written == 1)
    assert await held(tier) == b"ours"


async def test_a_purge_that_redis_refuses_is_owed_and_writing_goes_on(
    redis: Server, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_tier_module, "REFUSED_S", 0.5)
    monkeypatch.setitem(ENVIRON, "PASSWORD", "canary")
    assert redis.say("ACL", "SETUSER", "worker", "on", ">canary", *LIMITED) == b"+OK\r\n"
    login: dict[str, Any] = {"username": "worker", "password": SecretSource(env="PASSWORD")}
    tier = await house.tier(redis.port, **login)
    before = sealed(tier, b"before", age_s=60)
    tier.offer([before])
    await until(lambda: tier.written == 1)
    await tier.purge(SealedPurge(project="shop"))
    assert tier.owed
    for number in range(3):
        tier.offer([replace(before, key=bytes([number]) * 32, project="blog")])
        await until(lambda: tier.report()["waiting"] == 0)
    await until(lambda: tier.written == 4)
    assert tier.report()["is_there"]
    assert tier.report()["purges_waiting"] == 1
    redis.say("ACL", "SETUSER", "worker", "+scan")
    await until(lambda: tier.report()["purges_waiting"] == 0)
    assert tier.owed == ""
    assert await held(tier) is None
