"""Causes: what is told apart, and what is one."""

import pytest

from harness.search.cause import Specimen, features
from harness.search.classes import CLASSES, value_class
from harness.search.structures import flag


def specimen(leaf=None, person=None, cohorts=None, **filters):
    condition = {"properties": [] if leaf is None else [leaf], "rollout_percentage": filters.pop("rollout", 100)}
    asked = flag(0, "f", {"groups": [condition], **filters})
    return Specimen(
        {"flags": [asked], "cohorts": cohorts or {}, "group_type_mapping": {}},
        {"distinct_id": "a", "person_properties": person or {}},
        "f",
    )


def leaf(operator, value):
    return {"key": "p", "type": "person", "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"), (True, "boolean"), (1, "number"), ("TRUE", "boolean text"), ("1.0", "numeric text"),
        ("01", "odd numeric text"),
        (" 1", "nearly numeric text"), ("0x1f", "nearly numeric text"), ("", "empty text"),
        ("ß", "non-ASCII text"), ("pro", "text"),
        ([], "empty list"), (["a", "b"], "list of text"), (["a", 1], "mixed list"), ({}, "object"),
    ],
)  # fmt: skip
def test_a_value_has_the_class_that_a_branch_would_tell(value, expected):
    assert value_class(value) == expected


def test_two_operators_of_one_family_with_alike_values_are_one_cause():
    one = specimen(leaf("gt", 5), {"p": "abc"})
    assert features(one) == features(specimen(leaf("lte", 9), {"p": "xyz"})) == ("order", "number", "text")


def test_a_property_that_was_not_sent_is_a_class_of_its_own():
    assert features(specimen(leaf("exact", "x")))[2] == "missing"


@pytest.mark.parametrize(
    ("built", "feature"),
    [
        (specimen(rollout=0), ("rollout", "0 %", "text")),
        (specimen(leaf("exact", "x"), {"p": "y"}, rollout=50), ("filtered rollout+equality", "text", "text")),
        (specimen(rollout=101), ("rollout", "outside 0 to 100 %", "text")),
        (specimen(payloads={"true": "0"}), ("payload", "payload numeric text", "–")),
        (specimen(feature_enrollment=True), ("feature_enrollment", "100 %", "text")),
        (specimen(holdout={"id": 1, "exclusion_percentage": 1}), ("holdout", "100 %", "text")),
        (
            specimen(
                {"key": "id", "type": "cohort", "value": 1, "operator": "not_in"}, cohorts={"1": {"type": "OR", "values": []}}
            ),
            ("cohort not_in, empty", "100 %", "text"),
        ),
    ],
)
def test_what_surrounds_a_filter_names_the_feature(built, feature):
    assert features(built) == feature


@pytest.mark.parametrize(
    ("family", "value", "expected"),
    [
        ("date", "-3d", "relative date"), ("date", "2024-01-01T10:00:00Z", "date and time with zone"), ("date", 5, "number"),
        ("version", "1.2.3-a", "pre-release"), ("version", "v1", "prefixed version"), ("version", "1.02", "leading zero"),
        ("pattern", "(?=a)", "look-around"), ("pattern", r"\p{L}", "Unicode property"), ("pattern", "pro", "pattern"),
    ],
)  # fmt: skip
def test_dates_versions_and_patterns_have_classes_of_their_own(family, value, expected):
    assert CLASSES[family][0](value) == expected


def test_an_empty_level_counts_however_deep_the_cohort_is_that_has_it():
    asked = {"key": "id", "type": "cohort", "value": 1, "operator": "in"}
    cohorts = {
        "1": {"type": "OR", "values": [{"key": "id", "type": "cohort", "value": 2, "operator": "in"}]},
        "2": {"type": "OR", "values": [{"type": "AND", "values": [{"type": "OR", "values": []}]}]},
    }
    assert features(specimen(asked, cohorts=cohorts))[0] == "cohort, an empty level in a cohort"
