"""Sets of characters as sorted, disjoint ranges of code points, and the named sets of Rust's regex syntax."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Final, TypeAlias

from .unicode_tables import DIGIT_TABLE, SPACE_TABLE, WORD_TABLE

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Inclusive bounds, ascending, neither touching nor overlapping."""

LAST: Final = 0x10FFFF
LAST_ASCII: Final = 0x7F


def union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return the ranges in normal form."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def inverted(ranges: Ranges) -> Ranges:
    """Return every code point that is not in the ranges."""
    edges = [-1, *(edge for pair in ranges for edge in pair), LAST + 1]
    gaps = list(pairwise(edges))[::2]
    return tuple((below + 1, above - 1) for below, above in gaps if below + 1 <= above - 1)


def contains(ranges: Ranges, code: int) -> bool:
    """Say whether a code point is in the ranges."""
    position = bisect_right(ranges, (code, LAST)) - 1
    return position >= 0 and code <= ranges[position][1]


def clipped_to_ascii(ranges: Ranges) -> Ranges:
    """Return the part of the ranges that ASCII has."""
    return tuple((low, min(high, LAST_ASCII)) for low, high in ranges if low <= LAST_ASCII)


def folded(ranges: Ranges) -> Ranges:
    """Add the other case of every ASCII letter, with the two letters outside ASCII that fold to one (ſ and K)."""
    extra = [(code ^ 0x20, code ^ 0x20) for low, high in ranges for code in _ascii_letters(low, high)]
    closed = union([*ranges, *extra])
    for code, others in _FOLDS_TO_ASCII.items():
        if contains(closed, code) or contains(closed, others[0]):
            closed = union([*closed, *((other, other) for other in (code, *others))])
    return closed


_FOLDS_TO_ASCII: Final = {0x17F: (ord("s"), ord("S")), 0x212A: (ord("k"), ord("K"))}


def _ascii_letters(low: int, high: int) -> list[int]:
    return [code for code in range(low, min(high, LAST_ASCII) + 1) if chr(code).isalpha()]


def _read(table: str) -> Ranges:
    bounds = (pair.split("-") for pair in table.split())
    return tuple((int(pair[0], 36), int(pair[-1], 36)) for pair in bounds)


WORD: Final = _read(WORD_TABLE)
DIGIT: Final = _read(DIGIT_TABLE)
SPACE: Final = _read(SPACE_TABLE)
HEX_DIGIT: Final = ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66))
NEWLINE: Final = ((0x0A, 0x0A),)
ANY: Final = ((0, LAST),)

ESCAPED: Final[dict[str, Ranges]] = {
    "d": DIGIT,
    "D": inverted(DIGIT),
    "w": WORD,
    "W": inverted(WORD),
    "s": SPACE,
    "S": inverted(SPACE),
    "h": HEX_DIGIT,
    "H": inverted(HEX_DIGIT),
}

_LOWER, _UPPER, _DIGITS = (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39)
POSIX: Final[dict[str, Ranges]] = {
    "alnum": union([_LOWER, _UPPER, _DIGITS]),
    "alpha": union([_LOWER, _UPPER]),
    "ascii": ((0, LAST_ASCII),),
    "blank": union([(0x09, 0x09), (0x20, 0x20)]),
    "cntrl": union([(0, 0x1F), (0x7F, 0x7F)]),
    "digit": (_DIGITS,),
    "graph": ((0x21, 0x7E),),
    "lower": (_LOWER,),
    "print": ((0x20, 0x7E),),
    "punct": union([(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)]),
    "space": union([(0x09, 0x0D), (0x20, 0x20)]),
    "upper": (_UPPER,),
    "word": union([_LOWER, _UPPER, _DIGITS, (0x5F, 0x5F)]),
    "xdigit": HEX_DIGIT,
}
