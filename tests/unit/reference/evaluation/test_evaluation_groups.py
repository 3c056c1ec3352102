"""Filters on groups: of types that are known or not, with properties that are known or not, and with dates."""

from __future__ import annotations

import pytest

from reference.outcome import Status
from tests.unit.reference.evaluation.building import condition, decide, flag

UNMAPPED = 7


def of_group(key, operator="exact", value="big", index=0):
    return {"key": key, "type": "group", "operator": operator, "value": value, "group_type_index": index}


def asked(*filters, **context):
    return decide(flag("f", condition(*filters)), **context)


def sent(**properties):
    return {"groups": {"organization": "acme"}, "group_properties": {"organization": properties}}


@pytest.mark.parametrize("server", [True, False])
def test_group_type_that_nobody_knows_has_no_properties_where_no_group_was_sent(server):
    outcome = asked(of_group("size", index=UNMAPPED), server=server)
    assert (outcome.status, outcome.value) == (Status.VALUE, False)
    unset = asked(of_group("size", "is_not_set", None, index=UNMAPPED), server=server)
    assert (unset.status, unset.value) == (Status.VALUE, True)


def test_group_type_that_only_a_newer_service_knows_is_unknown_where_a_group_was_sent():
    context = {"groups": {"project": "alpha"}}
    outcome = asked(of_group("size", index=UNMAPPED), **context)
    assert (outcome.status, outcome.why) == (Status.INCONCLUSIVE, "property_unknown")
    assert asked(of_group("size", index=UNMAPPED), server=True, **context).value is False
    assert asked(of_group("size", "is_not_set", None, index=UNMAPPED), server=True, **context).value is True


@pytest.mark.parametrize(("founded", "expected"), [("2026-11-20T12:00:00Z", True), ("2026-11-22T11:00:00Z", False)])
@pytest.mark.parametrize("server", [True, False])
def test_dates_of_groups_count_from_the_moment_of_the_request(founded, expected, server):
    outcome = asked(of_group("founded", "is_date_before", "-1d"), server=server, timezone="UTC", **sent(founded=founded))
    assert (outcome.status, outcome.value) == (Status.VALUE, expected)


def test_group_property_that_was_not_sent_is_unknown_locally_and_unset_on_a_server():
    assert asked(of_group("size"), **sent()).why == "property_unknown"
    assert asked(of_group("size"), server=True, **sent()).value is False
    assert asked(of_group("size", "is_not_set", None), server=True, **sent()).value is True


def test_group_key_is_a_property_of_the_group():
    assert asked(of_group("$group_key", value="acme"), **sent()).value is True
    assert asked(of_group("$group_key", value="acme"), **sent(**{"$group_key": "other"})).value is True
    assert asked(of_group("$group_key", value="other"), **sent()).value is False


def test_groups_of_one_request_are_told_apart():
    both = condition(of_group("size"), of_group("size", index=UNMAPPED))
    outcome = decide(flag("f", both), **sent(size="big"))
    assert (outcome.status, outcome.why) == (Status.INCONCLUSIVE, "property_unknown")
    assert decide(flag("f", both), server=True, **sent(size="big")).value is False
