"""How a flag is read, and that an odd one keeps its name, its state and the place of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from reference import parse_definitions
from reference.definitions.model import Aggregation, ConditionSet, FilterType, Flag, Holdout, Operator, PropertyFilter, Variant

PERSON = {"key": "plan", "type": "person", "value": "pro"}


def parse(**fields: Any) -> Flag:
    return parse_definitions({"flags": [{"key": "f", **fields}]}).flags[0]


def with_filters(**filters: Any) -> Flag:
    return parse(filters={"groups": [], **filters})


def with_leaf(**changes: Any) -> Flag:
    return with_filters(groups=[{"properties": [{**PERSON, **changes}]}])


def leaf_of(flag: Flag) -> PropertyFilter:
    assert flag.defect is None
    return flag.conditions[0].properties[0]


def test_everything_a_flag_can_say_is_read():
    flag = parse(
        id=7,
        version=3,
        active=False,
        deleted=True,
        evaluation_runtime="server",
        evaluation_contexts=["app", "docs"],
        ensure_experience_continuity=True,
        bucketing_identifier="device_id",
        has_experiment=False,
        name="kept as it came",
        filters={
            "groups": [{"properties": [PERSON], "rollout_percentage": 12.5, "variant": "a", "sort_key": "x"}],
            "multivariate": {"variants": [{"key": "a", "rollout_percentage": 60, "name": "A"}]},
            "payloads": {"a": "1"},
            "aggregation_group_type_index": 1,
            "holdout": {"id": 4, "exclusion_percentage": 5},
            "feature_enrollment": True,
            "early_exit": True,
            "super_groups": None,
        },
    )
    assert flag == Flag(
        key="f",
        id=7,
        version=3,
        active=False,
        deleted=True,
        conditions=(
            ConditionSet(
                properties=(PropertyFilter(key="plan", type=FilterType.PERSON, operator=Operator.EXACT, value="pro"),),
                rollout_percentage=12.5,
                variant="a",
                aggregation=Aggregation(1),
                unknown={"sort_key": "x"},
            ),
        ),
        variants=(Variant(key="a", rollout_percentage=60.0, name="A"),),
        payloads={"a": "1"},
        aggregation=Aggregation(1),
        holdout=Holdout(id=4, exclusion_percentage=5.0),
        feature_enrollment=True,
        early_exit=True,
        ensure_experience_continuity=True,
        bucket_by_device=True,
        evaluation_runtime="server",
        evaluation_contexts=("app", "docs"),
        has_experiment=False,
        unknown={"name": "kept as it came", "filters": {"super_groups": None}},
    )


def test_everything_a_flag_can_leave_out_has_the_services_default():
    assert parse(filters={"groups": []}) == Flag(key="f")


@pytest.mark.parametrize(
    "name",
    [
        *("id", "version", "active", "deleted", "evaluation_runtime", "evaluation_contexts"),
        *("ensure_experience_continuity", "bucketing_identifier", "has_experiment"),
    ],
)
def test_null_is_the_same_as_absent(name):
    assert parse(**{name: None}, filters={"groups": []}) == Flag(key="f")


@pytest.mark.parametrize(
    "name", ["multivariate", "payloads", "aggregation_group_type_index", "holdout", "feature_enrollment", "early_exit"]
)
def test_null_in_the_filters_is_the_same_as_absent(name):
    assert with_filters(**{name: None}) == Flag(key="f")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "$.flags[0].filters"),
        ({"filters": []}, "$.flags[0].filters"),
        ({"filters": {}}, "$.flags[0].filters.groups"),
        ({"filters": {"groups": None}}, "$.flags[0].filters.groups"),
        ({"filters": {"groups": "x"}}, "$.flags[0].filters.groups"),
        ({"filters": {"groups": [1]}}, "$.flags[0].filters.groups[0]"),
        ({"filters": {"groups": []}, "id": "1"}, "$.flags[0].id"),
        ({"filters": {"groups": []}, "id": True}, "$.flags[0].id"),
        ({"filters": {"groups": []}, "id": 2**63}, "$.flags[0].id"),
        ({"filters": {"groups": []}, "version": 1.0}, "$.flags[0].version"),
        ({"filters": {"groups": []}, "active": 1}, "$.flags[0].active"),
        ({"filters": {"groups": []}, "deleted": "no"}, "$.flags[0].deleted"),
        ({"filters": {"groups": []}, "evaluation_contexts": "app"}, "$.flags[0].evaluation_contexts"),
        ({"filters": {"groups": []}, "evaluation_contexts": [1]}, "$.flags[0].evaluation_contexts"),
        ({"filters": {"groups": []}, "evaluation_runtime": 1}, "$.flags[0].evaluation_runtime"),
        ({"filters": {"groups": []}, "has_experiment": "x"}, "$.flags[0].has_experiment"),
        ({"filters": {"groups": []}, "bucketing_identifier": 1}, "$.flags[0].bucketing_identifier"),
        ({"filters": {"groups": []}, "ensure_experience_continuity": 0}, "$.flags[0].ensure_experience_continuity"),
        ({"filters": {"groups": []}, "name": float("nan")}, "$.flags[0].name"),
    ],
)
def test_odd_flag_carries_the_place_of_what_is_wrong(fields, path):
    flag = parse(**fields)
    assert flag.defect is not None
    assert (flag.defect.code, flag.defect.path) == ("flag_data_parsing_error", path)
    assert flag.conditions == ()


@pytest.mark.parametrize(
    ("filters", "path"),
    [
        ({"groups": [{"properties": 1}]}, "groups[0].properties"),
        ({"groups": [{"rollout_percentage": "50"}]}, "groups[0].rollout_percentage"),
        ({"groups": [{"rollout_percentage": True}]}, "groups[0].rollout_percentage"),
        ({"groups": [{"rollout_percentage": 10**400}]}, "groups[0].rollout_percentage"),
        ({"groups": [{"rollout_percentage": float("inf")}]}, "groups[0].rollout_percentage"),
        ({"groups": [{"variant": 1}]}, "groups[0].variant"),
        ({"groups": [{"aggregation_group_type_index": "0"}]}, "groups[0].aggregation_group_type_index"),
        ({"multivariate": []}, "multivariate"),
        ({"multivariate": {}}, "multivariate.variants"),
        ({"multivariate": {"variants": [1]}}, "multivariate.variants[0]"),
        ({"multivariate": {"variants": [{"key": "a"}]}}, "multivariate.variants[0].rollout_percentage"),
        ({"multivariate": {"variants": [{"key": 1, "rollout_percentage": 1}]}}, "multivariate.variants[0].key"),
        ({"multivariate": {"variants": [{"key": "a", "rollout_percentage": 1, "name": 1}]}}, "multivariate.variants[0].name"),
        ({"aggregation_group_type_index": 1.5}, "aggregation_group_type_index"),
        ({"holdout": 1}, "holdout"),
        ({"holdout": {"id": "1", "exclusion_percentage": 1}}, "holdout.id"),
        ({"holdout": {"id": 1}}, "holdout.exclusion_percentage"),
        ({"feature_enrollment": "true"}, "feature_enrollment"),
        ({"early_exit": 1}, "early_exit"),
        ({"payloads": {"true": "\ud800"}}, "payloads.true"),
    ],
)
def test_odd_filters_carry_the_place_of_what_is_wrong(filters, path):
    flag = with_filters(**filters)
    assert flag.defect is not None
    assert flag.defect.path == f"$.flags[0].filters.{path}"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"key": None}, "key"),
        ({"key": 1}, "key"),
        ({"type": None}, "type"),
        ({"type": "planet"}, "type"),
        ({"type": ["person"]}, "type"),
        ({"operator": "sounds_like"}, "operator"),
        ({"operator": 1}, "operator"),
        ({"negation": 1}, "negation"),
        ({"group_type_index": "0"}, "group_type_index"),
        ({"value": [float("nan")]}, "value[0]"),
    ],
)
def test_odd_property_filter_carries_the_place_of_what_is_wrong(changes, path):
    flag = with_leaf(**changes)
    assert flag.defect is not None
    assert flag.defect.path == f"$.flags[0].filters.groups[0].properties[0].{path}"


def test_a_defect_says_what_is_allowed_and_never_what_was_sent():
    defect = with_leaf(operator="my-secret").defect
    assert defect is not None
    assert defect.message.startswith("must be one of exact, is_not, is_set")
    assert "my-secret" not in defect.message + defect.path


def test_default_operators_are_exact_and_for_cohorts_in():
    assert leaf_of(with_leaf()).operator is Operator.EXACT
    cohort = leaf_of(with_leaf(type="cohort", key=None))
    assert (cohort.operator, cohort.key) == (Operator.IN, "id")


def test_presentation_keys_of_a_filter_are_kept():
    assert leaf_of(with_leaf(label="Plan")).unknown == {"label": "Plan"}


@pytest.mark.parametrize(
    ("index", "expected"), [({}, 1), ({"aggregation_group_type_index": None}, None), ({"aggregation_group_type_index": 0}, 0)]
)
def test_absent_null_and_number_are_three_aggregations(index, expected):
    flag = with_filters(groups=[index], aggregation_group_type_index=1)
    assert flag.conditions[0].aggregation == Aggregation(expected)


@pytest.mark.parametrize(
    ("version", "expected"),
    [(1, 1), (1.0, 1), (2, 2), (2.0, 2), (3, 0), (0, 0), ("1", 0), (True, 0), (None, 0), ([], 0), (1.5, 0)],
)
def test_config_version_counts_by_value(version, expected):
    assert with_filters(version=version).config_version == expected


def test_another_format_is_not_read_any_further():
    flag = with_filters(version=2, groups="rules instead")
    assert (flag.config_version, flag.defect, flag.conditions) == (2, None, ())


@pytest.mark.parametrize("payloads", [[], "x", 1])
def test_payloads_that_are_no_object_are_no_payloads(payloads):
    assert with_filters(payloads=payloads) == Flag(key="f")


@pytest.mark.parametrize(("value", "device"), [("device_id", True), ("distinct_id", False), ("", False)])
def test_only_device_id_buckets_by_device(value, device):
    assert parse(filters={"groups": []}, bucketing_identifier=value).bucket_by_device is device


def test_an_odd_flag_keeps_what_identifies_and_selects_it():
    flag = parse(
        id=5, version=2, active=False, deleted=True, evaluation_runtime="client", evaluation_contexts=["a", 1], filters=0
    )
    assert flag.defect is not None
    assert (flag.id, flag.version, flag.active, flag.deleted) == (5, 2, False, True)
    assert (flag.evaluation_runtime, flag.evaluation_contexts) == ("client", ("a",))


def test_an_odd_flag_with_odd_identity_has_the_defaults():
    flag = parse(id=True, version="2", active="no", deleted="yes", evaluation_runtime=1, evaluation_contexts="a", filters=0)
    assert (flag.id, flag.version, flag.active, flag.deleted) == (0, 0, True, False)
    assert (flag.evaluation_runtime, flag.evaluation_contexts) == (None, ())
