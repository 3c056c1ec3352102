"""Switches on a real instance of two workers: told to all before the operator hears of it, kept through every death."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.operator import Operator
from tests.wire.process.support.upstream import Upstream

SHOP = {"PROJECTS__SHOP__TOKENS": '["phc_a"]', "PROJECTS__BLOG__TOKENS": '["phc_b"]'}


@pytest.fixture
async def instance(upstream: Upstream) -> AsyncIterator[Instance]:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, ADMIN__PORT=0, PROCESS__WORKERS=2, **SHOP) as instance:
        await instance.ready(2)
        yield instance


@pytest.fixture
async def operator(instance: Instance) -> AsyncIterator[Operator]:
    async with Operator(instance) as operator:
        yield operator


def in_force(status: Any) -> list[list[tuple[str, str | None, bool]]]:
    """What each worker says is turned, by worker."""
    return [[(row["switch"], row["project"], row["on"]) for row in worker["switches"]] for worker in status["workers"]]


async def test_every_worker_obeys_when_the_operator_is_answered_and_the_status_says_until_when(operator: Operator) -> None:
    said = await operator.put("/switches/bypass", project="shop", on=True, for_s=900, reason="incident 9", by="ana")
    assert said["workers"]["obeying"] == [0, 1]
    assert said["until"] == pytest.approx(said["since"] + 900)
    status = await operator.status()
    assert in_force(status) == [[("bypass", "shop", True)]] * 2
    (order,) = status["orders"]
    assert order.items() >= {"switch": "bypass", "project": "shop", "on": True, "reason": "incident 9", "by": "ana"}.items()
    assert 0 < order["left_s"] <= 900


async def test_an_order_ends_after_an_hour_unless_something_else_is_said(operator: Operator) -> None:
    hour = await operator.put("/switches/judge", on=False)
    assert hour["until"] == pytest.approx(hour["since"] + 3600)
    endless = await operator.put("/switches/merge", on=False, for_s=None)
    assert endless["until"] is None


async def test_the_end_comes_by_itself_on_every_worker(instance: Instance, operator: Operator) -> None:
    await operator.put("/switches/race", on=False, for_s=0.2)
    await until(lambda: instance.events("order_over", subject="race"), "the end of the order")
    await operator.nothing_turned()
    assert (await operator.status())["orders"] == []


async def test_putting_back_is_at_once_and_may_be_repeated(operator: Operator) -> None:
    await operator.put("/switches/retry", on=False, project="shop")
    for changed in (True, False):
        status, said = await operator.call("DELETE", "/switches/retry?project=shop")
        assert (status, said["changed"], said["workers"]["obeying"]) == (200, changed, [0, 1])
        assert in_force(await operator.status()) == [[], []]


async def test_every_change_is_in_the_audit_log_with_who_when_and_why(instance: Instance, operator: Operator) -> None:
    said = await operator.put("/switches/observe", project="blog", on=True, reason="first days", by="ana")
    await operator.call("DELETE", "/switches/observe?project=blog")
    given, taken = await until(lambda: two if len(two := instance.events("audit")) == 2 else None, "both audit lines")
    assert given.items() >= {
        "action": "/switches/{switch}", "method": "PUT", "switch": "observe", "project": "blog", "on": True,
        "until": said["until"], "reason": "first days", "by": "ana", "peer": "127.0.0.1", "status": 200,
    }.items()  # fmt: skip
    assert taken.items() >= {"method": "DELETE", "switch": "observe", "project": "blog", "status": 200}.items()
    assert given["timestamp"] < taken["timestamp"]


REFUSED: list[tuple[str, Any, int, str]] = [
    ("/switches/levitate", {"on": True, "project": None, "reason": "r"}, 404, "there are bypass, observe, merge"),
    ("/switches/bypass", {"on": True, "project": "nobody", "reason": "r"}, 404, "no project of this name"),
    ("/switches/bypass", {"on": True, "reason": "r"}, 400, "missing required field `project`"),
    ("/switches/bypass", {"on": True, "project": None}, 400, "missing required field `reason`"),
    ("/switches/bypass", {"on": True, "project": None, "reason": ""}, 400, "$.reason"),
    ("/switches/bypass", {"on": True, "project": None, "reason": "x" * 201}, 400, "$.reason"),
    ("/switches/bypass", {"on": "yes", "project": None, "reason": "r"}, 400, "$.on"),
    ("/switches/bypass", {"on": True, "project": None, "reason": "r", "for": 1}, 400, "unknown field `for`"),
    ("/switches/bypass", {"on": True, "project": None, "reason": "r", "for_s": 0}, 400, "$.for_s"),
    ("/switches/bypass", {"on": True, "project": None, "reason": "r", "for_s": 2_592_001}, 400, "$.for_s"),
    ("/switches/bypass", [], 400, "body"),
]


async def test_an_order_that_is_wrong_is_told_where_and_changes_nothing(instance: Instance, operator: Operator) -> None:
    for path, body, expected, hint in REFUSED:
        status, said = await operator.call("PUT", path, body)
        assert (status, hint in said["error"]) == (expected, True), (path, body, said)
    assert in_force(await operator.status()) == [[], []]
    lines = await until(lambda: all_ if len(all_ := instance.events("audit")) == len(REFUSED) else None, "their audit lines")
    assert [line["status"] for line in lines] == [row[2] for row in REFUSED]


async def test_what_can_be_turned_is_listed_with_its_normal_position(operator: Operator) -> None:
    await operator.put("/switches/judge", on=False)
    status, said = await operator.call("GET", "/switches")
    assert status == 200
    assert said["normal"] == {
        "bypass": False, "observe": False, "merge": True, "judge": True, "hysteresis": True, "race": True, "retry": True,
    }  # fmt: skip
    assert [row["switch"] for row in said["turned"]] == ["judge"]


async def test_orders_outlive_a_worker_the_supervisor_and_both(instance: Instance, operator: Operator) -> None:
    await operator.put("/switches/bypass", on=True, reason="stays")
    for role in ("worker-0", "supervisor"):
        gone = instance.signal(signal.SIGKILL, role)
        await until(lambda gone=gone: gone not in instance.roster().values(), "the end")
        await instance.ready(2)
    status = await operator.status()
    assert in_force(status) == [[("bypass", None, True)]] * 2
    assert status["orders"][0]["reason"] == "stays"


async def test_orders_stay_over_a_restart_in_the_same_folder_and_are_said_at_the_start(upstream: Upstream) -> None:
    settings = {"UPSTREAMS__DEFAULT__URL": upstream.url, "ADMIN__PORT": 0, **SHOP}
    async with Instance(**settings) as first:
        await first.ready(1)
        async with Operator(first) as operator:
            await operator.put("/switches/bypass", on=True, for_s=600, reason="restart")
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        async with Instance(**settings | {"PROCESS__RUNTIME_DIR": first.folder / "run"}) as second:
            await until(lambda: second.events("order_in_force", subject="bypass", reason="restart"), "the order at the start")
            await until(lambda: second.events("worker_arrived"), "the worker")
            async with Operator(second) as operator:
                assert in_force(await operator.status()) == [[("bypass", None, True)]]
