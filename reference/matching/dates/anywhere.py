"""Comparing dates when the team's time zone is not known: an answer only where every zone of the world gives it.

Definitions do not carry the zone, so this is where a local evaluator lives. Dates that are far apart are settled by bounds;
close ones are compared in every zone, gaps of the clocks included.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from reference.matching.match import Match, Moment, Unsure

from .civil import SECOND, Instant, Wall
from .relative import Relative
from .resolve import Ordering, instant_at
from .texts import Date, Local
from .zones import datetime_of, every_zone, instant_in, instant_of, wall_in

TIMEZONE_UNKNOWN: Final = Unsure("timezone_unknown")


def compared_anywhere(compare: Ordering, date: Date, wanted: Date, moment: Moment) -> Match:
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
    """Return instants between which the date lies in every zone that can name it."""
    match date:
        case Local(wall):
            return Instant(wall - _OFFSETS), Instant(wall + _OFFSETS)
        case Relative():
            now = instant_of(moment.now)
            spread, base = _spread(date, now // _SLICE), date.before(Wall(now))
            return Instant(base + spread.low), Instant(base + spread.high)
        case _:
            return Instant(date), Instant(date)  # type: ignore[arg-type] # foreign texts were turned away


# Local mean times included, no zone of the tz database was ever 16 h away from UTC.
_OFFSETS: Final = 16 * 3600 * SECOND


def _swept(compare: Ordering, date: Date, wanted: Date, moment: Moment) -> Match:
    if isinstance(date, Relative) or isinstance(wanted, Relative):
        return _agreed(compare, date, wanted, moment)
    return _agreed_of_walls(compare, date, wanted)


@lru_cache(maxsize=1024)
def _agreed_of_walls(compare: Ordering, date: Date, wanted: Date) -> Match:
    return _agreed(compare, date, wanted, _NO_MOMENT)


def _compared(compare: Ordering, date: Date, wanted: Date, moment: Moment, zone: ZoneInfo) -> bool:
    left = instant_at(date, moment, zone)
    if left is None:
        return False
    right = instant_at(wanted, moment, zone)
    return right is not None and compare(left, right)


def _agreed(compare: Ordering, date: Date, wanted: Date, moment: Moment) -> Match:
    """Return the answer that all zones give, `TIMEZONE_UNKNOWN` as soon as two differ."""
    first, *others = every_zone()
    answer = _compared(compare, date, wanted, moment, first)
    return answer if all(_compared(compare, date, wanted, moment, zone) is answer for zone in others) else TIMEZONE_UNKNOWN


def _named_everywhere(date: Date, moment: Moment) -> bool:
    """Say whether the date exists in every zone: no clocks skip it."""
    match date:
        case Local(wall):
            return _is_shown_everywhere(wall)
        case Relative():
            return _spread(date, instant_of(moment.now) // _SLICE).is_named
        case _:
            return True


@lru_cache(maxsize=1024)
def _is_shown_everywhere(wall: Wall) -> bool:
    return all(instant_in(wall, zone) is not None for zone in every_zone())


class Spread(NamedTuple):
    """How far the zones of the world are apart about one relative date.

    Attributes:
        low: The earliest instant, in ticks after the date's instant in UTC.
        high: The latest one.
        is_named: Whether the clocks of no zone skip the date.
    """

    low: int
    high: int
    is_named: bool


# Since 1938 clocks never skipped less than this, and nothing changes twice in it: the two ends of a slice of time speak for
# all of it.
_SLICE: Final = 600 * SECOND


@lru_cache(maxsize=256)
def _spread(relative: Relative, time_slice: int) -> Spread:
    ends = (Instant(time_slice * _SLICE), Instant((time_slice + 1) * _SLICE - SECOND))
    found = [_distance(relative, end, zone) for end in ends for zone in every_zone()]
    distances = [distance for distance in found if distance is not None]
    return Spread(min(distances), max(distances), len(distances) == len(found))


def _distance(relative: Relative, now: Instant, zone: ZoneInfo) -> int | None:
    """Return how much later than in UTC the date is in a zone; None where its clocks skip it."""
    instant = instant_in(relative.before(wall_in(datetime_of(now), zone)), zone)
    return None if instant is None else instant - relative.before(Wall(now))


# Walls alone never look at the clock.
_NO_MOMENT: Final = Moment(datetime_of(Instant(0)), None)
