""" "Off means off": what of the remembered answers still counts once definitions are held."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.answer.answer import Assembled, Source, Whole
from proxy.answer.request import FlagsRequest
from proxy.config.settings import Policy
from tests.fakes.definitions import flag
from tests.fakes.keeping import ASK, KeepingLine, record, said, values
from tests.fakes.transport import good

# Upstream knew more about this person than the request says: locally such a flag is never certain.
STORED: dict[str, Any] = {"properties": [{"key": "plan", "type": "person", "operator": "exact", "value": ["pro"]}]}


async def remembered(line: KeepingLine, *records: dict[str, Any], **how: Any) -> None:
    line.say(*records)
    await line.ask(ASK, **how)
    line.fail()


async def test_a_remembered_answer_that_still_counts_is_given_whole() -> None:
    line = KeepingLine()
    await line.hold(flag("a", **STORED))
    await remembered(line, record("a"), record("survey-targeting-x"))
    line.clock.advance(9)
    answer = await line.ask(ASK)
    assert (answer.source, answer.age_s, values(answer)) == (Source.STALE, 9, {"a": True, "survey-targeting-x": True})
    assert isinstance(answer.content, Assembled)
    assert answer.content.sources == {}


async def test_a_remembered_answer_is_given_as_it_came_where_the_policy_wants_no_mark() -> None:
    line = KeepingLine(policy=Policy(mark_stale=False))
    await line.hold(flag("a"))
    await remembered(line, record("a"))
    assert isinstance((await line.ask(ASK)).content, Whole)


async def test_a_rollout_taken_back_to_nothing_is_off_after_one_change() -> None:
    line = KeepingLine()
    await line.hold(flag("a", rollout=100), flag("b", **STORED))
    await remembered(line, record("a"), record("b"))
    await line.hold(flag("a", rollout=0, version=6), flag("b", **STORED))
    answer = await line.ask(ASK)
    assert values(answer) == {"a": False, "b": True}
    assert isinstance(answer.content, Assembled)
    assert answer.content.sources == {"b": Source.STALE, "a": Source.LOCAL}


@pytest.mark.parametrize("rungs", [("stale", "local"), ("local", "stale"), ("stale",)])
@pytest.mark.parametrize(
    "change",
    [[flag("a", active=False, version=6)], [flag("a", active=False)], [flag("a", deleted=True)], []],
    ids=["deactivated", "deactivated, same version", "marked deleted", "deleted"],
)
async def test_a_flag_that_is_off_is_off_after_one_change(change: list[dict[str, Any]], rungs: tuple[str, ...]) -> None:
    line = KeepingLine(policy=Policy(rungs=rungs))
    await line.hold(flag("a"), flag("b", **STORED))
    await remembered(line, record("a"), record("b"))
    await line.hold(*change, flag("b", **STORED))
    assert values(await line.ask(ASK)) == {"a": False, "b": True}


async def test_a_newer_flag_that_is_not_certain_here_is_left_out() -> None:
    line = KeepingLine()
    await line.hold(flag("a", **STORED), flag("b"))
    await remembered(line, record("a"), record("b"))
    await line.hold(flag("a", version=6, **STORED), flag("b"))
    answer = await line.ask(ASK)
    assert values(answer) == {"b": True}
    assert said(answer)["errorsWhileComputingFlags"] is True


async def test_a_record_newer_than_the_definitions_counts() -> None:
    """Upstream switched it on again, and the poll that will say so is still to come."""
    line = KeepingLine()
    await line.hold(flag("a", active=False), flag("b", rollout=0))
    await remembered(line, record("a", version=6), record("b", version=6))
    assert values(await line.ask(ASK)) == {"a": True, "b": True}


async def test_a_record_of_the_same_version_counts_over_what_is_evaluated_here() -> None:
    line = KeepingLine()
    await line.hold(flag("a", rollout=0))
    await remembered(line, record("a"))
    await line.hold(flag("a", rollout=0), flag("new"))
    assert values(await line.ask(ASK)) == {"a": True, "new": True}


async def test_a_record_older_than_the_definitions_held_from_the_start_does_not_count() -> None:
    line = KeepingLine()
    await line.hold(flag("a", version=7, rollout=0))
    await remembered(line, record("a", version=6))
    assert values(await line.ask(ASK)) == {"a": False}


async def test_what_rests_on_a_flag_that_is_off_does_not_count_either() -> None:
    needs = {"key": "a", "type": "flag", "operator": "flag_evaluates_to", "value": True}
    dependent = flag("dependent", properties=[needs])
    line = KeepingLine()
    await line.hold(flag("a"), dependent)
    await remembered(line, record("a"), record("dependent"))
    await line.hold(flag("a", active=False), dependent)
    assert values(await line.ask(ASK)) == {"a": False, "dependent": False}


async def test_flags_that_came_into_being_since_are_added() -> None:
    line = KeepingLine()
    await line.hold(flag("a", **STORED), flag("woken", active=False))
    await remembered(line, record("a"))
    await line.hold(flag("a", **STORED), flag("new"), flag("woken", version=6))
    assert values(await line.ask(ASK)) == {"a": True, "new": True, "woken": True}


async def test_what_upstream_left_out_though_it_was_listed_stays_left_out() -> None:
    line = KeepingLine()
    await line.hold(flag("a"), flag("left-out"))
    await remembered(line, record("a"))
    assert values(await line.ask(ASK)) == {"a": True}


async def test_a_flag_still_given_by_upstream_after_it_left_the_list_counts() -> None:
    """It became one that definitions never list, such as a flag of another format."""
    line = KeepingLine()
    await line.hold(flag("a"))
    line.clock.advance(1)
    await line.hold(flag("b"))
    line.clock.advance(1)
    await remembered(line, record("a"), record("b"))
    assert values(await line.ask(ASK)) == {"a": True, "b": True}


async def test_config_that_stood_around_remembered_flags_stays_around_those_that_count() -> None:
    line = KeepingLine()
    await line.hold(flag("a"), flag("b"))
    line.say(record("a"), record("b"), sessionRecording={"endpoint": "/s/"}, quotaLimited=["recordings"])
    await line.ask(ASK, target="/flags/?v=2&config=true")
    line.fail()
    await line.hold(flag("a", active=False), flag("b"))
    answer = said(await line.ask(ASK, target="/flags/?v=2&config=true"))
    assert answer["sessionRecording"] == {"endpoint": "/s/"}
    assert answer["quotaLimited"] == ["recordings"]
    assert (answer["requestId"], answer["evaluatedAt"] > 1) == ("made-here", True)


LEGACY = b'{"errorsWhileComputingFlags":false,"featureFlags":{"a":true,"b":true},"featureFlagPayloads":{},"requestId":"r"}'
DECIDE_2 = b'{"featureFlags":{"a":true,"b":true},"requestId":"r"}'
DECIDE_1 = b'{"featureFlags":["a","b"],"requestId":"r"}'


@pytest.mark.parametrize(
    ("target", "body", "expected"),
    [
        ("/flags/?v=1", LEGACY, {"a": False, "b": True}),
        ("/decide/?v=3&config=0", LEGACY, {"a": False, "b": True}),
        ("/decide/?v=2&config=0", DECIDE_2, {"b": True}),
        ("/decide/?v=1&config=0", DECIDE_1, ["b"]),
    ],
)
async def test_shapes_without_versions_count_until_the_definition_changes(target: str, body: bytes, expected: Any) -> None:
    line = KeepingLine()
    await line.hold(flag("a"), flag("b", **STORED))
    line.clock.advance(1)
    line.transport.say = good(body)
    await line.ask(ASK, target=target)
    line.fail()
    line.clock.advance(1)
    assert (await line.ask(ASK, target=target)).source is Source.STALE
    await line.hold(flag("a", rollout=0), flag("b", **STORED))
    assert said(await line.ask(ASK, target=target))["featureFlags"] == expected


async def test_a_changed_definition_without_a_version_is_noticed_all_the_same() -> None:
    line = KeepingLine()
    await line.hold(flag("a", version=None), flag("b", **STORED))
    line.clock.advance(1)
    await remembered(line, record("a", version=0), record("b"))
    line.clock.advance(1)
    await line.hold(flag("a", version=None, rollout=0), flag("b", **STORED))
    assert values(await line.ask(ASK)) == {"a": False, "b": True}


async def test_a_fresh_copy_with_something_outdated_in_it_is_not_fresh() -> None:
    line = KeepingLine(policy=Policy(fresh_s=60))
    await line.hold(flag("a"))
    line.say(record("a"))
    await line.ask(ASK)
    assert (await line.ask(ASK)).source is Source.FRESH
    await line.hold(flag("a", active=False))
    assert (await line.ask(ASK)).source is Source.UPSTREAM


async def test_a_remembered_answer_that_counts_is_read_once_per_change_of_the_definitions() -> None:
    line = KeepingLine()
    await line.hold(flag("a"))
    await remembered(line, record("a"))
    request = line.decode(ASK)
    assert isinstance(request, FlagsRequest)
    entry = line.line.memory.get(request.key)
    assert entry is not None
    for generation in (1, 2):
        assert (await line.ask(ASK)).source is Source.STALE
        assert entry.value.sound_under == generation
        await line.hold(flag("a"))


async def test_a_shape_that_lists_only_what_is_on_is_not_missing_what_is_off() -> None:
    line = KeepingLine()
    line.transport.say = good(DECIDE_2)
    await line.ask(ASK, target="/decide/?v=2&config=0")
    line.fail()
    await line.hold(flag("a"), flag("b"))
    await line.hold(flag("a"), flag("b"), flag("off", rollout=0))
    assert (await line.ask(ASK, target="/decide/?v=2&config=0")).content == good(DECIDE_2)


async def test_nothing_is_evaluated_here_once_memory_filled_what_was_asked() -> None:
    needs = {"key": "dependency", "type": "flag", "operator": "flag_evaluates_to", "value": True}
    line = KeepingLine()
    await line.hold(flag("a", properties=[needs]), flag("dependency"))
    asked = ASK | {"flag_keys": ["a"]}
    line.say(record("a"), record("dependency"))
    await line.ask(asked)
    line.fail()
    await line.hold(flag("a", properties=[needs]), flag("dependency", version=6))
    assert values(await line.ask(asked)) == {"a": True}


def of_an_earlier_life(line: KeepingLine, body: bytes, *, age_s: float, **how: Any) -> None:
    """Have an answer recalled from disk or Redis."""
    request = line.decode(ASK, **how)
    assert isinstance(request, FlagsRequest)
    assert request.key is not None
    recalled = line.line.memory.recall(request.key, good(body), project=request.project, policy=request.policy, age_s=age_s)
    assert recalled is not None
    line.fail()


def v2(*records: dict[str, Any]) -> bytes:
    return json.dumps({"errorsWhileComputingFlags": False, "flags": {each["key"]: each for each in records}}).encode()


async def test_a_flag_deleted_while_the_process_was_down_is_not_brought_back_from_disk() -> None:
    line = KeepingLine()
    await line.hold(flag("a", **STORED))
    of_an_earlier_life(line, v2(record("a"), record("deleted"), record("survey-targeting-x")), age_s=3600)
    answer = await line.ask(ASK)
    assert values(answer) == {"a": True, "survey-targeting-x": True}
    assert said(answer)["errorsWhileComputingFlags"] is True


async def test_a_flag_that_upstream_gave_after_the_definitions_were_fetched_was_never_listed_and_counts() -> None:
    line = KeepingLine()
    await line.hold(flag("a", **STORED))
    line.clock.advance(3600)
    of_an_earlier_life(line, v2(record("a"), record("encrypted")), age_s=1800)
    assert values(await line.ask(ASK)) == {"a": True, "encrypted": True}


async def test_a_value_without_a_version_from_before_the_definitions_is_of_any_version() -> None:
    line = KeepingLine()
    await line.hold(flag("a", rollout=0, version=6), flag("b", **STORED))
    body = b'{"errorsWhileComputingFlags":false,"featureFlags":{"a":true,"b":true},"featureFlagPayloads":{}}'
    of_an_earlier_life(line, body, age_s=3600, target="/flags/?v=1")
    assert said(await line.ask(ASK, target="/flags/?v=1"))["featureFlags"] == {"a": False}


async def test_definitions_that_come_later_keep_to_what_the_first_ones_knew() -> None:
    line = KeepingLine()
    await line.hold(flag("a", **STORED))
    line.clock.advance(10)
    await remembered(line, record("a"), record("encrypted"))
    line.clock.advance(10)
    await line.hold(flag("a", **STORED), flag("b"))
    assert values(await line.ask(ASK)) == {"a": True, "b": True, "encrypted": True}
