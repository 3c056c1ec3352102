"""Answers of `/flags`, row by row of contract §1.5, §2.3, §3, §5.2: shapes, config, quota, selection, what the server adds."""

from __future__ import annotations

import pytest

ASK = {"token": "phc_test", "distinct_id": "nobody"}
SERVER = {"User_Agent": "posthog-python/7.91.1"}
BROWSER = {"User_Agent": "Mozilla/5.0 (X11) Chrome/140.0"}

SHAPES = [
    # query, header, field, kind of the flags field, error bit
    ("", {}, "flags", dict, True),
    ("?v=2", {}, "flags", dict, True),
    ("?v=3", {}, "flags", dict, True),
    ("?v=4", {}, "flags", dict, True),
    ("?version=2", {}, "flags", dict, True),
    ("?v=1", {}, "featureFlags", dict, True),
    ("?v=x", {}, "featureFlags", dict, True),
    ("?config=true", {}, "featureFlags", dict, True),
    ("", {"X_Original_Endpoint": "decide"}, "featureFlags", list, False),
    ("?v=2", {"X_Original_Endpoint": "decide"}, "featureFlags", dict, False),
    ("?v=3", {"X_Original_Endpoint": "decide"}, "featureFlags", dict, True),
    ("?v=4", {"X_Original_Endpoint": "decide"}, "flags", dict, True),
]


@pytest.mark.parametrize(("query", "headers", "field", "kind", "has_bit"), SHAPES)
async def test_shape_follows_version_and_header(wire, query, headers, field, kind, has_bit):
    answer = await wire.post(f"/flags{query}", ASK, **headers)
    assert isinstance(answer.json[field], kind)
    assert ("errorsWhileComputingFlags" in answer.json) is has_bit
    assert answer.json["evaluatedAt"] == 1740830400000


@pytest.mark.parametrize(
    ("query", "headers", "merged"),
    [
        ("", {}, True),
        ("?v=2", {}, False),
        ("?v=2&config=1", {}, True),
        ("?v=2&config=off", {}, False),
        ("?v=1", {"X_Original_Endpoint": "decide"}, True),
        ("?v=1&config=false", {"X_Original_Endpoint": "decide"}, False),
    ],
)
async def test_config_is_merged_when_asked_for(wire, query, headers, merged):
    answer = await wire.post(f"/flags{query}", ASK, **headers)
    assert ("siteApps" in answer.json) is merged


async def test_typed_records_carry_value_and_config_version(wire):
    record = (await wire.post("/flags?v=4", ASK)).json["flags"]["on"]
    assert record["value"] is True
    assert record["metadata"]["config_version"] == 1
    assert record["metadata"]["payload"] == '{"a": 1}'


async def test_config_cache_miss_answers_the_safe_minimum(wire):
    wire.change(config=None)
    answer = (await wire.post("/flags", ASK)).json
    assert answer["hasFeatureFlags"] is True
    assert answer["sessionRecording"] is False
    assert "token" not in answer


async def test_over_quota_answers_200_without_flags_and_says_so(wire):
    wire.change(over_quota=["feature_flags"])
    plain = (await wire.post("/flags?v=2", ASK)).json
    assert (plain["flags"], plain["quotaLimited"], plain["errorsWhileComputingFlags"]) == ({}, ["feature_flags"], False)
    assert (await wire.post("/flags", ASK)).json["siteApps"] == [{"id": 7}]
    assert "quotaLimited" not in (await wire.post("/flags?v=2", {**ASK, "disable_flags": True})).json


async def test_recordings_over_quota_show_up_with_the_config_only(wire):
    wire.change(over_quota=["recordings"], config={"sessionRecording": {"endpoint": "/s/"}})
    merged = (await wire.post("/flags", ASK)).json
    assert (merged["quotaLimited"], merged["sessionRecording"]) == (["recordings"], False)
    assert merged["flags"]["on"]["enabled"] is True
    assert "quotaLimited" not in (await wire.post("/flags?v=2", ASK)).json


