"""The reasons of outcomes with the service's own texts (contract §5.5, reasons.json), and what is copied from the flag."""

from __future__ import annotations

import pytest

from reference.context import Context
from reference.outcome import Status
from tests.unit.reference.evaluation.building import (
    NOW,
    Members,
    anyone_with,
    cohort,
    compiled,
    condition,
    decide,
    depends,
    evaluate,
    flag,
    person,
)

GROUPS_NOT_EVALUATED = "No matching condition set (group conditions were not evaluated because no group type was provided)"
BEHAVIOUR_NOT_EVALUATED = (
    "This condition targets a behavioral or realtime cohort. Its membership is not fully evaluated here, so this result can "
    "differ from the cohort's member list."
)
BEHAVIOURAL = anyone_with({"key": "$pageview", "type": "behavioral", "value": "performed_event"})
OF_GROUP = {"aggregation_group_type_index": 0}


@pytest.mark.parametrize(
    ("conditions", "code", "index", "text"),
    [
        ([condition()], "condition_match", 0, "Matched condition set 1"),
        ([condition(person("a")), condition()], "condition_match", 1, "Matched condition set 2"),
        ([condition(person("a"))], "no_condition_match", 0, "No matching condition set"),
        ([condition(person("a")), condition(person("b"))], "no_condition_match", 1, "No matching condition set"),
        ([condition(rollout=-1), condition(person("a"))], "out_of_rollout_bound", 0, "Out of rollout bound"),
        ([condition(person("a")), condition(rollout=-1)], "out_of_rollout_bound", 1, "Out of rollout bound"),
        ([], "no_group_type", None, "No group type"),
        ([condition(**OF_GROUP)], "no_group_type", 0, "No group type"),
        ([condition(**OF_GROUP), condition(person("a"))], "no_condition_match", 1, GROUPS_NOT_EVALUATED),
        ([condition(person("a")), condition(**OF_GROUP)], "no_condition_match", 0, GROUPS_NOT_EVALUATED),
        ([condition(cohort(1))], "no_condition_match", 0, "No matching condition set"),
        ([condition(cohort(2))], "no_condition_match", 0, BEHAVIOUR_NOT_EVALUATED),
        ([condition(cohort(2)), condition(**OF_GROUP)], "no_condition_match", 0, BEHAVIOUR_NOT_EVALUATED),
        ([condition(cohort(2), person("a"))], "no_condition_match", 0, "No matching condition set"),
        (
            [condition(cohort(1)), condition(cohort(2)), condition(rollout=-1)],
            "out_of_rollout_bound",
            2,
            "Out of rollout bound",
        ),
    ],
)
def test_reason_is_told_in_the_services_words(conditions, code, index, text):
    cohorts = {"1": anyone_with(person("a")), "2": BEHAVIOURAL}
    asked = {"cohorts": cohorts, "server": True, "memberships": Members({2: False})}
    outcome = decide(flag("f", *conditions), **asked)
    assert (str(outcome.reason), outcome.condition_index, outcome.description) == (code, index, text)
    assert outcome.enabled is (code == "condition_match")


@pytest.mark.parametrize(("choice", "enabled"), [(True, True), ("true", True), ("false", False), (False, False), (1, False)])
def test_early_access_choice_is_told_as_the_super_condition_with_the_true_payload(choice, enabled):
    asked = flag("f", condition(), filters={"feature_enrollment": True, "payloads": {"true": "1"}})
    outcome = evaluate(asked, person_properties={"$feature_enrollment/f": choice}).outcomes["f"]
    assert (outcome.enabled, outcome.payload, str(outcome.reason)) == (enabled, "1", "super_condition_value")
    assert (outcome.condition_index, outcome.description) == (0, "Super condition value")


def test_holdout_is_told_with_its_variant_and_that_variants_payload():
    held_out = {"holdout": {"id": 7, "exclusion_percentage": 100}, "payloads": {"holdout-7": "2", "true": "1"}}
    outcome = evaluate(flag("f", condition(), filters=held_out)).outcomes["f"]
    assert (outcome.enabled, outcome.variant, outcome.payload) == (True, "holdout-7", "2")
    assert (str(outcome.reason), outcome.condition_index) == ("holdout_condition_value", None)
    assert outcome.description == "Holdout condition value"


