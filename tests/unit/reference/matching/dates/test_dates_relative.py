"""Relative dates on the wall clock (contract §7.4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.matching.dates.civil import DAY_S, SECOND, civil_from_days, days_from_civil, last_day, wall_of
from reference.matching.dates.relative import Relative
from tests.unit.reference.matching.asking import ask, said


@pytest.mark.parametrize(
    ("now", "count", "unit", "then"),
    [
        ((2024, 3, 31), 1, "d", (2024, 3, 30)),
        ((2024, 3, 31), 0, "m", (2024, 3, 31)),
        ((2024, 3, 31), 2, "w", (2024, 3, 17)),
        ((2024, 3, 31), 1, "m", (2024, 2, 29)),
        ((2024, 3, 31), 2, "m", (2024, 1, 29)),  # clamped on the way, not at the end
        ((2023, 3, 31), 2, "m", (2023, 1, 28)),
        ((2024, 7, 31), 1, "m", (2024, 6, 30)),
        ((2024, 1, 31), 1, "m", (2023, 12, 31)),
        ((2024, 1, 31), 2, "m", (2023, 11, 30)),
        ((2024, 1, 15), 1, "m", (2023, 12, 15)),
        ((2024, 3, 28), 13, "m", (2023, 2, 28)),
        ((2024, 12, 5), 11, "m", (2024, 1, 5)),
        ((2024, 12, 5), 12, "m", (2023, 12, 5)),
        ((2024, 2, 29), 0, "y", (2024, 2, 29)),
        ((2024, 2, 29), 1, "y", (2023, 2, 28)),
        ((2024, 2, 29), 4, "y", (2020, 2, 28)),
        ((2024, 2, 28), 4, "y", (2020, 2, 28)),
        ((2024, 3, 31), 1, "y", (2023, 3, 31)),
        ((2024, 3, 31), 9999, "y", (-7975, 3, 31)),
        ((2024, 3, 31), 9999, "m", (1190, 12, 28)),
    ],
)
def test_days_weeks_months_and_years_keep_the_time_of_day(now: tuple, count: int, unit: str, then: tuple) -> None:
    clock = (13 * 3600 + 5, 123)
    assert Relative(count, unit).before(wall_of(*now, *clock)) == wall_of(*then, *clock)


def test_hours_are_taken_off_the_wall_clock() -> None:
    assert Relative(30, "h").before(wall_of(2024, 1, 2, 3600, 7)) == wall_of(2023, 12, 31, 19 * 3600, 7)


@given(st.dates(), st.integers(0, 400))
def test_months_step_one_by_one_and_clamp_each_time(day: object, count: int) -> None:
    year, month, number = day.year, day.month, day.day
    for _ in range(count):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        number = min(number, last_day(year, month))
    start = days_from_civil(day.year, day.month, day.day) * DAY_S * SECOND
    assert civil_from_days(Relative(count, "m").before(start) // SECOND // DAY_S) == (year, month, number)


def test_now_decides_to_the_microsecond() -> None:
    now = datetime(2024, 3, 31, 12, 0, 0, 500_000, tzinfo=UTC)
    assert said(ask("is_date_exact", "-1d", "2024-03-30T12:00:00.5Z", now=now)) is True
    assert said(ask("is_date_after", "-1d", "2024-03-30T12:00:00.500001Z", now=now)) is True
    assert said(ask("is_date_before", "-1d", "2024-03-30T12:00:00.499999Z", now=now)) is True


def test_days_are_days_of_the_teams_clock() -> None:
    # Oslo's clocks went forward that night: one day on the clock was 23 hours.
    assert said(ask("is_date_exact", "-1d", "2024-03-30T13:00:00Z", zone="Europe/Oslo")) is True
    assert said(ask("is_date_exact", "-24h", "2024-03-30T13:00:00Z", zone="Europe/Oslo")) is True
    assert said(ask("is_date_exact", "-1d", "2024-03-30T12:00:00Z", zone="UTC")) is True


def test_a_span_that_ends_in_a_gap_of_the_clock_is_no_date() -> None:
    now = datetime(2024, 4, 1, 0, 30, tzinfo=UTC)  # 02:30 in Oslo; 24 h before, no clock there showed 02:30
    for operator in ("is_date_exact", "is_date_before", "is_date_after"):
        assert said(ask(operator, "-1d", "2024-01-01T00:00:00Z", zone="Europe/Oslo", now=now)) is False
    assert said(ask("is_date_before", "-1d", "2024-01-01T00:00:00Z", zone="America/New_York", now=now)) is True


def test_the_answer_follows_the_zone_and_the_moment_of_each_question() -> None:
    for _ in range(2):
        for zone, answer in (("Asia/Tokyo", True), ("America/New_York", False)):
            assert said(ask("is_date_after", "2024-03-30 12:00", "2024-03-30T12:00:00Z", zone=zone)) is answer
