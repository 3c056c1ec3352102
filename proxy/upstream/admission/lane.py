"""A few places of their own for requests that have no other source while upstream is too slow for everybody else.

They are not the bulkhead's: that one is full of slow exchanges just then.
"""

from __future__ import annotations


class Lane:
    """Places without a queue.

    Attributes:
        taken: Places taken now.
        used: How often one was taken.
        refused: How often there was none.
    """

    def __init__(self, *, places: int) -> None:
        self._places = places
        self.taken = 0
        self.used = 0
        self.refused = 0

    def enter(self) -> bool:
        """Take a place if there is one. Who entered must `leave`."""
        if self.taken >= self._places:
            self.refused += 1
            return False
        self.taken += 1
        self.used += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1
