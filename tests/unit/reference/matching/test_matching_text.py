"""S(x), N(x) and the lowering of ASCII (contract §7.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.matching.coerce import number, number_of_text
from reference.matching.text import as_double, ascii_lower, float_text, json_text, text_form


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (0, "0"),
        (-1, "-1"),
        (2**64 - 1, "18446744073709551615"),
        (2**64, "1.8446744073709552e19"),
        (-(2**63), "-9223372036854775808"),
        (-(2**63) - 1, "-9.223372036854776e18"),
        (10**400, "null"),
        (1.0, "1.0"),
        ([], "[]"),
        ([[], {}], "[[],{}]"),
        ([1, "a"], '[1,"a"]'),
        ((1, "a"), '[1,"a"]'),
        ([True, None, 1.5], "[true,null,1.5]"),
        ({}, "{}"),
        ({"b": 1, "a": [2]}, '{"a":[2],"b":1}'),
        ({"a": {"c": None}}, '{"a":{"c":null}}'),
        (["é", '"', "\\", "\n", "\x00", "\x7f"], '["é","\\"","\\\\","\\n","\\u0000","\x7f"]'),
        ({"é": 1}, '{"é":1}'),
    ],
)
def test_text_form_is_compact_json(value: object, text: str) -> None:
    assert text_form(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1e15, "1000000000000000.0"),
        (9999999999999998.0, "9999999999999998.0"),
        (1e16, "1e16"),
        (1.5e16, "1.5e16"),
        (-1e100, "-1e100"),
        (1e-4, "0.0001"),
        (1e-5, "0.00001"),
        (-1.5e-5, "-0.000015"),
        (9.999e-5, "0.00009999"),
        (1e-6, "1e-6"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
        (float("nan"), "null"),
        (float("inf"), "null"),
        (float("-inf"), "null"),
    ],
)
def test_floats_are_spelt_as_serde_spells_them(value: float, text: str) -> None:
    assert float_text(value) == text
    assert text_form(value) == text
    assert json_text([value]) == f"[{text}]"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_float_reads_back_as_the_same_float(value: float) -> None:
    assert float(float_text(value)) == value
    assert "e+" not in float_text(value)
    assert "e-0" not in float_text(value)


@pytest.mark.parametrize(
    ("raw", "lowered"),
    [("ABC xyz", "abc xyz"), ("AZ[@", "az[@"), ("ÀÉ A", "ÀÉ a"), ("\u212aK", "\u212ak"), ("İZ", "İz"), ("", "")],
)
def test_only_ascii_letters_are_lowered(raw: str, lowered: str) -> None:
    assert ascii_lower(raw) == lowered


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (1.5, 1.5),
        ("1e5", 100000.0),
        (" 1", None),
        (True, None),
        (False, None),
        (None, None),
        ([30], None),
        (["30"], None),
        ({}, None),
        ("", None),
        ("true", None),
        (float("nan"), None),
        (float("inf"), None),
        (2**53 + 1, 9007199254740992.0),
        (10**400, None),
        (-(10**400), None),
    ],
)
def test_number_form(value: object, expected: float | None) -> None:
    assert number(value) == expected


def test_texts_may_be_infinite_where_numbers_may_not() -> None:
    assert number("inf") == float("inf")
    assert number("-Infinity") == float("-inf")
    assert number("1e400") == float("inf")
    nan = number("nan")
    assert nan is not None
    assert nan != nan  # noqa: PLR0124


@given(st.text(alphabet="+-.eE0123456789infatyINFATY_ ", max_size=12))
def test_what_is_read_as_a_number_is_what_python_reads_without_its_extras(raw: str) -> None:
    try:
        python = None if "_" in raw or raw != raw.strip() else float(raw)
    except ValueError:
        python = None
    assert repr(number_of_text(raw)) == repr(python)


def test_integers_too_long_for_python_to_print_are_null() -> None:
    assert text_form(-(10**5000)) == "null"
    assert text_form([10**5000]) == "[null]"


def test_doubles_of_integers_round_to_even_and_end_somewhere() -> None:
    assert as_double(2**53 + 1) == 2.0**53
    assert as_double(10**309) is None
