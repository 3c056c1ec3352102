"""`is_date_exact`, `is_date_before` and `is_date_after` (contract §7.4).

With the team's zone known every date is one instant. Without it a comparison is made only where every zone of the world
would answer alike, gaps of the clocks included.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from reference.json import Json
from reference.matching.coerce import number, number_of_text
from reference.matching.comparison import NEVER, Comparison
from reference.matching.match import Match, Moment, Unsure

from .civil import SECOND, Instant, Wall
from .relative import Relative
from .texts import FOREIGN, Date, Local, parse_epoch, parse_text
from .zones import datetime_of, every_zone, instant_in, instant_of, wall_in

Ordering: TypeAlias = Callable[[Instant, Instant], bool]

TIMEZONE_UNKNOWN: Final = Unsure("timezone_unknown")
DATE_FORMAT_NOT_PORTABLE: Final = Unsure("date_format_not_portable")


def dated(compare: Ordering) -> Callable[[Json], Comparison]:
    """Return the factory of one of the three date operators."""

    def factory(value: Json) -> Comparison:
        wanted = parse_text(value) if isinstance(value, str) else None
        if wanted is None:
            return NEVER
        return Comparison(_against(compare, wanted))

    return factory


def _against(compare: Ordering, wanted: Date) -> Callable[[Json, Moment], Match]:
    def present(value: Json, moment: Moment) -> Match:
        date = _date_of(value)
        if date is None:
            return False
        if date is FOREIGN or wanted is FOREIGN:
            return DATE_FORMAT_NOT_PORTABLE
        if moment.zone is not None:
            return _compared(compare, date, wanted, moment, moment.zone)
        return _compared_anywhere(compare, date, wanted, moment)

    return present


def _date_of(value: Json) -> Date | None:
    """Read a property: numbers, and texts that are one, are Unix seconds before anything else is tried."""
    if isinstance(value, str):
        return _known_date_of_text(value) if len(value) <= _LONGEST_KEPT_TEXT else _date_of_text(value)
    seconds = number(value)
    return None if seconds is None else parse_epoch(seconds)


def _date_of_text(value: str) -> Date | None:
    seconds = number_of_text(value)
    return parse_text(value) if seconds is None else parse_epoch(seconds)


# Many flags ask for the same property of one person; reading it takes longer than all the rest of a date condition.
_known_date_of_text = lru_cache(maxsize=2048)(_date_of_text)
_LONGEST_KEPT_TEXT: Final = 64


def _compared(compare: Ordering, date: Date, wanted: Date, moment: Moment, zone: ZoneInfo) -> bool:
    left = _instant(date, moment, zone)
    if left is None:
        return False
    right = _instant(wanted, moment, zone)
    return right is not None and compare(left, right)


def _instant(date: Date, moment: Moment, zone: ZoneInfo) -> Instant | None:
    match date:
        case Local(wall):
            return instant_in(wall, zone)
        case Relative():
            return instant_in(date.before(wall_in(moment.now, zone)), zone)
        case int():
            return Instant(date)
        case _:  # pragma: no cover - the caller has turned foreign texts away
            return None


def _compared_anywhere(compare: Ordering, date: Date, wanted: Date, moment: Moment) -> Match:
    """Compare without knowing the zone: by bounds where they are far apart, else in every zone there is."""
    left_from, left_to = _bounds(date, moment)
    right_from, right_to = _bounds(wanted, moment)
    if left_from <= right_to and right_from <= left_to and not (isinstance(date, int) and isinstance(wanted, int)):
        return _swept(compare, date, wanted, moment)
    if not compare(left_from, right_from):
        # A side that some zone's clocks skip is unparsable there: no match either.
        return False
    return True if _named_everywhere(date, moment) and _named_everywhere(wanted, moment) else TIMEZONE_UNKNOWN


def _bounds(date: Date, moment: Moment) -> tuple[Instant, Instant]:
    """Return instants between which the date lies in every zone."""
    match date:
        case Local(wall):
            return Instant(wall - _OFFSETS), Instant(wall + _OFFSETS)
        case Relative(_, unit):
            middle = date.before(Wall(instant_of(moment.now)))
            spread = _STEPS if unit in {"m", "y"} else _CLOCK_CHANGES
            return Instant(middle - spread), Instant(middle + spread)
        case _:
            return Instant(date), Instant(date)  # type: ignore[arg-type] # foreign texts were turned away


# Local mean times included, no zone of the tz database was ever 16 h away from UTC.
_HOUR: Final = 3600 * SECOND
_OFFSETS: Final = 16 * _HOUR
# A span on the wall clock differs from the same span in UTC by the change of the offset, at most twice the above.
_CLOCK_CHANGES: Final = 32 * _HOUR
# Another day in the zone may clamp at other month ends: four days more, and some.
_STEPS: Final = 8 * 24 * _HOUR


def _swept(compare: Ordering, date: Date, wanted: Date, moment: Moment) -> Match:
    if isinstance(date, Relative) or isinstance(wanted, Relative):
        return _agreed(compare, date, wanted, moment)
    return _agreed_of_walls(compare, date, wanted)


@lru_cache(maxsize=1024)
def _agreed_of_walls(compare: Ordering, date: Date, wanted: Date) -> Match:
    return _agreed(compare, date, wanted, _NO_MOMENT)


def _agreed(compare: Ordering, date: Date, wanted: Date, moment: Moment) -> Match:
    """Return the answer that all zones give, `TIMEZONE_UNKNOWN` as soon as two differ."""
    zones = every_zone()
    answer = _compared(compare, date, wanted, moment, next(zones))
    return answer if all(_compared(compare, date, wanted, moment, zone) is answer for zone in zones) else TIMEZONE_UNKNOWN


def _named_everywhere(date: Date, moment: Moment) -> bool:
    """Say whether the date exists in every zone: no clocks skip it."""
    match date:
        case Local(wall):
            return _is_shown_everywhere(wall)
        case Relative():
            return _is_reached_everywhere(date, instant_of(moment.now) // _SLICE)
        case _:
            return True


# Clocks never skipped less than this since local mean times ended, so the two ends of a slice speak for all of it.
_SLICE: Final = 600 * SECOND


@lru_cache(maxsize=1024)
def _is_shown_everywhere(wall: Wall) -> bool:
    return all(instant_in(wall, zone) is not None for zone in every_zone())


@lru_cache(maxsize=256)
def _is_reached_everywhere(relative: Relative, time_slice: int) -> bool:
    ends = [datetime_of(Instant(time_slice * _SLICE)), datetime_of(Instant((time_slice + 1) * _SLICE - SECOND))]
    return all(instant_in(relative.before(wall_in(end, zone)), zone) is not None for zone in every_zone() for end in ends)


# Walls alone never look at the clock.
_NO_MOMENT: Final = Moment(datetime_of(Instant(0)), None)

EXACT: Final = dated(operator.eq)
BEFORE: Final = dated(operator.lt)
AFTER: Final = dated(operator.gt)
