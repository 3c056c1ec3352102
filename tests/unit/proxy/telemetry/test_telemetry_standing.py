"""How an instance stands: which trouble makes it degraded, since when, and what its health routes say of it."""

from __future__ import annotations

import os
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from proxy.edge.health import FRESH, LIVE, MODE, READY, Health
from proxy.telemetry.metrics import table
from proxy.telemetry.metrics.slate import Ground, make_ground
from proxy.telemetry.metrics.snapshot import SILENT_S, Measured
from proxy.telemetry.standing import Mode, Reason, Standing, Told, are_stale
from tests.fakes.clock import FakeClock


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.breakers = {("eu", "closed"): [2.0], ("eu", "open"): [0.0]}
        self.switches: dict[tuple[str, ...], list[float]] = {}
        self.stale = self.missing = False
        self.standing = Standing(
            measured=self.measured, stale=lambda: self.stale, missing=lambda: self.missing, wall=self.clock.wall
        )

    def measured(self) -> list[Measured]:
        return [
            Measured(table.BREAKER, table.BREAKER.labels, self.breakers),
            Measured(table.SWITCHED, table.SWITCHED.labels, self.switches),
        ]

    def look(self) -> dict[str, float]:
        """Look once, as the collection of figures does."""
        rows = self.standing.rows()
        found = {labels[0]: at for labels, at in rows[0].read().items()}
        assert rows[1].read() == {(): 0.0 if self.stale else 1.0}
        return found


def test_with_everything_in_order_it_is_normal_and_fresh() -> None:
    scene = Scene()
    assert scene.look() == {}
    assert scene.standing.mode.report() == {"state": "normal", "reasons": [], "fresh": True}


@pytest.mark.parametrize("reason", list(Reason))
def test_each_trouble_degrades_it_under_its_own_name(reason: Reason) -> None:
    scene = Scene()
    match reason:
        case Reason.BREAKER:
            scene.breakers["eu", "open"] = [1.0]
        case Reason.SWITCHED:
            scene.switches["bypass",] = [1.0]
        case Reason.DEFINITIONS:
            scene.stale = True
        case Reason.WORKERS:
            scene.missing = True
    assert scene.look() == {reason: scene.clock.wall()}
    assert scene.standing.mode.is_fresh is (reason is not Reason.DEFINITIONS)


def test_a_reason_keeps_the_instant_when_it_began_and_loses_it_when_it_ends() -> None:
    scene = Scene()
    scene.missing = True
    began = scene.clock.wall()
    scene.look()
    scene.clock.advance(60)
    assert scene.look() == {Reason.WORKERS: began}
    scene.missing = False
    assert scene.look() == {}
    scene.missing = True
    assert scene.look() == {Reason.WORKERS: began + 60}


def test_a_switch_that_changes_no_answer_degrades_nothing() -> None:
    scene = Scene()
    scene.switches["race",] = [1.0]
    assert scene.look() == {}


@pytest.mark.parametrize(
    ("report", "is_it"),
    [
        ({"age_s": 10.0, "failures": 9}, False),
        ({"age_s": 100.5, "failures": 0}, True),
        ({"age_s": None, "failures": 0}, False),
        ({"age_s": None, "failures": 1}, True),
    ],
)
def test_definitions_are_stale_beyond_their_limit_or_when_they_never_came(report: dict[str, Any], is_it: bool) -> None:
    assert are_stale({"shop": report}, {"shop": 100.0}) is is_it
    assert not are_stale({"shop": report}, {})


def test_workers_read_what_the_supervisor_wrote_and_not_what_it_wrote_long_ago() -> None:
    descriptor = make_ground(1)
    ground, clock = Ground(descriptor), FakeClock()
    told = Told(ground, 1, monotonic=clock.monotonic)
    assert told() is None
    slate = ground.claim(1)
    slate.show(table.DEGRADED, {("breaker_open",): 5.0, ("workers_missing",): 6.0})
    slate.show(table.DEGRADED, {("breaker_open",): 5.0})
    slate.show(table.FRESH, {(): 1.0})
    slate.beat(clock.monotonic())
    assert told() is None, "asked again within a second, it does not look again"
    clock.advance(1)
    assert told() == Mode({"breaker_open": 5.0}, is_fresh=True)
    clock.advance(SILENT_S + 1)
    assert told() is None
    os.close(descriptor)


async def said(health: Health, path: str) -> tuple[int, str]:
    response: Any = await health.handle(make_mocked_request("GET", path), path)
    return response.status, response.text


async def test_an_instance_on_stale_definitions_stays_ready() -> None:
    health = Health(is_ready=True)
    health.mode = lambda: Mode({"definitions_stale": 0.0, "breaker_open": 1.0}, is_fresh=False)
    assert await said(health, LIVE) == (200, "live")
    assert await said(health, READY) == (200, "ready")
    assert await said(health, FRESH) == (503, "stale")
    assert await said(health, MODE) == (
        200,
        "degraded breaker_open since 1970-01-01T00:00:01Z, definitions_stale since 1970-01-01T00:00:00Z",
    )


async def test_a_draining_worker_says_so_and_an_unattended_one_does_not_guess() -> None:
    draining, unattended = Health(), Health(is_ready=True)
    assert await said(draining, MODE) == (200, "draining")
    assert await said(draining, READY) == (503, "draining")
    assert await said(unattended, MODE) == (200, "unknown")
    assert await said(unattended, FRESH) == (503, "unknown")


async def test_a_normal_instance_says_one_word() -> None:
    health = Health(is_ready=True)
    health.mode = lambda: Mode({}, is_fresh=True)
    assert await said(health, MODE) == (200, "normal")
    assert await said(health, FRESH) == (200, "fresh")
