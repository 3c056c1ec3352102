"""How many second tries the traffic may buy: a retry must never turn a struggling upstream into a drowning one."""

from __future__ import annotations

from typing import Final

RATIO: Final = 0.1
"""Retries may be at most this share of the first tries."""

RESERVE: Final = 10.0
"""Most retries that a quiet stretch can save up."""


class RetryBudget:
    """A purse: each first try puts `RATIO` in, each retry takes one out."""

    def __init__(self) -> None:
        self._left = 1.0  # so that the very first dead connection is retried, too

    def deposit(self) -> None:
        """Count a first try."""
        self._left = min(RESERVE, self._left + RATIO)

    def withdraw(self) -> bool:
        """Tell whether one retry may be made, and pay for it."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
