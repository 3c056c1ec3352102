"""What the server knows and adds about a person: contract §2.3, §5.8 to §5.10, §8, §9."""

from __future__ import annotations

import json
from typing import Any

import pytest
from multidict import CIMultiDict

from reference.context import Context
from reference.request.fields import FlagsBody, read_fields
from reference.service.intake.address import client_address
from reference.service.project.memory import Memory
from reference.service.project.people import CREATED_AT
from reference.service.project.project import Project, load_catalogue
from reference.service.reply import Call
from reference.service.routes.person import asker_of, context_of

HALF = {"groups": [{"rollout_percentage": 50}]}
ALL = {"groups": [{"rollout_percentage": 100}]}
SERVICE = {
    "persons": [
        {
            "distinct_ids": ["ada", "ada-phone"],
            "properties": {"plan": "pro", "$device_id": "d-stored"},
            "created_at": "2025-01-01",
        },
        {"distinct_ids": ["bob"]},
    ],
    "groups": {"organization": {"org-1": {"seats": 3}, "42": {"seats": 9}}},
    "cohort_members": {"201": ["ada-phone", "stranger"], "x": ["bob"]},
    "geoip": {"203.0.113.7": {"$geoip_country_code": "NL", "plan": "located"}},
    "hash_key_overrides": {"bob": {"kept": "from-file"}},
}


def kept(key: str = "kept", filters: Any = HALF, **fields: Any) -> dict[str, Any]:
    return {"key": key, "active": True, "filters": filters, "ensure_experience_continuity": True, **fields}


def project(*flags: Any, **service: Any) -> Project:
    document = {"flags": list(flags), "service": {**SERVICE, **service}}
    return load_catalogue(json.dumps(document).encode()).projects[0]


def context(body: dict[str, Any], *, of: Project | None = None, memory: Memory | None = None, **headers: str) -> Context:
    fields = read_fields(body)
    assert isinstance(fields, FlagsBody)
    call = Call(method="POST", path="/flags", query="", headers=CIMultiDict(headers), peer="10.0.0.9")
    asker = asker_of(call, fields, fields.identity or "", day="2025-03-01")
    return context_of(asker, of or project(), memory or Memory())


def test_distinct_id_is_a_property_unless_the_caller_sent_one():
    assert context({"distinct_id": "eve"}).person_properties["distinct_id"] == "eve"
    sent = context({"distinct_id": "eve", "person_properties": {"distinct_id": None}})
    assert sent.person_properties["distinct_id"] is None


def test_distinct_ids_are_cut_to_200_scalars_and_numbers_are_their_text():
    assert context({"distinct_id": "é" * 201}).distinct_id == "é" * 200
    assert context({"distinct_id": 17}).distinct_id == "17"
    assert context({"distinct_id": 1.0}).distinct_id == "1.0"


def test_any_of_a_persons_ids_finds_their_properties_and_cohorts():
    found = context({"distinct_id": "ada-phone"})
    assert found.person_properties["plan"] == "pro"
    assert found.person_properties[CREATED_AT] == "2025-01-01"
    assert found.memberships is not None
    assert found.memberships.is_member(201) is True
    assert context({"distinct_id": "ada"}).memberships.is_member(201) is True  # type: ignore[union-attr]


def test_an_unknown_person_is_in_no_cohort():
    memberships = context({"distinct_id": "stranger"}).memberships
    assert memberships is not None
    assert memberships.is_member(201) is False


def test_a_cohort_that_does_not_exist_fails_the_flag_that_asks_for_it():
    def asks(cohort: int) -> dict[str, Any]:
        leaf = {"key": "id", "type": "cohort", "value": cohort, "operator": "in"}
        return {"key": f"in-{cohort}", "active": True, "filters": {"groups": [{"properties": [leaf]}]}}

    listed = {"7": {"type": "OR", "values": []}}
    document = {"flags": [asks(7), asks(201), asks(0)], "cohorts": listed, "service": SERVICE}
    memberships = load_catalogue(json.dumps(document).encode()).projects[0].people.membership("bob")
    assert [memberships.is_member(cohort) for cohort in (7, 201, 0)] == [False, False, None]


