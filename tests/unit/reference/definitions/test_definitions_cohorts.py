"""How cohorts are read: the tree, the stored form, static ones, and odd ones that keep their number."""

from __future__ import annotations

from typing import Any

import pytest

from reference import parse_definitions
from reference.definitions.cohort import MAX_COHORT_DEPTH
from reference.definitions.model import BehaviouralLeaf, Cohort, CohortGroup, FilterType, Operator, PropertyFilter

LEAF = {"key": "plan", "type": "person", "operator": "exact", "value": "pro", "negation": True}
READ = PropertyFilter(key="plan", type=FilterType.PERSON, operator=Operator.EXACT, value="pro", negation=True)
TREE = {"type": "OR", "values": [{"type": "AND", "values": [LEAF]}]}
READ_TREE = CohortGroup(conjunction=False, members=(CohortGroup(conjunction=True, members=(READ,)),))


def parse(value: Any) -> Cohort:
    return parse_definitions({"flags": [], "cohorts": {"12": value}}).cohorts[12]


def tower(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"type": "AND", "values": []}
    for _ in range(depth - 1):
        tree = {"type": "AND", "values": [tree]}
    return tree


@pytest.mark.parametrize(
    "form", [TREE, {"properties": TREE}, {"filters": {"properties": TREE}}, {"id": 12, "is_static": False, "properties": TREE}]
)
def test_tree_and_stored_form_are_one_cohort(form):
    assert parse(form) == Cohort(id=12, root=READ_TREE)


@pytest.mark.parametrize("form", [None, {}, {"properties": None}, {"properties": {}}, {"filters": None}, {"is_static": False}])
def test_a_cohort_without_filters_has_no_root(form):
    assert parse(form) == Cohort(id=12)


@pytest.mark.parametrize(
    "form", [{"is_static": True}, {"is_static": True, "properties": TREE}, {"is_static": True, "filters": 7}]
)
def test_a_static_cohort_is_static_whatever_else_it_says(form):
    assert parse(form) == Cohort(id=12, is_static=True)


@pytest.mark.parametrize(("kind", "conjunction"), [("AND", True), ("OR", False), ("property", True)])
def test_groups_are_conjunctions_or_disjunctions(kind, conjunction):
    assert parse({"type": kind, "values": []}).root == CohortGroup(conjunction=conjunction)


@pytest.mark.parametrize("kind", ["behavioral", "behavioural", "lifecycle"])
def test_behavioural_leaves_are_known_as_such(kind):
    tree = {"type": "AND", "values": [{"type": kind, "value": "performed_event", "negation": True}]}
    assert parse(tree).root == CohortGroup(conjunction=True, members=(BehaviouralLeaf(negation=True),))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1, "$.cohorts.12"),
        ([TREE], "$.cohorts.12"),
        ({"is_static": "yes"}, "$.cohorts.12.is_static"),
        ({"type": "XOR", "values": []}, "$.cohorts.12.type"),
        ({"type": ["AND"], "values": []}, "$.cohorts.12.type"),
        ({"values": []}, "$.cohorts.12.type"),
        ({"type": "AND"}, "$.cohorts.12.values"),
        ({"type": "AND", "values": [1]}, "$.cohorts.12.values[0]"),
        ({"properties": {"type": "AND", "values": [{"key": "a"}]}}, "$.cohorts.12.properties.values[0].type"),
        ({"type": "AND", "values": [{**LEAF, "operator": "?"}]}, "$.cohorts.12.values[0].operator"),
        ({"type": "AND", "values": [{"type": "behavioral", "negation": 1}]}, "$.cohorts.12.values[0].negation"),
        ({"type": "AND", "values": [{**LEAF, "value": float("nan")}]}, "$.cohorts.12.values[0].value"),
    ],
)
def test_odd_cohort_carries_the_place_of_what_is_wrong(value, path):
    cohort = parse(value)
    assert cohort.root is None
    assert cohort.defect is not None
    assert (cohort.defect.code, cohort.defect.path) == ("cohort_filters_parsing_error", path)


def test_64_groups_inside_each_other_are_read_and_65_are_not():
    assert parse(tower(MAX_COHORT_DEPTH)).defect is None
    too_deep = parse(tower(MAX_COHORT_DEPTH + 1)).defect
    assert too_deep is not None
    assert too_deep.path == "$.cohorts.12" + ".values[0]" * MAX_COHORT_DEPTH
