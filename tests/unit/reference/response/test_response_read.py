"""Reading answers back: what each shape says, what is refused, and that nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.response import ReadAnswer, Shape, Unreadable, read, render_again

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.dictionaries(KEYS, JSON_VALUES, max_size=3)
REASONS = st.fixed_dictionaries({"code": KEYS}, optional={"condition_index": st.none() | st.integers(0, 9), "x": JSON_VALUES})
METADATA = st.fixed_dictionaries(
    {"id": st.integers(0, 9), "payload": JSON_VALUES}, optional={"version": JSON_VALUES, "y": KEYS}
)
V2_RECORDS = st.fixed_dictionaries(
    {"enabled": st.booleans()},
    optional={
        "key": KEYS,
        "variant": st.none() | KEYS,
        "failed": st.booleans(),
        "new_field": JSON_VALUES,
        "reason": st.none() | REASONS,
        "metadata": st.none() | METADATA,
    },
)
V3_RECORDS = st.fixed_dictionaries({"value": JSON_VALUES}, optional={"failed": st.booleans(), "metadata": MEMBERS})
TOP = st.dictionaries(
    KEYS | st.sampled_from(["requestId", "evaluatedAt", "quotaLimited", "minimalFlagCalledEvents", "surveys"]),
    JSON_VALUES,
    max_size=4,
)
ERROR_BIT = st.fixed_dictionaries({}, optional={"errorsWhileComputingFlags": st.booleans() | JSON_VALUES})
FLAGS = st.one_of(
    st.fixed_dictionaries({"flags": st.dictionaries(KEYS, V2_RECORDS | JSON_VALUES, max_size=3)}),
    st.fixed_dictionaries({"flags": st.dictionaries(KEYS, V3_RECORDS, max_size=3)}),
    st.fixed_dictionaries(
        {"featureFlags": st.dictionaries(KEYS, st.booleans() | KEYS | JSON_VALUES, max_size=3)},
        optional={"featureFlagPayloads": MEMBERS | JSON_VALUES},
    ),
    st.fixed_dictionaries({"featureFlags": st.lists(KEYS, unique=True, max_size=3)}),
)
ANSWERS = st.builds(lambda top, error, flags: {**top, **error, **flags}, TOP, ERROR_BIT, FLAGS)


def answer(document: Any) -> ReadAnswer:
    found = read(json.dumps(document).encode())
    assert isinstance(found, ReadAnswer)
    return found


def exactly(value: Any) -> Any:
    """Tell `1` from `1.0` and from `true`, which Python's equality does not."""
    match value:
        case dict():
            return {key: exactly(member) for key, member in value.items()}
        case list():
            return [exactly(member) for member in value]
        case _:
            return type(value).__name__, value


@given(ANSWERS)
def test_an_answer_survives_reading_and_writing_in_its_own_shape(document):
    assert exactly(json.loads(render_again(answer(document)))) == exactly(document)


@given(ANSWERS, st.sampled_from(Shape))
def test_every_answer_can_be_written_in_every_shape_and_read_again_with_the_same_enabled_keys(document, shape):
    first = answer(document)
    again = read(render_again(first, shape), asked=shape)
    assert isinstance(again, ReadAnswer)
    assert again.shape is shape
    enabled = {key for key, record in first.records.items() if record.enabled}
    if not first.odd:
        assert {key for key, record in again.records.items() if record.enabled} == enabled


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_make_reading_raise(body):
    assert isinstance(read(body), ReadAnswer | Unreadable)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"<html>", "not_json"),
        (b'{"flags":{', "not_json"),
        (b'{"flags":' + b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"{}", "no_flags"),
        (b'{"errorsWhileComputingFlags":false}', "no_flags"),
        (b'{"flags":null}', "flags_malformed"),
        (b'{"flags":[]}', "flags_malformed"),
        (b'{"featureFlags":3}', "flags_malformed"),
        (b'{"featureFlags":[1]}', "flags_malformed"),
    ],
)
def test_a_body_that_is_no_answer_says_why(body, reason):
    assert read(body) == Unreadable(reason)


