"""A hundred SDK instances on real sockets in virtual time: what upstream gets of them, to the request."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

import aiohttp
import pytest
from aiohttp import web

from proxy.config.settings import Definitions as Rules
from proxy.config.settings import Project, SecretSource, Settings, Upstream
from proxy.definitions.upkeep.keeper import Keeper
from proxy.definitions.upkeep.poller import Poller, Ports
from proxy.definitions.upkeep.shelf import Shelf
from proxy.definitions.upkeep.source import HttpSource
from proxy.edge.server import EdgeServer
from proxy.worker import Line, build
from reference.service.app import WORLD
from reference.service.app import build as build_service
from reference.service.project.memory import Memory
from reference.service.project.project import load_catalogue
from tests.fakes.definitions import Lines, VirtualTime

OWN, CALLER = "phx_own", "phx_caller"
TOKEN = "phc_shop"
SDKS = 100
POLL_S = 30.0


def catalogue_bytes(flags: int, keys: tuple[str, ...] = (OWN, CALLER)) -> bytes:
    filters = {"groups": [{"properties": [], "rollout_percentage": 100}]}
    found = [{"id": number, "key": f"f{number}", "active": True, "version": 1, "filters": filters} for number in range(flags)]
    return json.dumps({"flags": found, "service": {"tokens": [TOKEN], "personal_keys": {key: {} for key in keys}}}).encode()


@dataclass
class Sdk:
    """One SDK instance: polls every 30 s with the tag it has, as all of them do (sdks.md §1.1)."""

    due_at: float
    etag: str | None = None
    flags: int | None = None
    statuses: Counter[int] = field(default_factory=Counter)

    async def poll(self, session: aiohttp.ClientSession, url: str) -> None:
        headers = {"Authorization": f"Bearer {CALLER}"} | ({} if self.etag is None else {"If-None-Match": self.etag})
        async with session.get(url, headers=headers) as answer:
            self.statuses[answer.status] += 1
            if answer.status == 200:
                self.etag, self.flags = answer.headers["ETag"], len((await answer.json())["flags"])


class House:
    """The embedded service, the supervisor's poller and one worker, all on one virtual clock."""

    def __init__(self, folder: Path) -> None:
        self.time = VirtualTime()
        self.memory = Memory()
        self._folder = folder
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.service = build_service(load_catalogue(catalogue_bytes(3)), memory=self.memory, has_test_face=True)
        runner = web.AppRunner(self.service, shutdown_timeout=0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        upstream = Upstream(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
        self._folder.joinpath("key").write_text(OWN)
        rules = Rules(key=SecretSource(file=str(self._folder / "key")), poll_s=POLL_S)
        project = Project(tokens=(TOKEN,), definitions=rules)
        settings = Settings(upstreams={"default": upstream}, projects={"shop": project})
        await self._start_worker(settings)
        await self._start_poller(rules, upstream)
        self.session = await self._stack.enter_async_context(aiohttp.ClientSession())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start_worker(self, settings: Settings) -> None:
        self.line: Line = build(settings, clock=self.time, rng=Random(1))
        self._stack.push_async_callback(self.line.close)
        edge = EdgeServer(self.line.app, limits=settings.limits, drain_s=0.1)
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        await edge.start([sock])
        self._stack.push_async_callback(edge.stop)
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}/flags/definitions?token={TOKEN}&send_cohorts"

    async def _start_poller(self, rules: Rules, upstream: Upstream) -> None:
        async def nobody() -> list[object]:
            return []

        async def no_boot() -> bool:
            return False

        log = Lines().log
        shelf = Shelf(self._folder / "kept", "shop", generations=5)
        self.keeper = Keeper(shelf, hold_polls=2, on_use=lambda _: None, clock=self.time, log=log)
        source = HttpSource(upstream)
        self._stack.push_async_callback(source.close)
        ports = Ports(
            source=source,
            sample=nobody,  # type: ignore[arg-type]
            boot=no_boot,
            clock=self.time,
            rng=Random(7),
            environ={},
            log=log,
            sleep=self.time.sleep,
        )
        task = asyncio.create_task(Poller("shop", TOKEN, rules=rules, keeper=self.keeper, ports=ports).run())
        self._stack.push_async_callback(asyncio.wait, [task])
        self._stack.callback(task.cancel)
        await self.time.settled()
        await self.hand_on()

    async def hand_on(self) -> None:
        """Do what the message between supervisor and worker does."""
        if self.keeper.current is not None:
            assert await self.line.held.replace(self.keeper.current.kept) is None

    async def spend(self, seconds: float, sdks: list[Sdk]) -> None:
        """Let time pass second by second; whoever is due polls, all of one second at once."""
        end = self.time.now + seconds
        while self.time.now < end:
            await self.time.spend(1.0)
            await self.hand_on()
            due = [sdk for sdk in sdks if sdk.due_at <= self.time.now]
            for sdk in due:
                sdk.due_at += POLL_S
            await asyncio.gather(*(sdk.poll(self.session, self.url) for sdk in due))

    def asked(self) -> Counter[str]:
        """Whose key upstream saw how often."""
        seen = (dict(call.headers).get("Authorization") for call in self.memory.calls)
        return Counter(str(value).removeprefix("Bearer ") for value in seen)

    def sdks(self) -> list[Sdk]:
        rng = Random(11)
        return [Sdk(self.time.now + rng.uniform(0, POLL_S)) for _ in range(SDKS)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as started:
        yield started


async def test_a_hundred_sdks_cost_upstream_one_poll_an_interval_and_one_look_at_their_key_every_two_and_a_half_minutes(
    house: House,
) -> None:
    sdks = house.sdks()
    await house.spend(600.0, sdks)
    assert [sdk.statuses for sdk in sdks] == [Counter({304: 19, 200: 1})] * SDKS
    assert {sdk.flags for sdk in sdks} == {3}
    # One at the start, the next on the grid at least half an interval away, then every 30 s.
    assert house.asked()[OWN] == 21
    assert house.asked()[CALLER] == 4
    assert sum(house.asked().values()) == 25
    meter = house.line.keys.meter.report()
    assert (meter["polls"], meter["asked"], meter["polls_saved"]) == (2000, 4, 1996)


async def test_a_change_reaches_all_of_them_within_two_intervals_and_costs_upstream_nothing_more(house: House) -> None:
    sdks = house.sdks()
    await house.spend(60.0, sdks)
    before = sum(house.asked().values())
    house.service[WORLD].catalogue = load_catalogue(catalogue_bytes(4))
    await house.spend(2 * POLL_S, sdks)
    assert {sdk.flags for sdk in sdks} == {4}
    assert sum(house.asked().values()) - before == 2


async def test_a_cold_storm_of_a_hundred_at_the_same_instant_is_one_question(house: House) -> None:
    sdks = [Sdk(house.time.now) for _ in range(SDKS)]
    await house.spend(1.0, sdks)
    assert {sdk.flags for sdk in sdks} == {3}
    assert house.asked()[CALLER] == 1


async def test_a_revoked_key_is_refused_to_all_of_them_within_five_minutes(house: House) -> None:
    sdks = house.sdks()
    await house.spend(31.0, sdks)
    house.service[WORLD].catalogue = load_catalogue(catalogue_bytes(3, keys=(OWN,)))
    await house.spend(300.0, sdks)
    assert all(sdk.statuses[401] for sdk in sdks)