def test_group_key_overwrites_what_was_sent_and_stored_properties_are_below():
    groups = {"organization": "org-1", "project": ["odd"]}
    sent = {"organization": {"seats": 4, "$group_key": "forged"}}
    found = context({"distinct_id": "a", "groups": groups, "group_properties": sent}).group_properties
    assert found["organization"] == {"seats": 4, "$group_key": "org-1"}
    assert found["project"] == {"$group_key": ["odd"]}


def test_numeric_group_key_finds_the_row_of_its_text():
    assert context({"distinct_id": "a", "groups": {"organization": 42}}).group_properties["organization"]["seats"] == 9


@pytest.mark.parametrize("sent", [{}, {"$geoip_country_code": None}])
def test_geoip_fills_missing_and_null_properties(sent):
    found = context({"distinct_id": "eve", "person_properties": sent}, **{"X-Forwarded-For": "203.0.113.7"})
    assert found.person_properties["$geoip_country_code"] == "NL"


def test_geoip_never_overrides_what_was_sent_and_can_be_switched_off():
    here = {"X-Forwarded-For": "203.0.113.7"}
    assert context({"distinct_id": "a", "person_properties": {"plan": "x"}}, **here).person_properties["plan"] == "x"
    assert "$geoip_country_code" not in context({"distinct_id": "a", "geoip_disable": True}, **here).person_properties


@pytest.mark.parametrize(
    ("body", "device"),
    [
        ({}, ""),
        ({"$device_id": "d"}, "d"),
        ({"device_id": "d"}, "d"),
        ({"$device_id": "", "person_properties": {"$device_id": "p"}}, "p"),
        ({"person_properties": {"$device_id": 5}}, ""),
    ],
)
def test_device_comes_from_the_request_and_never_from_storage(body, device):
    assert context({"distinct_id": "ada", **body}).device_id == device


def test_anonymous_id_is_stored_for_continuity_flags_and_read_back_without_it():
    memory, of = Memory(), project(kept())
    first = context({"distinct_id": "ada", "$anon_distinct_id": "anon-1"}, of=of, memory=memory)
    later = context({"distinct_id": "ada-phone"}, of=of, memory=memory)
    assert first.hash_key_overrides == later.hash_key_overrides == {"kept": "anon-1"}


def test_what_is_stored_is_never_replaced():
    memory, of = Memory(), project(kept())
    context({"distinct_id": "ada", "$anon_distinct_id": "anon-1"}, of=of, memory=memory)
    assert context({"distinct_id": "ada", "$anon_distinct_id": "anon-2"}, of=of, memory=memory).hash_key_overrides == {
        "kept": "anon-1"
    }
    assert context({"distinct_id": "bob", "$anon_distinct_id": "x"}, of=of, memory=memory).hash_key_overrides == {
        "kept": "from-file"
    }


def test_nothing_is_stored_for_people_the_service_does_not_know():
    assert context({"distinct_id": "eve", "$anon_distinct_id": "anon"}, of=project(kept())).hash_key_overrides == {}


@pytest.mark.parametrize(
    "flag",
    [kept(filters=ALL), kept(active=False), kept(bucketing_identifier="device_id"), kept(ensure_experience_continuity=False)],
)
def test_nothing_is_stored_when_no_flag_can_be_affected(flag):
    assert context({"distinct_id": "ada", "$anon_distinct_id": "anon"}, of=project(flag)).hash_key_overrides == {}


def test_cookieless_visitors_are_told_apart_by_what_can_be_seen_of_them():
    def identity(agent: str, day: str) -> str:
        fields = FlagsBody(distinct_id="$posthog_cookieless", timezone="UTC")
        headers = CIMultiDict({"User-Agent": agent})
        call = Call(method="POST", path="/flags", query="", headers=headers, peer="10.0.0.9")
        return asker_of(call, fields, fields.identity or "", day=day).distinct_id

    assert identity("a", "1") == identity("a", "1")
    assert len({identity("a", "1"), identity("b", "1"), identity("a", "2"), "$posthog_cookieless"}) == 4


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("", "10.0.0.9"),
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:80, 10.0.0.1", "198.51.100.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        (" [::1] , x", "::1"),
    ],
)
def test_client_address_is_the_first_forwarded_one_without_port_and_brackets(forwarded, address):
    assert client_address({"X-Forwarded-For": forwarded}, "10.0.0.9") == address
