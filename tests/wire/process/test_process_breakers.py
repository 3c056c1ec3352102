"""Breakers held by an operator on a real instance of two workers: nobody is asked, or everybody is, until it is over."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import PATIENCE_S, Instance, until
from tests.wire.process.support.operator import Operator
from tests.wire.process.support.upstream import Upstream

CONNECTIONS = 16
"""New connections are spread over both workers by the kernel; the reports say of each how it stands."""


@pytest.fixture
async def instance(upstream: Upstream) -> AsyncIterator[Instance]:
    settings = {"PROJECTS__SHOP__TOKENS": '["phc_a"]', "PROJECTS__BLOG__TOKENS": '["phc_b"]'}
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, ADMIN__PORT=0, PROCESS__WORKERS=2, **settings) as instance:
        await instance.ready(2)
        yield instance


@pytest.fixture
async def operator(instance: Instance) -> AsyncIterator[Operator]:
    async with Operator(instance) as operator:
        yield operator


def standing(said: Any) -> list[tuple[str, str | None]]:
    """How the upstream's own breaker stands on each worker: its state, and what it is held at."""
    return [(each["default"]["state"], each["default"]["forced"]) for _, each in sorted(said["workers"].items())]


async def breakers(operator: Operator) -> Any:
    status, said = await operator.call("GET", "/breakers")
    assert status == 200
    return said


async def statuses(instance: Instance, person: str) -> set[int]:
    return {(await ask(instance.port, f"{person}-{turn}"))[0] for turn in range(CONNECTIONS)}


async def test_held_open_nobody_asks_upstream_from_the_next_request_on(
    instance: Instance, operator: Operator, upstream: Upstream
) -> None:
    assert await statuses(instance, "before") == {200}
    calls = upstream.calls
    said = await operator.put("/breakers/default", state="open", for_s=600, reason="incident 9")
    assert said["workers"]["obeying"] == [0, 1]
    assert await statuses(instance, "during") == {503}
    assert upstream.calls == calls
    shown = await breakers(operator)
    assert standing(shown) == [("open", "open")] * 2
    assert shown["held"][0].items() >= {"upstream": "default", "state": "open", "reason": "incident 9"}.items()
    await until(lambda: instance.events("audit", upstream="default", state="open", status=200), "the audit line")


async def test_let_go_it_asks_again_by_itself(instance: Instance, operator: Operator, upstream: Upstream) -> None:
    await operator.put("/breakers/default", state="open")
    status, said = await operator.call("DELETE", "/breakers/default")
    assert (status, said["changed"], said["workers"]["obeying"]) == (200, True, [0, 1])
    calls = upstream.calls
    assert 200 in await statuses(instance, "after")
    assert upstream.calls > calls
    assert {forced for _, forced in standing(await breakers(operator))} == {None}


async def test_a_hold_ends_by_itself(instance: Instance, operator: Operator) -> None:
    await operator.put("/breakers/default", state="open", for_s=0.2)
    await until(lambda: instance.events("order_over", subject="default"), "the end of the order")

    async with asyncio.timeout(PATIENCE_S):
        while any(forced for _, forced in standing(await breakers(operator))):  # noqa: ASYNC110  each worker has a timer of its own
            await asyncio.sleep(0.01)


async def test_held_closed_an_upstream_that_fails_is_asked_all_the_same(
    instance: Instance, operator: Operator, upstream: Upstream
) -> None:
    await operator.put("/breakers/default", state="closed")
    upstream.say = lambda _: (500, b"")
    calls, asked = upstream.calls, 40
    for turn in range(asked):
        assert (await ask(instance.port, f"failing-{turn}"))[0] == 500
    assert upstream.calls == calls + asked
    assert standing(await breakers(operator)) == [("closed", "closed")] * 2


async def test_one_project_can_be_held_alone(instance: Instance, operator: Operator, upstream: Upstream) -> None:
    await operator.put("/breakers/default", project="shop", state="open")
    calls = upstream.calls
    assert await statuses(instance, "shop") == {503}
    assert upstream.calls == calls
    assert (await ask(instance.port, "reader", token="phc_b"))[0] == 200
    assert upstream.calls == calls + 1


async def test_a_hold_outlives_the_worker(instance: Instance, operator: Operator, upstream: Upstream) -> None:
    await operator.put("/breakers/default", state="open")
    for role in ("worker-0", "worker-1"):
        instance.signal(signal.SIGKILL, role)
    await until(lambda: len(instance.events("worker_left")) == 2, "both ends")
    await instance.ready(2)
    assert standing(await breakers(operator)) == [("open", "open")] * 2
    calls = upstream.calls
    assert await statuses(instance, "reborn") == {503}
    assert upstream.calls == calls


async def test_a_hold_stays_over_a_reload_that_replaces_the_breakers(instance: Instance, operator: Operator) -> None:
    await operator.put("/breakers/default", state="open")
    status, _ = await operator.call("POST", "/reload")
    assert status == 200
    assert standing(await breakers(operator)) == [("open", "open")] * 2


REFUSED: list[tuple[str, Any, int, str]] = [
    ("/breakers/other", {"state": "open", "project": None, "reason": "r"}, 404, "no upstream of this name"),
    ("/breakers/default", {"state": "open", "project": "nobody", "reason": "r"}, 404, "no project of this name"),
    ("/breakers/default", {"state": "half_open", "project": None, "reason": "r"}, 400, "$.state"),
    ("/breakers/default", {"project": None, "reason": "r"}, 400, "missing required field `state`"),
]


async def test_a_wrong_order_is_told_where_and_changes_nothing(operator: Operator) -> None:
    for path, body, expected, hint in REFUSED:
        status, said = await operator.call("PUT", path, body)
        assert (status, hint in said["error"]) == (expected, True), (path, body, said)
    assert (await operator.call("DELETE", "/breakers/other"))[0] == 404
    assert (await breakers(operator))["held"] == []
