"""Patterns, read the way the flag service's engine reads them.

The grammar is that of `fancy-regex`, quirks included (a `{` that starts no repetition is a letter), minus everything whose
meaning is not certain here: `Outside` says "valid or not, not for us", `Broken` "the service's engine refuses this, too".
Text is read left to right, so an `Outside` found first hides a `Broken` further on.
"""

from __future__ import annotations

import re
from typing import Final

from .characters import ANY, ESCAPED, NEWLINE, Ranges, folded, inverted
from .classes import read_class
from .escapes import LETTER_ESCAPES, hexadecimal
from .faults import Broken, Outside
from .tree import Anchor, Chars, Choice, Look, Node, Place, Repeat, Sequence

MAX_LENGTH: Final = 2000
MAX_DEPTH: Final = 40
MAX_COUNT: Final = 1000

_REPETITION: Final = re.compile(r"\{(?:([0-9]+)(,([0-9]*))?|,([0-9]*))\}")
_GROUP_NAME: Final = re.compile(r"\?(?:P<|<)([A-Za-z_][A-Za-z0-9_]*)>")
_FLAGS: Final = re.compile(r"\?([imsuU]*)(?:-([imsU]+))?([:)])")
_LOOKS: Final = (("?=", True, False), ("?!", True, True), ("?<=", False, False), ("?<!", False, True))
_COUNTS: Final[dict[str, tuple[int, int | None]]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_EMPTY: Final = Sequence()


def parse(pattern: str) -> Node:
    """Parse a pattern.

    Raises:
        Outside: The pattern is too long, or means something that is not modelled.
        Broken: The service's engine does not compile it either.
    """
    if len(pattern) > MAX_LENGTH:
        raise Outside
    return _Reader(pattern).whole()


class _Reader:
    """A position in a pattern, and the flags in force there."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._flags: frozenset[str] = frozenset()
        self._names: set[str] = set()

    def whole(self) -> Node:
        """Read everything; a `)` too many is an error."""
        tree = self._alternatives()
        if self._at < len(self._pattern):
            raise Broken
        return tree

    def _alternatives(self) -> Node:
        branches = [self._branch()]
        while self._takes("|"):
            branches.append(self._branch())
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _branch(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._pattern) and self._peek() not in "|)":
            piece = self._piece()
            if piece != _EMPTY:
                parts.append(piece)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _piece(self) -> Node:
        atom = self._atom()
        counts = self._counts()
        return atom if counts is None else self._repeated(atom, *counts)

    def _repeated(self, atom: Node, low: int, high: int | None) -> Node:
        if isinstance(atom, (Anchor, Look)) or atom == _EMPTY or max(low, high or 0) > MAX_COUNT:
            raise Outside
        if high is not None and high < low:
            raise Outside  # refused by one version of the engine, never matched by another
        self._takes("?")
        if self._peek() == "+":
            raise Outside  # possessive
        return Repeat(atom, low, high)

    def _counts(self) -> tuple[int, int | None] | None:
        sign = self._peek()
        if sign in _COUNTS:
            self._at += 1
            return _COUNTS[sign]
        match = _REPETITION.match(self._pattern, self._at)
        if match is None:
            return None
        self._at = match.end()
        low = self._count(match[1] or "0")
        if match[2] is None and match[4] is None:
            return low, low
        upper = match[3] or match[4]
        return low, self._count(upper) if upper else None

    @staticmethod
    def _count(digits: str) -> int:
        if len(digits) > len(str(MAX_COUNT)):
            raise Outside
        return int(digits)

    def _atom(self) -> Node:
        letter = self._peek()
        if letter in "*+?":
            raise Broken
        if _REPETITION.match(self._pattern, self._at):
            raise Outside  # a count with nothing to count
        match letter:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()
        self._at += 1
        return self._plain(letter)

    def _plain(self, letter: str) -> Node:
        match letter:
            case ".":
                return Chars(ANY if "s" in self._flags else inverted(NEWLINE))
            case "^":
                return Anchor(Place.LINE_START if "m" in self._flags else Place.START)
            case "$":
                return Anchor(Place.LINE_END if "m" in self._flags else Place.END)
            case _:
                return self._literal(ord(letter))

    def _literal(self, code: int) -> Chars:
        if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - surrogates are no characters
            raise Outside
        return self._set(((code, code),))

    def _set(self, ranges: Ranges) -> Chars:
        """Make the set that the flags in force see in explicit characters."""
        if "i" not in self._flags:
            return Chars(ranges)
        return Chars(folded(ranges), ascii_only=ranges[-1][1] > 0x7F)  # noqa: PLR2004 - past ASCII

    def _class(self) -> Chars:
        found, self._at = read_class(self._pattern, self._at)
        ranges = found.ranges
        ascii_only = False
        if "i" in self._flags:
            ranges, ascii_only = folded(ranges), found.names_others
        return Chars(inverted(ranges) if found.negated else ranges, ascii_only)

    def _escape(self) -> Node:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if not letter:
            raise Broken
        self._at += 2
        if letter in _PLACES:
            return self._place(letter)
        if letter in "xuU":
            code, self._at = hexadecimal(self._pattern, self._at, letter)
            return self._literal(code)
        return self._plain_escape(letter)

    @staticmethod
    def _plain_escape(letter: str) -> Chars:
        if letter in ESCAPED:
            return Chars(ESCAPED[letter])
        if letter in LETTER_ESCAPES:
            return _one(LETTER_ESCAPES[letter])
        if letter.isascii() and not letter.isalnum() and letter not in "<>":
            return _one(ord(letter))
        raise Outside

    def _place(self, letter: str) -> Node:
        if letter in "bB" and self._peek() == "{":
            raise Outside
        return _PLACES[letter]

    def _group(self) -> Node:
        self._at += 1
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Outside
        node = self._inside_group()
        self._depth -= 1
        return node

    def _inside_group(self) -> Node:
        rest = self._pattern[self._at : self._at + 3]
        if not rest.startswith("?"):
            return self._closed()
        for opening, ahead, negative in _LOOKS:
            if rest.startswith(opening):
                self._at += len(opening)
                return self._look(ahead=ahead, negative=negative)
        name = _GROUP_NAME.match(self._pattern, self._at)
        if name is not None:
            return self._named(name)
        flags = _FLAGS.match(self._pattern, self._at)
        if flags is None:
            raise Outside
        return self._flagged(flags)

    def _named(self, name: re.Match[str]) -> Node:
        if name[1] in self._names:
            raise Outside
        self._names.add(name[1])
        self._at = name.end()
        return self._closed()

    def _look(self, *, ahead: bool, negative: bool) -> Node:
        item = self._closed()
        if not ahead and not _is_simple_behind(item):
            raise Outside
        return Look(item, ahead, negative)

    def _flagged(self, flags: re.Match[str]) -> Node:
        outer = self._flags
        added, removed, end = flags[1], flags[2] or "", flags[3]
        self._flags = (outer | set(added)) - set(removed)
        self._at = flags.end()
        if end == ":":
            node = self._closed()
            self._flags = outer
            return node
        # Flags inside a group outlive it in the service's engine, which may one day be called a fault.
        if self._depth > 1 or not (added or removed):
            raise Outside
        return _EMPTY

    def _closed(self) -> Node:
        node = self._alternatives()
        if not self._takes(")"):
            raise Broken
        return node

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _takes(self, letter: str) -> bool:
        if self._peek() != letter:
            return False
        self._at += 1
        return True


_PLACES: Final[dict[str, Node]] = {
    "A": Anchor(Place.START),
    "z": Anchor(Place.END),
    "Z": Look(Sequence((Repeat(Chars(NEWLINE), 0, None), Anchor(Place.END))), ahead=True, negative=False),
    "b": Anchor(Place.WORD),
    "B": Anchor(Place.NOT_WORD),
}


def _one(code: int) -> Chars:
    return Chars(((code, code),))


def _is_simple_behind(item: Node) -> bool:
    """Say whether every alternative of a look-behind has one length and no assertion that needs backtracking."""
    alternatives = item.alternatives if isinstance(item, Choice) else (item,)
    return all(_has_one_length(alternative) for alternative in alternatives)


def _has_one_length(node: Node) -> bool:
    match node:
        case Chars():
            return True
        case Anchor(place):
            return place not in {Place.WORD, Place.NOT_WORD}
        case Sequence(parts):
            return all(_has_one_length(part) for part in parts)
        case _:
            return False
