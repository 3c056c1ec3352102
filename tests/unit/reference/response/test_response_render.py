"""Bytes of each shape: field names, their order, what is left out."""

from __future__ import annotations

import json

import msgspec
import pytest

from reference.outcome import Evaluation, Outcome, Status
from reference.response import Envelope, Printed, Record, Shape, records_of, render
from reference.response.config import FEATURE_FLAGS, fallback_config, merge_config, mini_answer, quota_envelope

ENVELOPE = Envelope(request_id="0b9a1c2e-0000-4000-8000-000000000001", evaluated_at=1_700_000_000_000)
ON = Outcome(
    key="on", status=Status.VALUE, enabled=True, payload='{"a":1}', reason="condition_match", condition_index=0,
    description="Matched condition set 1", flag_id=7, flag_version=3, has_experiment=False,
)  # fmt: skip
ARM = Outcome(key="arm", status=Status.VALUE, enabled=True, variant="test", reason="condition_match", description="d")
OFF = Outcome(key="off", status=Status.VALUE, reason="no_condition_match", condition_index=1, description="d")
BAD = Outcome(key="bad", status=Status.FAILED, reason="timeout_error", description="Timed out while fetching data")
FLAGS = {outcome.key: outcome for outcome in (ON, ARM, OFF, BAD)}


def test_v2_body_is_the_services_to_the_byte():
    body = render({"on": ON, "bad": BAD}, msgspec.structs.replace(ENVELOPE, errors=True), Shape.V2)
    assert body == (
        b'{"errorsWhileComputingFlags":true,"flags":{"on":{"key":"on","enabled":true,"variant":null,"reason":{"code":'
        b'"condition_match","condition_index":0,"description":"Matched condition set 1"},"metadata":{"id":7,"version":3,'
        b'"description":null,"payload":"{\\"a\\":1}","has_experiment":false}},"bad":{"key":"bad","enabled":false,"variant":null,'
        b'"failed":true,"reason":{"code":"timeout_error","condition_index":null,"description":"Timed out while fetching data"},'
        b'"metadata":{"id":0,"version":0,"description":null,"payload":null}}},"requestId":"0b9a1c2e-0000-4000-8000-000000000001",'
        b'"evaluatedAt":1700000000000}'
    )


def test_v3_types_the_value_and_nulls_a_failed_one():
    flags = json.loads(render(FLAGS, ENVELOPE, Shape.V3))["flags"]
    assert {key: flag["value"] for key, flag in flags.items()} == {"on": True, "arm": "test", "off": False, "bad": None}
    assert flags["arm"]["metadata"]["variant_key"] == "test"
    assert flags["on"]["metadata"]["config_version"] == 1
    assert flags["bad"]["failed"] is True
    assert "failed" not in flags["off"]
    assert "enabled" not in flags["on"]


def test_legacy_lists_false_and_failed_flags_as_false_and_payloads_only_where_there_are_some():
    body = json.loads(render(FLAGS, ENVELOPE, Shape.LEGACY))
    assert body["featureFlags"] == {"on": True, "arm": "test", "off": False, "bad": False}
    assert body["featureFlagPayloads"] == {"on": '{"a":1}'}
    assert list(body) == ["errorsWhileComputingFlags", "featureFlags", "featureFlagPayloads", "requestId", "evaluatedAt"]


def test_decide_shapes_show_enabled_flags_only_and_hide_errors():
    two, one = (json.loads(render(FLAGS, ENVELOPE, shape)) for shape in (Shape.DECIDE_2, Shape.DECIDE_1))
    assert two["featureFlags"] == {"on": True, "arm": "test"}
    assert one["featureFlags"] == ["on", "arm"]
    assert list(two) == list(one) == ["featureFlags", "requestId", "evaluatedAt"]


@pytest.mark.parametrize("shape", list(Shape))
def test_records_render_exactly_as_the_outcomes_they_came_from(shape):
    records = records_of(Evaluation(outcomes=FLAGS))
    assert render(records, ENVELOPE, shape) == render(FLAGS, ENVELOPE, shape)


def test_inconclusive_outcome_is_written_as_failed_never_as_false():
    vague = Outcome(key="vague", status=Status.INCONCLUSIVE, reason="no_condition_match", why="property_unknown")
    assert json.loads(render({"vague": vague}, ENVELOPE, Shape.V2))["flags"]["vague"]["failed"] is True
    assert records_of(Evaluation(outcomes={"vague": vague}))["vague"].failed


