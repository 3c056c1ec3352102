"""Purges and revocations through the admin face, on a real instance of two workers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.operator import Operator
from tests.wire.process.support.upstream import Upstream

PEOPLE = [f"canary-{number}" for number in range(12)]
MANY = 24
"""Connections that the kernel spreads over two workers: that one gets none of them happens once in eight million times."""


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


async def everybody(instance: Instance, token: str = "phc_a") -> list[int]:
    return [(await ask(instance.port, person, token))[0] for person in PEOPLE]


async def purge(operator: Operator, **body: Any) -> tuple[int, int]:
    """Purge; return the status and how many answers the workers forgot together."""
    status, said = await operator.call("POST", "/purge", {"project": None, "reason": "ticket 7"} | body)
    assert said.get("done", False) is (status == 200)
    return status, sum(said["workers"].values())


async def test_a_person_is_forgotten_in_one_project_and_nobody_else(instance: Instance, operator: Operator) -> None:
    for token in ("phc_a", "phc_b"):
        assert await everybody(instance, token) == [200] * len(PEOPLE)
    assert await purge(operator, project="shop", distinct_id=PEOPLE[3]) == (200, 1)
    assert await purge(operator, project="shop", distinct_id=PEOPLE[3]) == (200, 0)
    assert await purge(operator, distinct_id=PEOPLE[3]) == (200, 1)
    assert await purge(operator, distinct_id="canary-nobody") == (200, 0)
    assert await purge(operator, project="shop") == (200, len(PEOPLE) - 1)


async def test_a_project_and_all_are_forgotten_everywhere(instance: Instance, operator: Operator, upstream: Upstream) -> None:
    for token in ("phc_a", "phc_b"):
        await everybody(instance, token)
    assert await purge(operator, project="blog") == (200, len(PEOPLE))
    assert await purge(operator) == (200, len(PEOPLE))
    upstream.say = lambda _: (500, b"")
    assert set(await everybody(instance)) <= {500, 503}, "nothing is left to answer from"


async def test_whom_a_purge_names_is_in_no_log_line(instance: Instance, operator: Operator) -> None:
    await everybody(instance)
    await purge(operator, project="shop", distinct_id=PEOPLE[0], by="ana")
    (audit,) = await until(lambda: instance.events("audit"), "the audit line")
    assert (
        audit.items() >= {"action": "/purge", "project": "shop", "one_person": True, "reason": "ticket 7", "by": "ana"}.items()
    )
    assert not [line for line in instance.lines if "canary" in str(line)]


WRONG: list[tuple[Any, int, str]] = [
    ({"reason": "r"}, 400, "missing required field `project`"),
    ({"project": None}, 400, "missing required field `reason`"),
    ({"project": "nobody", "reason": "r"}, 404, "no project of this name"),
    ({"project": None, "reason": "r", "distinct_id": ""}, 400, "$.distinct_id"),
    ({"project": None, "reason": "r", "distinct_ids": ["a"]}, 400, "unknown field `distinct_ids`"),
]


async def test_a_purge_that_is_wrong_forgets_nothing(instance: Instance, operator: Operator) -> None:
    await everybody(instance)
    for body, expected, hint in WRONG:
        status, said = await operator.call("POST", "/purge", body)
        assert (status, hint in said["error"]) == (expected, True), (body, said)
    assert await purge(operator) == (200, len(PEOPLE))


async def test_a_revoked_hold_relays_refusals_on_every_worker_from_the_next_request_on(
    instance: Instance, operator: Operator, upstream: Upstream
) -> None:
    assert {(await ask(instance.port))[0] for _ in range(MANY)} == {200}
    upstream.say = lambda _: (401, b"")
    assert {(await ask(instance.port))[0] for _ in range(MANY)} == {200}, "an outage of keys is held"
    status, said = await operator.call("POST", "/hysteresis/shop/revoke")
    assert (status, said["workers"]["obeying"]) == (200, [0, 1])
    assert {(await ask(instance.port))[0] for _ in range(MANY)} == {401}
    await until(lambda: instance.events("audit", action="/hysteresis/{project}/revoke", project="shop"), "the audit line")
    assert (await operator.call("POST", "/hysteresis/nobody/revoke"))[0] == 404
