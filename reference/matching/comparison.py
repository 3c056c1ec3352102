"""What an operator becomes once its filter value is known: one function of a present value, and two answers for an absent one.

An operator's room decides here, when definitions are compiled, everything that depends on the filter alone; what is left for
a request is one call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from reference.json import Json

from .match import INVALID, Match, Moment

Present: TypeAlias = Callable[[Json, Moment], Match]


class Texts(NamedTuple):
    """`known` in lower case; a text among them is answered by `answer`, any other by the opposite."""

    known: frozenset[str]
    answer: bool


class Comparison(NamedTuple):
    """One compiled operator.

    Attributes:
        present: Answers for a key that is there, null included.
        absent: The answer for a key that is known not to be there (contract §7.1).
        constant: The answer that every present value and the absent key share, where there is one: a missing key then need
            not be known. `INVALID` and `False` count as the same answer: nothing in the contract tells them apart.
        texts: For a text, the usual value, where nothing else of it counts: which lower-case texts there are, and the answer
            for one of them. `present` says the same.
    """

    present: Present
    absent: Match = False
    constant: Match | None = None
    texts: Texts | None = None


def always(answer: Match) -> Comparison:
    """Return the comparison whose answer the filter alone decides."""
    return Comparison(lambda _value, _moment: answer, absent=answer, constant=answer)


NEVER = always(False)
ERROR = always(INVALID)


def negated(comparison: Comparison) -> Comparison:
    """Return the exact complement of a comparison that only answers True and False."""
    positive = comparison.present
    constant, texts = comparison.constant, comparison.texts
    return Comparison(
        lambda value, moment: not positive(value, moment),
        absent=not comparison.absent,
        constant=None if constant is None else not constant,
        texts=None if texts is None else Texts(texts.known, answer=not texts.answer),
    )
