"""gt, gte, lt, lte, between, not_between (contract §7.3)."""

from __future__ import annotations

import pytest

from tests.unit.reference.matching.asking import ABSENT, ask, said

NAN = "nan"


@pytest.mark.parametrize(
    ("limit", "value", "answers"),
    [
        (5, 5, (False, True, False, True)),
        (5, 6, (True, True, False, False)),
        (5, 4, (False, False, True, True)),
        ("5", "5.0", (False, True, False, True)),
        (5, "1e1", (True, True, False, False)),
        (5, -0.0, (False, False, True, True)),
        (0.0, -0.0, (False, True, False, True)),
        (2**53, 2**53 + 1, (False, True, False, True)),  # compared as doubles
        ("10", "9", (False, False, True, True)),  # never as text
        (5, NAN, (False, False, False, False)),
        (NAN, 5, (False, False, False, False)),
        (NAN, NAN, (False, False, False, False)),
        ("inf", "inf", (False, True, False, True)),
        (5, "inf", (True, True, False, False)),
        (5, "-inf", (False, False, True, True)),
    ],
)
def test_numbers_are_compared_as_doubles(limit: object, value: object, answers: tuple[bool, ...]) -> None:
    assert tuple(said(ask(operator, limit, value)) for operator in ("gt", "gte", "lt", "lte")) == answers


@pytest.mark.parametrize("operator", ["gt", "gte", "lt", "lte"])
@pytest.mark.parametrize("value", ["x", "", " 6", "1_0", True, None, [6], {"a": 6}, float("nan"), float("inf"), 10**400])
def test_a_property_that_is_no_number_is_an_error(operator: str, value: object) -> None:
    assert said(ask(operator, 5, value)) == "INVALID"


@pytest.mark.parametrize("operator", ["gt", "gte", "lt", "lte"])
@pytest.mark.parametrize("limit", ["x", "", True, [30], {}, float("inf")])
def test_a_limit_that_is_no_number_is_an_error(operator: str, limit: object) -> None:
    assert said(ask(operator, limit, 5)) == "INVALID"


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (1, True),
        (2, True),
        (1.5, True),
        ("1.5", True),
        (0.999, False),
        (2.001, False),
        ("x", False),
        (None, False),
        (True, False),
        ([1], False),
    ],
)
def test_between_is_inclusive_and_not_between_its_complement(value: object, inside: bool) -> None:
    assert said(ask("between", [1, 2], value)) is inside
    assert said(ask("not_between", [1, 2], value)) is not inside


def test_nan_is_neither_between_nor_not_between() -> None:
    assert said(ask("between", [1, 2], NAN)) is False
    assert said(ask("not_between", [1, 2], NAN)) is False


def test_bounds_may_be_equal_text_and_infinite() -> None:
    assert said(ask("between", [1, 1], 1)) is True
    assert said(ask("between", ["1", "2"], 2)) is True
    assert said(ask("between", ["-inf", "inf"], 10**300)) is True
    assert said(ask("between", (1, 2), 1)) is True


@pytest.mark.parametrize(
    "bounds", [[2, 1], [1], [1, 2, 3], [], "1", 1, {"a": 1}, [1, "x"], ["x", 2], [NAN, 2], [1, NAN], [True, 2], [None, None]]
)
@pytest.mark.parametrize("value", [ABSENT, 1, None, "x"], ids=["absent", "number", "null", "text"])
def test_bad_bounds_are_an_error_whatever_the_property(bounds: object, value: object) -> None:
    assert said(ask("between", bounds, value)) == "INVALID"
    assert said(ask("not_between", bounds, value)) == "INVALID"
    assert said(ask("not_between", bounds, complete=False)) == "INVALID"
