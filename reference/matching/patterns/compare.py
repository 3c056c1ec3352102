"""`regex` and `not_regex` (contract §7.3): an unanchored, case-sensitive search.

A pattern that the service's engine refuses matches nothing, negated or not; one outside the subset whose meaning is certain
is not answered. No search can hold the process: RE2 is linear, the rest is counted, and long texts are turned away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from reference.json import Json
from reference.matching.comparison import NEVER, Comparison
from reference.matching.match import Match, Moment, Unsure
from reference.matching.text import text_form

from .costs import backtracks, compiled_bytes, looks_around, sets, stays_below_limit
from .faults import Broken, Outside
from .linear import compile_linear
from .parse import parse
from .positions import OverBudget, Positions
from .tree import Chars, Choice, Look, Node, Repeat, Sequence

REGEX_NOT_PORTABLE: Final = Unsure("regex_not_portable")
REGEX_TOO_COSTLY: Final = Unsure("regex_too_costly")

# The service's engine compiles up to 10 MiB; what is estimated below this it compiles for certain.
MAX_COMPILED_BYTES: Final = 6_000_000
# Characters of text times character sets of the pattern: RE2 at its slowest takes some 10 ns for each.
MAX_LINEAR_COST: Final = 4_000_000
MAX_OPERATIONS: Final = 10_000
MAX_COUNTED_LENGTH: Final = 4096


def matches(value: Json) -> Comparison:
    """Compile `regex`."""
    return _compiled(value, negative=False)


def matches_not(value: Json) -> Comparison:
    """Compile `not_regex`."""
    return _compiled(value, negative=True)


def _compiled(value: Json, *, negative: bool) -> Comparison:
    try:
        tree = _parsed(text_form(value))
    except Outside:
        return Comparison(_not_portable, absent=negative)
    except Broken:
        # Present keys never match. An absent one is answered before the pattern is looked at.
        return Comparison(lambda _value, _moment: False, absent=True) if negative else NEVER
    return Comparison(_searching(tree, negative=negative), absent=negative)


def _parsed(pattern: str) -> Node:
    tree = parse(pattern)
    if compiled_bytes(tree) > MAX_COMPILED_BYTES:
        raise Outside
    return tree


def _not_portable(_value: Json, _moment: Moment) -> Match:
    return REGEX_NOT_PORTABLE


def _searching(tree: Node, *, negative: bool) -> Callable[[Json, Moment], Match]:
    search = _search_of(tree)

    def present(value: Json, _moment: Moment) -> Match:
        found = search(value if type(value) is str else text_form(value))
        if isinstance(found, Unsure):
            return found
        return found is not negative

    return present


def _search_of(tree: Node) -> Callable[[str], bool | Unsure]:
    counted = _counted_search(tree)
    linear = None if looks_around(tree) else compile_linear(tree)
    if linear is None:
        return counted
    may_backtrack = backtracks(tree)
    longest = MAX_LINEAR_COST // sets(tree)

    def search(text: str) -> bool | Unsure:
        if not text.isascii():
            return counted(text)
        if len(text) > longest or (may_backtrack and not stays_below_limit(tree, len(text))):
            return REGEX_TOO_COSTLY
        return linear(text.encode("ascii"))

    return search


def _counted_search(tree: Node) -> Callable[[str], bool | Unsure]:
    folds_ascii_only = _folds_ascii_only(tree)
    may_backtrack = backtracks(tree)

    def search(text: str) -> bool | Unsure:
        if not text.isascii() and (folds_ascii_only or _has_surrogates(text)):
            return REGEX_NOT_PORTABLE
        if len(text) > MAX_COUNTED_LENGTH or (may_backtrack and not stays_below_limit(tree, len(text))):
            return REGEX_TOO_COSTLY
        try:
            return Positions(text, MAX_OPERATIONS).is_matched_by(tree)
        except OverBudget:
            return REGEX_TOO_COSTLY

    return search


def _has_surrogates(text: str) -> bool:
    return any(0xD800 <= ord(character) <= 0xDFFF for character in text)  # noqa: PLR2004 - half characters


def _folds_ascii_only(node: Node) -> bool:
    match node:
        case Sequence(parts) | Choice(parts):
            return any(_folds_ascii_only(part) for part in parts)
        case Repeat(item) | Look(item):
            return _folds_ascii_only(item)
        case Chars(_, ascii_only):
            return ascii_only
        case _:
            return False
