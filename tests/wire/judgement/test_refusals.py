"""Refusals of keys on real sockets: one key refused while another works, all of them refused, and refused by chance."""

from __future__ import annotations

from random import Random
from typing import Any

from aiohttp import web

from proxy.answer.answer import Trouble
from proxy.answer.judgement.hysteresis import PROOFS, Stance
from proxy.answer.request import ProjectName
from proxy.config.settings import Breaker, Project
from tests.wire.proxy_line.house import Exchange, House, Proxy, Reply, Service, send

SHOP, BLOG = "phc_test", "phc_empty"
PROJECTS = {"shop": Project(tokens=(SHOP,)), "blog": Project(tokens=(BLOG,))}
NO_BREAKER = Breaker(minimum_calls=10_000, consecutive=10_000)
REFUSAL = b'{"type":"authentication_error","code":"authentication_failed","detail":"No.","attr":null}'


class Keys:
    """Which keys the service refuses, and in what share of all requests. Callers repeat their key where it is easily read."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.share = 1.0
        self.calls = 0
        self._rng = Random(11)

    def around(self, exchange: Exchange) -> Exchange:
        async def maybe(request: web.Request) -> web.StreamResponse:
            self.calls += 1
            token = request.headers["User-Agent"].partition(" ")[2]
            if token in self.refused and self._rng.random() < self.share:
                return web.Response(status=401, body=REFUSAL, content_type="application/json")
            return await exchange(request)

        return maybe


class World:
    def __init__(self, keys: Keys, service: Service, proxy: Proxy) -> None:
        self.keys = keys
        self.service = service
        self.proxy = proxy

    async def ask(self, token: str, user: str = "user") -> Reply:
        headers = (("Content-Type", "application/json"), ("User-Agent", f"posthog-python/7.91.1 {token}"))
        return await send(self.proxy.port, {"token": token, "distinct_id": user}, headers=headers)

    def stances(self) -> dict[tuple[str, Stance], int]:
        return dict(self.proxy.line.judgement.hysteresis.stances)


async def world(house: House, **settings: Any) -> World:
    keys = Keys()
    service = await house.service(around=keys.around)
    proxy = await house.proxy(service.port, projects=PROJECTS, breaker=NO_BREAKER, **settings)
    made = World(keys, service, proxy)
    for token in (SHOP, BLOG):
        assert (await made.ask(token)).status == 200
    return made


def is_remembered(reply: Reply, good: Reply) -> bool:
    assert f'details="{Trouble.AUTH}"' in reply.headers.get("Proxy-Status", "")
    return reply.status == 200 and reply.json()["flags"] == good.json()["flags"]


async def test_one_key_refused_while_another_works_is_refused_with_its_first_refusal() -> None:
    async with House() as house:
        here = await world(house)
        here.keys.refused = {SHOP}
        before = here.keys.calls
        first = await here.ask(SHOP)
        assert (first.status, first.body) == (401, REFUSAL)
        assert here.keys.calls == before + 1 + 2 * PROOFS
        assert (await here.ask(SHOP, "another")).status == 401
        assert here.keys.calls == before + 2 + 2 * PROOFS, "and that is settled"
        assert (await here.ask(BLOG)).status == 200
        assert here.stances() == {(ProjectName("shop"), Stance.REAL): 2}


async def test_all_keys_refused_is_answered_from_memory_for_a_quarter_of_an_hour() -> None:
    async with House() as house:
        here = await world(house)
        good = {token: await here.ask(token) for token in (SHOP, BLOG)}
        here.keys.refused = {SHOP, BLOG}
        for _ in range(5):
            for token in (SHOP, BLOG):
                assert is_remembered(await here.ask(token), good[token])
        house.clock.advance(899)
        assert is_remembered(await here.ask(SHOP), good[SHOP])
        house.clock.advance(1)
        assert (await here.ask(SHOP)).status == 401
        here.keys.refused = set()
        assert (await here.ask(SHOP)).essence == good[SHOP].essence


async def test_a_stranger_in_such_an_outage_gets_the_refusal_for_nothing_is_at_hand() -> None:
    async with House() as house:
        here = await world(house)
        here.keys.refused = {SHOP, BLOG}
        reply = await here.ask(SHOP, "stranger")
        assert (reply.status, reply.body) == (401, REFUSAL)
        assert 'details="auth"' in reply.headers["Proxy-Status"]


async def test_an_outage_that_refuses_every_other_request_reaches_no_known_caller() -> None:
    async with House() as house:
        here = await world(house)
        good = {token: await here.ask(token) for token in (SHOP, BLOG)}
        here.keys.refused, here.keys.share = {SHOP, BLOG}, 0.5
        for _ in range(100):
            for token in (SHOP, BLOG):
                reply = await here.ask(token)
                assert reply.status == 200
                assert reply.json()["flags"] == good[token].json()["flags"]


async def test_an_operator_revokes_at_once() -> None:
    async with House() as house:
        here = await world(house)
        here.keys.refused = {SHOP, BLOG}
        assert (await here.ask(SHOP)).status == 200
        here.proxy.line.judgement.revoke(ProjectName("shop"))
        assert [(await here.ask(token)).status for token in (SHOP, BLOG)] == [401, 200]
