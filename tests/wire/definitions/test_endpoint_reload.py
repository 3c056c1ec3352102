"""A reload that brings an instance its first project with definitions: what is learnt then is everybody's, and outlives it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from reference.service.app import build
from reference.service.project.project import load_catalogue
from tests.wire.process.support.instance import Instance, until

OWN, CALLER = "phx_reload_own", "phx_reload_caller"
FLAG = {"id": 1, "key": "f", "active": True, "version": 1, "filters": {"groups": [{"properties": []}]}}
FILE = {"flags": [FLAG], "service": {"tokens": ["phc_reload"], "personal_keys": {OWN: {}, CALLER: {}}}}
CONNECTIONS = 12


async def statuses(instance: Instance) -> list[int]:
    """Ask on fresh connections, so that both workers may be met."""
    found = []
    url = f"http://127.0.0.1:{instance.port}/flags/definitions?token=phc_reload"
    for _ in range(CONNECTIONS):
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers={"Authorization": f"Bearer {CALLER}"}) as answer,
        ):
            found.append(answer.status)
    return found


async def keys_known(instance: Instance) -> list[int]:
    async with aiohttp.ClientSession() as session, session.get(f"{instance.admin}/status.json") as answer:
        return [worker["definitions_endpoint"]["keys"] for worker in (await answer.json())["workers"]]


def write(path: Path, url: str, *, folder: Path, has_definitions: bool) -> None:
    definitions = f'[projects.shop.definitions]\nkey = {{file = "{folder}/key"}}\n' if has_definitions else ""
    path.write_text(
        f'[upstreams.default]\nurl = "{url}"\n[projects.shop]\ntokens = ["phc_reload"]\n{definitions}'
        f'[definitions]\ndirectory = "{folder}/kept"\n'
    )


async def test_keys_accepted_after_the_first_project_came_by_reload_are_everybodys_and_outlive_the_instance(
    tmp_path: Path,
) -> None:
    service = TestServer(build(load_catalogue(json.dumps(FILE).encode())))
    await service.start_server()
    url, config = str(service.make_url("")).rstrip("/"), tmp_path / "holdfast.toml"
    (tmp_path / "key").write_text(OWN)
    write(config, url, folder=tmp_path, has_definitions=False)
    async with Instance(config=config, PROCESS__WORKERS=2, ADMIN__PORT=0) as instance:
        await instance.ready(2)
        assert not (tmp_path / "kept" / "hmac.key").exists()
        write(config, url, folder=tmp_path, has_definitions=True)
        instance.signal(signal.SIGHUP)
        await until(lambda: {line["worker"] for line in instance.events("definitions_in_force")} == {0, 1}, "definitions")
        assert set(await statuses(instance)) == {200}
        for _ in range(2_000):
            if await keys_known(instance) == [1, 1]:
                break
        assert await keys_known(instance) == [1, 1]
        await until((tmp_path / "kept" / "keys.hfk").exists, "the records on disk")
        await service.close()
        assert set(await statuses(instance)) == {200}
    async with Instance(config=config, PROCESS__WORKERS=2, ADMIN__PORT=0) as again:
        await until(lambda: {line["worker"] for line in again.events("definitions_in_force")} == {0, 1}, "definitions again")
        assert set(await statuses(again)) == {200}
