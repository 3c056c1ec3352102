"""A bulkhead: at most so many exchanges with one upstream at a time, so that a slow one cannot take the worker with it.

What is refused gets its answer from another source at once. (A queue with a deadline, and shares per project, come behind the
same two calls.)
"""

from __future__ import annotations

from typing import Final

from proxy.answer.answer import Failure, Trouble

SHED_RETRY_AFTER_S: Final = 1.0


class Bulkhead:
    """Places for exchanges under way."""

    def __init__(self, *, places: int) -> None:
        self._places = places
        self.taken = 0
        self.refused = 0

    def enter(self) -> Failure | None:
        """Take a place; a `Failure` when there is none. Who entered must `leave`."""
        if self.taken >= self._places:
            self.refused += 1
            return Failure(trouble=Trouble.SHED, retry_after_s=SHED_RETRY_AFTER_S, no_byte_received=True)
        self.taken += 1
        return None

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1