def test_number_value_of_rules_v2_has_no_payload_in_v3():
    record = Record(key="n", enabled=True, value=3.5, payload="3.5", config_version=2)
    flag = json.loads(render({"n": record}, ENVELOPE, Shape.V3))["flags"]["n"]
    assert (flag["value"], flag["metadata"]["payload"]) == (3.5, None)


def test_envelope_order_is_quota_identity_time_minimal_then_config():
    envelope = Envelope(
        request_id="r", evaluated_at=1, quota_limited=("recordings",), minimal_flag_called_events=True, extra={"surveys": False}
    )
    assert render({}, envelope, Shape.V2) == (
        b'{"errorsWhileComputingFlags":false,"flags":{},"quotaLimited":["recordings"],"requestId":"r","evaluatedAt":1,'
        b'"minimalFlagCalledEvents":true,"surveys":false}'
    )


def test_config_is_copied_verbatim_but_never_overrides_flags_or_identity():
    config = {"siteApps": [{"id": 1}], "flags": {"x": 1}, "featureFlags": {}, "requestId": "theirs", "heatmaps": True}
    body = json.loads(render({"on": ON}, merge_config(ENVELOPE, config), Shape.V2))
    assert body["siteApps"] == [{"id": 1}]
    assert body["heatmaps"] is True
    assert body["requestId"] == ENVELOPE.request_id
    assert list(body["flags"]) == ["on"]
    assert "featureFlags" not in body


def test_array_quota_limited_of_config_replaces_the_answers():
    merged = merge_config(quota_envelope(ENVELOPE), {"quotaLimited": ["surveys"]})
    assert merged.quota_limited == ("surveys",)
    assert merge_config(quota_envelope(ENVELOPE), {"quotaLimited": True}).quota_limited == (FEATURE_FLAGS,)


def test_session_replay_over_quota_turns_recording_off_and_says_so():
    merged = merge_config(ENVELOPE, {"sessionRecording": {"endpoint": "/s/"}}, replay_over_quota=True)
    assert merged.extra["sessionRecording"] is False
    assert merged.quota_limited == ("recordings",)
    assert merge_config(merged, {}, replay_over_quota=True).quota_limited == ("recordings",)


def test_quota_answer_has_no_error_bit():
    over = quota_envelope(msgspec.structs.replace(ENVELOPE, errors=True))
    assert render({}, over, Shape.V2).startswith(
        b'{"errorsWhileComputingFlags":false,"flags":{},"quotaLimited":["feature_flags"]'
    )


def test_mini_answer_has_the_fixed_config_in_the_asked_shape():
    legacy = json.loads(mini_answer(Shape.LEGACY, request_id="r", evaluated_at=5))
    assert legacy == {
        "errorsWhileComputingFlags": False, "featureFlags": {}, "featureFlagPayloads": {}, "requestId": "r", "evaluatedAt": 5,
        "supportedCompression": ["gzip", "gzip-js"], "config": {"enable_collect_everything": True}, "toolbarParams": {},
        "isAuthenticated": False, "sessionRecording": False,
    }  # fmt: skip
    assert json.loads(mini_answer(Shape.V2, request_id="r", evaluated_at=5))["flags"] == {}


def test_fallback_config_carries_no_token():
    config = fallback_config(has_flags=True)
    assert config["hasFeatureFlags"] is True
    assert "token" not in config


@pytest.mark.parametrize("shape", [Shape.V2, Shape.V3])
@pytest.mark.parametrize(
    "envelope",
    [
        ENVELOPE,
        msgspec.structs.replace(ENVELOPE, errors=True),
        msgspec.structs.replace(ENVELOPE, errors=None),
        msgspec.structs.replace(ENVELOPE, minimal_flag_called_events=True),
        msgspec.structs.replace(ENVELOPE, request_id='odd ",\\ "evaluatedAt":0 }'),
        msgspec.structs.replace(ENVELOPE, request_id=None),
        msgspec.structs.replace(ENVELOPE, evaluated_at=None),
        msgspec.structs.replace(ENVELOPE, quota_limited=("recordings",)),
        msgspec.structs.replace(ENVELOPE, extra={"later": [1], "requestId": "another"}),
    ],
)
def test_printing_from_parts_gives_the_bytes_of_rendering_however_often(shape: Shape, envelope: Envelope):
    printed = Printed(shape)
    for again in range(3):
        now = msgspec.structs.replace(envelope, evaluated_at=envelope.evaluated_at and envelope.evaluated_at + again)
        assert printed.render(FLAGS.values(), now) == render(FLAGS, now, shape)
        assert printed.render((), now) == render({}, now, shape)
