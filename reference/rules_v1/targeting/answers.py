"""What a check can answer, and how answers combine.

Besides the four answers of a comparison there is a fifth, `Failure`: the service would mark the whole flag as failed. Not
knowing is never treated as not matching: answers combine as in Kleene's logic, where False decides an "and" whatever else
is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeAlias, final

from reference.matching.match import Invalid, Unsure

if TYPE_CHECKING:
    from reference.rules_v1.subject import Subject


@final
class Failure:
    """The flag that asks fails in the service, with this code.

    Attributes:
        code: The service's failure code.
        doubt: Set where a newer service may not fail after all; nothing certain can then be said about the flag.
    """

    __slots__ = ("code", "doubt")

    def __init__(self, code: str, *, doubt: Unsure | None = None) -> None:
        self.code = code
        self.doubt = doubt

    def __repr__(self) -> str:
        return f"Failure({self.code!r})"


Kleene: TypeAlias = "bool | Unsure"
Answer: TypeAlias = "bool | Invalid | Unsure"
Check: TypeAlias = "Callable[[Subject], Answer]"
CohortAnswer: TypeAlias = "Kleene | Failure"
CohortCheck: TypeAlias = "Callable[[Subject], CohortAnswer]"
Rule: TypeAlias = "Callable[[Subject], Kleene]"

DEPENDENCY_FAILED: Final = Unsure("dependency_failed")
"""The answer depends on a flag that failed in this request (contract §5.6); told apart by identity."""


def never(_subject: Subject) -> bool:
    """Answer that nobody matches."""
    return False


def all_of(answers: Iterable[bool | Invalid | Unsure]) -> Kleene:
    """Combine filters that must all hold: a mismatch decides, whatever else is unknown."""
    doubt: Unsure | None = None
    for answer in answers:
        if isinstance(answer, Unsure):
            doubt = worse(doubt, answer)
        elif answer is not True:
            return False
    return True if doubt is None else doubt


def worse(doubt: Unsure | None, other: Unsure) -> Unsure:
    """Keep the doubt to report: the first, but a plain unknown before a failed dependency (only it can be completed)."""
    return other if doubt is None or doubt is DEPENDENCY_FAILED else doubt


def negated(answer: Kleene) -> Kleene:
    """Flip a known answer; the opposite of unknown is unknown."""
    return answer if isinstance(answer, Unsure) else not answer
