"""Filters of different kinds in one condition: all of them count, in the fast loop and in the walk alike."""

from __future__ import annotations

import itertools

import pytest

from reference.context import Context
from reference.outcome import Status
from tests.unit.reference.evaluation.building import NOW, cohort, compiled, condition, decide, depends, evaluate, flag, person

OTHERS = [flag(name, condition(person(name)), number=place) for place, name in enumerate(("x", "y"), start=2)]
COHORTS = {"1": {"type": "AND", "values": [person("c")]}}
KINDS = {"a": person("a"), "b": person("b"), "c": cohort(1), "x": depends("x"), "y": depends("y")}
OF_GROUP = {"key": "size", "type": "group", "operator": "exact", "value": "big", "group_type_index": 0}


@pytest.mark.parametrize("kinds", [*itertools.combinations("abcxy", 2), *itertools.combinations("abcxy", 3), tuple("abcxy")])
def test_condition_holds_only_when_each_of_its_filters_does(kinds):
    asked = flag("f", condition(*(KINDS[kind] for kind in kinds)))
    for missing in (None, *kinds):
        known = {kind: "no" if kind == missing else "yes" for kind in "abcxy"}
        outcome = decide(asked, *OTHERS, cohorts=COHORTS, person_properties=known)
        assert (outcome.status, outcome.value) == (Status.VALUE, missing is None)


@pytest.mark.parametrize("kinds", [*itertools.combinations("abcxy", 2), *itertools.combinations("abcxy", 3)])
def test_one_mismatch_settles_a_condition_whatever_else_is_unknown(kinds):
    asked = flag("f", condition(*(KINDS[kind] for kind in kinds)))
    for known in kinds:
        outcome = decide(asked, *OTHERS, cohorts=COHORTS, person_properties={known: "no"})
        assert (outcome.status, outcome.value) == (Status.VALUE, False)
        open_ = decide(asked, *OTHERS, cohorts=COHORTS, person_properties={known: "yes"})
        assert open_.status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("size", "plan", "expected"), [("big", "yes", True), ("big", "no", False), ("small", "yes", False)])
def test_group_and_person_filters_stand_together(size, plan, expected):
    sent = {"groups": {"organization": "acme"}, "group_properties": {"organization": {"size": size}}}
    asked = flag("f", condition(person("a"), OF_GROUP, depends("x")))
    outcome = decide(asked, *OTHERS, person_properties={"a": plan, "x": "yes", "y": "no"}, **sent)
    assert (outcome.status, outcome.value) == (Status.VALUE, expected)


def test_conditions_are_taken_in_stored_order_and_the_first_that_matches_ends():
    variants = {"multivariate": {"variants": [{"key": key, "rollout_percentage": 50} for key in ("v", "w")]}}
    conditions = [condition(person("a"), variant="v"), condition(person("b"), variant="w")]
    told = {
        (a, b): decide(flag("f", *conditions, filters=variants), person_properties={"a": a, "b": b}).value
        for a, b in itertools.product(("yes", "no"), repeat=2)
    }
    assert told == {("yes", "yes"): "v", ("yes", "no"): "v", ("no", "yes"): "w", ("no", "no"): False}


def test_unknown_override_is_told_with_its_condition():
    asked = flag("f", condition(person("a")), condition(rollout=50), ensure_experience_continuity=True)
    outcome = decide(asked, person_properties={"a": "no"})
    assert (outcome.why, outcome.condition_index) == ("hash_key_override_unknown", 1)


def test_only_located_properties_that_were_sent_as_null_may_be_filled_by_the_service():
    def value(leaf, *, is_off=False, **sent):
        return decide(flag("f", condition(leaf)), person_properties=sent, geoip_disabled=is_off)

    country = person("$geoip_country_code", value="NL")
    assert value(country, **{"$geoip_country_code": "NL"}).value is True
    assert value(country, **{"$geoip_country_code": None}).why == "property_unknown"
    assert value(country, is_off=True, **{"$geoip_country_code": None}).value is False
    assert value(person("plan", "is_set"), plan=None).value is True


def test_first_doubt_of_a_cohort_group_is_told():
    for first, second, why in ((person("a"), cohort(77), "property_unknown"), (cohort(77), person("a"), "cohort_unknown")):
        group = {"type": "AND", "values": [first, second]}
        assert decide(flag("f", condition(cohort(1))), cohorts={"1": group}).why == why


def test_static_cohort_needs_no_other_whatever_is_stored_with_it():
    static = {"is_static": True, "type": "AND", "values": [cohort(1)]}
    outcome = evaluate(flag("f", condition(cohort(1))), cohorts={"1": static}).outcomes["f"]
    assert (outcome.status, outcome.why) == (Status.INCONCLUSIVE, "membership_unknown")


def test_failures_and_doubts_are_made_once_and_shared_between_requests():
    program = compiled(flag("odd", condition(cohort("x"))), flag("asks", condition(person("a")), number=2))
    for complete, key in ((True, "odd"), (False, "asks")):
        first, second = (
            program.evaluate(Context(distinct_id=name, properties_complete=complete), now=NOW).outcomes[key] for name in "uv"
        )
        assert first is second
