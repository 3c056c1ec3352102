"""A pattern made ready to search texts, once for all filters that name it. No search can hold the process.

RE2 is linear, the rest is counted, and long texts are turned away. What was said of the last text is kept: projects ask the
same of the same property in many flags (who is one of us?).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final
from weakref import WeakValueDictionary

from reference.matching.match import Unsure

from .costs import backtracks, compiled_bytes, looks_around, sets, stays_below_limit
from .faults import Outside
from .linear import compile_linear
from .parse import parse
from .positions import OverBudget, Positions
from .tree import Anchor, Chars, Choice, Look, Node, Repeat, Sequence

REGEX_NOT_PORTABLE: Final = Unsure("regex_not_portable")
REGEX_TOO_COSTLY: Final = Unsure("regex_too_costly")

# The service's engine compiles up to 10 MiB; what is estimated below this it compiles for certain.
MAX_COMPILED_BYTES: Final = 6_000_000
# Characters of text times character sets of the pattern: RE2 at its slowest takes some 10 ns for each.
MAX_LINEAR_COST: Final = 4_000_000
MAX_OPERATIONS: Final = 10_000
MAX_COUNTED_LENGTH: Final = 4096


@final
class Search:
    """Tells of a text whether the pattern is found in it; `Unsure` where that is not certain, or would take too long."""

    __slots__ = ("__weakref__", "_last", "_look")

    def __init__(self, look: Callable[[str], bool | Unsure]) -> None:
        self._look = look
        self._last = ("", look(""))

    def __call__(self, text: str) -> bool | Unsure:
        last, found = self._last
        if text == last:
            return found
        found = self._look(text)
        self._last = (text, found)
        return found


_in_use: Final[WeakValueDictionary[str, Search]] = WeakValueDictionary()


def search_for(pattern: str) -> Search:
    """Return the search for a pattern, the same one for as long as somebody uses it.

    Raises:
        Broken: The service's engine refuses the pattern.
        Outside: It is outside the subset whose meaning is certain.
    """
    search = _in_use.get(pattern)
    if search is None:
        tree = parse(pattern)
        if compiled_bytes(tree) > MAX_COMPILED_BYTES:
            raise Outside
        search = _in_use[pattern] = Search(_search_of(tree))
    return search


def _search_of(tree: Node) -> Callable[[str], bool | Unsure]:
    counted = _counted_search(tree)
    linear = None if looks_around(tree) else compile_linear(tree)
    if linear is None:
        return counted
    may_backtrack = backtracks(tree)
    longest = MAX_LINEAR_COST // sets(tree)
    needed = needed_text(tree)

    def search(text: str) -> bool | Unsure:
        if not text.isascii():
            return counted(text)
        if len(text) > longest or (may_backtrack and not stays_below_limit(tree, len(text))):
            return REGEX_TOO_COSTLY
        return needed in text and linear(text.encode("ascii"))

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


def needed_text(tree: Node) -> str:
    """Return the longest text of which it is plain that every match contains it; often none, the empty one."""
    longest = run = ""
    pending = [tree]
    while pending:
        match pending.pop():
            case Sequence(parts):
                pending.extend(reversed(parts))
            case Anchor():
                pass
            case Chars(((low, high),), False) if low == high:
                run += chr(low)
                longest = max(longest, run, key=len)
            case _:
                run = ""
    return longest


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
