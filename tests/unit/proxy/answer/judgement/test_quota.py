"""Over quota: handed on, unless the operator gave a grace."""

from __future__ import annotations

import json
from typing import Any

from proxy.answer.judgement.quota import QuotaGrace
from proxy.answer.shape import Reading, read_answer
from proxy.config.settings import Policy
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import Lines
from tests.fakes.judging import answer
from tests.fakes.requests import PROJECT, flags_request


def said(*limited: str) -> Reading:
    fields: dict[str, Any] = {"quotaLimited": list(limited)} if limited else {}
    reading = read_answer(answer([], **fields))
    assert reading is not None
    assert json.loads(answer([], **fields).body)["flags"] == {}
    return reading


OVER, WITHIN = said("feature_flags"), said()
GRACE = flags_request(policy=Policy(quota_grace_s=100))


def test_by_default_it_is_handed_on() -> None:
    assert not QuotaGrace(clock=FakeClock()).is_held(flags_request(), OVER)


def test_other_resources_over_quota_are_nobodys_business_here() -> None:
    assert not QuotaGrace(clock=FakeClock()).is_held(GRACE, said("recordings"))


def test_a_grace_is_bounded_and_begins_with_the_first_such_answer() -> None:
    clock, lines = FakeClock(), Lines()
    quota = QuotaGrace(clock=clock, log=lines.log)
    assert quota.is_held(GRACE, OVER)
    clock.advance(99)
    assert quota.is_held(GRACE, OVER)
    clock.advance(1)
    assert not quota.is_held(GRACE, OVER)
    assert quota.held == {PROJECT: 2}
    assert lines.events() == ["over_quota_grace_begins"]


def test_an_answer_within_quota_ends_it_and_the_next_one_over_begins_another() -> None:
    clock = FakeClock()
    quota = QuotaGrace(clock=clock)
    quota.is_held(GRACE, OVER)
    clock.advance(100)
    assert not quota.is_held(GRACE, WITHIN)
    assert quota.is_held(GRACE, OVER)
