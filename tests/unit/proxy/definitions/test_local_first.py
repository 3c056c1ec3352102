"""Local-first: upstream is not asked when the definitions are certain of everything that was asked."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.answer.answer import Answer, Source
from proxy.answer.labels import labels
from proxy.config.settings import Policy
from tests.fakes.definitions import flag
from tests.fakes.keeping import ASK, BROWSER, KeepingLine, record, said, values

VIP = flag("vip", properties=[{"key": "plan", "type": "person", "operator": "exact", "value": ["pro"]}])


def eager(**more: Any) -> KeepingLine:
    line = KeepingLine(definitions={"local_first": True}, **more)
    line.say(record("from-upstream"))
    return line


def is_local(line: KeepingLine, answer: Answer) -> bool:
    return (answer.source is Source.LOCAL) and not line.transport.asked


async def test_upstream_is_not_asked_where_all_is_certain() -> None:
    line = eager()
    await line.hold(flag("on"), VIP)
    line.clock.advance(7)
    answer = await line.ask(ASK | {"person_properties": {"plan": "free"}})
    assert is_local(line, answer)
    assert values(answer) == {"on": True, "vip": False}
    assert said(answer)["errorsWhileComputingFlags"] is False
    assert (said(answer)["requestId"], said(answer)["evaluatedAt"]) == ("made-here", int(line.clock.wall() * 1000))
    assert labels(answer) == (("Cache-Status", "holdfast; hit; detail=local"), ("Age", "7"))


async def test_one_open_flag_is_enough_to_ask_upstream() -> None:
    line = eager()
    await line.hold(flag("on"), VIP)
    answer = await line.ask(ASK)
    assert (answer.source, values(answer)) == (Source.UPSTREAM, {"from-upstream": True})


async def test_only_the_asked_flags_have_to_be_certain() -> None:
    line = eager()
    await line.hold(flag("on"), VIP)
    answer = await line.ask(ASK | {"flag_keys": ["on"]})
    assert is_local(line, answer)
    assert values(answer) == {"on": True}


async def test_flags_that_are_off_are_left_out_as_upstream_leaves_them_out() -> None:
    """An answer without errors replaces what an SDK has, so nothing of them stays on."""
    line = eager()
    await line.hold(flag("on"), flag("inactive", active=False), flag("deleted", deleted=True))
    answer = await line.ask(ASK)
    assert is_local(line, answer)
    assert values(answer) == {"on": True}
    assert values(await line.ask(ASK | {"flag_keys": ["inactive", "on"]})) == {"on": True}
    assert not line.transport.asked


async def test_a_deleted_flag_is_gone_after_one_change() -> None:
    line = eager()
    await line.hold(flag("on"), flag("doomed"))
    assert values(await line.ask(ASK)) == {"on": True, "doomed": True}
    await line.hold(flag("on"))
    answer = await line.ask(ASK | {"flag_keys": ["on", "doomed"]})
    assert is_local(line, answer)
    assert values(answer) == {"on": True}


async def test_an_asked_flag_that_was_never_listed_is_upstreams_to_know() -> None:
    line = eager()
    await line.hold(flag("on"))
    assert (await line.ask(ASK | {"flag_keys": ["on", "unlisted"]})).source is Source.UPSTREAM


@pytest.mark.parametrize("value", [[1] * 300, "x" * 15 * 1024], ids=["list", "text"])
async def test_properties_of_a_usual_size_are_evaluated_here(value: object) -> None:
    line = eager()
    await line.hold(flag("on"))
    await line.ask(ASK | {"person_properties": {"p": value}})
    assert line.transport.asked == []


@pytest.mark.parametrize(
    ("sent", "how"),
    [
        ({"$anon_distinct_id": "anon"}, {}),
        ({"distinct_id": "$posthog_cookieless"}, {}),
        ({"disable_flags": True}, {}),
        ({}, {"target": "/flags/?v=2&config=true"}),
        ({}, {"target": "/flags/"}),
        ({}, {"target": "/decide/?v=4"}),
        ({}, {"method": "GET"}),
        ({}, {"headers": BROWSER}),
        ({"evaluation_runtime": "client"}, {}),
        ({}, {"headers": (("User-Agent", "x"), ("Authorization", "Bearer internal"))}),
        ({"person_properties": {"p": [1] * 600}}, {}),
        ({"group_properties": {"company": {"p": {"q": ["x" * 1024]}}}}, {}),
        ({"person_properties": {"p": "x" * 16 * 1024}}, {}),
    ],
    ids=[
        "the service may write", "cookieless", "disabled", "config", "config by default", "decide has config", "GET",
        "browser asks for all", "client asks for all", "credential", "long list", "long group list", "long body",
    ],
)  # fmt: skip
async def test_what_definitions_cannot_stand_in_for_goes_upstream(sent: dict[str, Any], how: dict[str, Any]) -> None:
    line = eager()
    await line.hold(flag("on"))
    await line.ask(ASK | sent, **how)
    assert len(line.transport.asked) == 1


async def test_other_projects_and_projects_without_definitions_ask_upstream() -> None:
    line = eager()
    assert (await line.ask(ASK)).source is Source.UPSTREAM
    plain = KeepingLine()
    await plain.hold(flag("on"))
    assert (await plain.ask(ASK)).source is Source.UPSTREAM


async def test_a_client_that_names_its_flags_is_answered() -> None:
    line = eager()
    await line.hold(flag("on"))
    assert is_local(line, await line.ask(ASK | {"flag_keys": ["on"]}, headers=BROWSER))


async def test_a_client_that_asks_for_all_is_answered_once_upstream_gave_nothing_unlisted() -> None:
    line = eager()
    await line.hold(flag("on"))
    line.say(record("on"))
    assert [(await line.ask(ASK, headers=BROWSER)).source for _ in range(3)] == [Source.UPSTREAM, Source.LOCAL, Source.LOCAL]


async def test_flags_of_the_last_good_answer_that_no_definition_lists_keep_upstream_asked() -> None:
    line = eager()
    line.say(record("on"), record("survey-targeting-x"))
    await line.ask(ASK)
    await line.hold(flag("on"))
    assert [(await line.ask(ASK)).source for _ in range(2)] == [Source.UPSTREAM] * 2


async def test_a_local_answer_comes_before_a_fresh_copy() -> None:
    line = eager(policy=Policy(fresh_s=60))
    line.say(record("on"))
    await line.ask(ASK)
    await line.hold(flag("on", rollout=0))
    answer = await line.ask(ASK)
    assert (answer.source, values(answer)) == (Source.LOCAL, {"on": False})


async def test_a_dependency_cycle_is_upstreams_to_answer() -> None:
    leaf = {"type": "flag", "operator": "flag_evaluates_to", "value": True}
    line = eager()
    await line.hold(flag("a", properties=[{**leaf, "key": "b"}]), flag("b", properties=[{**leaf, "key": "a"}]), flag("on"))
    assert (await line.ask(ASK)).source is Source.UPSTREAM


async def test_when_upstream_fails_what_is_certain_is_still_given() -> None:
    line = eager()
    await line.hold(flag("on"), VIP)
    line.fail()
    answer = await line.ask(ASK)
    assert (answer.source, values(answer), said(answer)["errorsWhileComputingFlags"]) == (Source.LOCAL, {"on": True}, True)


async def test_definitions_change_under_requests_that_go_on() -> None:
    line = eager()
    await line.hold(flag("on"))
    before = await line.ask(ASK)
    await line.hold(flag("on", rollout=0, version=6))
    assert (values(before), values(await line.ask(ASK))) == ({"on": True}, {"on": False})
