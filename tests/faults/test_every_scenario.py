"""Every named scenario on real sockets: what known callers and strangers get, what reaches the service, and the recovery.

What is asserted is the scenario's own `today`, from which docs/outages.md is written: the page cannot promise more than holds.
"""

from __future__ import annotations

import asyncio

import pytest

from harness.faults.catalogue import SCENARIOS
from harness.faults.fault import Endpoint
from harness.faults.scenario import Known, Scenario
from tests.faults.scene import PATIENT, USERS, Scene, said

ROUNDS = 10
ASKED = ROUNDS * len(USERS)
REACHED_AT_MOST = 45
"""Of 60 questions, until the breaker has seen its 20 calls and enough failures among them."""

ABOUT_FLAGS = sorted(
    name
    for name, each in SCENARIOS.items()
    if not any(rule.endpoint is Endpoint.DEFINITIONS for phase in each.phases for rule in phase.rules)
)
UNCHANGED = frozenset({"outdated-200"})
"""Wrong only once the definitions have changed: a test of its own."""

TRIPPING = [name for name in ABOUT_FLAGS if SCENARIOS[name].today.trips]
BELIEVED = [name for name in ABOUT_FLAGS if SCENARIOS[name].today.known is Known.AS_SAID]
HELD = [name for name in ABOUT_FLAGS if SCENARIOS[name].today.known is Known.REMEMBERED and name not in TRIPPING]
FILLED = [name for name in ABOUT_FLAGS if SCENARIOS[name].today.known is Known.FILLED]
SURPRISING = frozenset({*HELD, "invalid-key"})
"""Seen by who knows what was there before, and by nobody else."""
LIVE = [name for name in ABOUT_FLAGS if SCENARIOS[name].today.known is Known.LIVE]


def is_certain(scenario: Scenario) -> bool:
    return all(rule.probability == 1 for rule in scenario.worst.rules)


def is_hasty(scenario: Scenario) -> bool:
    return scenario.today.trouble == "timeout"


@pytest.mark.parametrize("name", TRIPPING)
async def test_an_outage_is_answered_from_memory_and_the_service_left_alone(name: str) -> None:
    scenario = SCENARIOS[name]
    today, certain = scenario.today, is_certain(scenario)
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(scenario.worst, is_hasty=is_hasty(scenario))
        strangers = [await scene.ask(f"stranger-{n}") for n in range(1 if certain else 4)]
        assert {reply.status for reply in strangers} <= {today.stranger} | (set() if certain else {200})
        for _ in range(ROUNDS):
            for user in USERS:
                reply = await scene.ask(user)
                if certain or not scene.is_live(reply, user):
                    scene.assert_remembered(reply, user, today.trouble, "breaker_open")
                    assert int(reply.headers["Age"]) == 42 or not certain
        reached = scene.stage.relay.exchanges
        assert reached <= REACHED_AT_MOST < ASKED
        for user in USERS:
            scene.assert_remembered(await scene.ask(user), user, "breaker_open")
        refused = await scene.ask("stranger-late")
        assert (refused.status, said(refused)) == (503, "breaker_open")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert scene.stage.relay.exchanges == reached, "an open breaker asks nobody"
        await _let_time_pass(scene, reached, at_most=1 if certain else len(USERS))
        await scene.end()
        assert scene.is_live(await scene.recovered(USERS[0]), USERS[0])
        for user in USERS[1:]:
            assert scene.is_live(await scene.ask(user), user)
        assert (await scene.ask("stranger-1")).essence == (await scene.direct("stranger-1")).essence


async def _let_time_pass(scene: Scene, reached: int, *, at_most: int) -> None:
    """A service that keeps failing is asked by at most one probe in each open period."""
    for period in range(1, 4):
        scene.house.clock.advance(30)
        replies = await asyncio.gather(*(scene.ask(user) for user in USERS))  # at once: only one of them may probe
        assert {reply.status for reply in replies} == {200}
        assert scene.stage.relay.exchanges <= reached + period * at_most


