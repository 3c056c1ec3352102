"""Which instant a date means at one moment in one time zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from zoneinfo import ZoneInfo

from reference.matching.match import Moment

from .civil import Instant
from .relative import Relative
from .texts import Date, Local
from .zones import instant_in, wall_in

Ordering: TypeAlias = Callable[[Instant, Instant], bool]


def instant_at(date: Date, moment: Moment, zone: ZoneInfo) -> Instant | None:
    """Return the instant; None where clocks skip the reading, or the calendar ends."""
    match date:
        case Local(wall):
            return instant_in(wall, zone)
        case Relative():
            return instant_in(date.before(wall_in(moment.now, zone)), zone)
        case int():
            return Instant(date)
        case _:  # pragma: no cover - the caller has turned foreign texts away
            return None


def remembered(wanted: Date) -> Callable[[Moment, ZoneInfo], Instant | None]:
    """Return `instant_at` for one date, with the last result kept: a request asks many times at one moment, in one zone."""
    last: tuple[Moment | None, ZoneInfo | None, Instant | None] = (None, None, None)
    moves = isinstance(wanted, Relative)

    def instant(moment: Moment, zone: ZoneInfo) -> Instant | None:
        nonlocal last
        known_moment, known_zone, known = last
        if known_zone is not zone or (moves and known_moment is not moment):
            known = instant_at(wanted, moment, zone)
            last = (moment if moves else None, zone, known)
        return known

    return instant
