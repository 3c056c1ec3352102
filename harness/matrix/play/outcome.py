"""From what an application was handed to a word for it: pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.matrix.cells import Cell, class_of
from harness.matrix.world import ASKED, truth

from .application import Said

NOTHING: Final = "nothing"
ALL: Final = "all"
KEPT: Final = "kept"
WIPED: Final = "wiped"


def of_one(said: Said, *, edition: int, requests: int) -> Cell:
    """Describe the answer to a question for one flag."""
    return Cell(
        got=said.raised or _word(said.value, edition),
        lost=class_of(said.seconds),
        requests=requests or None,
        told=said.told or "",
    )


def of_all(said: Said, *, edition: int, requests: int) -> Cell:
    """Describe the answer to a question for all flags."""
    got = said.raised if said.raised and not said.flags else _count(said.flags or {}, edition)
    return Cell(got=got, lost=class_of(said.seconds), requests=requests or None)


def of_held(said: Said) -> str:
    """Say what is left of the definitions, by what is evaluated locally."""
    if said.raised and not said.flags:
        return said.raised
    count = _count(said.flags or {}, 0)
    return {ALL: KEPT, NOTHING: WIPED}.get(count, count)


def _word(value: Any, edition: int) -> str:
    if value is None:
        return NOTHING
    if value == truth(edition)[ASKED]:
        return "value"
    if value == truth(0)[ASKED]:
        return "outdated value"
    return "false" if value is False else "wrong value"


def _count(flags: Mapping[str, Any], edition: int) -> str:
    expected = truth(edition)
    given = {key: value for key, value in flags.items() if key in expected and value is not None}
    right = sum(value == expected[key] for key, value in given.items())
    wrong = len(given) - right
    if not given:
        return NOTHING
    if right == len(expected):
        return ALL
    return f"{right} of {len(expected)}" + (f", {wrong} wrong" if wrong else "")
