"""The numeric operators: gt, gte, lt, lte, between, not_between (contract §7.3). Everything is compared as a double."""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import inf, isnan
from typing import Final, TypeAlias

from reference.json import Json

from .coerce import number
from .comparison import ERROR, Comparison
from .match import INVALID, Match, Moment

Ordering: TypeAlias = Callable[[float, float], bool]

# No double is beyond these, so the filter alone already says no.
_UNREACHABLE: Final[dict[Ordering, float]] = {operator.gt: inf, operator.lt: -inf}


def ordered(compare: Ordering, value: Json) -> Comparison:
    """Compile one of gt, gte, lt, lte."""
    limit = number(value)
    if limit is None:
        return Comparison(_invalid, constant=False)
    hopeless = isnan(limit) or _UNREACHABLE.get(compare) == limit
    return Comparison(_against(compare, limit), constant=False if hopeless else None)


def _invalid(_value: Json, _moment: Moment) -> Match:
    return INVALID


def _against(compare: Ordering, limit: float) -> Callable[[Json, Moment], Match]:
    def present(value: Json, _moment: Moment) -> Match:
        candidate = number(value)
        return INVALID if candidate is None else compare(candidate, limit)

    return present


def between(value: Json) -> Comparison:
    """Compile `between`: inclusive bounds; what is not a number is not in range."""
    bounds = _bounds(value)
    if bounds is None:
        return ERROR
    low, high = bounds

    def present(candidate: Json, _moment: Moment) -> bool:
        as_double = number(candidate)
        return as_double is not None and low <= as_double <= high

    return Comparison(present)


def not_between(value: Json) -> Comparison:
    """Compile `not_between`: the complement, except that NaN is neither in range nor out of it."""
    bounds = _bounds(value)
    if bounds is None:
        return ERROR
    low, high = bounds

    def present(candidate: Json, _moment: Moment) -> bool:
        as_double = number(candidate)
        return as_double is None or as_double < low or as_double > high

    return Comparison(present, absent=True)


def _bounds(value: Json) -> tuple[float, float] | None:
    """Return low and high, or None where the filter is in error (checked even when the key is missing)."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:  # noqa: PLR2004 - a pair
        return None
    low, high = number(value[0]), number(value[1])
    if low is None or high is None or not low <= high:
        return None
    return low, high
