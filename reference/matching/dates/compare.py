"""`is_date_exact`, `is_date_before` and `is_date_after` (contract §7.4).

With the team's zone known every date is one instant; without it see `anywhere`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from reference.json import Json
from reference.matching.coerce import number, number_of_text
from reference.matching.comparison import NEVER, Comparison
from reference.matching.match import Match, Moment, Unsure

from .anywhere import compared_anywhere
from .resolve import Ordering, instant_at, remembered
from .texts import FOREIGN, Date, parse_epoch, parse_text
from .zones import every_zone

DATE_FORMAT_NOT_PORTABLE: Final = Unsure("date_format_not_portable")


def dated(compare: Ordering, value: Json) -> Comparison:
    """Compile one of the three date operators."""
    wanted = parse_text(value) if isinstance(value, str) else None
    if wanted is None:
        return NEVER
    # Reading the zones of the world takes a while: when definitions are compiled, not when a person waits.
    every_zone()
    return Comparison(_against(compare, wanted))


def _against(compare: Ordering, wanted: Date) -> Callable[[Json, Moment], Match]:
    wanted_at = remembered(wanted)

    def present(value: Json, moment: Moment) -> Match:
        date = _date_of(value)
        if date is None:
            return False
        if date is FOREIGN or wanted is FOREIGN:
            return DATE_FORMAT_NOT_PORTABLE
        if moment.zone is None:
            return compared_anywhere(compare, date, wanted, moment)
        left, right = instant_at(date, moment, moment.zone), wanted_at(moment, moment.zone)
        return left is not None and right is not None and compare(left, right)

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
