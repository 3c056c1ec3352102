"""Which doubt is told when several stand in the way, and which doubts do not matter."""

from __future__ import annotations

import pytest

from reference.outcome import Status
from tests.unit.reference.evaluation.building import Members, cohort, condition, decide, depends, evaluate, flag, person

BROKEN = flag("broken", condition(cohort("x")), number=2)
VARIANTS = {"multivariate": {"variants": [{"key": "a", "rollout_percentage": 50}, {"key": "b", "rollout_percentage": 50}]}}


def doubt(*conditions, filters=None, others=(), **asked):
    outcome = decide(flag("f", *conditions, filters=filters), *others, **asked)
    assert outcome.status is Status.INCONCLUSIVE
    return outcome.why, outcome.condition_index


@pytest.mark.parametrize("order", [1, -1])
def test_unknown_that_can_be_completed_is_told_before_a_failed_dependency(order):
    filters = [depends("broken"), cohort(5)][::order]
    told = decide(flag("f", condition(*filters)), BROKEN, server=True, memberships=Members({}), cohorts={"5": BEHAVIOURAL})
    assert (told.status, told.why) == (Status.INCONCLUSIVE, "membership_unknown")


BEHAVIOURAL = {"type": "AND", "values": [{"key": "$pageview", "type": "behavioral", "value": "performed_event"}]}


@pytest.mark.parametrize("order", [1, -1])
def test_unknown_of_another_condition_is_told_before_a_failed_dependency(order):
    conditions = [condition(depends("broken"), rollout=100), condition(cohort(5))][::order]
    told = decide(flag("f", *conditions), BROKEN, server=True, memberships=Members({}), cohorts={"5": BEHAVIOURAL})
    assert (told.status, told.why) == (Status.INCONCLUSIVE, "membership_unknown")
    assert told.condition_index == (1 if order == 1 else 0)


def test_first_of_two_unknown_filters_is_told():
    assert doubt(condition(person("a"), cohort(77))) == ("property_unknown", 0)
    assert doubt(condition(person("a")), condition(cohort(77))) == ("property_unknown", 0)
    assert doubt(condition(cohort(77)), condition(person("a"))) == ("cohort_unknown", 0)


def test_doubt_is_told_with_the_condition_it_stands_in():
    miss = condition(person("b"))
    assert doubt(miss, condition(person("a")), person_properties={"b": "no"}) == ("property_unknown", 1)


@pytest.mark.parametrize("rollout", [0, -1])
def test_doubt_behind_a_rollout_miss_does_not_matter(rollout):
    outcome = decide(flag("f", condition(person("a"), rollout=-1), condition(person("b"), rollout=rollout)))
    assert (outcome.status, outcome.value) == (Status.VALUE, False)


def test_doubt_does_not_matter_where_a_later_condition_gives_the_same():
    outcome = decide(flag("f", condition(person("a")), condition()))
    assert (outcome.status, outcome.value, outcome.condition_index) == (Status.VALUE, True, 1)


def test_doubt_matters_where_only_the_variant_differs():
    pinned = [condition(person("a"), variant="a"), condition(variant="b")]
    assert doubt(*pinned, filters=VARIANTS) == ("property_unknown", 0)
    same = decide(flag("f", condition(person("a"), variant="b"), condition(variant="b"), filters=VARIANTS))
    assert (same.status, same.value) == (Status.VALUE, "b")


@pytest.mark.parametrize("rollout", [0, -1])
def test_unknown_identity_does_not_matter_where_nobody_is_in(rollout):
    continued = flag("f", condition(rollout=rollout), ensure_experience_continuity=True)
    outcome = decide(continued)
    assert (outcome.status, outcome.value) == (Status.VALUE, False)


def test_unknown_identity_does_not_matter_where_everybody_is_in():
    assert decide(flag("f", condition(), ensure_experience_continuity=True)).value is True


def test_unknown_identity_matters_in_between_and_for_variants():
    half = flag("f", condition(rollout=50), ensure_experience_continuity=True)
    assert decide(half).why == "hash_key_override_unknown"
    split = flag("f", condition(), filters=VARIANTS, ensure_experience_continuity=True)
    assert decide(split).why == "hash_key_override_unknown"
    pinned = flag("f", condition(variant="a"), filters=VARIANTS, ensure_experience_continuity=True)
    assert decide(pinned).value == "a"


@pytest.mark.parametrize("stored", [None, {}, {"f": "first-id"}])
def test_known_overrides_settle_a_continuity_flag(stored):
    half = flag("f", condition(rollout=50), ensure_experience_continuity=True)
    outcome = decide(half, hash_key_overrides=stored, server=stored is None)
    plain = decide(flag("f", condition(rollout=50)), distinct_id="first-id" if stored else "user-1")
    assert (outcome.status, outcome.value) == (Status.VALUE, plain.value)


