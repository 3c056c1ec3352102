"""`exact` and `is_not` (contract §7.2), in both boolean-matching modes.

Legacy matching compares truthiness whenever the filter value looks boolean, so `false` matches null, 0 and "banana";
explicit matching (property_matching_version 2) compares text.
"""

from __future__ import annotations

from collections.abc import Callable

from reference.json import Json

from .comparison import Comparison, Texts
from .match import Moment
from .text import text_form

_BOOLEAN_TEXTS = frozenset({"true", "false"})


def exact(value: Json, *, explicit: bool) -> Comparison:
    """Compile `exact` for a filter value that is not null."""
    if isinstance(value, (list, tuple)):
        if not value or (not explicit and is_boolish(value)):
            return _truthiness(wanted=is_truthy(value))
        return _one_of(frozenset(text_form(member).lower() for member in value))
    if not explicit and is_boolish(value):
        return _truthiness(wanted=is_truthy(value))
    return _one_of(frozenset((text_form(value).lower(),)))


def _one_of(wanted: frozenset[str]) -> Comparison:
    def present(value: Json, _moment: Moment) -> bool:
        return text_form(value).lower() in wanted

    return Comparison(present, texts=Texts(wanted, answer=True))


def _truthiness(*, wanted: bool) -> Comparison:
    return Comparison(lambda value, _moment: is_truthy(value) is wanted)


def is_boolish(value: Json) -> bool:
    """Say whether a filter value looks boolean: a bool, true/false in any case, or a list of only such (the empty one too)."""
    return _all_leaves(value, _is_boolish_leaf)


def is_truthy(value: Json) -> bool:
    """Say whether a value counts as true: true, "true" in any case, or a list of only such (the empty one too)."""
    return _all_leaves(value, _is_truthy_leaf)


def _is_boolish_leaf(value: Json) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value.lower() in _BOOLEAN_TEXTS)


def _is_truthy_leaf(value: Json) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _all_leaves(value: Json, claim: Callable[[Json], bool]) -> bool:
    """Say whether a claim holds for a scalar, or for every scalar of (nested) lists; a stack, so nesting never recurses."""
    if not isinstance(value, (list, tuple)):
        return claim(value)
    stack = list(value)
    while stack:
        item = stack.pop()
        if isinstance(item, (list, tuple)):
            stack.extend(item)
        elif not claim(item):
            return False
    return True
