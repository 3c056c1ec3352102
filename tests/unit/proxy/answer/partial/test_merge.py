"""Partial answers on the line: what is filled from where, what is left out, and who is refused instead."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.answer.answer import Answer, Assembled, Failure, Source, Trouble, Whole
from proxy.answer.labels import labels
from proxy.answer.switches import Turn
from proxy.config.settings import FlagPolicy, Policy
from tests.fakes.definitions import flag
from tests.fakes.keeping import ASK, KeepingLine, said, values
from tests.fakes.records import record

GO = (("User-Agent", "posthog-go/1.6.0"), ("Content-Type", "application/json"))
PARTIAL = Failure(trouble=Trouble.PARTIAL, status=200)


def failed(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "enabled": False,
        "variant": None,
        "failed": True,
        "reason": {"code": "timeout", "condition_index": None, "description": "It took too long"},
        "metadata": {"id": 1, "version": 5, "description": None, "payload": None},
    }


def errors(line: KeepingLine, *records: dict[str, Any], **fields: Any) -> None:
    line.say(*records, **{"errorsWhileComputingFlags": True, **fields})


async def warmed(*records: dict[str, Any], **settings: Any) -> KeepingLine:
    """A line that remembers these records of user-1."""
    line = KeepingLine(**settings)
    line.say(*records)
    assert (await line.ask(ASK)).stored
    line.clock.advance(10)
    return line


def sources(answer: Answer) -> dict[str, Source]:
    assert isinstance(answer.content, Assembled)
    return dict(answer.content.sources)


async def test_a_failed_flag_keeps_its_last_good_value_and_the_others_their_new_ones() -> None:
    line = await warmed(record("a", "red"), record("b"))
    errors(line, failed("a"), record("b", False, version=6), requestId="r2", evaluatedAt=2)
    answer = await line.ask(ASK)
    assert values(answer) == {"a": "red", "b": False}
    assert sources(answer) == {"a": Source.STALE, "b": Source.UPSTREAM}
    assert (answer.source, answer.age_s, answer.failure, answer.stored) == (Source.MERGED, 10, PARTIAL, False)
    assert dict(labels(answer)) == {
        "Cache-Status": "holdfast; fwd=stale; fwd-status=200; detail=merged",
        "Proxy-Status": 'holdfast; received-status=200; details="partial"',
        "Age": "10",
    }
    body = said(answer)
    assert (body["errorsWhileComputingFlags"], body["requestId"], body["evaluatedAt"]) == (True, "r2", 2)
    assert body["flags"]["a"] == record("a", "red"), "as upstream wrote it"


async def test_a_flag_that_an_answer_with_errors_leaves_out_keeps_its_last_good_value() -> None:
    line = await warmed(record("a", "red"), record("b"))
    errors(line, record("b"))
    answer = await line.ask(ASK)
    assert values(answer) == {"a": "red", "b": True}


async def test_a_flag_that_an_error_free_answer_leaves_out_is_gone_at_once() -> None:
    line = await warmed(record("a"), record("b"))
    line.say(record("b"))
    answer = await line.ask(ASK)
    assert isinstance(answer.content, Whole)
    assert values(answer) == {"b": True}


async def test_once_an_error_free_answer_left_it_out_an_answer_with_errors_does_not_bring_it_back() -> None:
    line = await warmed(record("a"), record("b"))
    other = ASK | {"distinct_id": "user-2"}
    await line.ask(other)
    line.say(record("b"))
    await line.ask(other)
    errors(line, record("b"))
    assert values(await line.ask(ASK)) == {"b": True}


async def test_what_answers_with_errors_leave_out_for_a_minute_on_end_is_gone() -> None:
    line = await warmed(record("a"), record("b"))
    errors(line, record("b"))
    found = []
    for _ in range(4):
        found.append("a" in values(await line.ask(ASK)))
        line.clock.advance(20)
    assert found == [True, True, True, False]


async def test_an_answer_with_errors_and_nothing_missing_is_upstreams_own() -> None:
    line = await warmed(record("a"))
    errors(line, record("a"))
    answer = await line.ask(ASK)
    assert isinstance(answer.content, Whole)
    assert (answer.failure, answer.stored) == (None, False)


async def test_a_merged_answer_is_not_remembered() -> None:
    line = await warmed(record("a", "red"), record("b", "old"))
    errors(line, failed("a"), record("b", "new"))
    await line.ask(ASK)
    line.fail()
    assert values(await line.ask(ASK)) == {"a": "red", "b": "old"}


async def test_definitions_fill_what_memory_lacks() -> None:
    line = KeepingLine()
    await line.hold(flag("a"), flag("b"))
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ASK)
    assert values(answer) == {"a": True, "b": True}
    assert sources(answer)["a"] is Source.LOCAL


async def test_memory_lacks_a_flag_and_definitions_have_it() -> None:
    line = KeepingLine()
    await line.hold(flag("a"), flag("b"))
    line.say(record("b"), record("c", "red"))
    await line.ask(ASK)
    errors(line, failed("a"), record("b"), failed("c"))
    answer = await line.ask(ASK)
    assert values(answer) == {"a": True, "b": True, "c": "red"}
    assert sources(answer) == {"a": Source.LOCAL, "b": Source.UPSTREAM, "c": Source.STALE}


async def test_a_failed_flag_that_the_definitions_say_is_off_is_off() -> None:
    line = await warmed(record("a"), record("b"))
    await line.hold(flag("a", active=False), flag("b"))
    errors(line, failed("a"), record("b"))
    assert values(await line.ask(ASK)) == {"a": False, "b": True}


async def test_a_missing_flag_that_the_definitions_say_is_off_is_said_to_be_off() -> None:
    line = await warmed(record("a"), record("b"))
    await line.hold(flag("a", active=False), flag("b"))
    errors(line, record("b"))
    assert values(await line.ask(ASK)) == {"a": False, "b": True}


async def test_a_remembered_value_of_an_older_version_does_not_fill() -> None:
    line = await warmed(record("a", "red", version=4), record("b"))
    await line.hold(flag("a", version=5, properties=[{"key": "x", "type": "person", "value": "y"}]), flag("b"))
    errors(line, failed("a"), record("b"))
    assert values(await line.ask(ASK)) == {"b": True}


async def test_what_cannot_be_filled_is_left_out_for_clients_to_whom_that_is_nothing() -> None:
    line = KeepingLine()
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ASK | {"flag_keys": ["a", "b"]})
    assert values(answer) == {"b": True}
    assert said(answer)["errorsWhileComputingFlags"] is True
    assert (answer.source, answer.failure) == (Source.UPSTREAM, PARTIAL)


async def test_a_client_that_reads_a_missing_flag_as_false_is_refused_fast_when_it_named_the_flag() -> None:
    line = KeepingLine()
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ASK | {"flag_keys": ["a", "b"]}, headers=GO)
    assert (answer.content.status, answer.source, answer.failure) == (503, Source.NONE, PARTIAL)


async def test_such_a_client_is_answered_when_everything_could_be_filled() -> None:
    line = KeepingLine()
    ask = ASK | {"flag_keys": ["a", "b"]}
    line.say(record("a"), record("b"))
    await line.ask(ask, headers=GO)
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ask, headers=GO)
    assert (answer.content.status, values(answer)) == (200, {"a": True, "b": True})


async def test_who_asks_for_everything_is_never_refused_over_one_broken_flag() -> None:
    line = KeepingLine()
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ASK, headers=GO)
    assert isinstance(answer.content, Whole), "upstream's own words, the mark included"
    assert (answer.source, answer.failure) == (Source.UPSTREAM, PARTIAL)


async def test_a_named_flag_that_never_was_there_is_nobodys_loss() -> None:
    line = KeepingLine()
    ask = ASK | {"flag_keys": ["a", "unknown"]}
    line.say(record("a"))
    await line.ask(ask, headers=GO)
    errors(line, record("a"))
    assert (await line.ask(ask, headers=GO)).content.status == 200


async def test_without_merging_a_partial_answer_is_handed_on() -> None:
    line = await warmed(record("a"), record("b"))
    line.line.switches.set(Turn(switch="merge", on=False))
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ASK)
    assert isinstance(answer.content, Whole)


async def test_over_quota_is_no_partial_answer() -> None:
    line = await warmed(record("a"))
    line.say(quotaLimited=["feature_flags"])
    answer = await line.ask(ASK)
    assert isinstance(answer.content, Whole)
    assert values(answer) == {}


async def test_within_a_grace_an_answer_over_quota_is_answered_from_memory() -> None:
    line = await warmed(record("a"), policy=Policy(quota_grace_s=60))
    line.say(quotaLimited=["feature_flags"])
    assert values(await line.ask(ASK)) == {"a": True}
    line.clock.advance(60)
    assert values(await line.ask(ASK)) == {}


@pytest.mark.parametrize("failure", ["fail-open", "fail-closed"])
async def test_a_failed_flag_with_a_failure_policy_gets_its_configured_value(failure: Any) -> None:
    line = await warmed(record("a", "red"), record("b"), policy=Policy(flags={"a": FlagPolicy(failure=failure)}))
    errors(line, failed("a"), record("b"))
    answer = await line.ask(ASK)
    assert values(answer) == {"a": failure == "fail-open", "b": True}
    assert sources(answer)["a"] is Source.CONFIGURED
    assert said(answer)["flags"]["a"]["reason"]["code"] == failure.replace("-", "_")


async def test_in_an_outage_configured_values_stand_among_remembered_ones() -> None:
    flags = {"a": FlagPolicy(failure="fixed-value", value="blue"), "z": FlagPolicy(failure="fail-open")}
    line = await warmed(record("a", "red"), record("b"), policy=Policy(flags=flags))
    line.fail()
    answer = await line.ask(ASK)
    assert values(answer) == {"a": "blue", "b": True}, "z is not known to be meant for this caller"
    assert sources(answer) == {"a": Source.CONFIGURED, "b": Source.STALE}
    assert said(answer)["errorsWhileComputingFlags"] is True


async def test_a_stranger_in_an_outage_gets_the_configured_values() -> None:
    flags = {"a": FlagPolicy(failure="fixed-value", value="blue"), "z": FlagPolicy(failure="fail-closed")}
    line = KeepingLine(policy=Policy(flags=flags))
    line.fail()
    answer = await line.ask(ASK)
    assert values(answer) == {"a": "blue", "z": False}
    assert answer.source is Source.CONFIGURED


async def test_a_stranger_who_names_flags_gets_only_those() -> None:
    line = KeepingLine(policy=Policy(flags={"a": FlagPolicy(failure="fail-open"), "z": FlagPolicy(failure="fail-open")}))
    line.fail()
    assert values(await line.ask(ASK | {"flag_keys": ["a"]})) == {"a": True}


async def test_a_flag_that_is_off_is_not_opened_by_its_policy() -> None:
    line = KeepingLine(policy=Policy(flags={"a": FlagPolicy(failure="fail-open")}))
    await line.hold(flag("a", active=False), flag("b"))
    line.fail()
    assert values(await line.ask(ASK)) == {"a": False, "b": True}


async def test_a_flag_that_is_gone_is_not_opened_by_its_policy() -> None:
    line = await warmed(record("a"), record("b"), policy=Policy(flags={"a": FlagPolicy(failure="fail-open")}))
    line.say(record("b"))
    await line.ask(ASK)
    line.fail()
    assert (await line.ask(ASK | {"distinct_id": "stranger"})).source is Source.NONE


async def test_of_a_flag_only_local_values_may_answer_where_its_policy_says_so() -> None:
    flags = {"a": FlagPolicy(failure="fail-closed", local=True)}
    line = await warmed(record("a", "red"), record("b"), policy=Policy(flags=flags))
    await line.hold(flag("a"), flag("b"))
    line.fail()
    answer = await line.ask(ASK)
    assert values(answer) == {"a": True, "b": True}
    assert sources(answer) == {"a": Source.LOCAL, "b": Source.STALE}


@pytest.mark.parametrize(("headers", "status"), [(GO, 503), (None, 200)])
async def test_in_an_outage_half_an_answer_goes_only_to_who_does_not_take_the_rest_for_false(headers: Any, status: int) -> None:
    line = KeepingLine()
    await line.hold(flag("a"), flag("open", properties=[{"key": "x", "type": "person", "value": "y"}]))
    line.fail()
    how = {} if headers is None else {"headers": headers}
    assert (await line.ask(ASK | {"flag_keys": ["a", "open"]}, **how)).content.status == status
    assert (await line.ask(ASK | {"flag_keys": ["a"]}, **how)).content.status == 200
    assert (await line.ask(ASK, **how)).content.status == 200
