"""Laws about cohorts: negation complements, and a tree is the boolean expression it spells."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reference import Context, Status
from tests.properties.reference.asking import evaluate, one_flag
from tests.properties.reference.strategies import KEYS, property_filters, values

people = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)
leaves = property_filters().flatmap(lambda leaf: st.booleans().map(lambda flips: {**leaf, "negation": flips}))


def is_member(
    trees: dict[str, Any], person: dict[str, Any], *, operator: str = "in", complete: bool = True, cohort: int = 1
) -> bool | None:
    """Say whether the person is in the cohort; None when that is not known."""
    condition = {"properties": [{"key": "id", "type": "cohort", "operator": operator, "value": cohort}]}
    context = Context(distinct_id="u", person_properties=person, properties_complete=complete)
    outcome = evaluate({**one_flag(condition), "cohorts": trees}, context).outcomes["f"]
    assert outcome.status is not Status.FAILED
    return outcome.enabled if outcome.status is Status.VALUE else None


def flipped(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def tree(kind: str, *members: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "values": list(members)}


@given(leaves, people, st.booleans())
def test_a_negated_cohort_leaf_complements(leaf, person, complete):
    other = {**leaf, "negation": not leaf["negation"]}
    one = is_member({"1": tree("AND", leaf)}, person, complete=complete)
    assert is_member({"1": tree("AND", other)}, person, complete=complete) == flipped(one)


@given(leaves, people, st.booleans())
def test_not_in_complements_in(leaf, person, complete):
    trees = {"1": tree("OR", leaf)}
    inside = is_member(trees, person, complete=complete)
    assert is_member(trees, person, operator="not_in", complete=complete) == flipped(inside)


@given(st.lists(leaves, max_size=4), people, st.booleans())
def test_a_tree_is_de_morgans_other_tree_negated(members, person, complete):
    negated = [{**leaf, "negation": not leaf["negation"]} for leaf in members]
    every = is_member({"1": tree("AND", *members)}, person, complete=complete)
    assert is_member({"1": tree("OR", *negated)}, person, complete=complete) == flipped(every)


@given(st.lists(leaves, max_size=3), st.sampled_from(("AND", "OR")), people, st.booleans())
def test_a_cohort_reached_through_another_is_the_cohort_itself(members, kind, person, complete):
    trees = {
        "1": tree(kind, *members),
        "2": tree("AND", {"key": "id", "type": "cohort", "operator": "in", "value": 1}),
        "3": tree("OR", {"key": "id", "type": "cohort", "operator": "not_in", "value": 1, "negation": True}),
    }
    direct = is_member(trees, person, complete=complete)
    assert [is_member(trees, person, complete=complete, cohort=number) for number in (2, 3)] == [direct, direct]


@given(st.lists(leaves, max_size=4), people)
def test_the_order_of_a_trees_members_is_irrelevant(members, person):
    for kind in ("AND", "OR"):
        forwards, backwards = tree(kind, *members), tree(kind, *reversed(members))
        assert is_member({"1": forwards}, person, complete=False) == is_member({"1": backwards}, person, complete=False)


@given(leaves, people)
def test_a_cohort_of_one_leaf_answers_as_the_filter_itself_would(leaf, person):
    plain = {**leaf, "negation": False}
    context = Context(distinct_id="u", person_properties=person, properties_complete=True)
    direct = evaluate(one_flag({"properties": [plain]}), context).outcomes["f"]
    assert is_member({"1": tree("AND", plain)}, person) is direct.enabled
