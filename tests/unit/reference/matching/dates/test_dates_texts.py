"""Which texts and numbers are dates (contract §7.4); the grammar row by row: rust_vectors."""

# ruff: noqa: E501 - rows of a table, read across
from __future__ import annotations

import pytest

from reference.matching.dates.civil import SECOND, wall_of
from reference.matching.dates.relative import Relative
from reference.matching.dates.texts import FOREIGN, Local, parse_epoch, parse_text
from tests.unit.reference.matching.asking import ask, said

NOON = wall_of(2024, 3, 31, 12 * 3600)


@pytest.mark.parametrize(
    "raw",
    [
        "2024-03-31T12:00:00Z",
        "2024-03-31 12:00:00z",
        "2024-03-31t14:00:00+02:00",
        "2024-03-31T09:30:00-02:30",
        "2024-03-31T12:00:00.000Z",
    ],
)
def test_texts_with_an_offset_are_instants(raw: str) -> None:
    assert parse_text(raw) == NOON


@pytest.mark.parametrize(
    "raw",
    [
        "2024-03-31 12:00",
        "2024-03-31T12:00",
        "2024-03-31 12:00:00",
        "2024-03-31T12:00:00.0",
        "2024-3-31 12:0",
        " 2024-03-31 12:00",
    ],
)
def test_texts_without_an_offset_are_wall_clocks(raw: str) -> None:
    assert parse_text(raw) == Local(NOON)


def test_a_day_is_its_midnight() -> None:
    assert parse_text("2024-03-31") == Local(wall_of(2024, 3, 31))


def test_fractions_keep_nine_digits_and_seconds_may_leap() -> None:
    assert parse_text("1970-01-01 00:00:01.123456789999") == Local(SECOND + 123_456_789)
    assert parse_text("1970-01-01 00:00:01.5") == Local(SECOND + 500_000_000)
    assert parse_text("1970-01-01 00:00:60") == Local(59 * SECOND + 1_000_000_000)
    assert parse_text("1970-01-01T00:00:60.25Z") == 59 * SECOND + 1_250_000_000


def test_a_leap_second_sorts_between_its_neighbours() -> None:
    assert said(ask("is_date_after", "2016-12-31T23:59:59.999Z", "2016-12-31T23:59:60Z")) is True
    assert said(ask("is_date_before", "2017-01-01T00:00:00Z", "2016-12-31T23:59:60.9Z")) is True
    assert said(ask("is_date_exact", "2017-01-01T00:00:00Z", "2016-12-31T23:59:60Z")) is False


@pytest.mark.parametrize(
    "raw",
    [
        "", "x", "now", "banana", "2024", "20240331", "2024-02-30", "2024-13-01", "2023-02-29", "24-13-01", "2024-03-31T24:00:00Z", "2024-03-31T23:60:00Z", "2024-03-31T23:59:61Z", "2024-02-30T00:00:00Z",
        "2024-03-31T10:00:00+24:00", "12", "10000d", "1s", "-d", "--1d", "+1d", "1.5d", "1dd", "+99999999999999999999-01-01", "１d",
    ],
)  # fmt: skip
def test_texts_nobody_reads_as_a_date_are_none(raw: str) -> None:
    assert parse_text(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        "May 25, 2021",
        "3/31/2014",
        "2014/3/31",
        "4:00pm",
        "12 Feb 2006",
        "1511648546",
        "2021-02-21 PST",
        "171113 14:14:20",
        "2014年04月08日",
        "Tue,1 Jul 2003 10:52:37 +0200",
        "2024-03-31 25:00",
        "2024-03-31T10:00:00+0200",
    ],
)
def test_free_forms_are_left_to_the_service(raw: str) -> None:
    assert parse_text(raw) is FOREIGN
    assert said(ask("is_date_before", raw, "2024-01-01")) == "date_format_not_portable"
    assert said(ask("is_date_before", raw, "x")) is False
    assert said(ask("is_date_before", raw, complete=False)) == "property_unknown"
    if not raw.isdigit():
        assert said(ask("is_date_before", "2024-01-01", raw)) == "date_format_not_portable"
        assert said(ask("is_date_before", "banana", raw)) is False


@pytest.mark.parametrize("raw", ["1/2", "7 oct", "5:4", "oct 7"])
def test_two_digits_are_never_a_free_form(raw: str) -> None:
    assert parse_text(raw) is None


@pytest.mark.parametrize(
    ("raw", "count", "unit"),
    [
        ("1d", 1, "d"),
        ("-7d", 7, "d"),
        ("0h", 0, "h"),
        ("9999y", 9999, "y"),
        ("-0003w", 3, "w"),
        ("000m", 0, "m"),
        ("0" * 50 + "12d", 12, "d"),
    ],
)
def test_relative_texts(raw: str, count: int, unit: str) -> None:
    assert parse_text(raw) == Relative(count, unit)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, 0),
        (1.5, SECOND + 500_000_000),
        (0.9999999996, None),  # rounds to a whole second of nanoseconds, which only a leap second may have
        (59.9999999996, 59 * SECOND + 1_000_000_000),
        (119.9999999996, 119 * SECOND + 1_000_000_000),
        (0.9999999994, 999_999_999),
        (0.0000000005, 1),
        (-1.5, -2 * SECOND),
        (-0.25, -SECOND),
        (-2.0, -2 * SECOND),
        (float("nan"), 0),
        (float("inf"), None),
        (float("-inf"), None),
        (1e300, None),
        (-1e300, None),
        (8_210_266_876_799, 8_210_266_876_799 * SECOND),
        (8_210_266_876_800, None),
        (-8_334_601_228_800, -8_334_601_228_800 * SECOND),
        (-8_334_601_228_801, None),
    ],
)
def test_epoch_seconds_follow_the_casts_of_the_service(seconds: float, expected: int | None) -> None:
    assert parse_epoch(seconds) == expected


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (1704067200, "2024-01-01"),
        ("1704067200", "2024-01-01"),
        ("1.7040672e9", "2024-01-01"),
        ("2024", "1970-01-01 00:33:44"),
        (2024.0, "1970-01-01 00:33:44"),
        ("nan", "1970-01-01"),
        ("20240601", "1970-08-23 06:23:21"),
    ],
)
def test_numbers_and_texts_that_are_one_are_unix_seconds_on_the_property_side(value: object, date: str) -> None:
    assert said(ask("is_date_exact", date, value)) is True


@pytest.mark.parametrize("value", [True, None, [], ["2024-01-01"], {}, "inf", float("nan"), float("inf"), 10**400, "", "x"])
def test_other_values_are_no_date(value: object) -> None:
    for operator in ("is_date_exact", "is_date_before", "is_date_after"):
        assert said(ask(operator, "2024-01-01", value)) is False


@pytest.mark.parametrize("wanted", [1704067200, 1704067200.0, True, ["2024-01-01"], {}, "1704067", "nan"])
def test_the_filter_side_must_be_a_text_and_is_no_epoch(wanted: object) -> None:
    assert said(ask("is_date_exact", wanted, 1704067200)) is False


def test_both_sides_may_be_relative() -> None:
    assert said(ask("is_date_before", "-1d", "-2d")) is True
    assert said(ask("is_date_exact", "24h", "1d")) is True


def test_long_texts_are_read_without_being_kept() -> None:
    assert said(ask("is_date_exact", "2024-01-01", "2024-01-01 00:00:00." + "0" * 200)) is True
