"""Races, renewals and pure relay on real sockets: what a caller gets, and when upstream's answer is nobody's any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.answer.answer import Source
from proxy.answer.flights.race import Landing, Winner
from proxy.answer.request import ProjectName
from proxy.answer.switches import Turn
from proxy.config.settings import Breaker, Policy
from tests.wire.proxy_line.house import TOKEN, House, send

ADA = {"token": TOKEN, "distinct_id": "ada"}
EVE = {"token": TOKEN, "distinct_id": "eve"}
BRISK = Policy(deadline_at_hand_s=0.15, deadline_s=1.5, exchange_s=5.0)
LATE = 'holdfast; error=http_response_timeout; details="timeout"'
STURDY = Breaker(consecutive=100, minimum_calls=100)


def answer(variant: str) -> bytes:
    body = b'{"errorsWhileComputingFlags":false,"flags":{"a":{"key":"a","enabled":true,"variant":"%s"}}}' % variant.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Held:
    """An upstream that answers in its own time: `variant` at once, or when it is let."""

    def __init__(self) -> None:
        self.variant = "old"
        self.requests = 0
        self.let = asyncio.Event()
        self.let.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            self.requests += 1
            await self.let.wait()
            writer.write(answer(self.variant))
            await writer.drain()


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not claim():  # noqa: ASYNC110 - a condition awaited, within its own time limit
            await asyncio.sleep(0.001)


async def test_a_slow_upstream_is_answered_from_memory_and_what_it_says_in_the_end_is_remembered() -> None:
    async with House() as house:
        upstream = Held()
        proxy = await house.proxy(await house.raw(upstream), policy=BRISK, breaker=STURDY)
        race = proxy.line.asked.race
        before = await send(proxy.port, ADA)
        upstream.let.clear()
        upstream.variant = "new"
        during = await send(proxy.port, ADA)
        assert during.json() == before.json() | {"errorsWhileComputingFlags": True}
        assert (during.cache, during.headers["Proxy-Status"]) == ("holdfast; fwd=stale; ttl=0; detail=stale", LATE)
        assert (race.won, len(proxy.line.flight)) == ({Winner.RESCUE: 1}, 1), "the exchange goes on"
        upstream.let.set()
        await until(lambda: race.late)
        assert race.late == {Landing.REMEMBERED: 1}
        upstream.let.clear()
        after = await send(proxy.port, ADA)
        assert after.json()["flags"]["a"]["variant"] == "new"
        assert "detail=stale" in after.cache


async def test_a_stranger_of_a_slow_upstream_waits_and_has_its_answer_the_next_time() -> None:
    async with House() as house:
        upstream = Held()
        proxy = await house.proxy(await house.raw(upstream), policy=BRISK, breaker=STURDY)
        upstream.let.clear()
        first = await send(proxy.port, EVE)
        assert (first.status, first.cache, first.headers["Proxy-Status"]) == (503, "holdfast; fwd=miss; detail=none", LATE)
        assert proxy.line.asked.race.won == {Winner.NOBODY: 1}
        upstream.let.set()
        await until(lambda: proxy.line.asked.race.late)
        upstream.let.clear()
        second = await send(proxy.port, EVE)
        assert (second.status, second.json()["flags"]["a"]["variant"]) == (200, "old")


async def test_an_answer_past_its_freshness_is_given_at_once_and_renewed_by_one_exchange() -> None:
    async with House() as house:
        upstream = Held()
        policy = Policy(fresh_s=10, stale_while_revalidate_s=60)
        proxy = await house.proxy(await house.raw(upstream), policy=policy)
        await send(proxy.port, ADA)
        house.clock.advance(12)
        upstream.let.clear()
        upstream.variant = "new"
        replies = await asyncio.gather(*(send(proxy.port, ADA) for _ in range(5)))
        assert {reply.cache for reply in replies} == {"holdfast; hit; ttl=-2; detail=stale"}
        assert {reply.json()["errorsWhileComputingFlags"] for reply in replies} == {False}
        assert all("Proxy-Status" not in reply.headers and reply.headers["Age"] == "12" for reply in replies)
        upstream.let.set()
        await until(lambda: not proxy.line.asked.renewal.under_way)
        assert upstream.requests == 2
        renewed = await send(proxy.port, ADA)
        assert (renewed.json()["flags"]["a"]["variant"], renewed.cache) == ("new", "holdfast; hit; ttl=10")


async def test_what_bypass_and_observe_relay_waits_for_upstream_past_every_deadline() -> None:
    async with House() as house:
        upstream = Held()
        proxy = await house.proxy(await house.raw(upstream), policy=BRISK, breaker=STURDY)
        await send(proxy.port, ADA)
        for switch in ("bypass", "observe"):
            proxy.line.switches.set(Turn(switch=switch, on=True))
            upstream.let.clear()
            upstream.variant, seen = switch, upstream.requests
            caller = asyncio.create_task(send(proxy.port, ADA))
            await until(lambda seen=seen: upstream.requests == seen + 1)
            house.clock.advance(3)
            upstream.let.set()
            reply = await caller
            assert (reply.status, reply.json()["flags"]["a"]["variant"]) == (200, switch)
            assert "Cache-Status" not in reply.headers
            proxy.line.switches.clear(switch)
        (project, source, trouble), count = next(iter(proxy.line.observed.answers.items()))
        assert (project, source, trouble, count) == (ProjectName("default"), Source.STALE, "timeout", 1)
