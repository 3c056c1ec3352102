"""Escapes that stand for one character, inside and outside of classes."""

from __future__ import annotations

import re
from typing import Final

from .faults import Outside

LETTER_ESCAPES: Final = {"a": 0x07, "e": 0x1B, "f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09, "v": 0x0B}

_FIXED_DIGITS: Final = {"x": 2, "u": 4, "U": 8}
_BRACED: Final = re.compile(r"\{([0-9A-Fa-f]{1,8})\}")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]*")


def hexadecimal(pattern: str, at: int, letter: str) -> tuple[int, int]:
    r"""Read what follows `\x`, `\u` or `\U` at `at`: the code point, and where the pattern goes on."""
    digits = _FIXED_DIGITS[letter]
    fixed = _HEXADECIMAL.fullmatch(pattern, at, at + digits)
    if fixed is not None and len(fixed[0]) == digits:
        return _character(fixed[0]), at + digits
    braced = _BRACED.match(pattern, at)
    if braced is None:
        raise Outside
    return _character(braced[1]), braced.end()


def _character(digits: str) -> int:
    code = int(digits, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - no character
        raise Outside
    return code
