"""Patterns put together from pieces, and texts of the same letters: what no list of patterns thinks of."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

TEXT: Final = "aaabbcdéAB1 -]\n\x7fxuq_"
ATOMS: Final = ("a", "b", "ab", "é", ".", "\\d", "\\w", "\\s", "\\x41", "\\n", "\\.", "-", "x")
PLACES: Final = ("^", "$", "\\b", "\\B")
QUANTIFIERS: Final = ("", "", "", "*", "+", "?", "{2}", "{1,}", "{0,3}", "*?")
ITEMS: Final = ("a", "b-d", "é", "x", "\\d", "\\w", "\\s", "\\-", "\\]", "\\\\", "\\x41", "\\n", "\\_", "\\x41-\\x43")
OPENINGS: Final = ("(", "(?:", "(?i:", "(?=", "(?!", "(?P<n>")
ODD_ATOMS: Final = ("\\u0041", "\\x7f", "}", "{", "\\q", "\\e")
ODD_PLACES: Final = ("\\A", "\\z", "\\b{", "^{")
ODD_QUANTIFIERS: Final = ("{,2}", "+?", "{3,1}", "{", "++", "**")
ODD_ITEMS: Final = (
    "a-", "-c", "\\u0041", "\\U00000041", "\\x{e9}", "\\b", "\\q", "\\e", "[:alpha:]", "[:^digit:]", "[:word:]", "&&", "--",
    "z-a", "\\d-z", "\\w-", "a-\\d", "[a", "\x7f",
)  # fmt: skip
ODD_OPENINGS: Final = ("(?-i:", "(?s-i:", "(?i-s:", "(?i)(", "(?<n>", "(?<=", "(?<!", "(?m:", "(?x:", "(?#")
ODD: Final = 1 / 6
DEEPEST: Final = 3


def pattern(random: Random, depth: int = 0) -> str:
    """Return a pattern, valid as a rule and short as a rule: an odd piece tells most where nothing is around it."""
    alternatives = 1 if random.random() < 3 / 4 else 2
    return "|".join("".join(_piece(random, depth) for _ in range(random.choice((1, 1, 2, 3)))) for _ in range(alternatives))


def text(random: Random) -> str:
    """Return a text that patterns of these pieces may match."""
    if random.random() < 1 / 8:
        return "a" * random.choice((28, 200)) + random.choice("!b")
    return "".join(random.choice(TEXT) for _ in range(random.choice((0, 1, 1, 2, 3, 8))))


def _piece(random: Random, depth: int) -> str:
    kinds: tuple[Callable[[Random, int], str], ...] = (
        _atom,
        _atom,
        _class,
        _place,
        *(() if depth == DEEPEST else (_group,) * 2),
    )
    piece = random.choice(kinds)
    repeats = piece is not _place or random.random() < ODD
    return piece(random, depth) + (_drawn(random, QUANTIFIERS, ODD_QUANTIFIERS) if repeats else "")


def _atom(random: Random, _: int) -> str:
    return _drawn(random, ATOMS, ODD_ATOMS)


def _place(random: Random, _: int) -> str:
    return _drawn(random, PLACES, ODD_PLACES)


def _class(random: Random, _: int) -> str:
    members = "".join(_drawn(random, ITEMS, ODD_ITEMS) for _ in range(random.randint(1, 3)))
    return f"[{random.choice(('', '', '^'))}{members}]"


def _group(random: Random, depth: int) -> str:
    return f"{_drawn(random, OPENINGS, ODD_OPENINGS)}{pattern(random, depth + 1)})"


def _drawn(random: Random, usual: tuple[str, ...], odd: tuple[str, ...]) -> str:
    return random.choice(odd if random.random() < ODD else usual)
