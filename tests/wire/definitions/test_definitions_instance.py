"""Definitions on a real instance: from the service to the disk, the workers and the operators; restarts without the service."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reference.service.app import WORLD, build
from reference.service.project.project import load_catalogue
from tests.wire.process.support.instance import Instance, until

KEY = "phx_canary_key"
PRO = [{"type": "person", "key": "plan", "value": "pro", "operator": "exact"}]


def flag(number: int, rollout: int = 100) -> dict[str, Any]:
    conditions = [{"properties": PRO, "rollout_percentage": rollout}]
    return {"id": number, "key": f"f{number}", "active": True, "version": 1, "filters": {"groups": conditions}}


SIX = [flag(number) for number in range(1, 7)]


class Service:
    """The embedded flag service with one project, whose flags a test changes."""

    def __init__(self) -> None:
        self.app: web.Application = build(load_catalogue(self._file(SIX)))
        self.server = TestServer(self.app)

    def put(self, flags: list[dict[str, Any]]) -> None:
        self.app[WORLD].catalogue = load_catalogue(self._file(flags))

    def _file(self, flags: list[dict[str, Any]]) -> bytes:
        return json.dumps({"flags": flags, "service": {"tokens": ["phc_a"], "personal_keys": {KEY: {}}}}).encode()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    await service.server.start_server()
    yield service
    await service.server.close()


@pytest.fixture
def how(service: Service, tmp_path: Path) -> dict[str, object]:
    """Settings of an instance in front of the service."""
    secret = tmp_path / "key"
    secret.write_text(KEY)
    return {
        "UPSTREAMS__DEFAULT__URL": str(service.server.make_url("")).rstrip("/"),
        "PROJECTS__SHOP__TOKENS": '["phc_a"]',
        "PROJECTS__SHOP__DEFINITIONS__KEY__FILE": secret,
        "PROJECTS__SHOP__DEFINITIONS__POLL_S": 1,
        "DEFINITIONS__DIRECTORY": tmp_path / "kept",
        "ADMIN__PORT": 0,
    }


async def call(instance: Instance, method: str, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.request(method, f"{instance.admin}{path}") as answer:
        return answer.status, await answer.json()


def in_force(instance: Instance, generation: int) -> bool:
    """Every worker has put it in force."""
    workers = {line["worker"] for line in instance.events("definitions_in_force", generation=generation)}
    return workers == {0, 1}


async def test_a_set_reaches_disk_and_workers_and_operators_decide_about_the_next(
    service: Service, how: dict[str, object], tmp_path: Path
) -> None:
    async with Instance(PROCESS__WORKERS=2, **how) as instance:
        first = (await until(lambda: instance.events("definitions_accepted")))[0]["generation"]
        await until(lambda: in_force(instance, first), "the first set in force")
        assert (tmp_path / "kept" / "shop" / f"set-{first:010}.hfd").exists()

        service.put([])
        await until(lambda: instance.events("definitions_refused", reason="emptied"))
        status, shown = await call(instance, "GET", "/definitions")
        assert (status, shown["shop"]["held"]["generation"], shown["shop"]["generations"]) == (200, first, [first])
        assert [each["reason"] for each in shown["shop"]["refused"]] == ["emptied"]

        status, shown = await call(instance, "POST", "/definitions/shop/accept")
        assert (status, shown["held"]["flags"]) == (200, 0)
        await until(lambda: in_force(instance, shown["held"]["generation"]), "the accepted set in force")

        status, shown = await call(instance, "POST", "/definitions/shop/rollback")
        assert (status, shown["held"]["flags"]) == (200, 6)
        await until(lambda: in_force(instance, shown["held"]["generation"]), "the earlier set in force")
        _, state = await call(instance, "GET", "/status.json")
        assert state["definitions"]["shop"]["polling"] == "ok"
        assert state["definitions"]["shop"]["held"]["generation"] == shown["held"]["generation"]

        assert (await call(instance, "POST", "/definitions/shop/accept?digest=zz"))[0] == 409
        assert (await call(instance, "POST", "/definitions/other/accept"))[0] == 404
        assert (await call(instance, "POST", "/definitions/other/rollback"))[0] == 404
        assert (await call(instance, "POST", "/definitions/shop/rollback?generation=-1"))[0] == 400
        audited = [(line["action"], line["project"], line["status"]) for line in instance.events("audit")]
        assert audited[:3] == [
            ("/definitions/{project}/accept", "shop", 200),
            ("/definitions/{project}/rollback", "shop", 200),
            ("/definitions/{project}/accept", "shop", 409),
        ]
        assert "canary" not in json.dumps([instance.lines, state])


async def test_what_recent_callers_would_see_change_is_held_back(service: Service, how: dict[str, object]) -> None:
    async with Instance(PROCESS__WORKERS=1, **how) as instance:
        await until(lambda: instance.events("definitions_in_force"))
        body = {"token": "phc_a", "distinct_id": "canary-person", "person_properties": {"plan": "pro"}}
        url = f"http://127.0.0.1:{instance.port}/flags/?v=2"
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
            assert answer.status == 200
        service.put([flag(number, rollout=0) for number in range(1, 7)])
        await until(lambda: instance.events("definitions_held", reason="many_values_change"))
        await until(lambda: instance.events("definitions_accepted_after_hold"))
        assert len(instance.events("definitions_held")) == 2
        assert "canary" not in json.dumps(instance.lines)


async def test_a_start_without_the_service_loads_the_disk(service: Service, how: dict[str, object]) -> None:
    async with Instance(PROCESS__WORKERS=2, **how) as instance:
        generation = (await until(lambda: instance.events("definitions_accepted")))[0]["generation"]
        await until(lambda: in_force(instance, generation))
    await service.server.close()
    async with Instance(PROCESS__WORKERS=2, **how) as instance:
        await until(lambda: in_force(instance, generation))
        assert (await until(lambda: instance.events("definitions_loaded")))[0]["generation"] == generation
        await until(lambda: instance.events("definitions_unreachable"))
        _, state = await call(instance, "GET", "/status.json")
        assert state["definitions"]["shop"]["held"]["generation"] == generation
        assert state["definitions"]["shop"]["polling"] == "connection_refused"


async def test_a_supervisor_that_dies_is_succeeded_by_one_that_goes_on_from_the_disk(
    service: Service, how: dict[str, object]
) -> None:
    async with Instance(PROCESS__WORKERS=2, **how) as instance:
        first = (await until(lambda: instance.events("definitions_accepted")))[0]["generation"]
        await until(lambda: in_force(instance, first))
        instance.signal(signal.SIGKILL, "supervisor")
        await until(lambda: instance.events("definitions_loaded", generation=first))
        service.put([*SIX, flag(7)])
        after = (await until(lambda: instance.events("definitions_accepted", flags=7)))[0]["generation"]
        assert after > first
        await until(lambda: in_force(instance, after))
