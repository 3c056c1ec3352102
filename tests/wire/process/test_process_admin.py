"""The admin face on a real instance: guarded, audited, and telling the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.wire.process.support.instance import Instance
from tests.wire.process.support.upstream import Upstream

TOKEN = "canary-admin-token"


@pytest.fixture
async def instance(upstream: Upstream, tmp_path: Path) -> AsyncIterator[Instance]:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    settings = {"ADMIN__PORT": 0, "ADMIN__TOKEN__FILE": secret, "PROJECTS__SHOP__TOKENS": '["phc_canary"]'}
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2, **settings) as instance:
        await instance.ready(2)
        yield instance


async def test_the_status_names_every_process_and_no_secret(instance: Instance) -> None:
    async with _operator() as session, session.get(f"{instance.admin}/status.json") as answer:
        text = await answer.text()
        state = await answer.json()
    roster = instance.roster()
    assert state["launcher"] == {"pid": roster["launcher"]}
    assert state["supervisor"]["pid"] == roster["supervisor"]
    assert state["supervisor"]["age_s"] >= 0
    assert [worker["pid"] for worker in state["workers"]] == [roster["worker-0"], roster["worker-1"]]
    assert {worker["state"] for worker in state["workers"]} == {"serving"}
    assert [worker["accepting"] for worker in state["workers"]] == [[0], [1]]
    assert {worker["config"] for worker in state["workers"]} == {state["config"]["version"]}
    assert "canary" not in text
    assert answer.headers["Cache-Control"] == "no-store"


REFUSED: list[tuple[dict[str, str], int]] = [
    ({}, 401),
    ({"Authorization": "Bearer wrong"}, 401),
    ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 421),
    ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://127.0.0.1"}, 403),
]


async def test_who_may_not_changes_nothing_and_is_noted(instance: Instance) -> None:
    for headers, status in REFUSED:
        async with aiohttp.ClientSession(headers=headers) as session, session.post(f"{instance.admin}/reload") as answer:
            assert answer.status == status
        assert instance.event("admin_refused")["status"] == status
    assert instance.events("reloaded") == []


async def test_a_change_is_audited_without_a_secret_or_a_token_in_any_line(instance: Instance) -> None:
    async with _operator() as session, session.post(f"{instance.admin}/reload") as answer:
        assert answer.status == 200
        unknown = await session.post(f"{instance.admin}/canary-path?canary=1")
        assert unknown.status == 404
    assert instance.event("audit").items() >= {"action": "/reload", "status": 200, "peer": "127.0.0.1"}.items()
    assert not [line for line in instance.lines if "canary" in str(line)]


def _operator() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"})
