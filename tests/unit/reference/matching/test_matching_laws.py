"""Laws that hold for every filter and every value."""

# ruff: noqa: E501 - rows of a table, read across
from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.definitions.model import FilterType, Operator, PropertyFilter
from reference.matching.match import Moment, Predicate, View
from reference.matching.operators import compile_filter
from tests.unit.reference.matching.asking import said

WHY = {"property_unknown", "timezone_unknown", "date_format_not_portable", "regex_not_portable", "regex_too_costly"}
UTC_ZONE = ZoneInfo("UTC")

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["true", "FALSE", "null", "1", "-0", "1e5", "nan", "inf", "1.2.3", "v1.02", "1.*", "^1, <2", "2024-03-31", "2024-03-31 02:30", "2024-03-31T12:00:00Z", "-7d", "3m", "99999y", "^a+$", "(", "(?=a)b", r"(a)\1", r"\bx\b", "[", "May 25, 2021", "+262143-01-01", "\ud800", "a\udfff"]),
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**400, -(10**30)]),
    st.floats(),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)
OPERATORS = st.sampled_from(sorted(Operator))
NOWS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
ZONES = st.sampled_from([None, UTC_ZONE, ZoneInfo("Europe/Oslo"), ZoneInfo("Pacific/Apia"), ZoneInfo("Asia/Beirut")])


def _compiled(operator: str, wanted: Any, *, explicit: bool) -> Predicate:
    return compile_filter(
        PropertyFilter(key="k", type=FilterType.PERSON, operator=Operator(operator), value=wanted), explicit_matching=explicit
    )


@given(OPERATORS, VALUES, VALUES, st.booleans(), st.booleans(), ZONES, NOWS)
def test_whatever_is_asked_there_is_one_of_the_four_answers(
    operator: str, wanted: Any, value: Any, explicit: bool, complete: bool, zone: ZoneInfo | None, now: datetime
) -> None:
    compiled = _compiled(operator, wanted, explicit=explicit)
    for properties in ({"k": value}, {}):
        view = View(properties, Moment(now, zone), complete=complete)
        answer = said(compiled(view))
        assert answer in {True, False, "INVALID"} | WHY
        assert said(compiled(view)) == answer


@given(VALUES.filter(lambda value: value is not None), VALUES, st.booleans())
def test_is_not_complements_exact_for_present_values(wanted: Any, value: Any, explicit: bool) -> None:
    view = View({"k": value}, Moment(datetime(2024, 1, 1, tzinfo=UTC), UTC_ZONE), complete=True)
    exact, is_not = (_compiled(operator, wanted, explicit=explicit)(view) for operator in ("exact", "is_not"))
    assert exact is (not is_not)


COMPLEMENTS = ["icontains", "icontains_multi", "starts_with", "ends_with"]


@given(st.sampled_from(COMPLEMENTS), VALUES.filter(lambda value: value is not None), VALUES)
def test_negative_text_operators_complement_the_positive_ones(operator: str, wanted: Any, value: Any) -> None:
    view = View({"k": value}, Moment(datetime(2024, 1, 1, tzinfo=UTC), UTC_ZONE), complete=True)
    positive, negative = (_compiled(name, wanted, explicit=False)(view) for name in (operator, f"not_{operator}"))
    assert positive is (not negative)


@given(OPERATORS, VALUES, st.booleans(), st.one_of(st.just({}), VALUES.map(lambda value: {"k": value})), NOWS, ZONES)
def test_an_answer_without_the_property_is_the_answer_for_every_completion(
    operator: str, wanted: Any, explicit: bool, completion: dict[str, Any], now: datetime, zone: ZoneInfo | None
) -> None:
    compiled = _compiled(operator, wanted, explicit=explicit)
    unknown = said(compiled(View({}, Moment(now, None), complete=False)))
    if unknown in WHY:
        assert unknown == "property_unknown"
        return
    known = said(compiled(View(completion, Moment(now, zone or UTC_ZONE), complete=True)))
    # Invalid is a mismatch wherever a boolean is needed.
    assert (known is True) is (unknown is True)
    assert known not in WHY


@given(OPERATORS, VALUES, VALUES, st.booleans(), NOWS, ZONES)
def test_an_answer_without_the_zone_is_the_answer_in_every_zone(
    operator: str, wanted: Any, value: Any, explicit: bool, now: datetime, zone: ZoneInfo | None
) -> None:
    compiled = _compiled(operator, wanted, explicit=explicit)
    anywhere = said(compiled(View({"k": value}, Moment(now, None), complete=True)))
    if anywhere != "timezone_unknown":
        assert said(compiled(View({"k": value}, Moment(now, zone or UTC_ZONE), complete=True))) == anywhere


@given(st.text(min_size=1, max_size=6), st.text(max_size=6))
def test_equal_texts_are_exact_contained_prefix_and_suffix(wanted: str, extra: str) -> None:
    moment = Moment(datetime(2024, 1, 1, tzinfo=UTC), UTC_ZONE)
    for operator, value in (
        ("exact", wanted),
        ("icontains", extra + wanted + extra),
        ("starts_with", wanted + extra),
        ("ends_with", extra + wanted),
    ):
        assert _compiled(operator, wanted, explicit=True)(View({"k": value}, moment, complete=True)) is True


@pytest.mark.parametrize("operator", sorted(Operator))
@pytest.mark.parametrize("shape", ["list", "object", "text"])
def test_values_nested_or_long_beyond_reason_are_answered(operator: str, shape: str) -> None:
    deep: Any = "x" * 20_000
    if shape != "text":
        deep = 1
        for _ in range(2_000):
            deep = [deep] if shape == "list" else {"a": deep}
    view = View({"k": deep}, Moment(datetime(2024, 1, 1, tzinfo=UTC), UTC_ZONE), complete=True)
    for wanted in ("a", deep, [deep, 1]):
        assert said(_compiled(operator, wanted, explicit=False)(view)) in {True, False, "INVALID"} | WHY
