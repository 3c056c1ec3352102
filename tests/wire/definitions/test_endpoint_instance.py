"""The definitions endpoint on real processes: what one learns about a key all know, until an operator forgets it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from reference.service.app import build
from reference.service.project.project import load_catalogue
from tests.wire.process.support.instance import Instance, until

OWN, CALLER = "phx_canary_own", "phx_canary_caller"
FLAG = {"id": 1, "key": "f", "active": True, "version": 1, "filters": {"groups": [{"properties": []}]}}
FILE = {"flags": [FLAG], "service": {"tokens": ["phc_canary"], "personal_keys": {OWN: {}, CALLER: {}}}}
CONNECTIONS = 12
"""So many fresh ones reach both workers with all but certainty; none of the assertions needs it."""


@pytest.fixture
async def service() -> AsyncIterator[TestServer]:
    server = TestServer(build(load_catalogue(json.dumps(FILE).encode())))
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
def how(service: TestServer, tmp_path: Path) -> dict[str, Any]:
    secret = tmp_path / "key"
    secret.write_text(OWN)
    return {
        "UPSTREAMS__DEFAULT__URL": str(service.make_url("")).rstrip("/"),
        "PROJECTS__SHOP__TOKENS": '["phc_canary"]',
        "PROJECTS__SHOP__DEFINITIONS__KEY__FILE": secret,
        "DEFINITIONS__DIRECTORY": tmp_path / "kept",
        "ADMIN__PORT": 0,
        "PROCESS__WORKERS": 2,
    }


async def statuses(instance: Instance, *, key: str = CALLER) -> set[int]:
    """Ask on fresh connections, so that both workers may be met."""
    found = set()
    url = f"http://127.0.0.1:{instance.port}/flags/definitions?token=phc_canary"
    for _ in range(CONNECTIONS):
        async with aiohttp.ClientSession() as session, session.get(url, headers={"Authorization": f"Bearer {key}"}) as answer:
            found.add(answer.status)
    return found


def in_force(instance: Instance) -> bool:
    return {line["worker"] for line in instance.events("definitions_in_force")} == {0, 1}


async def keys_known(instance: Instance) -> list[int]:
    async with aiohttp.ClientSession() as session, session.get(f"{instance.admin}/status.json") as answer:
        return [worker["definitions_endpoint"]["keys"] for worker in (await answer.json())["workers"]]


async def knows(instance: Instance, count: int) -> None:
    """Wait until every worker has heard."""
    for _ in range(2_000):
        if await keys_known(instance) == [count, count]:
            return
    raise AssertionError(f"the workers know {await keys_known(instance)} keys, not {count} each")


async def test_a_key_accepted_once_is_known_to_every_worker_and_every_life_until_an_operator_forgets_it(
    service: TestServer, how: dict[str, Any], tmp_path: Path
) -> None:
    async with Instance(**how) as instance:
        await until(lambda: in_force(instance), "the definitions in force")
        assert await statuses(instance) == {200}
        await knows(instance, 1)
        await service.close()
        assert await statuses(instance) == {200}
        assert await statuses(instance, key="phx_canary_unknown") == {503}
        await until((tmp_path / "kept" / "keys.hfk").exists, "the records on disk")
        everything = json.dumps(instance.lines) + (tmp_path / "kept" / "keys.hfk").read_text()
        assert "canary" not in everything
    async with Instance(**how) as instance:
        await until(lambda: in_force(instance), "the definitions in force")
        await knows(instance, 1)
        assert await statuses(instance) == {200}
        async with aiohttp.ClientSession() as session, session.post(f"{instance.admin}/definitions/shop/forget-keys") as done:
            assert done.status == 200
        await knows(instance, 0)
        assert await statuses(instance) == {503}
        async with aiohttp.ClientSession() as session, session.post(f"{instance.admin}/definitions/no/forget-keys") as done:
            assert done.status == 404