@pytest.mark.parametrize("name", BELIEVED)
async def test_an_answer_that_looks_good_is_handed_on_as_the_service_said_it(name: str) -> None:
    scenario = SCENARIOS[name]
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(scenario.worst, is_hasty=False)
        for user in (*USERS, "stranger"):
            reply = await scene.ask(user)
            assert reply.essence == (await scene.direct(user)).essence
            assert reply.status == scenario.today.stranger
            assert "Proxy-Status" not in reply.headers
            assert f"fwd-status={reply.status}" in reply.cache
            assert (user not in USERS) or (name in UNCHANGED) == scene.is_live(reply, user), "it is a wrong answer indeed"
        await scene.end()
        for user in USERS:
            assert scene.is_live(await scene.ask(user), user), "and the right answer at once when the fault is over"


@pytest.mark.parametrize("name", HELD)
async def test_an_answer_that_is_not_believable_is_held_back_from_who_knows_better(name: str) -> None:
    scenario = SCENARIOS[name]
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(scenario.worst, is_hasty=False)
        for user in USERS:
            scene.assert_remembered(await scene.ask(user), user, scenario.today.trouble)
        assert scene.stage.relay.exchanges == len(USERS), "the service is asked: it may come to its senses"
        stranger = await scene.ask("stranger")
        assert stranger.essence == (await scene.direct("stranger")).essence
        assert stranger.status == scenario.today.stranger
        await scene.end()
        for user in USERS:
            assert scene.is_live(await scene.ask(user), user), "and the right answer at once when the fault is over"


@pytest.mark.parametrize("name", FILLED)
async def test_a_partial_answer_is_filled_flag_by_flag(name: str) -> None:
    scenario = SCENARIOS[name]
    async with Scene() as scene:
        await scene.warm()
        await scene.put_on(scenario.worst, is_hasty=False)
        for user in USERS:
            reply = await scene.ask(user)
            assert reply.json()["flags"] == scene.truth[user].json()["flags"]
            assert reply.json()["errorsWhileComputingFlags"] is True
            assert (said(reply), "fwd-status=200" in reply.cache, "stored" in reply.cache) == (
                scenario.today.trouble,
                True,
                False,
            )
        stranger, direct = await scene.ask("stranger"), await scene.direct("stranger")
        sound = {key: record for key, record in direct.json()["flags"].items() if not record.get("failed")}
        assert stranger.json()["flags"] == sound != direct.json()["flags"], "a failed flag is no value to anybody"
        await scene.end()
        for user in USERS:
            assert scene.is_live(await scene.ask(user), user), "and the right answer at once when the fault is over"


@pytest.mark.parametrize("name", LIVE)
async def test_weather_changes_no_answer(name: str) -> None:
    scenario = SCENARIOS[name]
    async with Scene() as scene:
        await scene.warm()
        lost = 1 if name == "half-open" else 0  # asked one after the other, one pooled connection was left
        await scene.put_on(scenario.worst, is_hasty=bool(lost))
        for user in USERS[:lost]:
            scene.assert_remembered(await scene.ask(user), user, "timeout")
        scene.configure(scene.proxy, PATIENT)
        for user in USERS:
            assert scene.is_live(await scene.ask(user), user)
        assert (await scene.ask("stranger")).status == scenario.today.stranger


@pytest.mark.parametrize("name", [name for name in ABOUT_FLAGS if is_certain(SCENARIOS[name])])
async def test_a_proxy_that_starts_during_it_answers_strangers_alike_and_recovers(name: str) -> None:
    scenario = SCENARIOS[name]
    async with Scene() as scene:
        await scene.warm()
        fresh = await scene.another_proxy()
        await scene.put_on(scenario.worst, is_hasty=is_hasty(scenario), proxy=fresh)
        first = await scene.ask(USERS[0], fresh)
        trouble = "" if name in SURPRISING else scenario.today.trouble
        assert (first.status, said(first)) == (scenario.today.stranger, trouble)
        await scene.end(fresh)
        assert scene.is_live(await scene.recovered(USERS[0], fresh), USERS[0])