def test_early_exit_ends_at_a_certain_rollout_miss_but_not_at_a_doubtful_one():
    conditions = [condition(person("a"), rollout=-1), condition()]
    certain = decide(flag("f", *conditions, filters={"early_exit": True}), person_properties={"a": "yes"})
    assert (certain.value, str(certain.reason), certain.condition_index) == (False, "out_of_rollout_bound", 0)
    assert doubt(*conditions, filters={"early_exit": True}) == ("property_unknown", 0)
    missed = decide(flag("f", *conditions, filters={"early_exit": True}), person_properties={"a": "no"})
    assert missed.value is True


@pytest.mark.parametrize(("expected", "known"), [(True, True), ("a", False), ("b", False), ("c", False), (False, False)])
def test_dependent_of_an_unknown_variant_is_asked_for_each_value_it_may_have(expected, known):
    target = flag("t", condition(person("p"), variant="a"), condition(variant="b"), filters=VARIANTS, number=2)
    outcome = decide(flag("f", condition(depends("t", expected))), target)
    if expected in ("a", "b"):
        assert (outcome.status, outcome.why) == (Status.INCONCLUSIVE, "dependency_unknown")
    else:
        assert (outcome.status, outcome.value) == (Status.VALUE, known)


@pytest.mark.parametrize(
    ("first", "second", "contradict"),
    [(True, False, True), ("a", False, True), ("a", "b", True), ("a", "a", False), ("a", True, False), (False, False, False)],
)
def test_filters_that_exclude_each_other_are_a_plain_mismatch_even_of_a_failed_flag(first, second, contradict):
    for one, other in ((first, second), (second, first)):
        asked = flag("f", condition(depends("broken", one), depends("broken", other)))
        outcome = evaluate(asked, BROKEN, server=True).outcomes["f"]
        assert outcome.status is (Status.VALUE if contradict else Status.FAILED)


def test_filters_on_different_flags_do_not_exclude_each_other():
    other = flag("other", condition(cohort("x")), number=3)
    asked = flag("f", condition(depends("broken", "a"), depends("other", "b")))
    assert evaluate(asked, BROKEN, other, server=True).outcomes["f"].status is Status.FAILED


def test_what_a_flag_may_be_is_known_though_it_asks_about_a_flag_that_is_decided():
    base = flag("base", condition(), number=2)
    middle = flag("middle", condition(depends("base"), person("a"), variant="a"), filters=VARIANTS, number=3)
    outcome = decide(flag("f", condition(depends("middle", "c"))), base, middle)
    assert (outcome.status, outcome.value) == (Status.VALUE, False)


def test_reason_of_a_doubt_is_where_it_arose():
    assert str(decide(flag("f", condition(person("a")))).reason) == "no_condition_match"
    assert str(evaluate(flag("f", condition(depends("nowhere")))).outcomes["f"].reason) == "missing_dependency"


@pytest.mark.parametrize("operator", ["in", "not_in"])
def test_opposite_of_unknown_is_unknown(operator):
    assert doubt(condition(cohort(77, operator))) == ("cohort_unknown", 0)
    negated = {"type": "AND", "values": [{**person("a"), "negation": True}]}
    assert doubt(condition(cohort(1, operator)), cohorts={"1": negated}) == ("property_unknown", 0)
    nested = {"1": {"type": "AND", "values": [cohort(77, operator)]}}
    assert doubt(condition(cohort(1)), cohorts=nested) == ("cohort_unknown", 0)


def test_unknown_group_type_is_told_after_an_unknown_filter():
    sent = {"groups": {"project": "alpha"}, "group_properties": {}}
    of_unknown = {"aggregation_group_type_index": 4}
    assert doubt(condition(person("a"), **of_unknown), **sent) == ("property_unknown", 0)
    assert doubt(condition(person("a"), **of_unknown), person_properties={"a": "yes"}, **sent) == ("group_type_unknown", 0)
    missed = decide(flag("f", condition(person("a"), **of_unknown)), person_properties={"a": "no"}, **sent)
    assert (missed.status, missed.value) == (Status.VALUE, False)
    assert decide(flag("f", condition(**of_unknown))).value is False


@pytest.mark.parametrize(
    ("asked", "is_certain"),
    [
        (flag("f", condition()), True),
        (flag("f", condition(person("a"))), False),
        (flag("f", condition(), filters={"feature_enrollment": True}), False),
        (flag("f", condition(depends("nobody"))), False),
        (flag("f", condition(cohort(77))), False),
        ({"id": 1, "key": "f", "filters": {"groups": "none"}}, False),
    ],
)
def test_an_evaluation_is_certain_when_every_flag_has_a_value(asked, is_certain):
    assert evaluate(asked).is_certain is is_certain
    assert evaluate(flag("before", condition(), number=2), asked).is_certain is is_certain
