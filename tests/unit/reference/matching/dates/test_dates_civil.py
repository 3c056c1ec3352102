"""The calendar and the instants of `dates.civil`."""

# ruff: noqa: DTZ001 - wall clocks have no zone
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.matching.dates.civil import (
    DAY_S,
    SECOND,
    Wall,
    civil_from_days,
    datetime_near,
    days_from_civil,
    is_in_calendar,
    is_leap,
    last_day,
    wall_of,
    wall_of_datetime,
)

EPOCH = date(1970, 1, 1)


@given(st.dates())
def test_days_agree_with_the_standard_library_where_it_has_them(day: date) -> None:
    assert days_from_civil(day.year, day.month, day.day) == (day - EPOCH).days
    assert civil_from_days((day - EPOCH).days) == (day.year, day.month, day.day)


@given(st.integers(-100_000_000, 100_000_000))
def test_every_day_converts_there_and_back(days: int) -> None:
    assert days_from_civil(*civil_from_days(days)) == days


@pytest.mark.parametrize(
    ("year", "leap"), [(2024, True), (2023, False), (1900, False), (2000, True), (0, True), (-4, True), (-100, False)]
)
def test_leap_years(year: int, leap: bool) -> None:
    assert is_leap(year) is leap
    assert last_day(year, 2) == 28 + leap


@pytest.mark.parametrize("year", range(-400, 2801, 100))
def test_the_ends_of_february_at_the_turns_of_centuries_convert_there_and_back(year: int) -> None:
    for day in ((year, 2, 28), (year, 3, 1), (year, 12, 31), (year + 1, 1, 1)):
        assert civil_from_days(days_from_civil(*day)) == day


def test_months_have_their_days() -> None:
    assert [last_day(2023, month) for month in range(1, 13)] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.mark.parametrize(
    "day",
    [
        (2023, 2, 29),
        (2024, 0, 1),
        (2024, 13, 1),
        (2024, 1, 0),
        (2024, 1, 32),
        (2024, 4, 31),
        (262_143, 1, 1),
        (-262_144, 12, 31),
    ],
)
def test_days_the_calendar_lacks_are_none(day: tuple[int, int, int]) -> None:
    assert wall_of(*day) is None


@pytest.mark.parametrize("day", [(262_142, 12, 31), (-262_143, 1, 1), (2024, 2, 29), (2024, 12, 31), (2024, 1, 1)])
def test_days_the_calendar_has_are_walls(day: tuple[int, int, int]) -> None:
    assert wall_of(*day) == days_from_civil(*day) * DAY_S * SECOND


def test_walls_count_seconds_and_nanoseconds() -> None:
    assert wall_of(1970, 1, 2, 3, 4) == (DAY_S + 3) * SECOND + 4
    assert wall_of_datetime(datetime(1970, 1, 2, 0, 0, 3, 5)) == (DAY_S + 3) * SECOND + 5000
    assert wall_of_datetime(datetime(1969, 12, 31, 23, 59, 59)) == -SECOND


def test_the_calendar_ends_where_its_years_end() -> None:
    first, end = days_from_civil(-262_143, 1, 1) * DAY_S * SECOND, days_from_civil(262_143, 1, 1) * DAY_S * SECOND
    assert [is_in_calendar(instant) for instant in (first - 1, first, 0, end - 1, end)] == [False, True, True, True, False]


def test_offsets_are_looked_up_near_the_reading() -> None:
    assert datetime_near(Wall(0)) == datetime(1970, 1, 1)
    assert datetime_near(Wall(-1)) == datetime(1969, 12, 31, 23, 59, 59)
    assert datetime_near(Wall(SECOND * DAY_S + SECOND - 1)) == datetime(1970, 1, 2)
    last = datetime(2099, 12, 31, 23, 59, 59)
    assert datetime_near(wall_of_datetime(last)) == last
    assert datetime_near(wall_of_datetime(last + timedelta(seconds=1))) == last
    assert datetime_near(Wall(10**25)) == last
    assert datetime_near(wall_of_datetime(datetime(2, 1, 1))) == datetime(2, 1, 1)
    assert datetime_near(Wall(-(10**25))) == datetime(2, 1, 1)