@pytest.mark.parametrize(
    ("body", "headers", "extra"),
    [
        ({}, {}, set()),
        ({}, SERVER, {"server-side"}),
        ({}, BROWSER, {"client-side"}),
        ({}, {"Origin": "https://a.test"}, {"client-side"}),
        ({}, {"Referer": "https://a.test/"}, {"client-side"}),
        ({}, {"Sec_Fetch_Mode": "cors"}, {"client-side"}),
        ({}, {**SERVER, "Sec_Fetch_Mode": "cors"}, {"server-side"}),
        ({"evaluation_runtime": "server"}, BROWSER, {"server-side"}),
        ({"evaluation_runtime": "CLIENT"}, SERVER, {"client-side"}),
        ({"evaluation_runtime": "all"}, {}, {"server-side", "client-side"}),
        ({"evaluation_runtime": "moon"}, {}, {"server-side", "client-side"}),
    ],
)
async def test_runtime_bound_flags_are_shown_to_their_runtime_only(wire, body, headers, extra):
    answer = await wire.post("/flags?v=2", {**ASK, **body}, **headers)
    assert answer.keys == {"on", "staff", "survey-targeting-nps"} | extra


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"flag_keys": ["on", "unknown"]}, {"on"}),
        ({"flag_keys_to_evaluate": ["staff"]}, {"staff"}),
        ({"flag_keys": []}, set()),
        ({"evaluation_contexts": ["mobile"]}, {"on", "survey-targeting-nps"}),
        ({"evaluation_contexts": ["web", "x"]}, {"on", "staff", "survey-targeting-nps"}),
    ],
)
async def test_a_request_may_ask_for_some_flags_only(wire, body, keys):
    assert (await wire.post("/flags?v=2", {**ASK, **body})).keys == keys


@pytest.mark.parametrize(("text", "keys"), [("true", {"survey-targeting-nps"}), ("", {"survey-targeting-nps"})])
async def test_survey_filter_leaves_survey_flags_only(wire, text, keys):
    assert (await wire.post(f"/flags?v=2&only_evaluate_survey_feature_flags={text}", ASK)).keys == keys


async def test_encrypted_flags_are_never_evaluated(wire):
    assert "secret-config" not in (await wire.post("/flags?v=2", {**ASK, "flag_keys": ["secret-config"]})).keys


async def is_staff(wire, body, **headers) -> bool:
    return (await wire.post("/flags?v=2", {**ASK, **body}, **headers)).json["flags"]["staff"]["enabled"]


async def test_stored_properties_count_and_sent_ones_win(wire):
    assert await is_staff(wire, {"distinct_id": "ada"})
    assert not await is_staff(wire, {"distinct_id": "ada", "person_properties": {"staff": "no"}})
    assert await is_staff(wire, {"$properties": {"staff": "true"}})
    assert not await is_staff(wire, {})


async def test_geoip_fills_what_was_not_sent_from_the_first_forwarded_address(wire):
    here = {"X_Forwarded_For": "203.0.113.7:4711, 10.0.0.1"}
    assert await is_staff(wire, {}, **here)
    assert await is_staff(wire, {"person_properties": {"staff": None}}, **here)
    assert not await is_staff(wire, {"person_properties": {"staff": "no"}}, **here)
    assert not await is_staff(wire, {"geoip_disable": True}, **here)
    assert not await is_staff(wire, {}, X_Forwarded_For="10.0.0.1, 203.0.113.7")


async def test_answers_are_the_same_to_the_byte_for_the_same_request(wire):
    assert (await wire.post("/flags", ASK)).body == (await wire.post("/flags", ASK)).body


async def test_a_flag_that_cannot_be_computed_is_marked_failed(start):
    broken = {"id": 9, "key": "broken", "active": True, "filters": {"groups": [{"properties": [{"key": "a", "type": "moon"}]}]}}
    fine = {"id": 8, "key": "fine", "active": True, "filters": {"groups": [{}]}}
    wire = await start({"flags": [broken, fine], "service": {"tokens": ["phc_test"]}})
    body = (await wire.post("/flags?v=2", ASK)).json
    assert body["errorsWhileComputingFlags"] is True
    assert body["flags"]["broken"]["failed"] is True
    assert body["flags"]["fine"]["enabled"] is True


async def test_minimal_flag_called_events_is_passed_on(start):
    wire = await start({"flags": [], "minimal_flag_called_events": True, "service": {"tokens": ["phc_test"]}})
    assert (await wire.post("/flags?v=2", ASK)).json["minimalFlagCalledEvents"] is True
    assert "minimalFlagCalledEvents" not in (await wire.post("/flags?v=1", ASK)).json
