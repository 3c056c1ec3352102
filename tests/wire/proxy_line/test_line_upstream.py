"""What guards an upstream, on real sockets: slow calls, second tries, projects, and how long it is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from proxy.answer.request import ProjectName, UpstreamName
from proxy.config.settings import Breaker, Project
from proxy.upstream.breaker import Cause, State
from proxy.upstream.origin import Origin
from tests.wire.edge.rooms import until
from tests.wire.proxy_line.house import House, Proxy, Reply, send
from tests.wire.proxy_line.test_line_outage import GOOD, read_request, whole

JSON = b"Content-Type: application/json"
LIMITED = whole(b"{}", b"Retry-After: 7", status=b"429 Too Many Requests")
TOKEN = "phc_shop"


class Upstream:
    """Says what `say` returns for each request; keeps its connections; `hold` keeps requests until `release`."""

    def __init__(self, say: Callable[[int, bytes], bytes] = lambda number, request: whole(GOOD, JSON)) -> None:
        self.say = say
        self.requests = 0
        self.may_go = asyncio.Event()
        self.may_go.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            self.requests += 1
            number = self.requests
            await self.may_go.wait()
            writer.write(self.say(number, request))
            await writer.drain()

    async def reached(self, requests: int) -> None:
        await until(lambda: self.requests >= requests)


def origin(proxy: Proxy) -> Origin:
    return proxy.line.origins[UpstreamName("default")]


def ask(proxy: Proxy, distinct_id: str, token: str = TOKEN) -> Awaitable[Reply]:
    return send(proxy.port, {"token": token, "distinct_id": distinct_id})


def said(reply: Reply) -> str:
    return reply.headers.get("Proxy-Status", "")


async def test_slow_calls_trip_while_they_are_under_way_and_only_who_has_another_source_is_turned_away() -> None:
    async with House() as house:
        upstream = Upstream()
        proxy = await house.proxy(await house.raw(upstream), breaker=Breaker(minimum_calls=10, slow_s=1.5))
        await ask(proxy, "known")
        upstream.may_go.clear()
        waiting = [asyncio.create_task(ask(proxy, f"early-{n}")) for n in range(10)]
        await upstream.reached(11)
        house.clock.advance(1.5)
        known = await ask(proxy, "known")
        assert origin(proxy).gate.cause is Cause.SLOW
        assert (known.status, known.headers["Age"]) == (200, "1")
        assert 'details="breaker_open"' in said(known)
        assert upstream.requests == 11, "it was not asked for somebody who had another source"
        stranger = asyncio.create_task(ask(proxy, "stranger"))
        await upstream.reached(12)
        assert origin(proxy).lane.taken == 1
        upstream.may_go.set()
        assert {reply.status for reply in await asyncio.gather(stranger, *waiting)} == {200}
        assert origin(proxy).gate.state is State.OPEN, "stragglers and the lane change nothing"
        assert origin(proxy).bulkhead.taken == origin(proxy).lane.taken == 0


async def test_one_bad_gateway_is_not_the_callers_problem() -> None:
    async with House() as house:
        upstream = Upstream(lambda n, _: whole(b"", status=b"502 Bad Gateway") if n == 1 else whole(GOOD, JSON))
        proxy = await house.proxy(await house.raw(upstream))
        reply = await ask(proxy, "ada")
        assert (reply.status, reply.body, said(reply)) == (200, GOOD, "")
        assert (upstream.requests, origin(proxy).budget.spent) == (2, 1)


async def test_gateways_that_are_bad_for_everybody_are_asked_a_tenth_more_and_no_more() -> None:
    async with House() as house:
        upstream = Upstream(lambda _, __: whole(b"", status=b"502 Bad Gateway"))
        proxy = await house.proxy(await house.raw(upstream), breaker=Breaker(consecutive=1000, minimum_calls=1000))
        for n in range(60):
            assert (await ask(proxy, str(n))).status == 503
        assert upstream.requests == 60 + 1 + 60 // 10


async def test_a_project_that_is_limited_is_left_alone_for_as_long_as_it_is_told_and_others_are_not() -> None:
    async with House() as house:
        upstream = Upstream(lambda _, request: LIMITED if b"phc_noisy" in request else whole(GOOD, JSON))
        projects = {name: Project(tokens=(f"phc_{name}",)) for name in ("noisy", "shop", "site")}
        breaker = Breaker(consecutive=3, probes=1)
        proxy = await house.proxy(await house.raw(upstream), breaker=breaker, projects=projects)
        for token in ("phc_shop", "phc_site"):
            assert (await ask(proxy, "ada", token)).status == 200
        for n in range(3):
            limited = await ask(proxy, str(n), "phc_noisy")
            assert (limited.status, limited.headers["Retry-After"]) == (429, "7")
        refused = await ask(proxy, "4", "phc_noisy")
        assert refused.status == 503
        assert 7 <= int(refused.headers["Retry-After"]) <= 9
        assert upstream.requests == 5
        assert (await ask(proxy, "bob", "phc_shop")).status == 200
        house.clock.advance(6.9)
        assert (await ask(proxy, "5", "phc_noisy")).status == 503
        house.clock.advance(2)
        assert (await ask(proxy, "6", "phc_noisy")).status == 429
        assert origin(proxy).gate.transitions == {}
        assert origin(proxy).project_gate(ProjectName("noisy")).trips == 2


async def test_a_breaker_that_an_operator_holds_open_asks_nobody_until_let_go() -> None:
    async with House() as house:
        upstream = Upstream()
        proxy = await house.proxy(await house.raw(upstream), breaker=Breaker(ramp_s=0))
        await ask(proxy, "ada")
        origin(proxy).gate.force(State.OPEN)
        house.clock.advance(3600)
        assert 'details="breaker_open"' in said(await ask(proxy, "ada"))
        assert upstream.requests == 1
        origin(proxy).gate.force(None)
        for _ in range(3):
            assert said(await ask(proxy, "ada")) == ""
        assert origin(proxy).gate.state is State.CLOSED


async def test_a_burst_waits_for_places_and_nobody_is_refused() -> None:
    async with House() as house:
        upstream = Upstream()
        limits = {"connections": 5, "queue": 50, "queue_wait_s": 2.0}
        proxy = await house.proxy(await house.raw(upstream), upstream=limits)
        upstream.may_go.clear()
        burst = [asyncio.create_task(ask(proxy, str(n))) for n in range(40)]
        await upstream.reached(5)
        await until(lambda: origin(proxy).bulkhead.waiting == 35)
        assert upstream.requests == 5, "no more than there are places"
        upstream.may_go.set()
        assert {reply.status for reply in await asyncio.gather(*burst)} == {200}
        assert (origin(proxy).bulkhead.taken, origin(proxy).bulkhead.refused) == (0, 0)