def test_shapes_are_told_apart_by_what_they_hold():
    assert answer({"flags": {"a": {"enabled": True}}}).shape is Shape.V2
    assert answer({"flags": {"a": {"value": 3}}}).shape is Shape.V3
    assert answer({"featureFlags": {}, "featureFlagPayloads": {}}).shape is Shape.LEGACY
    assert answer({"featureFlags": {}, "errorsWhileComputingFlags": False}).shape is Shape.LEGACY
    assert answer({"featureFlags": {"a": True}}).shape is Shape.DECIDE_2
    assert answer({"featureFlags": ["a"]}).shape is Shape.DECIDE_1


def test_an_empty_flags_map_is_the_shape_that_was_asked_for():
    found = read(b'{"flags":{}}', asked=Shape.V3)
    assert isinstance(found, ReadAnswer)
    assert found.shape is Shape.V3


def test_failed_record_is_failed_and_off_whatever_else_it_says():
    record = answer({"flags": {"a": {"enabled": True, "variant": "x", "failed": True}}}).records["a"]
    assert (record.failed, record.enabled, record.variant, record.value) == (True, False, None, None)


def test_a_variant_is_the_value_whatever_enabled_says():
    found = answer({"flags": {"a": {"enabled": False, "variant": "x"}}})
    assert (found.records["a"].enabled, found.records["a"].value) == (True, "x")
    assert json.loads(render_again(found, Shape.DECIDE_1))["featureFlags"] == ["a"]


def test_one_odd_record_spoils_only_itself():
    found = answer({"flags": {"good": {"enabled": True}, "bad": {"enabled": "yes"}, "worse": 7}})
    assert set(found.records) == {"good"}
    assert set(found.odd) == {"bad", "worse"}


def test_record_without_value_among_typed_ones_is_read_as_v2():
    found = answer({"flags": {"new": {"value": "x"}, "old": {"enabled": True, "variant": "y"}}})
    assert {key: record.value for key, record in found.records.items()} == {"new": "x", "old": "y"}


@pytest.mark.parametrize(
    ("value", "enabled", "variant", "payload"),
    [
        (None, False, None, None),
        (False, False, None, None),
        (True, True, None, None),
        ("arm", True, "arm", None),
        (3, True, None, "3"),
        ({"a": [1]}, True, None, '{"a": [1]}'),
    ],
)
def test_typed_values_project_onto_v2_terms(value, enabled, variant, payload):
    written = json.loads(render_again(answer({"flags": {"k": {"value": value}}}), Shape.V2))["flags"]["k"]
    assert (written["enabled"], written["variant"], written["metadata"]["payload"]) == (enabled, variant, payload)


def test_legacy_payloads_reach_the_records_and_orphans_stay():
    found = answer({"featureFlags": {"a": "v"}, "featureFlagPayloads": {"a": {"n": 1}, "gone": 2}})
    assert json.loads(render_again(found, Shape.V2))["flags"]["a"]["metadata"]["payload"] == {"n": 1}
    assert json.loads(render_again(found))["featureFlagPayloads"] == {"a": {"n": 1}, "gone": 2}


def test_a_record_without_a_reason_gets_one_that_says_so():
    written = json.loads(render_again(answer({"featureFlags": {"a": True}}), Shape.V2))["flags"]["a"]
    assert written["reason"] == {"code": "unknown", "condition_index": None, "description": None}


def test_envelope_is_read_and_the_error_bit_can_be_set():
    import msgspec

    document = {
        "flags": {},
        "quotaLimited": ["recordings"],
        "requestId": "r",
        "evaluatedAt": 4,
        "minimalFlagCalledEvents": True,
    }
    found = answer(document)
    envelope = found.envelope
    assert (envelope.errors, envelope.request_id, envelope.evaluated_at) == (None, "r", 4)
    assert envelope.quota_limited == ("recordings",)
    assert envelope.minimal_flag_called_events
    marked = msgspec.structs.replace(found, envelope=msgspec.structs.replace(envelope, errors=True))
    assert json.loads(render_again(marked))["errorsWhileComputingFlags"] is True


def test_numbers_that_no_double_can_hold_are_kept():
    body = b'{"flags":{"a":{"enabled":true,"metadata":{"id":1,"payload":1e400}}},"big":123456789012345678901234567890}'
    found = read(body)
    assert isinstance(found, ReadAnswer)
    assert b'"payload":1e400' in render_again(found)
    assert b"123456789012345678901234567890" in render_again(found)