def test_missing_dependency_is_told_as_a_plain_false_on_a_server():
    evaluation = evaluate(flag("f", condition(depends("nowhere"))), server=True)
    outcome = evaluation.outcomes["f"]
    assert (outcome.status, outcome.enabled, evaluation.errors) == (Status.VALUE, False, False)
    assert (str(outcome.reason), outcome.condition_index) == ("missing_dependency", None)
    assert outcome.description == "Flag cannot be evaluated due to missing dependency"


CYCLE = {"1": anyone_with(cohort(2)), "2": anyone_with(cohort(1))}


@pytest.mark.parametrize(
    ("filters", "code", "text"),
    [
        ([cohort("x")], "cohort_filters_parsing_error", "Failed to parse cohort filters"),
        ([cohort(1)], "dependency_cycle_cohort", "Cohort dependency cycle detected"),
        ([cohort(77)], "dependency_not_found_cohort", "Cohort dependency not found"),
        ([depends("broken")], "dependency_failed", "Flag dependency failed"),
    ],
)
def test_failure_is_told_with_code_and_text_and_sets_the_error_bit(filters, code, text):
    broken = flag("broken", condition(cohort("x")), number=2)
    asked = flag("f", condition(*filters))
    outcome = decide(asked, broken, cohorts=CYCLE, server=True)
    assert (outcome.status, str(outcome.reason), outcome.description, outcome.why) == (Status.FAILED, code, text, code)
    assert (outcome.enabled, outcome.variant, outcome.payload, outcome.condition_index) == (False, None, None, None)
    assert evaluate(asked, broken, cohorts=CYCLE, server=True).errors


@pytest.mark.parametrize("version", [3, "2", 0])
def test_unsupported_config_version_fails_on_a_server_and_is_unknown_elsewhere(version):
    asked = flag("f", condition(), filters={"version": version})
    failed = evaluate(asked, server=True).outcomes["f"]
    assert (failed.status, str(failed.reason)) == (Status.FAILED, "flag_data_parsing_error")
    assert failed.why == "config_version_unsupported"
    assert failed.description == "Failed to parse flag data: unsupported config version"
    local = evaluate(asked).outcomes["f"]
    assert (local.status, local.why) == (Status.INCONCLUSIVE, "config_version_unsupported")


def test_flag_with_a_defect_names_the_place_and_not_the_value():
    asked = flag("f", condition(person("email", "no_such_operator", "secret@example.com")))
    outcome = evaluate(asked, server=True).outcomes["f"]
    assert (outcome.status, str(outcome.reason)) == (Status.FAILED, "flag_data_parsing_error")
    assert outcome.description.startswith("Failed to parse flag data: $.flags[0].filters.groups[0].properties[0].operator ")
    assert "secret" not in outcome.description
    assert evaluate(asked).outcomes["f"].status is Status.INCONCLUSIVE


@pytest.mark.parametrize("server", [True, False])
def test_every_outcome_carries_the_flags_own_numbers(server):
    asked = [
        flag("on", condition(), number=11, has_experiment=True),
        flag("off", condition(rollout=-1), number=12, has_experiment=False),
        flag("asks", condition(person("a")), number=13),
        flag("lost", condition(depends("nowhere")), number=14),
        flag("odd", condition(cohort("x")), number=15),
        flag("newer", condition(), number=16, filters={"version": 2}),
    ]
    outcomes = evaluate(*asked, server=server).outcomes
    assert {key: (outcome.key, outcome.flag_id, outcome.flag_version) for key, outcome in outcomes.items()} == {
        key: (key, 11 + place, 3) for place, key in enumerate(("on", "off", "asks", "lost", "odd", "newer"))
    }
    assert [outcome.has_experiment for outcome in outcomes.values()] == [True, False, None, None, None, None]
    assert [outcome.config_version for outcome in outcomes.values()] == [1, 1, 1, 1, 1, 2]


def test_outcomes_are_made_once_and_shared_between_requests():
    program = compiled(flag("f", condition()), flag("g", condition(person("a")), number=2))
    contexts = [Context(distinct_id=name, properties_complete=True) for name in ("user-1", "user-2")]
    first, second = (program.evaluate(context, now=NOW).outcomes for context in contexts)
    assert all(first[key] is second[key] for key in ("f", "g"))
