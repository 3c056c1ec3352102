"""Relative dates, `-7d` and `3m` alike: always into the past, on the wall clock of the team (contract §7.4).

Months and years step one unit at a time and clamp the day at each step, so 2024-03-31 minus two months is 2024-01-29.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .civil import DAY_S, SECOND, Wall, civil_from_days, days_from_civil, last_day

_RELATIVE: Final = re.compile(r"-?([0-9]+)([hdwmy])")
_MAX_DIGITS: Final = 4
_TICKS: Final = {"h": 3600 * SECOND, "d": DAY_S * SECOND, "w": 7 * DAY_S * SECOND}
_SAFE_DAY: Final = 28
_FEBRUARY: Final = 2


@dataclass(frozen=True, slots=True)
class Relative:
    """`count` units (`h`, `d`, `w`, `m`, `y`) before now; count is 0..9999."""

    count: int
    unit: str

    def before(self, now: Wall) -> Wall:
        """Return the wall-clock reading this many units before `now`; the time of day survives all but hours."""
        ticks = _TICKS.get(self.unit)
        if ticks is not None:
            return Wall(now - self.count * ticks)
        days, rest = divmod(now, DAY_S * SECOND)
        step = _months_back if self.unit == "m" else _years_back
        return Wall(days_from_civil(*step(civil_from_days(days), self.count)) * DAY_S * SECOND + rest)


def parse_relative(raw: str) -> Relative | None:
    """Parse a relative date; None for any other text and for 10 000 units or more."""
    match = _RELATIVE.fullmatch(raw)
    if match is None:
        return None
    digits = match[1].lstrip("0")
    return Relative(int(digits or "0"), match[2]) if len(digits) <= _MAX_DIGITS else None


def _months_back(date: tuple[int, int, int], count: int) -> tuple[int, int, int]:
    year, month, day = date
    while count and day > _SAFE_DAY:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
        day = min(day, last_day(year, month))
        count -= 1
    # From the 28th on down nothing clamps any more: the rest is one subtraction.
    years, month_index = divmod(month - 1 - count, 12)
    return year + years, month_index + 1, day


def _years_back(date: tuple[int, int, int], count: int) -> tuple[int, int, int]:
    year, month, day = date
    if month == _FEBRUARY and count:
        # The year before a leap year is none, so the first step already clamps.
        day = min(day, _SAFE_DAY)
    return year - count, month, day
