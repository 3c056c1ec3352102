"""Several cohorts in one condition, cohorts that need cohorts, and what happens when one of them cannot be decided."""

from __future__ import annotations

import pytest

from reference.outcome import Status
from tests.unit.reference.evaluation.building import Members, anyone_with, cohort, condition, decide, flag, person

A, B = person("a"), person("b")
COHORTS = {"1": anyone_with(A), "2": anyone_with(B), "3": anyone_with(cohort(1), cohort(2)), "4": anyone_with(cohort(3))}


def value(*filters, properties=(), **asked):
    held = {"person_properties": dict.fromkeys(properties, "yes"), "cohorts": COHORTS, "server": True}
    return decide(flag("f", condition(*filters)), **{**held, **asked})


@pytest.mark.parametrize(
    ("properties", "both", "one_not_other", "neither"),
    [("", False, False, True), ("a", False, True, False), ("b", False, False, False), ("ab", True, False, False)],
)
def test_all_cohorts_of_a_condition_must_hold(properties, both, one_not_other, neither):
    assert value(cohort(1), cohort(2), properties=properties).value is both
    assert value(cohort(1), cohort(2, "not_in"), properties=properties).value is one_not_other
    assert value(cohort(1, "not_in"), cohort(2, "not_in"), properties=properties).value is neither


@pytest.mark.parametrize("properties", ["", "a", "b", "ab"])
@pytest.mark.parametrize("number", [3, 4, "3", "4"])
def test_cohort_of_cohorts_is_decided_from_the_ones_it_needs(number, properties):
    assert value(cohort(number), properties=properties).value is (properties == "ab")
    assert value(cohort(number, "not_in"), properties=properties).value is (properties != "ab")


@pytest.mark.parametrize("order", [1, -1])
def test_cohort_that_fails_wins_over_one_that_does_not_match(order):
    """§5.4 e: all cohorts of a condition are loaded before any is compared."""
    filters = [cohort(1), cohort(77)][::order]
    outcome = value(*filters)
    assert (outcome.status, outcome.why) == (Status.FAILED, "dependency_not_found_cohort")


@pytest.mark.parametrize("operator", ["in", "not_in"])
def test_cohort_that_fails_is_no_mismatch_whichever_way_it_is_asked(operator):
    outcome = value(cohort(77, operator))
    assert (outcome.status, outcome.why) == (Status.FAILED, "dependency_not_found_cohort")


def test_first_failure_of_several_is_told():
    assert value(cohort("x"), cohort(77)).why == "cohort_filters_parsing_error"
    assert value(cohort(77), cohort("x")).why == "dependency_not_found_cohort"


def test_failing_cohort_does_not_matter_behind_another_filter_that_does_not_match():
    assert value(person("c"), cohort(77)).value is False
    assert value(person("c"), cohort(77)).status is Status.VALUE


def test_failing_cohort_matters_behind_a_filter_that_is_unknown():
    outcome = value(cohort(5), cohort(77), memberships=Members({}))
    assert outcome.status is Status.FAILED


@pytest.mark.parametrize("odd", ["x", None, 1.5, "", "1 ", True, 2**31, [1]])
def test_cohort_that_names_an_odd_cohort_cannot_be_parsed(odd):
    cohorts = {"1": anyone_with(A), "2": {"type": "OR", "values": [A, cohort(odd)]}}
    on_server = value(cohort(2), properties="a", cohorts=cohorts)
    assert (on_server.status, on_server.why) == (Status.FAILED, "cohort_filters_parsing_error")
    local = value(cohort(2), properties="a", cohorts=cohorts, server=False)
    assert (local.status, local.why, local.condition_index) == (Status.INCONCLUSIVE, "cohort_unparsable", 0)


def test_failure_of_a_needed_cohort_reaches_every_cohort_above_it():
    cohorts = {"1": anyone_with(cohort(77)), "2": {"type": "OR", "values": [A, cohort(1)]}, "3": anyone_with(cohort(2))}
    outcome = value(cohort(3), properties="a", cohorts=cohorts)
    assert (outcome.status, outcome.why) == (Status.FAILED, "dependency_not_found_cohort")


def test_unknown_cohort_is_no_failure_where_definitions_may_lack_it():
    """A local evaluator's definitions leave static cohorts out."""
    outcome = value(cohort(77), server=False)
    assert (outcome.status, outcome.why) == (Status.INCONCLUSIVE, "cohort_unknown")
    assert value(cohort(77), server=False, memberships=Members({77: True})).value is True
    assert value(cohort(77, "not_in"), server=False, memberships=Members({77: True})).value is False
    assert value(cohort(77), server=True, memberships=Members({77: True})).value is True


def test_mismatch_of_one_cohort_settles_another_that_is_unknown():
    known = {"server": False, "memberships": Members({5: False})}
    assert value(cohort(5), cohort(77), **known).value is False
    assert value(cohort(5), cohort(77), **known).status is Status.VALUE
    assert value(cohort(5, "not_in"), cohort(77), **known).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("conjunction", "settling"), [("AND", "no"), ("OR", "yes")])
def test_settling_leaf_decides_a_group_with_unknown_ones_before_and_after(conjunction, settling):
    group = {"type": conjunction, "values": [person("x"), A, person("y")]}
    outcome = value(cohort(1), cohorts={"1": group}, server=False, person_properties={"a": settling})
    assert (outcome.status, outcome.value) == (Status.VALUE, conjunction == "OR")


@pytest.mark.parametrize("conjunction", ["AND", "OR"])
def test_empty_group_is_true_as_and_false_as_or(conjunction):
    assert value(cohort(1), cohorts={"1": {"type": conjunction, "values": []}}).value is (conjunction == "AND")


@pytest.mark.parametrize("properties", ["", "a"])
def test_negated_leaf_complements(properties):
    negated = {
        "1": anyone_with({**A, "negation": True}),
        "2": anyone_with({**cohort(3), "negation": True}),
        "3": anyone_with(A),
    }
    for number in (1, 2):
        assert value(cohort(number), properties=properties, cohorts=negated).value is (properties == "")


def test_leaf_that_cannot_be_compared_is_false_before_it_is_negated():
    odd = person("a", "gt", "not a number")
    assert value(cohort(1), properties="a", cohorts={"1": anyone_with(odd)}).value is False
    assert value(cohort(1), properties="a", cohorts={"1": anyone_with({**odd, "negation": True})}).value is True


def test_operator_that_no_cohort_knows_matches_nobody():
    assert value(cohort(1, "exact"), properties="a").value is False
    assert value(cohort(3), properties="ab", cohorts={**COHORTS, "3": anyone_with(cohort(1, "exact"))}).value is False


@pytest.mark.parametrize("nested", [False, True])
def test_added_properties_are_there_for_cohorts_that_alone_look_at_them(nested):
    """§2.3: the service fills `$initial_browser` from `$browser`, whoever asks for it."""
    looks = anyone_with(person("$initial_browser", value="Firefox"))
    tree = {"type": "OR", "values": [looks]} if nested else looks
    sent = {"person_properties": {"$browser": "Firefox"}, "cohorts": {"1": tree}}
    assert value(cohort(1), **sent).value is True
    assert value(cohort(1), server=False, **sent).status is Status.INCONCLUSIVE
