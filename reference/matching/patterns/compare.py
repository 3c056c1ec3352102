"""`regex` and `not_regex` (contract §7.3): an unanchored, case-sensitive search.

A pattern that the service's engine refuses matches nothing, negated or not; one outside the subset whose meaning is certain
is not answered.
"""

from __future__ import annotations

from collections.abc import Callable

from reference.json import Json
from reference.matching.comparison import NEVER, Comparison
from reference.matching.match import Match, Moment, Unsure
from reference.matching.text import text_form

from .faults import Broken, Outside
from .search import REGEX_NOT_PORTABLE, Search, search_for


def matches(value: Json) -> Comparison:
    """Compile `regex`."""
    return _compiled(value, negative=False)


def matches_not(value: Json) -> Comparison:
    """Compile `not_regex`."""
    return _compiled(value, negative=True)


def _compiled(value: Json, *, negative: bool) -> Comparison:
    try:
        search = search_for(text_form(value))
    except Outside:
        return Comparison(_not_portable, absent=negative)
    except Broken:
        # Present keys never match. An absent one is answered before the pattern is looked at.
        return Comparison(lambda _value, _moment: False, absent=True) if negative else NEVER
    return Comparison(_searching(search, negative=negative), absent=negative)


def _not_portable(_value: Json, _moment: Moment) -> Match:
    return REGEX_NOT_PORTABLE


def _searching(search: Search, *, negative: bool) -> Callable[[Json, Moment], Match]:
    def present(value: Json, _moment: Moment) -> Match:
        found = search(value if type(value) is str else text_form(value))
        if isinstance(found, Unsure):
            return found
        return found is not negative

    return present
