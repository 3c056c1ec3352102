"""Which texts are dates (contract §7.4).

The grammar has the leniencies of Rust's chrono: short numbers, signs before a year, white space in front of a number, leap
seconds, digits past the ninth dropped.

A text becomes an instant (it carries an offset or is an epoch), a wall-clock reading (the team's zone decides), a relative
span, a `FOREIGN` (the service's free-form parser may know it; this one does not), or None: nobody reads it as a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from math import floor, fmod, isfinite
from typing import Final, TypeAlias

from .civil import SECOND, Instant, Wall, is_in_calendar, wall_of
from .relative import Relative, parse_relative


class Foreign(Enum):
    """A text that the `dateparser` crate may read: its answer depends on the server's clock and zone, so nothing is said."""

    FOREIGN = "foreign"


FOREIGN: Final = Foreign.FOREIGN


@dataclass(frozen=True, slots=True)
class Local:
    """A reading of the team's wall clock."""

    wall: Wall


Date: TypeAlias = "int | Local | Relative | Foreign"

_BLANK: Final = r"[\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_SPACE: Final = _BLANK + "*+"
_NANOSECONDS: Final = 9
_LEAP: Final = 60
_MAX_NANOSECONDS: Final = 1_000_000_000

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[tT ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[zZ]|([-+\u2212])([0-9]{2}):([0-5][0-9]))"
)
# Possessive quantifiers: chrono never gives a digit back.
_DAY: Final = (
    rf"{_SPACE}(?:(?P<sign>[-+])(?P<signed>[0-9]++)|(?P<year>[0-9]{{1,4}}+))"
    rf"-{_SPACE}(?P<month>[0-9]{{1,2}}+)-{_SPACE}(?P<day>[0-9]{{1,2}}+)"
)
_NAIVE: Final = re.compile(
    rf"{_DAY}(?:(?:T|{_SPACE}){_SPACE}(?P<hour>[0-9]{{1,2}}+):{_SPACE}(?P<minute>[0-9]{{1,2}}+)"
    rf"(?::{_SPACE}(?P<second>[0-9]{{1,2}}+)(?:\.(?P<fraction>[0-9]++))?)?)?"
)
# What each family of dateparser 0.2 starts with. With fewer than three digits none of them is complete.
_FREE_FORM: Final = re.compile(
    rf"{_SPACE}(?:[0-9]{{1,4}}[-/.:年]|[0-9]{{1,2}}{_BLANK}|[0-9]{{6}}{_BLANK}|[0-9]{{10,19}}$"
    rf"|[A-Za-z]{{3,9}}[.,]?{_BLANK}|[A-Za-z]{{3}},)"
)
_DIGIT: Final = re.compile(r"[0-9]")
_MIN_DIGITS: Final = 3


def parse_text(raw: str) -> Date | None:
    """Read a text as a date: relative, with an offset, a wall clock, or perhaps a free form (in this order)."""
    relative = parse_relative(raw)
    if relative is not None:
        return relative
    match = _RFC3339.fullmatch(raw)
    if match is not None:
        # What has this shape and names no instant is no date: the free-form parser ends at the same rule.
        return _offset_instant(match)
    match = _NAIVE.fullmatch(raw)
    wall = None if match is None else _wall(match)
    if wall is not None:
        return Local(wall)
    if match is not None and match["hour"] is None:
        return None
    return FOREIGN if _may_be_free_form(raw) else None


def parse_epoch(seconds: float) -> Instant | None:
    """Read Unix seconds: NaN is 1970, fractions of negative seconds are lost, what the calendar lacks is None.

    These are the rules of the casts in the service: floor, saturate, and nanoseconds rounded half away from zero into an
    unsigned integer.
    """
    if not isfinite(seconds):
        return Instant(0) if seconds != seconds else None  # noqa: PLR0124 - only NaN differs from itself
    whole = floor(seconds)
    nanoseconds = _rounded(fmod(seconds, 1.0) * 1e9)
    if not is_in_calendar(whole * SECOND):
        return None
    if nanoseconds >= _MAX_NANOSECONDS and whole % 60 != 59:  # noqa: PLR2004 - only a minute's last second may leap
        return None
    return Instant(whole * SECOND + nanoseconds)


def _rounded(nanoseconds: float) -> int:
    whole = floor(nanoseconds)
    return max(0, whole + (nanoseconds - whole >= 0.5))  # noqa: PLR2004 - half away from zero


def _offset_instant(match: re.Match[str]) -> Instant | None:
    clock = _clock(match[4], match[5], match[6], match[7])
    wall = None if clock is None else wall_of(int(match[1]), int(match[2]), int(match[3]), *clock)
    if wall is None:
        return None
    if match[8] is None:
        return Instant(wall)
    hours = int(match[9])
    if hours > 23:  # noqa: PLR2004 - an offset stays below a day
        return None
    offset = hours * 3600 + int(match[10]) * 60
    return Instant(wall - (offset if match[8] == "+" else -offset) * SECOND)


def _wall(match: re.Match[str]) -> Wall | None:
    year = _year(match)
    clock = _clock(match["hour"] or "0", match["minute"] or "0", match["second"] or "0", match["fraction"])
    if year is None or clock is None:
        return None
    return wall_of(year, int(match["month"]), int(match["day"]), *clock)


def _year(match: re.Match[str]) -> int | None:
    if match["sign"] is None:
        return int(match["year"])
    digits = match["signed"].lstrip("0")
    if len(digits) > 6:  # noqa: PLR2004 - the calendar's years have six
        return None
    return int(f"{match['sign']}{digits or '0'}")


def _clock(hour: str, minute: str, second: str, fraction: str | None) -> tuple[int, int] | None:
    """Return second of the day and nanoseconds; second 60 is a leap second, kept inside second 59."""
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > _LEAP:  # noqa: PLR2004 - a clock
        return None
    nanoseconds = int((fraction or "")[:_NANOSECONDS].ljust(_NANOSECONDS, "0"))
    if seconds == _LEAP:
        seconds, nanoseconds = seconds - 1, nanoseconds + _MAX_NANOSECONDS
    return hours * 3600 + minutes * 60 + seconds, nanoseconds


def _may_be_free_form(raw: str) -> bool:
    return _FREE_FORM.match(raw) is not None and len(_DIGIT.findall(raw)) >= _MIN_DIGITS
