"""The kill switch on a real instance of two workers, everything on: what is switched off is off in the very next answer.

Each question is asked over many connections at once, so that both workers answer it; none of them may lag behind.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reference.service.app import WORLD, Exchange, build
from reference.service.project.project import load_catalogue
from tests.wire.process.support.callers import Connection
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.operator import Operator

KEY = "phx_canary_key"
LANES = 16
Flag = dict[str, Any]


def flag(number: int) -> Flag:
    filters = {"groups": [{"properties": [], "rollout_percentage": 100}]}
    return {"id": number, "key": f"f{number}", "active": True, "version": 1, "filters": filters}


def deactivated(flags: list[Flag], number: int) -> list[Flag]:
    return [each | {"active": False, "version": 2} if each["id"] == number else each for each in flags]


def deleted(flags: list[Flag], number: int) -> list[Flag]:
    return [each for each in flags if each["id"] != number]


def to_zero(flags: list[Flag], number: int) -> list[Flag]:
    nobody = {"groups": [{"properties": [], "rollout_percentage": 0}]}
    return [each | {"filters": nobody, "version": 2} if each["id"] == number else each for each in flags]


Kill = Callable[[list[Flag], int], list[Flag]]
KILLS = pytest.mark.parametrize("kill", [deactivated, deleted, to_zero])


class Service:
    """A flag service whose flags a test changes, and whose `/flags` it can break."""

    def __init__(self) -> None:
        self.is_broken = False
        self.flags: list[Flag] = []
        self.app = build(load_catalogue(self._file()), around=self._around)
        self.server = TestServer(self.app)

    def put(self, flags: list[Flag]) -> None:
        self.flags = flags
        self.app[WORLD].catalogue = load_catalogue(self._file())

    def _file(self) -> bytes:
        return json.dumps({"flags": self.flags, "service": {"tokens": ["phc_a"], "personal_keys": {KEY: {}}}}).encode()

    def _around(self, exchange: Exchange) -> Exchange:
        async def maybe(request: web.Request) -> web.StreamResponse:
            return web.Response(status=500) if self.is_broken and request.method == "POST" else await exchange(request)

        return maybe


class Lanes:
    """Connections to one instance, enough to reach both of its workers."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lanes = [Connection(instance.port) for _ in range(LANES)]

    async def __aenter__(self) -> Self:
        for lane in self._lanes:
            await lane.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        for lane in self._lanes:
            await lane.close()

    async def on(self, person: str, **fields: Any) -> list[set[str]]:
        """Ask everywhere; return what is on, once for each connection."""
        return [await self._ask(lane, person, fields) for lane in self._lanes]

    async def on_one(self, person: str) -> set[str]:
        """Ask one worker only."""
        return await self._ask(self._lanes[0], person, {})

    async def _ask(self, lane: Connection, person: str, fields: dict[str, Any]) -> set[str]:
        status, _, body = await lane.ask(person, fields=fields)
        assert status == 200
        return {key for key, record in json.loads(body)["flags"].items() if record["enabled"]}

    async def assert_both_workers(self) -> None:
        async with Operator(self._instance) as operator:
            workers = (await operator.status())["workers"]
        assert len(workers) == 2
        assert all(worker["connections"] >= 1 for worker in workers), "both of them answered"


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    await service.server.start_server()
    yield service
    await service.server.close()


@pytest.fixture
def how(service: Service, tmp_path: Path) -> dict[str, object]:
    secret = tmp_path / "key"
    secret.write_text(KEY)
    return {
        "UPSTREAMS__DEFAULT__URL": str(service.server.make_url("")).rstrip("/"),
        "PROJECTS__SHOP__TOKENS": '["phc_a"]',
        "STORE__DIRECTORY": tmp_path / "answers",
        "PROCESS__WORKERS": 2,
        "ADMIN__PORT": 0,
    }


def keeping(how: dict[str, object], tmp_path: Path, poll_s: int) -> dict[str, object]:
    return how | {
        "PROJECTS__SHOP__DEFINITIONS__KEY__FILE": tmp_path / "key",
        "PROJECTS__SHOP__DEFINITIONS__POLL_S": poll_s,
        "DEFINITIONS__DIRECTORY": tmp_path / "kept",
    }


def in_force(instance: Instance) -> int:
    """Return the latest generation that both workers have put in force; 0 while there is none."""
    lines = instance.events("definitions_in_force")
    held = [{line["generation"] for line in lines if line["worker"] == worker} for worker in (0, 1)]
    return max(held[0] & held[1], default=0)


