"""Whole instances that share a Redis: one poll an interval between them, taken over, booted from, and done without."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reference.service.app import build
from reference.service.project.project import load_catalogue
from tests.fleet.support.server import Server
from tests.wire.process.support.instance import Instance, until

KEY = "phx_canary_key"
SHARED = "s" * 40
ASK = {"token": "phc_a", "distinct_id": "user-1"}
POLL_S = 2


def flag(number: int, *, active: bool = True) -> dict[str, Any]:
    filters = {"groups": [{"properties": [], "rollout_percentage": 100}]}
    return {"id": number, "key": f"f{number}", "active": active, "version": 1 + (not active), "filters": filters}


class Service:
    """The embedded flag service; it notes when it was asked for definitions, and can be away."""

    def __init__(self) -> None:
        self.polls: list[float] = []
        self.is_away = False
        app = build(load_catalogue(_file([flag(number) for number in range(1, 7)])))
        app.middlewares.append(self._note)
        self.app = app
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/flags/definitions"):
            self.polls.append(asyncio.get_running_loop().time())
        if self.is_away:
            return web.Response(status=503)
        found: web.StreamResponse = await handler(request)
        return found


def _file(flags: list[dict[str, Any]]) -> bytes:
    return json.dumps({"flags": flags, "service": {"tokens": ["phc_a"], "personal_keys": {KEY: {}}}}).encode()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    await service.server.start_server()
    yield service
    await service.server.close()


@pytest.fixture
def how(service: Service, redis: Server, tmp_path: Path) -> dict[str, object]:
    """Settings of an instance of the fleet."""
    for name, secret in {"key": KEY, "shared": SHARED}.items():
        (tmp_path / name).write_text(secret)
    return {
        "UPSTREAMS__DEFAULT__URL": service.url,
        "PROJECTS__SHOP__TOKENS": '["phc_a"]',
        "PROJECTS__SHOP__DEFINITIONS__KEY__FILE": tmp_path / "key",
        "PROJECTS__SHOP__DEFINITIONS__POLL_S": POLL_S,
        "REDIS__ADDRESSES": f'["{redis.address}"]',
        "REDIS__SECRET__FILE": tmp_path / "shared",
        "ADMIN__PORT": 0,
    }


def roles(instance: Instance) -> list[str]:
    return [line["role"] for line in instance.events("definitions_role")]


async def held(instance: Instance) -> None:
    await until(lambda: instance.events("definitions_in_force"), "definitions in a worker")


async def ask(instance: Instance) -> tuple[int, dict[str, Any], str]:
    url = f"http://127.0.0.1:{instance.port}/flags/?v=2"
    async with aiohttp.ClientSession() as session, session.post(url, json=ASK) as answer:
        return answer.status, await answer.json(), answer.headers.get("Cache-Status", "")


async def test_two_instances_ask_once_an_interval_and_the_survivor_takes_over(service: Service, how: dict[str, object]) -> None:
    async with Instance(**how) as one, Instance(**how) as other:
        await held(one)
        await held(other)
        leader, follower = (one, other) if roles(one) == ["leader"] else (other, one)
        assert [roles(leader)[-1], roles(follower)[-1]] == ["leader", "follower"]
        before, started = len(service.polls), asyncio.get_running_loop().time()
        await until(lambda: len(service.polls) >= before + 4)
        lasted = asyncio.get_running_loop().time() - started
        assert lasted >= 3 * POLL_S * 0.9  # four polls are three intervals: one asks, not two
        async with aiohttp.ClientSession() as session, session.get(f"{leader.admin}/definitions") as answer:
            assert (await answer.json())["shop"]["fleet"]["role"] == "leader"
        os.killpg(leader._process.pid, signal.SIGKILL)
        last = len(service.polls)
        await until(lambda: len(service.polls) > last)
        assert roles(follower)[-1] == "leader"


async def test_a_machine_without_a_disk_boots_from_redis_in_an_outage_and_answers(
    service: Service, how: dict[str, object]
) -> None:
    async with Instance(**how) as one:
        await held(one)
        await until(lambda: one.events("definitions_role", role="leader"))
        await until(lambda: len(service.polls) >= 2)  # what was accepted is posted
    service.is_away = True
    async with Instance(**how) as other:
        await held(other)
        status, answer, _ = await ask(other)
        assert status == 200
        assert set(answer["flags"]) == {f"f{number}" for number in range(1, 7)}


async def test_instances_go_on_by_themselves_when_redis_is_killed_and_meet_again(
    service: Service, how: dict[str, object], redis: Server
) -> None:
    async with Instance(**how) as one, Instance(**how) as other:
        await held(one)
        await held(other)
        redis.kill()
        await until(lambda: roles(one)[-1] == roles(other)[-1] == "alone")
        before = len(service.polls)
        await until(lambda: len(service.polls) >= before + 4)
        redis.start()
        await until(lambda: {roles(one)[-1], roles(other)[-1]} == {"leader", "follower"})


async def test_what_one_instance_was_told_another_answers_with_when_the_service_is_away(
    service: Service, how: dict[str, object], redis: Server
) -> None:
    plain = how | {"PROJECTS__SHOP__DEFINITIONS__KEY__FILE": None, "PROJECTS__SHOP__DEFINITIONS__POLL_S": None}
    async with Instance(**plain) as one, Instance(**plain) as other:
        await until(lambda: one.events("listening") and other.events("listening"))
        status, told, _ = await ask(one)
        assert status == 200
        await until(lambda: redis.size() == 1)
        service.is_away = True
        status, remembered, labels = await ask(other)
        assert status == 200
        assert remembered["flags"] == told["flags"]
        assert "stale" in labels
