"""The local rung: what definitions alone can say about a request when upstream says nothing."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from proxy.answer.answer import Assembled, Forward, Source
from proxy.answer.labels import labels
from proxy.config.settings import Policy
from tests.fakes.definitions import flag
from tests.fakes.keeping import ASK, BROWSER, DOWN, KeepingLine, record, said, values

VIP = flag("vip", properties=[{"key": "plan", "type": "person", "operator": "exact", "value": ["pro"]}])
BUCKETED = flag("bucketed", rollout=50)


async def test_people_never_seen_are_answered_from_the_definitions() -> None:
    line = KeepingLine()
    await line.hold(flag("on"), flag("off", rollout=0), VIP)
    line.fail()
    line.clock.advance(40)
    answer = await line.ask(ASK | {"person_properties": {"plan": "pro"}})
    assert values(answer) == {"on": True, "off": False, "vip": True}
    assert (answer.source, answer.age_s, answer.failure, answer.forward) == (Source.LOCAL, 40, DOWN, Forward.MISS)
    assert dict(labels(answer))["Cache-Status"] == "holdfast; fwd=miss; detail=local"
    assert said(answer)["requestId"] == "made-here"
    assert said(answer)["evaluatedAt"] == int(line.clock.wall() * 1000)


async def test_a_local_answer_says_which_flag_came_from_where() -> None:
    line = KeepingLine()
    await line.hold(flag("on"))
    line.fail()
    content = (await line.ask(ASK)).content
    assert isinstance(content, Assembled)
    assert content.sources == {"on": Source.LOCAL}


@pytest.mark.parametrize("mark_stale", [True, False])
async def test_what_is_not_certain_is_left_out_and_the_answer_says_so(mark_stale: bool) -> None:
    line = KeepingLine(policy=Policy(mark_stale=mark_stale))
    await line.hold(flag("on"), VIP)
    line.fail()
    answer = await line.ask(ASK)
    assert values(answer) == {"on": True}
    assert said(answer)["errorsWhileComputingFlags"] is True


async def test_where_all_is_certain_the_policy_decides_about_the_mark() -> None:
    for mark_stale in (True, False):
        line = KeepingLine(policy=Policy(mark_stale=mark_stale))
        await line.hold(flag("on"))
        line.fail()
        assert said(await line.ask(ASK))["errorsWhileComputingFlags"] is mark_stale


async def test_only_what_is_asked_for_is_evaluated_with_what_it_depends_on() -> None:
    needs = {"key": "on", "type": "flag", "operator": "flag_evaluates_to", "value": True}
    line = KeepingLine()
    await line.hold(flag("on"), flag("other"), flag("dependent", properties=[needs]))
    line.fail()
    assert values(await line.ask(ASK | {"flag_keys": ["dependent"]})) == {"on": True, "dependent": True}


async def test_an_asked_flag_that_no_definition_lists_makes_the_answer_partial() -> None:
    line = KeepingLine(policy=Policy(mark_stale=False))
    await line.hold(flag("on"))
    line.fail()
    answer = await line.ask(ASK | {"flag_keys": ["on", "survey-targeting-x"]})
    assert (values(answer), said(answer)["errorsWhileComputingFlags"]) == ({"on": True}, True)


async def test_nothing_asked_is_nothing_answered_and_no_failure() -> None:
    line = KeepingLine(policy=Policy(mark_stale=False))
    await line.hold(flag("on"))
    line.fail()
    answer = await line.ask(ASK | {"flag_keys": []})
    assert (values(answer), answer.content.status, said(answer)["errorsWhileComputingFlags"]) == ({}, 200, False)


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ({"distinct_id": "$posthog_cookieless"}, [flag("on")]),
        ({"disable_flags": True}, [flag("on")]),
        ({"distinct_id": None}, [flag("on")]),
        ({"person_properties": "odd"}, [flag("on")]),
        ({"override_flags_definitions": {}}, [flag("on")]),
        ({}, [VIP]),
        ({}, [flag("kept", rollout=50, ensure_experience_continuity=True)]),
        ({}, [flag("static", properties=[{"key": "id", "type": "cohort", "operator": "in", "value": 7}])]),
    ],
    ids=["cookieless", "disabled", "nobody", "wrong type", "internal", "unsent property", "continuity", "static cohort"],
)
async def test_what_the_request_does_not_decide_is_not_answered(sent: dict[str, Any], held: list[dict[str, Any]]) -> None:
    line = KeepingLine()
    await line.hold(*held)
    line.fail()
    answer = await line.ask(ASK | sent)
    assert (answer.source, answer.content.status) == (Source.NONE, 503)


@pytest.mark.parametrize("query", ["v=2&v=2", "v=2&detailed_analysis=1", "v=2&only_use_override_person_properties=1"])
async def test_a_query_that_changes_what_is_asked_is_not_answered(query: str) -> None:
    line = KeepingLine()
    await line.hold(flag("on"))
    line.fail()
    assert (await line.ask(ASK, target=f"/flags/?{query}")).source is Source.NONE


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_only_posts_are_answered(method: str) -> None:
    line = KeepingLine()
    await line.hold(flag("on"))
    line.fail()
    assert (await line.ask(ASK, method=method)).source is Source.NONE


@pytest.mark.parametrize(("timezone", "expected"), [(None, None), ("America/New_York", True), ("UTC", False)])
async def test_a_date_without_a_zone_needs_the_configured_one(timezone: str | None, expected: bool | None) -> None:
    leaf = {"key": "at", "type": "person", "operator": "is_date_after", "value": "2024-03-01 12:00"}
    line = KeepingLine(definitions={"timezone": timezone})
    await line.hold(flag("dated", properties=[leaf]), flag("on"))
    line.fail()
    answer = await line.ask(ASK | {"person_properties": {"at": "2024-03-01T14:00:00Z"}})
    assert values(answer).get("dated") is (None if expected is None else not expected)


async def test_geoip_that_the_service_would_fill_in_is_not_guessed() -> None:
    swede = flag("swede", properties=[{"key": "$geoip_country_code", "type": "person", "operator": "is_not", "value": "SE"}])
    line = KeepingLine()
    await line.hold(swede)
    line.fail()
    sent = {"person_properties": {"$geoip_country_code": None}}
    assert (await line.ask(ASK | sent)).source is Source.NONE
    assert values(await line.ask(ASK | sent | {"geoip_disable": True})) == {"swede": True}


async def test_a_flag_bound_to_a_runtime_is_given_to_that_runtime_only() -> None:
    held = [flag("all"), flag("client", evaluation_runtime="client"), flag("server", evaluation_runtime="server")]
    line = KeepingLine()
    await line.hold(*held)
    line.fail()
    assert values(await line.ask(ASK)).keys() == {"all", "server"}
    assert values(await line.ask(ASK, headers=BROWSER)).keys() == {"all", "client"}
    assert values(await line.ask(ASK, headers=(("Content-Type", "application/json"),))).keys() == {"all"}
    assert values(await line.ask(ASK | {"evaluation_runtime": "all"})).keys() == {"all", "client", "server"}


async def test_a_flag_with_contexts_is_given_to_who_names_one() -> None:
    line = KeepingLine()
    await line.hold(flag("all"), flag("web", evaluation_contexts=["web", "docs"]))
    line.fail()
    assert values(await line.ask(ASK | {"evaluation_contexts": ["docs"]})).keys() == {"all", "web"}
    assert values(await line.ask(ASK | {"evaluation_environments": ["app"]})).keys() == {"all"}


async def test_groups_and_device_are_bucketed_as_sent() -> None:
    company = flag("company", rollout=60)
    company["filters"]["aggregation_group_type_index"] = 0
    device = flag("device", rollout=50, bucketing_identifier="device_id")
    line = KeepingLine()
    await line.hold(company, device, group_type_mapping={"0": "organization"})
    line.fail()
    found = {
        (org, dev): values(await line.ask(ASK | {"groups": {"organization": org}, "$device_id": dev}))
        for org in ("a", "b", "c", "d", "e") for dev in ("1", "2", "3", "4", "5", "6")
    }  # fmt: skip
    assert {flags["company"] for flags in found.values()} == {True, False}
    assert {flags["device"] for flags in found.values()} == {True, False}
    assert all(flags["company"] == found[org, "1"]["company"] for (org, _), flags in found.items())
    assert all(flags["device"] == found["a", dev]["device"] for (_, dev), flags in found.items())


TEXT = json.dumps(ASK).encode()
PACKED = base64.b64encode(TEXT)


@pytest.mark.parametrize(
    ("body", "target", "media"),
    [
        (gzip.compress(TEXT, mtime=0), "/flags/?v=2&compression=gzip", "text/plain"),
        (gzip.compress(TEXT, mtime=0), "/flags/?v=2", "application/json"),
        (b"data=" + PACKED.replace(b"=", b"%3D"), "/flags/?v=2&compression=base64", "application/x-www-form-urlencoded"),
        (PACKED, "/flags/?v=2", "text/plain"),
        (b"{token: 'phc_shop', distinct_id: 'user-1',}", "/flags/?v=2", "application/json"),
    ],
    ids=["gzip asked for", "gzip by magic", "old form", "bare base64", "JSON5"],
)
async def test_every_way_of_writing_a_body_that_the_service_reads_is_answered(body: bytes, target: str, media: str) -> None:
    line = KeepingLine()
    await line.hold(flag("on"))
    line.fail()
    headers = (("User-Agent", "posthog-js/1.0"), ("Content-Type", media))
    assert values(await line.ask(body, target=target, headers=headers)) == {"on": True}


SHAPES = {
    "/flags/?v=1": {"featureFlags": {"on": True, "off": False, "split": "a"}, "featureFlagPayloads": {"on": "1"}},
    "/flags/?config=false": {"featureFlags": {"on": True, "off": False, "split": "a"}, "featureFlagPayloads": {"on": "1"}},
    "/decide/?v=1&config=0": {"featureFlags": ["on", "split"]},
    "/decide/?config=0": {"featureFlags": ["on", "split"]},
    "/decide/?v=2&config=0": {"featureFlags": {"on": True, "split": "a"}},
    "/decide/?v=3&config=0": {
        "featureFlags": {"on": True, "off": False, "split": "a"},
        "featureFlagPayloads": {"on": "1"},
    },
}


@pytest.mark.parametrize("target", SHAPES)
async def test_old_shapes_are_written_from_the_same_records(target: str) -> None:
    line = await _with_three_kinds()
    answer = said(await line.ask(ASK, target=target))
    assert {name: answer.get(name) for name in SHAPES[target]} == SHAPES[target]
    assert answer.keys() - {"errorsWhileComputingFlags"} == SHAPES[target].keys() | {"requestId", "evaluatedAt"}


@pytest.mark.parametrize(
    ("target", "field"), [("/flags/?v=2", "enabled"), ("/decide/?v=4&config=0", "enabled"), ("/flags/?v=3", "value")]
)
async def test_new_shapes_are_written_from_the_same_records(target: str, field: str) -> None:
    line = await _with_three_kinds()
    flags = said(await line.ask(ASK, target=target))["flags"]
    assert flags.keys() == {"on", "off", "split"}
    assert all(field in shown for shown in flags.values())
    assert flags["on"]["metadata"]["payload"] == "1"
    assert flags["off"]["reason"]["code"] == "out_of_rollout_bound"


async def _with_three_kinds() -> KeepingLine:
    split = flag("split")
    split["filters"]["multivariate"] = {"variants": [{"key": "a", "rollout_percentage": 100}]}
    paid = flag("on")
    paid["filters"]["payloads"] = {"true": "1"}
    line = KeepingLine()
    await line.hold(paid, flag("off", rollout=0), split)
    line.fail()
    return line


async def test_where_config_is_asked_for_the_services_own_stand_in_is_given() -> None:
    line = KeepingLine()
    await line.hold(flag("on"))
    line.fail()
    answer = said(await line.ask(ASK, target="/flags/?v=2&config=true"))
    assert (answer["hasFeatureFlags"], answer["sessionRecording"]) == (True, False)
    assert "supportedCompression" not in said(await line.ask(ASK, target="/flags/?v=2"))


async def test_minimal_events_are_asked_for_where_the_definitions_do() -> None:
    line = KeepingLine()
    await line.hold(flag("on"), minimal_flag_called_events=True)
    line.fail()
    assert said(await line.ask(ASK))["minimalFlagCalledEvents"] is True


async def test_flags_that_are_off_are_said_to_be_off_after_a_failure() -> None:
    """Browsers merge an answer with errors into what they have: leaving a flag out would keep it on."""
    line = KeepingLine()
    await line.hold(flag("on"), flag("inactive", active=False), flag("deleted", deleted=True))
    line.fail()
    answer = await line.ask(ASK)
    assert values(answer) == {"on": True, "inactive": False, "deleted": False}
    shown = said(answer)["flags"]["inactive"]
    assert (shown["reason"]["code"], shown["metadata"]["version"]) == ("flag_disabled", 5)


async def test_a_caller_never_learns_of_switched_off_flags_that_were_not_meant_for_it() -> None:
    line = KeepingLine()
    await line.hold(flag("on"), flag("secret", active=False, evaluation_runtime="server"))
    line.fail()
    assert values(await line.ask(ASK, headers=BROWSER)) == {"on": True}


async def test_without_the_rung_in_the_policy_definitions_answer_nothing() -> None:
    line = KeepingLine(policy=Policy(rungs=("stale",)))
    await line.hold(flag("on"))
    line.fail()
    assert (await line.ask(ASK)).source is Source.NONE


async def test_definitions_of_a_project_that_keeps_none_any_more_are_forgotten() -> None:
    line = KeepingLine()
    await line.hold(flag("on"))
    projects = {name: type(project)(tokens=project.tokens) for name, project in line.settings.projects.items()}
    line.reconfigured(type(line.settings)(upstreams=line.settings.upstreams, projects=projects))
    line.fail()
    assert (await line.ask(ASK)).source is Source.NONE
    assert line.line.held.get("shop") is None


async def test_the_canary_gets_recent_requests_in_its_own_form() -> None:
    line = KeepingLine()
    line.say(record("on"))
    for number in range(3):
        await line.ask({**ASK, "distinct_id": f"user-{number}", "person_properties": {"n": number}, "$device_id": "d"})
    await line.ask({**ASK, "distinct_id": "$posthog_cookieless"})
    recent = line.line.recent("shop", 3)
    assert [each["distinct_id"] for each in recent] == ["user-1", "user-2"]
    assert recent[1] == {
        "distinct_id": "user-2", "person_properties": {"n": 2}, "groups": {}, "group_properties": {}, "device_id": "d"
    }  # fmt: skip
    assert line.line.recent("unknown", 3) == []
