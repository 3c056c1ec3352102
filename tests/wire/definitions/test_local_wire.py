"""Answers from definitions over sockets: the same flags as the service's own, in every version, and off when switched off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from proxy.config.settings import Definitions, Project, SecretSource
from proxy.definitions.document import definitions_set
from reference.service.app import WORLD, build
from reference.service.project.project import load_catalogue
from tests.fakes.definitions import flag
from tests.properties.proxy.drawn import TOKEN, Drawn, projects
from tests.wire.proxy_line.house import House, Proxy, Reply, send

PROJECT = "shop"
KEY = "phx_reads_definitions"
ALL_VERSIONS = [
    "/flags/?v=2",
    "/flags?v=1",
    "/flags/?v=3",
    "/flags/?config=0",
    "/decide/?v=3&config=0",
    "/decide/?v=4&config=0",
]


class Place:
    """A flag service whose file can be replaced, and a proxy in front that keeps its definitions."""

    def __init__(self, house: House, stack: AsyncExitStack) -> None:
        self._house = house
        self._stack = stack
        self._generation = 0
        now = datetime.fromtimestamp(house.clock.wall(), UTC)
        self._app = build(load_catalogue(b'{"flags": []}'), clock=lambda: now)
        self.service = TestServer(self._app)

    async def open(self) -> None:
        await self.service.start_server()
        self._stack.push_async_callback(self.service.close)

    async def proxy(self, *, local_first: bool, timezone: str | None = None) -> Proxy:
        rules = Definitions(key=SecretSource(env="UNUSED"), local_first=local_first, timezone=timezone)
        return await self._house.proxy(self.port, projects={PROJECT: Project(tokens=(TOKEN,), definitions=rules)})

    @property
    def port(self) -> int:
        assert self.service.port is not None
        return self.service.port

    def put(self, file: dict[str, Any]) -> None:
        service = {"tokens": [TOKEN], "config": None, **file.get("service", {}), "personal_keys": {KEY: {}}}
        self._app[WORLD].catalogue = load_catalogue(json.dumps({**file, "service": service}).encode())

    async def poll(self, proxy: Proxy) -> None:
        """Fetch the definitions as the poller does, and put them in force as the worker does."""
        url = self.service.make_url(f"/flags/definitions?token={TOKEN}")
        async with aiohttp.ClientSession() as session, session.get(url, headers={"Authorization": f"Bearer {KEY}"}) as answer:
            body = await answer.read()
            self._generation += 1
            kept = definitions_set(PROJECT, body, etag=answer.headers["ETag"], fetched_at_wall=1e9, generation=self._generation)
        assert await proxy.line.held.replace(kept) is None


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(House())
        place = Place(house, stack)
        await place.open()
        yield place


async def ask(port: int, body: dict[str, Any], agent: str = "posthog-python/7.91.1", target: str = "/flags/?v=2") -> Reply:
    lines = [("Content-Type", "application/json"), ("User-Agent", agent)]
    if target.startswith("/decide"):
        lines.append(("X-Original-Endpoint", "decide"))  # PostHog's ingress says it to the service; the proxy says it itself
    reply = await send(port, body, target=target, headers=lines)
    assert reply.status == 200, reply.body
    return reply


def answered(reply: Reply) -> dict[str, Any]:
    """Give the flags of an answer of any version, without what differs from call to call, and without reasons.

    Conclusive means value, variant and payload (decision 0020): of two reasons not to match, another one may come first.
    """
    found = reply.json()
    if "flags" in found:
        flags = found["flags"].values()
        read = ("enabled", "variant", "value")
        return {flag["key"]: (*map(flag.get, read), flag["metadata"]["payload"], flag["metadata"]["version"]) for flag in flags}
    payloads = found.get("featureFlagPayloads", {})
    return {key: (value, payloads.get(key)) for key, value in found["featureFlags"].items()}


def values(reply: Reply) -> dict[str, Any]:
    return {key: shown["enabled"] for key, shown in reply.json()["flags"].items()}


async def compare(place: Place, drawn: Drawn, proxy: Proxy) -> tuple[int, int]:
    """Ask both everything; return how many answers, and how many of them without upstream."""
    local = 0
    for number, (body, agent) in enumerate(drawn.requests):
        target = ALL_VERSIONS[number % len(ALL_VERSIONS)]
        if "$anon_distinct_id" in body:
            continue  # the service stores it, which is the one thing that may not happen twice
        ours = await ask(proxy.port, body, agent, target)
        theirs = answered(await ask(place.port, body, agent, target))
        asked = set(body.get("flag_keys", theirs)) & theirs.keys()
        found = answered(ours)
        assert found.keys() >= asked, (body, target)
        assert {key: theirs.get(key) for key in found} == found, (body, target)
        local += "detail=local" in ours.cache
    return len(drawn.requests), local


async def test_a_caller_cannot_tell_an_answer_from_definitions_from_the_services(place: Place) -> None:
    total = local = 0
    for drawn in projects(7, 10):
        proxy = await place.proxy(local_first=True, timezone=drawn.timezone)
        place.put(drawn.file)
        await place.poll(proxy)
        asked, without = await compare(place, drawn, proxy)
        total, local = total + asked, local + without
    assert (total, local > 10) == (250, True), local


async def test_in_an_outage_what_is_certain_is_still_what_the_service_said(place: Place) -> None:
    drawn = projects(8, 1)[0]
    proxy = await place.proxy(local_first=False, timezone=drawn.timezone)
    place.put(drawn.file)
    await place.poll(proxy)
    before = [answered(await ask(place.port, body, agent)) for body, agent in drawn.requests]
    await place.service.close()
    found = 0
    for (body, agent), expected in zip(drawn.requests, before, strict=True):
        reply = await send(proxy.port, body, headers=(("Content-Type", "application/json"), ("User-Agent", agent)))
        if reply.status == 503:
            continue
        assert "detail=local" in reply.cache
        assert reply.json()["errorsWhileComputingFlags"] is True
        off = {flag["key"] for flag in reply.json()["flags"].values() if flag["reason"]["code"] == "flag_disabled"}
        ours = {key: shown for key, shown in answered(reply).items() if key not in off}
        assert {key: expected[key] for key in ours} == ours
        found += len(ours)
    assert found > 50


OFF = {
    "100 to 0": [flag("doomed", rollout=0, version=6), flag("stays")],
    "deactivated": [flag("doomed", active=False, version=6), flag("stays")],
    "deleted": [flag("stays")],
}


@pytest.mark.parametrize("local_first", [True, False])
@pytest.mark.parametrize("what", OFF)
async def test_a_flag_switched_off_is_off_after_one_poll_also_where_it_was_remembered_on(
    place: Place, what: str, local_first: bool
) -> None:
    body = {"token": TOKEN, "distinct_id": "user-1"}
    proxy = await place.proxy(local_first=local_first)
    place.put({"flags": [flag("doomed"), flag("stays")]})
    await place.poll(proxy)
    assert values(await ask(proxy.port, body)) == {"doomed": True, "stays": True}
    place.put({"flags": OFF[what]})
    await place.poll(proxy)
    await place.service.close()
    reply = await ask(proxy.port, body)
    assert values(reply).get("doomed", False) is False
    assert values(reply)["stays"] is True
    assert reply.cache.endswith("detail=local" if local_first else "detail=stale")
    if not local_first:
        assert "doomed" in values(reply)
