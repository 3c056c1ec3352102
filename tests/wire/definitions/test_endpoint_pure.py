"""Pure relay on real processes: definitions come from upstream alone, on every worker, and what is held again afterwards."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from reference.service.app import build
from reference.service.project.project import load_catalogue
from tests.wire.process.support.instance import PATIENCE_S, Instance, until
from tests.wire.process.support.operator import Operator

OWN, CALLER = "phx_canary_own", "phx_canary_caller"
FLAG = {"id": 1, "key": "f", "active": True, "version": 1, "filters": {"groups": [{"properties": []}]}}
FILE = {"flags": [FLAG], "service": {"tokens": ["phc_canary"], "personal_keys": {OWN: {}, CALLER: {}}}}
CONNECTIONS = 12


async def statuses(instance: Instance) -> set[int]:
    """Ask on fresh connections, so that both workers may be met."""
    url = f"http://127.0.0.1:{instance.port}/flags/definitions?token=phc_canary"
    found = set()
    for _ in range(CONNECTIONS):
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers={"Authorization": f"Bearer {CALLER}"}) as answer,
        ):
            found.add(answer.status)
    return found


async def both_know_the_key(operator: Operator) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while [each["definitions_endpoint"]["keys"] for each in (await operator.status())["workers"]] != [1, 1]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("switch", ["bypass", "observe"])
async def test_what_is_held_is_given_to_nobody_while_a_project_is_on_pure_relay(switch: str, tmp_path: Path) -> None:
    service = TestServer(build(load_catalogue(json.dumps(FILE).encode())))
    await service.start_server()
    secret = tmp_path / "key"
    secret.write_text(OWN)
    settings = {
        "UPSTREAMS__DEFAULT__URL": str(service.make_url("")).rstrip("/"),
        "PROJECTS__SHOP__TOKENS": '["phc_canary"]',
        "PROJECTS__SHOP__DEFINITIONS__KEY__FILE": secret,
        "ADMIN__PORT": 0,
        "PROCESS__WORKERS": 2,
    }
    try:
        async with Instance(**settings) as instance, Operator(instance) as operator:
            await until(lambda: {line["worker"] for line in instance.events("definitions_in_force")} == {0, 1}, "definitions")
            await instance.ready(2)
            assert await statuses(instance) == {200}
            await both_know_the_key(operator)
            await service.close()
            assert await statuses(instance) == {200}, "held"
            await operator.put(f"/switches/{switch}", on=True, project="shop")
            assert await statuses(instance) == {503}, "upstream is away, and says nothing"
            assert (await operator.call("DELETE", f"/switches/{switch}?project=shop"))[0] == 200
            assert await statuses(instance) == {200}
    finally:
        await service.close()