async def test_a_killed_flag_is_off_in_the_very_next_answer_of_every_worker(service: Service, how: dict[str, object]) -> None:
    async with Instance(**how) as instance:
        await instance.ready(2)
        async with Lanes(instance) as lanes:
            for count in (1, 2, 3, 12):
                for kill in (deactivated, deleted, to_zero):
                    flags = [flag(number) for number in range(count)]
                    everything = {each["key"] for each in flags}
                    person = f"{count}-{kill.__name__}"
                    service.put(flags)
                    assert await lanes.on(person) == [everything] * LANES
                    assert await lanes.on(person, flag_keys=["f0"]) == [{"f0"}] * LANES
                    service.put(kill(flags, 0))
                    assert await lanes.on(person) == [everything - {"f0"}] * LANES
                    assert await lanes.on(person, flag_keys=["f0"]) == [set()] * LANES
            await lanes.assert_both_workers()


@KILLS
async def test_kills_at_different_times_reach_who_was_last_seen_before_all_of_them(
    service: Service, how: dict[str, object], kill: Kill
) -> None:
    flags = [flag(number) for number in range(12)]
    service.put(flags)
    async with Instance(**how) as instance:
        await instance.ready(2)
        async with Lanes(instance) as lanes:
            for person in ("busy", "rare"):
                await lanes.on(person)
            left = flags
            for number in range(8):
                left = kill(left, number)
                service.put(left)
                assert await lanes.on("busy") == [{f"f{n}" for n in range(number + 1, 12)}] * LANES
                if number == 1:
                    assert await lanes.on("seldom") == [{f"f{n}" for n in range(2, 12)}] * LANES
            assert await lanes.on("rare") == [{"f8", "f9", "f10", "f11"}] * LANES
            assert await lanes.on("seldom") == [{"f8", "f9", "f10", "f11"}] * LANES
            await lanes.assert_both_workers()
        assert not instance.events("answers_held")


async def test_kills_that_one_worker_saw_are_explained_on_the_other(service: Service, how: dict[str, object]) -> None:
    service.put([flag(number) for number in range(12)])
    async with Instance(**how) as instance:
        await instance.ready(2)
        async with Lanes(instance) as lanes, Operator(instance) as operator:
            for person in ("busy", "rare"):
                await lanes.on(person)
            for number in range(8):
                service.put(deleted(service.flags, number))
                await lanes.on_one("busy")
            for _ in range(2):  # what was noted before has been passed on when the second is answered
                await operator.status()
            assert await lanes.on("rare") == [{"f8", "f9", "f10", "f11"}] * LANES
            await lanes.assert_both_workers()
        assert not instance.events("answers_held")


async def test_two_kills_that_nobody_saw_in_between_are_believed_at_once(service: Service, how: dict[str, object]) -> None:
    service.put([flag(number) for number in range(3)])
    async with Instance(**how) as instance:
        await instance.ready(2)
        async with Lanes(instance) as lanes:
            await lanes.on("p")
            service.put(deactivated(deleted(service.flags, 0), 1))
            assert await lanes.on("p") == [{"f2"}] * LANES


@KILLS
async def test_with_definitions_held_a_kill_that_they_do_not_know_yet_is_off_at_once_too(
    service: Service, how: dict[str, object], tmp_path: Path, kill: Kill
) -> None:
    service.put([flag(number) for number in range(3)])
    async with Instance(**keeping(how, tmp_path, 3600)) as instance:
        await instance.ready(2)
        await until(lambda: in_force(instance), "definitions on both workers")
        async with Lanes(instance) as lanes:
            await lanes.on("p")
            service.put(kill(service.flags, 0))
            assert await lanes.on("p") == [{"f1", "f2"}] * LANES
            assert await lanes.on("new") == [{"f1", "f2"}] * LANES


@KILLS
async def test_in_an_outage_a_kill_is_off_with_the_next_poll_of_definitions(
    service: Service, how: dict[str, object], tmp_path: Path, kill: Kill
) -> None:
    service.put([flag(number) for number in range(6)])
    async with Instance(**keeping(how, tmp_path, 1)) as instance:
        await instance.ready(2)
        await until(lambda: in_force(instance), "definitions on both workers")
        async with Lanes(instance) as lanes:
            everything = {f"f{number}" for number in range(6)}
            assert await lanes.on("p") == [everything] * LANES
            service.is_broken = True
            assert await lanes.on("p") == [everything] * LANES, "the last good answer"
            before = in_force(instance)
            service.put(kill(service.flags, 0))
            await until(lambda: in_force(instance) > before, "the next definitions on both workers")
            for person in ("p", "stranger"):
                assert await lanes.on(person) == [everything - {"f0"}] * LANES
            await lanes.assert_both_workers()
