"""Every operator, with its key present, null, known to be absent, and unknown (contract §7.1)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reference.definitions.model import FilterType, Operator, PropertyFilter
from reference.matching.match import Moment, View
from reference.matching.operators import compile_filter
from tests.unit.reference.matching.asking import ABSENT, ask, said

UNKNOWN = "property_unknown"

# operator, a plain filter value, a property that satisfies it, one that does not, then the answers for a present null,
# an absent key in complete mode, and a missing key in partial mode.
TABLE = [
    ("exact", "a", "a", "b", False, False, UNKNOWN),
    ("is_not", "a", "b", "a", True, True, UNKNOWN),
    ("is_set", "a", "b", None, True, False, UNKNOWN),
    ("icontains", "a", "cab", "b", False, False, UNKNOWN),
    ("not_icontains", "a", "b", "cab", True, True, UNKNOWN),
    ("icontains_multi", ["a", "x"], "cab", "b", False, False, UNKNOWN),
    ("not_icontains_multi", ["a", "x"], "b", "cab", True, True, UNKNOWN),
    ("starts_with", "a", "ab", "ba", False, False, UNKNOWN),
    ("not_starts_with", "a", "ba", "ab", True, True, UNKNOWN),
    ("ends_with", "a", "ba", "ab", False, False, UNKNOWN),
    ("not_ends_with", "a", "ab", "ba", True, True, UNKNOWN),
    ("regex", "^a", "ab", "ba", False, False, UNKNOWN),
    ("not_regex", "^a", "ba", "ab", True, True, UNKNOWN),
    ("gt", 1, 2, 1, "INVALID", False, UNKNOWN),
    ("gte", 1, 1, 0, "INVALID", False, UNKNOWN),
    ("lt", 1, 0, 1, "INVALID", False, UNKNOWN),
    ("lte", 1, 1, 2, "INVALID", False, UNKNOWN),
    ("between", [1, 2], 1, 3, False, False, UNKNOWN),
    ("not_between", [1, 2], 3, 1, True, True, UNKNOWN),
    ("semver_eq", "1.2.3", "1.2.3", "1.2.4", False, False, UNKNOWN),
    ("semver_neq", "1.2.3", "1.2.4", "1.2.3", False, False, UNKNOWN),
    ("semver_gt", "1.2.3", "1.2.4", "1.2.3", False, False, UNKNOWN),
    ("semver_gte", "1.2.3", "1.2.3", "1.2.2", False, False, UNKNOWN),
    ("semver_lt", "1.2.3", "1.2.2", "1.2.3", False, False, UNKNOWN),
    ("semver_lte", "1.2.3", "1.2.3", "1.2.4", False, False, UNKNOWN),
    ("semver_tilde", "1.2", "1.2.9", "1.3.0", False, False, UNKNOWN),
    ("semver_caret", "1.2", "1.9.0", "2.0.0", False, False, UNKNOWN),
    ("semver_wildcard", "1.*", "1.9.0", "2.0.0", False, False, UNKNOWN),
    ("is_date_exact", "2024-01-02", "2024-01-02", "2024-01-01", False, False, UNKNOWN),
    ("is_date_before", "2024-01-02", "2024-01-01", "2024-01-02", False, False, UNKNOWN),
    ("is_date_after", "2024-01-02", "2024-01-03", "2024-01-02", False, False, UNKNOWN),
]
COVERED = {row[0] for row in TABLE} | {"is_not_set", "in", "not_in", "flag_evaluates_to"}
IDS = [row[0] for row in TABLE]


def test_the_table_covers_every_operator() -> None:
    assert {str(operator) for operator in Operator} == COVERED


@pytest.mark.parametrize("row", TABLE, ids=IDS)
@pytest.mark.parametrize("explicit", [False, True], ids=["legacy", "explicit"])
@pytest.mark.parametrize("complete", [False, True], ids=["partial", "complete"])
def test_a_present_key_is_compared_in_both_modes(row: tuple, explicit: bool, complete: bool) -> None:
    operator, wanted, good, bad, *_ = row
    assert said(ask(operator, wanted, good, explicit=explicit, complete=complete)) is True
    if operator != "is_set":
        assert said(ask(operator, wanted, bad, explicit=explicit, complete=complete)) is False


@pytest.mark.parametrize("row", TABLE, ids=IDS)
@pytest.mark.parametrize("complete", [False, True], ids=["partial", "complete"])
def test_a_null_counts_as_set(row: tuple, complete: bool) -> None:
    operator, wanted, _, _, null, *_ = row
    assert said(ask(operator, wanted, None, complete=complete)) == null


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_an_absent_key_is_answered_in_complete_mode_and_unknown_in_partial_mode(row: tuple) -> None:
    operator, wanted, _, _, _, absent, partial = row
    assert said(ask(operator, wanted)) == absent
    assert said(ask(operator, wanted, complete=False)) == partial


@pytest.mark.parametrize("operator", sorted(COVERED - {"is_set", "is_not_set"}))
@pytest.mark.parametrize("value", [ABSENT, None, "a", 1], ids=["absent", "null", "text", "number"])
@pytest.mark.parametrize("complete", [False, True])
def test_a_null_filter_value_never_matches_even_under_a_negative_operator(operator: str, value: object, complete: bool) -> None:
    assert said(ask(operator, None, value, complete=complete)) is False


@pytest.mark.parametrize("wanted", [None, "a", ["a"], 0])
def test_presence_ignores_the_filter_value(wanted: object) -> None:
    assert said(ask("is_set", wanted, None)) is True
    assert said(ask("is_set", wanted, "x", complete=False)) is True
    assert said(ask("is_set", wanted)) is False
    assert said(ask("is_set", wanted, complete=False)) == UNKNOWN
    assert said(ask("is_not_set", wanted, None)) is False
    assert said(ask("is_not_set", wanted, "x", complete=False)) is False
    assert said(ask("is_not_set", wanted)) is True
    assert said(ask("is_not_set", wanted, complete=False)) == UNKNOWN


@pytest.mark.parametrize("operator", ["in", "not_in", "flag_evaluates_to"])
@pytest.mark.parametrize("value", [ABSENT, None, "1"], ids=["absent", "null", "text"])
@pytest.mark.parametrize("complete", [False, True])
def test_operators_of_cohorts_and_flags_are_errors_on_properties(operator: str, value: object, complete: bool) -> None:
    assert said(ask(operator, "1", value, complete=complete)) == "INVALID"


# operator, filter value, and what every present value and the absent key share.
CONSTANTS = [
    ("icontains_multi", [], False, False),
    ("not_icontains_multi", [], True, True),
    ("regex", "(", False, False),
    ("gt", "x", False, "INVALID"),
    ("gt", float("nan"), False, "INVALID"),
    ("gt", "nan", False, False),
    ("lte", "nan", False, False),
    ("gt", "inf", False, False),
    ("lt", "-inf", False, False),
    ("between", [2, 1], "INVALID", "INVALID"),
    ("not_between", [2, 1], "INVALID", "INVALID"),
    ("not_between", "1", "INVALID", "INVALID"),
    ("semver_eq", "x", False, "INVALID"),
    ("semver_neq", "", False, "INVALID"),
    ("semver_wildcard", "1.*.3", False, "INVALID"),
    ("is_date_before", "banana", False, False),
    ("is_date_after", 5, False, False),
    ("is_date_exact", "2024-02-30", False, False),
]


@pytest.mark.parametrize(("operator", "wanted", "unknown", "present"), CONSTANTS)
def test_a_filter_that_decides_alone_needs_no_property(operator: str, wanted: object, unknown: object, present: object) -> None:
    assert said(ask(operator, wanted, complete=False)) == unknown
    assert said(ask(operator, wanted)) == unknown
    good = "1.0.0" if operator.startswith("semver") else 1
    assert said(ask(operator, wanted, good)) == present


@pytest.mark.parametrize(
    ("operator", "wanted"), [("lt", "inf"), ("gte", "inf"), ("gt", "-inf"), ("lte", "-inf"), ("is_not", []), ("icontains", "")]
)
def test_a_filter_that_some_value_could_turn_needs_the_property(operator: str, wanted: object) -> None:
    assert said(ask(operator, wanted, complete=False)) == UNKNOWN


def test_a_refused_pattern_matches_nothing_but_an_absent_key_is_answered_before_the_pattern() -> None:
    assert said(ask("not_regex", "(", "x")) is False
    assert said(ask("not_regex", "(")) is True
    assert said(ask("not_regex", "(", complete=False)) == UNKNOWN


def test_person_metadata_has_keys_of_its_own() -> None:
    found = compile_filter(
        PropertyFilter(key="created_at", type=FilterType.PERSON_METADATA, operator=Operator.IS_SET), explicit_matching=False
    )
    moment = Moment(datetime(2024, 1, 1, tzinfo=UTC), None)
    assert found(View({"__posthog_person_metadata__created_at": "2024-01-01"}, moment, complete=True)) is True
    assert found(View({"created_at": "2024-01-01"}, moment, complete=True)) is False


@pytest.mark.parametrize("kind", [FilterType.PERSON, FilterType.GROUP])
def test_group_filters_look_up_their_key_as_it_is(kind: FilterType) -> None:
    found = compile_filter(PropertyFilter(key="k", type=kind, operator=Operator.EXACT, value="a"), explicit_matching=False)
    assert found(View({"k": "a"}, Moment(datetime(2024, 1, 1, tzinfo=UTC), None), complete=False)) is True


def test_negation_of_a_property_filter_is_ignored() -> None:
    found = compile_filter(
        PropertyFilter(key="k", type=FilterType.PERSON, operator=Operator.EXACT, value="a", negation=True),
        explicit_matching=False,
    )
    assert found(View({"k": "a"}, Moment(datetime(2024, 1, 1, tzinfo=UTC), None), complete=True)) is True


@pytest.mark.parametrize("kind", [FilterType.COHORT, FilterType.FLAG])
def test_filters_on_cohorts_and_flags_are_refused(kind: FilterType) -> None:
    with pytest.raises(ValueError, match=f"a {kind} filter is no property filter"):
        compile_filter(PropertyFilter(key="id", type=kind, operator=Operator.IN, value=1), explicit_matching=False)
