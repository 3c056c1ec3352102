"""How a request becomes a context, an instant and a selection; what is refused, and by which name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reference.context import Context, Runtime, Selection
from reference.definitions.errors import Flaw
from reference.reading import KnownMemberships, Request, read_request


def read(sent: dict[str, Any] | None = None, **request: Any) -> Request:
    return read_request({"context": {"distinct_id": "u", **(sent or {})}, **request})


def test_a_bare_request_is_a_local_evaluators():
    assert read() == Request(Context(distinct_id="u"), None, Selection())


def test_everything_a_request_can_say_is_read():
    sent = {
        "person_properties": {"plan": "pro"},
        "groups": {"organization": 42},
        "group_properties": {"organization": {"tier": 1}, "project": None},
        "device_id": "device",
        "anon_distinct_id": "anon",
        "hash_key_overrides": {"f": "key", "g": None},
        "memberships": {"12": True, "13": False},
        "geoip_disabled": False,
        "now": "2026-01-01T00:00:00Z",
    }
    request = read(
        sent,
        properties_complete=True,
        timezone="Europe/Berlin",
        flag_keys=["f"],
        runtime="server",
        evaluation_contexts=["app"],
        survey_only=True,
    )
    assert request.context == Context(
        distinct_id="u",
        person_properties={"plan": "pro"},
        groups={"organization": 42},
        group_properties={"organization": {"tier": 1}, "project": {}},
        device_id="device",
        anon_distinct_id="anon",
        properties_complete=True,
        hash_key_overrides={"f": "key"},
        memberships=KnownMemberships({12: True, 13: False}),
        timezone="Europe/Berlin",
        geoip_disabled=False,
    )
    assert request.now == datetime(2026, 1, 1, tzinfo=UTC)
    expected = Selection(flag_keys=("f",), runtime=Runtime.SERVER, evaluation_contexts=("app",), survey_only=True)
    assert request.selection == expected


def test_cohorts_that_are_not_named_stay_unknown():
    memberships = read({"memberships": {"12": True}}).context.memberships
    assert memberships is not None
    assert [memberships.is_member(12), memberships.is_member(13)] == [True, None]


@pytest.mark.parametrize(("sent", "expected"), [("", ""), (17, "17"), (1.0, "1.0"), ("\ud800", "\ud800")])
def test_distinct_id_may_be_a_number_which_is_its_text(sent, expected):
    assert read({"distinct_id": sent}).context.distinct_id == expected


def test_an_empty_list_of_keys_is_not_the_same_as_none():
    assert read(flag_keys=[]).selection.flag_keys == ()
    assert read(flag_keys=None).selection.flag_keys is None


def test_an_empty_device_leaves_the_property_to_speak():
    assert read({"device_id": ""}).context.device_id is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1.5, datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_now_is_an_iso_instant_or_unix_seconds(now, expected):
    read_now = read({"now": now}).now
    assert read_now == expected
    assert read_now is not None
    assert read_now.utcoffset() is not None


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"distinct_id": None}, "$.context.distinct_id"),
        ({"distinct_id": True}, "$.context.distinct_id"),
        ({"distinct_id": ["u"]}, "$.context.distinct_id"),
        ({"person_properties": []}, "$.context.person_properties"),
        ({"groups": "x"}, "$.context.groups"),
        ({"group_properties": {"a": 1}}, "$.context.group_properties.a"),
        ({"device_id": 1}, "$.context.device_id"),
        ({"anon_distinct_id": 1}, "$.context.anon_distinct_id"),
        ({"hash_key_overrides": {"f": 1}}, "$.context.hash_key_overrides.f"),
        ({"memberships": {"x": True}}, "$.context.memberships"),
        ({"memberships": {"1" * 11: True}}, "$.context.memberships"),
        ({"memberships": {"1": "yes"}}, "$.context.memberships.1"),
        ({"geoip_disabled": 1}, "$.context.geoip_disabled"),
        ({"now": "soon"}, "$.context.now"),
        ({"now": True}, "$.context.now"),
        ({"now": []}, "$.context.now"),
        ({"now": 1e18}, "$.context.now"),
        ({"now": float("nan")}, "$.context.now"),
        ({"now": "0001-01-01T00:00:00+14:00"}, "$.context.now"),
    ],
)
def test_wrong_type_in_the_context_is_refused_by_name(sent, path):
    with pytest.raises(Flaw) as caught:
        read(sent)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("request_fields", "path"),
    [
        ({"context": None}, "$.context"),
        ({"properties_complete": 1}, "$.properties_complete"),
        ({"timezone": 1}, "$.timezone"),
        ({"timezone": "Nowhere/At_All"}, "$.timezone"),
        ({"timezone": "../etc/passwd"}, "$.timezone"),
        ({"timezone": "Europe"}, "$.timezone"),
        ({"flag_keys": "f"}, "$.flag_keys"),
        ({"flag_keys": [1]}, "$.flag_keys"),
        ({"runtime": "edge"}, "$.runtime"),
        ({"evaluation_contexts": [1]}, "$.evaluation_contexts"),
        ({"survey_only": "yes"}, "$.survey_only"),
    ],
)
def test_wrong_type_in_the_request_is_refused_by_name(request_fields, path):
    with pytest.raises(Flaw) as caught:
        read(**request_fields) if "context" not in request_fields else read_request(request_fields)
    assert caught.value.path == path
