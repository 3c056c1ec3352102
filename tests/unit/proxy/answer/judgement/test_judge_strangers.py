"""An answer to a question that was never asked before: only the definitions held can tell what it lacks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from proxy.answer.judgement.judge import Finding
from proxy.answer.request import FlagsRequest
from proxy.answer.rungs.local import LocalRung
from proxy.config.settings import Definitions, SecretSource
from tests.fakes.definitions import flag
from tests.fakes.judging import Court, answer
from tests.fakes.requests import PROJECT, flags_request

TEN = [f"f{n}" for n in range(10)]
RULES = {PROJECT: Definitions(key=SecretSource(env="KEY"))}


async def court(*entries: dict[str, Any], **policy: Any) -> Court:
    found = Court(**policy)
    await found.hold(*(entries or [flag(key) for key in TEN]), generation=1)
    rung = LocalRung(found.held, RULES, clock=found.clock, inflated_bytes=1 << 20)
    found.judge.lists = lambda request: rung.listed(asking(request))
    return found


def asking(request: FlagsRequest, **fields: Any) -> FlagsRequest:
    """The same request with the body that it stands for."""
    body = json.dumps({"token": "phc_a", "distinct_id": "someone", **fields}).encode()
    return replace(request, key=None, body=body, headers=(("Content-Type", "application/json"),))


async def test_an_emptied_answer_to_a_stranger_is_held() -> None:
    verdict = (await court()).say("new", [])
    assert (verdict.finding, verdict.missing, verdict.remembered) == (Finding.HELD, 10, 10)


async def test_a_full_answer_to_a_stranger_is_believed_and_remembered() -> None:
    here = await court()
    assert here.say("new", TEN).finding is Finding.PLAIN
    assert here.say("new", []).is_held


@pytest.mark.parametrize(("told", "is_held"), [(6, False), (5, True)])
async def test_strangers_have_the_same_measure_as_everybody(told: int, is_held: bool) -> None:
    assert (await court()).say("new", TEN[:told]).is_held is is_held


async def test_flags_that_are_off_are_not_missed() -> None:
    here = await court(*(flag(key, active=key in TEN[:4]) for key in TEN))
    assert here.say("new", TEN[:4]).finding is Finding.PLAIN


async def test_what_others_saw_go_is_not_missed_by_a_stranger() -> None:
    here = await court()
    here.say("known", TEN)
    for count in range(9, 4, -1):
        assert here.say("known", TEN[:count]).finding is Finding.PLAIN
    assert here.say("new", TEN[:5]).finding is Finding.PLAIN


async def test_a_stranger_who_asks_for_some_flags_is_told_about_those() -> None:
    here = await court()
    rung = LocalRung(here.held, RULES, clock=here.clock, inflated_bytes=1 << 20)
    assert rung.listed(asking(flags_request("new"), flag_keys=[*TEN[:2], "unheard-of"])) == frozenset(TEN[:2])


async def test_strangers_confirm_a_suspicion_and_are_then_believed() -> None:
    here = await court(judge_hold_s=60)
    found = []
    for number in range(5):
        found.append(here.say(f"new-{number}", []).finding)
        here.clock.advance(20)
    assert found == [Finding.HELD, Finding.HELD, Finding.HELD, Finding.CONFIRMED, Finding.PLAIN]


async def test_a_shape_that_leaves_out_what_is_off_says_nothing_about_strangers() -> None:
    here = await court()
    told = answer([])
    legacy = type(told)(200, "application/json", b'{"featureFlags":{}}')
    assert here.say("new", legacy).finding is Finding.PLAIN
