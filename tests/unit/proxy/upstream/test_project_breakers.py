"""Refusals of a project stay the project's, until they are everybody's."""

from __future__ import annotations

import tracemalloc
from random import Random
from typing import Any

import pytest

from proxy.answer.answer import Failure, Trouble, Whole
from proxy.answer.request import ProjectName
from proxy.config.settings import Breaker, Upstream
from proxy.upstream.breaker import State
from proxy.upstream.breaker.projects import ProjectGates
from proxy.upstream.origin import Origin, OriginSettings
from proxy.upstream.outcomes import Feed
from tests.fakes.clock import FakeClock
from tests.fakes.requests import flags_request
from tests.fakes.transport import FakeTransport, good

ASH, ELM, OAK = (ProjectName(name) for name in ("ash", "elm", "oak"))
LIMITED = Whole(429, "", b"", (("retry-after", "7"),))


def shared(say: Any = None, *, has_one_project: bool = False, **breaker: float) -> tuple[Origin, FakeTransport, FakeClock]:
    clock, transport = FakeClock(), FakeTransport(say)
    settings = OriginSettings(
        Upstream(url="http://x"), Breaker(**{"consecutive": 3, "ramp_s": 0} | breaker), has_one_project=has_one_project
    )
    return Origin(settings, transport=transport, clock=clock, rng=Random(1)), transport, clock


def limiting(*projects: ProjectName) -> Any:
    return lambda request: LIMITED if request.project in projects else good()


async def ask(origin: Origin, project: ProjectName, times: int = 1) -> Failure | None:
    failure = None
    for _ in range(times):
        failure = (await origin.ask(flags_request(project=project))).failure
    return failure


async def test_a_project_that_is_refused_is_left_alone_and_the_others_are_not() -> None:
    origin, transport, _ = shared(limiting(ASH))
    await ask(origin, ELM)
    await ask(origin, OAK)
    failure = await ask(origin, ASH, 4)
    assert failure is not None
    assert failure.trouble is Trouble.BREAKER_OPEN
    assert 7 <= (failure.retry_after_s or 0) <= 7 * 1.2, "as long as upstream asked for"
    assert await ask(origin, ELM, 5) is None
    assert origin.gate.state is State.CLOSED
    assert origin.project_gate(ASH).state is State.OPEN
    assert len(transport.asked) == 2 + 3 + 5


async def test_what_several_projects_see_that_are_most_of_those_that_ask_is_held_against_the_upstream() -> None:
    origin, _, _ = shared(limiting(ASH, ELM), consecutive=2)
    for project in (OAK, ASH, ELM):
        await ask(origin, project)
    assert origin.gate.state is State.CLOSED
    await ask(origin, ELM)
    assert origin.gate.state is State.OPEN


async def test_two_of_many_projects_are_not_the_upstream() -> None:
    origin, _, _ = shared(limiting(ASH, ELM), consecutive=2)
    for n in range(5):
        await ask(origin, ProjectName(f"other-{n}"))
    for _ in range(3):
        await ask(origin, ASH)
        await ask(origin, ELM)
    assert origin.gate.state is State.CLOSED
    assert {origin.project_gate(project).state for project in (ASH, ELM)} == {State.OPEN}


async def test_projects_that_were_refused_long_ago_do_not_count() -> None:
    origin, _, clock = shared(limiting(ASH, ELM), consecutive=2)
    await ask(origin, ASH)
    clock.advance(11)
    await ask(origin, ELM, 2)
    assert origin.gate.state is State.CLOSED


async def test_the_only_projects_refusals_are_the_upstreams() -> None:
    origin, _, _ = shared(limiting(ASH), has_one_project=True)
    await ask(origin, ASH, 3)
    assert origin.gate.state is State.OPEN
    assert len(origin.guard.projects) == 0


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413])
async def test_a_callers_mistake_feeds_nobody(status: int) -> None:
    origin, _, _ = shared(Whole(status, "", b""))
    await ask(origin, ASH, 50)
    assert origin.gate.state is State.CLOSED
    assert len(origin.guard.projects) == 0


async def test_an_upstreams_failure_is_nothing_to_the_project() -> None:
    origin, _, _ = shared(Whole(500, "", b""))
    await ask(origin, ASH, 3)
    assert origin.gate.state is State.OPEN
    assert len(origin.guard.projects) == 0


async def test_refusals_that_are_held_back_open_the_projects_breaker() -> None:
    origin, transport, _ = shared(Whole(401, "", b""))
    await ask(origin, ELM)
    request = flags_request(project=ASH)
    for _ in range(12):
        if (await origin.ask(request)).failure is None:
            origin.teach(request, Feed.PROJECT)
    assert origin.project_gate(ASH).state is State.OPEN
    asked = len(transport.asked)
    assert await ask(origin, ASH) is not None
    assert await ask(origin, ELM) is None
    assert len(transport.asked) == asked + 1


async def test_a_refusal_that_is_real_after_all_closes_the_projects_breaker_again() -> None:
    origin, _, clock = shared(Whole(401, "", b""))
    await ask(origin, ELM)
    for _ in range(3):
        origin.teach(flags_request(project=ASH), Feed.PROJECT)
    clock.advance(30)
    assert await ask(origin, ASH, 3) is None
    assert len(origin.guard.projects) == 0, "and it is gone"


async def test_a_healthy_project_has_no_breaker_and_one_that_recovered_loses_it() -> None:
    origin, transport, clock = shared(limiting(ASH))
    await ask(origin, ASH)
    assert len(origin.guard.projects) == 1
    transport.say = good()
    clock.advance(11)
    await ask(origin, ASH)
    assert len(origin.guard.projects) == 0


async def test_a_lost_probe_of_a_project_is_no_probe_of_the_upstream() -> None:
    origin, _, clock = shared(limiting(ASH))
    await ask(origin, ELM)
    await ask(origin, ASH, 3)
    clock.advance(30)
    origin.gate.force(State.OPEN)
    assert await ask(origin, ASH) is not None
    origin.gate.force(State.CLOSED)
    assert (await ask(origin, ASH)) is not None
    assert origin.project_gate(ASH).state is State.OPEN, "the slot was free: this probe was asked, and refused"


def test_there_are_never_more_project_breakers_than_allowed_and_those_that_operators_hold_stay() -> None:
    gates = ProjectGates(Breaker(), clock=FakeClock(), rng=Random(1), most=10)
    gates.of(ASH).force(State.OPEN)
    tracemalloc.start()
    for n in range(10_000):
        gates.of(ProjectName(f"project-{n}")).blame()
    assert len(gates) == 10
    assert gates.of(ASH).forced is State.OPEN
    assert tracemalloc.get_traced_memory()[0] < 1 << 20
    tracemalloc.stop()
