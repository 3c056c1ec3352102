"""Answers are held to what was true at the time that their labels say, no sooner and no later."""

from __future__ import annotations

import pytest

from harness.scenarios.play.documents import VERSIONS, document
from harness.scenarios.play.shot import Contents, Shot, Values
from harness.scenarios.play.truth import RELOAD_S, Change, Truth, truth_for, versions_in

USER = "known-001"
OLD: Values = {"pulse": (True, None, "0"), "killed": (True, None, None)}
NEW: Values = {"pulse": (True, None, "1")}
TRUTH = Truth({(0, USER): OLD, (1, USER): NEW})
CHANGES = [Change(0, 0.0), Change(1, 100.0)]
LIVE = "holdfast; fwd=stale; fwd-status=200; stored"
STALE = "holdfast; hit; ttl=-9; detail=stale"


def shot(at: float, *, cache: str = LIVE, age_s: int | None = None, proxy: str = "", has_errors: bool = False) -> Shot:
    return Shot(
        USER, is_known=True, due_at=at, sent_at=at, received_at=at + 0.01, status=200, cache=cache, age_s=age_s, proxy=proxy,
        has_errors=has_errors,
    )  # fmt: skip


def verdict(asked: Shot, given: Values, *, late_s: float = 0.0) -> str:
    return TRUTH.check(asked, given, CHANGES, late_s=late_s)


def test_a_live_answer_says_what_is_true_now() -> None:
    assert not verdict(shot(90.0), OLD)
    assert not verdict(shot(120.0), NEW)
    assert verdict(shot(90.0), NEW)
    assert verdict(shot(120.0), OLD)


def test_while_the_service_takes_up_a_change_both_are_true() -> None:
    for at in (100.0, 100.0 + RELOAD_S):
        assert not verdict(shot(at), OLD)
        assert not verdict(shot(at), NEW)
    assert verdict(shot(100.0 + RELOAD_S + 0.3), OLD)


def test_an_answer_of_a_slow_service_may_be_as_old_as_the_service_is_slow() -> None:
    assert verdict(shot(104.0), OLD)
    assert not verdict(shot(104.0), OLD, late_s=5.0)


@pytest.mark.parametrize("cache", [STALE, "holdfast; hit; ttl=1"])
def test_a_remembered_answer_says_what_was_true_at_its_age(cache: str) -> None:
    assert not verdict(shot(120.0, cache=cache, age_s=30), OLD)
    assert verdict(shot(120.0, cache=cache, age_s=30), NEW)
    assert verdict(shot(120.0, cache=cache, age_s=5), OLD)
    assert not verdict(shot(120.0, cache=cache, age_s=5), NEW)


def test_an_answer_without_a_label_is_not_excused_by_being_old() -> None:
    assert verdict(shot(120.0, cache=""), OLD)


def test_a_filled_answer_is_held_to_the_truth_flag_by_flag() -> None:
    partial = {"cache": "holdfast; fwd=stale; fwd-status=200; detail=stale", "proxy": 'holdfast; details="partial"'}
    filled: Values = {"pulse": (True, None, "1"), "killed": (True, None, None)}
    assert not verdict(shot(120.0, age_s=30, has_errors=True, **partial), filled)
    assert verdict(shot(120.0, age_s=5, has_errors=True, **partial), filled), "killed was not on five seconds ago"
    assert verdict(shot(120.0, age_s=30, has_errors=True, **partial), {"pulse": None}), "a failed record is no value"
    assert not verdict(shot(120.0, age_s=30, has_errors=True, **partial), {}), "left out, and said so"
    assert verdict(shot(120.0, age_s=30, **partial), {})


def test_with_definitions_held_a_remembered_answer_may_have_newer_parts_and_none_that_is_older_than_it_says() -> None:
    def held(given: Values, *, age_s: int) -> str:
        asked = shot(120.0, cache=STALE, age_s=age_s, has_errors=True)
        return TRUTH.check(asked, given, CHANGES, late_s=0.0, holds_definitions=True)

    mixed: Values = {"pulse": (True, None, "1"), "killed": (False, None, None)}
    assert not held(mixed, age_s=30)
    assert verdict(shot(120.0, cache=STALE, age_s=30, has_errors=True), mixed), "without definitions nothing is mixed"
    assert held(OLD, age_s=5)
    assert held({"pulse": (True, None, "2")}, age_s=30)


def test_an_emptied_answer_is_wrong() -> None:
    assert verdict(shot(90.0), {})


def test_versions_are_named_by_when_they_were_in_force() -> None:
    changes = [Change(0, 0.0), Change(1, 10.0), Change(2, 20.0)]
    assert versions_in(changes, [(5.0, 6.0)]) == [0]
    assert versions_in(changes, [(5.0, 10.0)]) == [0, 1]
    assert versions_in(changes, [(30.0, 31.0), (12.0, 13.0)]) == [1, 2]


async def test_the_truth_is_what_the_service_itself_says_and_changes_with_each_version() -> None:
    truth = await truth_for([USER])
    said = [truth._values[version, USER] for version in range(VERSIONS)]
    assert [values["pulse"] for values in said] == [(True, None, str(version)) for version in range(VERSIONS)]
    assert [values["fading"] for values in said] == [(True, None, None)] * 2 + [(False, None, None)] * 3
    assert ["killed" in values for values in said] == [True, True, True, False, False]
    assert document(0) != document(1)


def test_the_flags_of_a_body_are_read_once_and_what_is_no_answer_has_none() -> None:
    contents = Contents()
    flags = b'{"a":{"enabled":true,"metadata":{"payload":"1"}},"b":{"enabled":false,"failed":true}}'
    body = b'{"errorsWhileComputingFlags":true,"flags":' + flags + b"}"
    shots = [shot(1.0), shot(2.0)]
    for each in shots:
        contents.note(each, body)
    assert [(each.content, each.has_errors) for each in shots] == [(0, True)] * 2
    assert contents.values == [{"a": (True, None, "1"), "b": None}]
    for odd in (b"<html>", b'{"flags":', b'{"type":"server_error"}', b"\xff"):
        other = shot(3.0)
        contents.note(other, odd)
        assert other.content is None
