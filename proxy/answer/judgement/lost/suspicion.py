"""One project's suspicion: since when its answers lack too much, how often that was confirmed, and by which questions.

A confirmation counts once in each share of the holding time, so that a burst is one confirmation. A question whose answer was
held and that is then answered in full again contradicts: what is going on is not a change of the flags.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

MOST_QUESTIONS: Final = 1024
MOST_FLAGS: Final = 4096


class Suspicion(msgspec.Struct):
    """What is held against the answers of one project.

    Attributes:
        since: When the first one was held, on the monotonic clock.
        counted_at: When a confirmation last counted.
        confirmations: How many did.
        held: Answers held.
        missing: The flags that they lack.
        questions: Digests of the keys under which they were asked.
    """

    since: float
    counted_at: float
    confirmations: int = 0
    held: int = 0
    missing: set[str] = msgspec.field(default_factory=set)
    questions: set[int] = msgspec.field(default_factory=set)

    def see(self, question: int, missing: AbstractSet[str], *, every_s: float, now: float) -> None:
        """Take one more answer of this kind into account; the first one founds the suspicion and confirms nothing."""
        self.held += 1
        if now - self.counted_at >= every_s:
            self.confirmations += 1
            self.counted_at = now
        if len(self.missing) < MOST_FLAGS:
            self.missing |= missing
        if len(self.questions) < MOST_QUESTIONS:
            self.questions.add(question)

    def is_contradicted(self, question: int, keys: AbstractSet[str]) -> bool:
        """Tell whether a question whose answer was held is answered with what was missing."""
        return question in self.questions and not self.missing.isdisjoint(keys)
