"""Calendar arithmetic without limits: days of the proleptic Gregorian calendar and instants as plain integers.

`datetime` stops at year 9999 and has no leap seconds; the service's calendar (Rust's chrono) has both.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NewType

# Years that chrono's calendar holds.
MIN_YEAR: Final = -262_143
MAX_YEAR: Final = 262_142

DAY_S: Final = 86_400
SECOND: Final = 2_000_000_000

# A leap second 23:59:60 is second 59 with 1_000_000_000 and more nanoseconds: it sorts after 59.9 and before the next minute.
# Hence an instant is seconds * SECOND + nanoseconds with room for two thousand million of the latter.
Instant = NewType("Instant", int)
"""A point in time, UTC; ordered and compared as an integer."""

Wall = NewType("Wall", int)
"""A wall-clock reading in an unnamed zone, in the same units as an `Instant`."""

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock, not an instant
_DAYS_TO_EPOCH: Final = 719_468
_ERA_DAYS: Final = 146_097
_FIRST_SECOND: Final = -62_104_060_800
_LAST_SECOND: Final = 4_102_444_799
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Say whether a year has a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def last_day(year: int, month: int) -> int:
    """Return the number of days of a month."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]  # noqa: PLR2004 - February


def days_from_civil(year: int, month: int, day: int) -> int:
    """Count days from 1970-01-01, for any year (the well-known shift to years that start in March)."""
    year -= month <= 2  # noqa: PLR2004 - February
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _ERA_DAYS + day_of_era - _DAYS_TO_EPOCH


def is_in_calendar(instant: int) -> bool:
    """Say whether an instant lies in the years that the calendar holds."""
    return _FIRST_INSTANT <= instant < _END_INSTANT


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a day counted from 1970-01-01."""
    era, day_of_era = divmod(days + _DAYS_TO_EPOCH, _ERA_DAYS)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9  # noqa: PLR2004 - January
    return year_of_era + era * 400 + (month <= 2), month, day  # noqa: PLR2004 - February


def wall_of(year: int, month: int, day: int, second_of_day: int = 0, nanoseconds: int = 0) -> Wall | None:
    """Build a wall-clock reading; None for a day the calendar does not have."""
    if not (MIN_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= last_day(year, month)):  # noqa: PLR2004
        return None
    return Wall((days_from_civil(year, month, day) * DAY_S + second_of_day) * SECOND + nanoseconds)


def wall_of_datetime(naive: datetime) -> Wall:
    """Convert a naive datetime."""
    since = naive - _EPOCH
    return Wall((since.days * DAY_S + since.seconds) * SECOND + since.microseconds * 1000)


def datetime_near(wall: Wall) -> datetime:
    """Return a naive datetime (whole seconds) whose offset in any zone is the one the service uses for `wall`.

    Before time zones there was one local mean time, so far years count as year 2. The service's table of zones (chrono-tz)
    ends with the year 2099, and what holds then holds for ever: daylight saving time too, where it is summer.
    """
    return _EPOCH + timedelta(seconds=min(max(wall // SECOND, _FIRST_SECOND), _LAST_SECOND))


_FIRST_INSTANT: Final = days_from_civil(MIN_YEAR, 1, 1) * DAY_S * SECOND
_END_INSTANT: Final = days_from_civil(MAX_YEAR + 1, 1, 1) * DAY_S * SECOND
