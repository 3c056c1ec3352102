"""Bracketed classes: literals, ranges, escapes and POSIX names; set operations and nested classes are outside."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .characters import ESCAPED, LAST_ASCII, POSIX, Ranges, inverted, union
from .escapes import LETTER_ESCAPES, hexadecimal
from .faults import Broken, Outside

_POSIX: Final = re.compile(r"\[:(\^?)([a-z]+):\]")
_OPERATIONS: Final = ("&&", "--", "~~")


class Found(NamedTuple):
    """What stands between the brackets.

    Attributes:
        ranges: Before negation.
        negated: Whether a `^` comes first.
        names_others: Whether a character outside ASCII is named one by one or in a range.
    """

    ranges: Ranges
    negated: bool
    names_others: bool


def read_class(pattern: str, at: int) -> tuple[Found, int]:
    """Read the class whose `[` is at `at`; return it, and where the pattern goes on."""
    reader = _ClassReader(pattern, at + 1)
    return reader.found(), reader.at


class _ClassReader:
    def __init__(self, pattern: str, at: int) -> None:
        self._pattern = pattern
        self.at = at
        self._ranges: list[tuple[int, int]] = []
        self._names_others = False

    def found(self) -> Found:
        negated = self._takes("^")
        if self._peek() in {"]", "-"}:
            # Either is a letter at the beginning; two hyphens would be a letter each, or an operation later on.
            self._refuse_operations()
            self._range_from(ord(self._next()))
        while not self._takes("]"):
            self._refuse_operations()
            self._item()
        return Found(union(self._ranges), negated, self._names_others)

    def _item(self) -> None:
        letter = self._peek()
        if letter == "[":
            self._posix()
        elif letter == "\\":
            self._escape()
        else:
            self._range_from(ord(self._next()))

    def _posix(self) -> None:
        match = _POSIX.match(self._pattern, self.at)
        if match is None or match[2] not in POSIX:
            raise Outside
        ranges = POSIX[match[2]]
        self._ranges += inverted(ranges) if match[1] else ranges
        self.at = match.end()
        self._refuse_range()

    def _escape(self) -> None:
        letter = self._pattern[self.at + 1 : self.at + 2]
        if letter in ESCAPED:
            self._ranges += ESCAPED[letter]
            self.at += 2
            self._refuse_range()
        else:
            self._range_from(self._escaped())

    def _range_from(self, low: int) -> None:
        high = low
        if self._peek() == "-" and self._pattern[self.at + 1 : self.at + 2] not in {"]", "-", ""}:
            self.at += 1
            high = self._end_of_range()
        if high < low:
            raise Broken
        if low == high and 0xD800 <= low <= 0xDFFF:  # noqa: PLR2004 - surrogates are no characters
            raise Outside
        self._names_others |= high > LAST_ASCII
        self._ranges.append((low, high))

    def _end_of_range(self) -> int:
        letter = self._peek()
        if letter == "[":
            raise Outside
        return self._escaped() if letter == "\\" else ord(self._next())

    def _escaped(self) -> int:
        letter = self._pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if letter == "b":
            return 0x08
        if letter in LETTER_ESCAPES:
            return LETTER_ESCAPES[letter]
        if letter and letter in "xuU":
            code, self.at = hexadecimal(self._pattern, self.at, letter)
            return code
        if letter.isascii() and letter and not letter.isalnum():
            return ord(letter)
        if not letter:
            raise Broken
        raise Outside

    def _refuse_operations(self) -> None:
        if self._pattern.startswith(_OPERATIONS, self.at):
            raise Outside

    def _refuse_range(self) -> None:
        """A set as the beginning of a range is an error in some versions, letters in others."""
        if self._peek() == "-" and self._pattern[self.at + 1 : self.at + 2] != "]":
            raise Outside

    def _peek(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _next(self) -> str:
        letter = self._peek()
        if not letter:
            raise Broken
        self.at += 1
        return letter

    def _takes(self, letter: str) -> bool:
        if self.at >= len(self._pattern):
            raise Broken
        if self._pattern[self.at] != letter:
            return False
        self.at += 1
        return True
