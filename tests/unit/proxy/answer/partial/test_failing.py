"""The failure policies of single flags: who may answer for them, and what is given when nobody may."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.answer.answer import Source, Whole
from proxy.answer.partial.failing import TABLE, configured, fresh_s, rule_of, sifted
from proxy.answer.rungs.rung import Filled
from proxy.answer.shape import Record
from proxy.config.settings import FlagPolicy, Policy
from proxy.definitions.standing import OFF_REASON
from tests.fakes.judging import answer
from tests.fakes.requests import flags_request


def records(*keys: str) -> dict[str, Record]:
    return {key: Record(key=key, enabled=True, value=True) for key in keys}


def request_with(policy: dict[str, Any] | None = None, **flags: FlagPolicy) -> Any:
    return flags_request(policy=Policy(flags=flags, **(policy or {})))


@pytest.mark.parametrize(
    ("failure", "stale", "local", "value", "reason"),
    [
        ("fail-static", True, True, None, ""),
        ("fail-open", False, False, True, "fail_open"),
        ("fail-closed", False, False, False, "fail_closed"),
        ("fixed-value", False, False, None, "fixed_value"),
    ],
)
def test_the_table_says_who_may_answer_the_value_and_its_mark(
    failure: Any, stale: bool, local: bool, value: bool | None, reason: str
) -> None:
    rule = TABLE[failure]
    assert (rule.may_be_stale, rule.may_be_local, rule.value, rule.reason) == (stale, local, value, reason)
    assert rule_of(FlagPolicy(failure=failure)) == rule


def test_a_flags_own_words_are_laid_over_its_row() -> None:
    rule = rule_of(FlagPolicy(failure="fixed-value", value="red", stale=True, local=False))
    assert (rule.may_be_stale, rule.may_be_local, rule.value) == (True, False, "red")


@pytest.mark.parametrize(("value", "enabled", "variant"), [(True, True, None), (False, False, None), ("red", True, "red")])
def test_a_configured_value_is_a_record_that_says_so(value: bool | str, enabled: bool, variant: str | None) -> None:
    record = configured("f", rule_of(FlagPolicy(failure="fixed-value", value=value)))
    assert record is not None
    assert (record.enabled, record.variant, record.value, record.reason) == (enabled, variant, value, "fixed_value")
    assert configured("f", TABLE["fail-static"]) is None


async def test_without_flags_of_their_own_nothing_is_sifted() -> None:
    filled = Filled(source=Source.STALE, records=records("a"))
    assert await sifted(flags_request(), filled) is filled


@pytest.mark.parametrize(
    ("source", "policy", "kept"),
    [
        (Source.STALE, FlagPolicy(failure="fail-closed"), {"b"}),
        (Source.STALE, FlagPolicy(failure="fail-closed", stale=True), {"a", "b"}),
        (Source.STALE, FlagPolicy(stale=False), {"b"}),
        (Source.STALE, FlagPolicy(stale_if_error_s=10), {"b"}),
        (Source.STALE, FlagPolicy(stale_if_error_s=11), {"a", "b"}),
        (Source.LOCAL, FlagPolicy(failure="fail-open"), {"b"}),
        (Source.LOCAL, FlagPolicy(failure="fail-open", local=True), {"a", "b"}),
        (Source.LOCAL, FlagPolicy(stale=False), {"a", "b"}),
        (Source.CONFIGURED, FlagPolicy(failure="fail-open"), {"a", "b"}),
    ],
)
async def test_what_may_not_answer_is_taken_out(source: Source, policy: FlagPolicy, kept: set[str]) -> None:
    filled = Filled(source=source, age_s=10, records=records("a", "b"), lacking=None)
    left = await sifted(request_with(a=policy), filled)
    assert left.records.keys() == kept
    assert left.lacking == (None if kept == {"a", "b"} else {"a"})


async def test_a_whole_answer_is_opened_only_where_something_has_to_go() -> None:
    whole = Filled(source=Source.STALE, content=answer(["a", "b"]), fresh_for_s=-1)
    assert await sifted(request_with(z=FlagPolicy(stale=False)), whole) is whole
    left = await sifted(request_with(a=FlagPolicy(stale=False)), whole)
    assert (left.content, left.records.keys(), left.lacking) == (None, {"b"}, {"a"})
    assert left.envelope is not None


async def test_a_whole_answer_that_cannot_be_read_leaves_nothing() -> None:
    whole = Filled(source=Source.STALE, age_s=2, content=Whole(200, "application/json", b"{}"))
    left = await sifted(request_with({"stale_if_error_s": 1}, a=FlagPolicy(stale_if_error_s=9)), whole)
    assert left.records == {}


async def test_after_the_projects_window_only_flags_with_a_longer_one_of_their_own_remain() -> None:
    filled = Filled(source=Source.STALE, age_s=100, records=records("a", "b", "c"))
    flags = {"a": FlagPolicy(stale_if_error_s=101), "b": FlagPolicy(fresh_s=5)}
    left = await sifted(request_with({"stale_if_error_s": 100}, **flags), filled)
    assert left.records.keys() == {"a"}


async def test_that_a_flag_is_off_is_never_taken_out() -> None:
    off = {"a": Record(key="a", value=False, reason=OFF_REASON)}
    filled = Filled(source=Source.LOCAL, records=off)
    assert (await sifted(request_with(a=FlagPolicy(failure="fail-open")), filled)).records == off


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(set(), 10), ({"x"}, 10), ({"a"}, 3), ({"a", "x"}, 3), ({"b"}, 60), ({"b", "x"}, 10), ({"a", "b"}, 3)],
)
def test_an_answer_is_fresh_as_long_as_the_first_of_its_flags(keys: set[str], expected: float) -> None:
    policy = Policy(fresh_s=10, flags={"a": FlagPolicy(fresh_s=3), "b": FlagPolicy(fresh_s=60), "c": FlagPolicy()})
    assert fresh_s(policy, keys) == expected
