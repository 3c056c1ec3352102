"""Any text, look-around included: sets of positions, carried through the tree.

A set of positions of the text is one integer, a bit for each. A node maps the positions where it may start to those where
it may end, or back again; a pattern matches when some end is left. There is nothing to backtrack over, every operation is
counted, and a budget ends what would take long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .characters import NEWLINE, WORD, Ranges, contains
from .tree import Anchor, Chars, Choice, Look, Node, Place, Repeat, Sequence


class OverBudget(Exception):  # noqa: N818 - a verdict, not an error
    """The pattern needs more operations on this text than allowed."""


class Positions:
    """One text under search.

    Args:
        text: Any text; characters are counted, not bytes.
        budget: Operations allowed, each on as many bits as the text has characters.
    """

    def __init__(self, text: str, budget: int) -> None:
        self._codes = [ord(character) for character in text]
        self._budget = budget
        self._everywhere = (1 << (len(text) + 1)) - 1
        self._masks: dict[int, int] = {}
        self._places: dict[Place, int] = {}

    def is_matched_by(self, tree: Node) -> bool:
        """Say whether the pattern matches anywhere; raises `OverBudget`."""
        return self._ends(tree, self._everywhere) != 0

    def _ends(self, node: Node, starts: int) -> int:
        self._spend()
        match node:
            case Chars(ranges):
                return (starts & self._mask(ranges)) << 1
            case Sequence(parts):
                return self._through(self._ends, parts, starts)
            case Choice(alternatives):
                return self._any(self._ends, alternatives, starts)
            case Repeat():
                return self._repeated(self._ends, node, starts)
            case _:
                return self._asserted(node, starts)

    def _starts(self, node: Node, ends: int) -> int:
        self._spend()
        match node:
            case Chars(ranges):
                return (ends >> 1) & self._mask(ranges)
            case Sequence(parts):
                return self._through(self._starts, reversed(parts), ends)
            case Choice(alternatives):
                return self._any(self._starts, alternatives, ends)
            case Repeat():
                return self._repeated(self._starts, node, ends)
            case _:
                return self._asserted(node, ends)

    @staticmethod
    def _through(step: Callable[[Node, int], int], parts: Iterable[Node], positions: int) -> int:
        for part in parts:
            if not positions:
                return 0
            positions = step(part, positions)
        return positions

    @staticmethod
    def _any(step: Callable[[Node, int], int], alternatives: Iterable[Node], positions: int) -> int:
        reached = 0
        for alternative in alternatives:
            reached |= step(alternative, positions)
        return reached

    @staticmethod
    def _repeated(step: Callable[[Node, int], int], node: Repeat, positions: int) -> int:
        for _ in range(node.low):
            if not positions:
                return 0
            positions = step(node.item, positions)
        reached = newest = positions
        rounds = None if node.high is None else node.high - node.low
        while newest and rounds != 0:
            newest = step(node.item, newest) & ~reached
            reached |= newest
            rounds = None if rounds is None else rounds - 1
        return reached

    def _asserted(self, node: Anchor | Look, positions: int) -> int:
        if isinstance(node, Anchor):
            return positions & self._place(node.place)
        holds = (self._starts if node.ahead else self._ends)(node.item, self._everywhere)
        return positions & ~holds if node.negative else positions & holds

    def _mask(self, ranges: Ranges) -> int:
        """Return the positions whose next character is in the set."""
        # By identity: hashing the hundreds of ranges of a word character takes longer than the search.
        mask = self._masks.get(id(ranges))
        if mask is None:
            self._spend(1 + len(self._codes) // 8)
            mask = _bits(contains(ranges, code) for code in self._codes)
            self._masks[id(ranges)] = mask
        return mask

    def _place(self, place: Place) -> int:
        mask = self._places.get(place)
        if mask is None:
            mask = self._places[place] = self._place_mask(place)
        return mask

    def _place_mask(self, place: Place) -> int:
        last = 1 << len(self._codes)
        match place:
            case Place.START:
                return 1
            case Place.END:
                return last
            case Place.LINE_START:
                return 1 | (self._mask(NEWLINE) << 1)
            case Place.LINE_END:
                return last | self._mask(NEWLINE)
            case Place.WORD:
                words = self._mask(WORD)
                return (words ^ (words << 1)) & self._everywhere
            case Place.NOT_WORD:
                return self._everywhere & ~self._place(Place.WORD)

    def _spend(self, operations: int = 1) -> None:
        self._budget -= operations
        if self._budget < 0:
            raise OverBudget


def _bits(flags: Iterable[bool]) -> int:
    written = "".join("1" if flag else "0" for flag in flags)[::-1]
    return int(written, 2) if written else 0
