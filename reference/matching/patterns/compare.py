"""`regex` and `not_regex` (contract §7.3)."""

from __future__ import annotations

from typing import Final

from reference.json import Json
from reference.matching.comparison import Comparison
from reference.matching.match import Match, Moment, Unsure

REGEX_NOT_PORTABLE: Final = Unsure("regex_not_portable")


def _not_portable(_value: Json, _moment: Moment) -> Match:
    return REGEX_NOT_PORTABLE


def matches(_value: Json) -> Comparison:
    """Compile `regex`."""
    return Comparison(_not_portable)


def matches_not(_value: Json) -> Comparison:
    """Compile `not_regex`."""
    return Comparison(_not_portable, absent=True)
