"""A rolling window of calls: how many ended in the last seconds, how many badly, how many badly in a row; how many were slow.

Time is cut into slices so that memory and cost do not grow with traffic; the window is therefore right to one slice. The pace
of a slow call is known the moment it turns slow, which is before it ends: so paces and outcomes are counted apart.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from proxy.clock import Clock

SLICES: Final = 20

RECENT: Final = 5
"""Slices at its end that are looked at by themselves."""


class Counts:
    """What was counted in a stretch of time.

    Attributes:
        number: The slice that it is, or began with.
        calls: Outcomes.
        failures: Bad ones among them.
        paced: Calls whose pace became known.
        slow: Slow ones among them.
    """

    __slots__ = ("calls", "failures", "number", "paced", "slow")

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = self.failures = self.paced = self.slow = 0

    def add(self, other: Counts) -> None:
        """Add another stretch."""
        self.calls += other.calls
        self.failures += other.failures
        self.paced += other.paced
        self.slow += other.slow

    def subtract(self, other: Counts) -> None:
        """Take another stretch away."""
        self.calls -= other.calls
        self.failures -= other.failures
        self.paced -= other.paced
        self.slow -= other.slow


class Window:
    """Outcomes of the last `window_s` seconds."""

    def __init__(self, *, window_s: float, clock: Clock) -> None:
        self._slice_s = window_s / SLICES
        self._clock = clock
        self._slices: deque[Counts] = deque()  # oldest first
        self._sum = Counts(0)
        self.consecutive = 0

    @property
    def whole(self) -> Counts:
        """All of it."""
        return self._current()[1]

    def add(self, *, is_failure: bool, is_quick: bool = True) -> None:
        """Count one outcome; `is_quick`: the call ended before it turned slow, so its pace is counted here, too."""
        newest, total = self._current()
        newest.calls += 1
        total.calls += 1
        if is_quick:
            newest.paced += 1
            total.paced += 1
        if is_failure:
            newest.failures += 1
            total.failures += 1
            self.consecutive += 1
        else:
            self.consecutive = 0

    def add_slow(self) -> None:
        """Count a call that just turned slow; how it ends is counted when it does."""
        for each in self._current():
            each.paced += 1
            each.slow += 1

    def stretches(self) -> tuple[Counts, Counts]:
        """Return the whole window, and its last quarter by itself, where the calm before an outage is soon forgotten."""
        newest, total = self._current()
        recent = Counts(newest.number - RECENT + 1)
        for each in reversed(self._slices):
            if each.number < recent.number:
                break
            recent.add(each)
        return total, recent

    def clear(self) -> None:
        """Forget everything."""
        self._slices.clear()
        self._sum = Counts(0)
        self.consecutive = 0

    def _current(self) -> tuple[Counts, Counts]:
        """Drop slices that have left the window; return the current one and the sum of all."""
        number, slices = int(self._clock.monotonic() // self._slice_s), self._slices
        if slices and slices[-1].number == number:
            return slices[-1], self._sum
        while slices and slices[0].number <= number - SLICES:
            self._sum.subtract(slices.popleft())
        slices.append(Counts(number))
        return slices[-1], self._sum
