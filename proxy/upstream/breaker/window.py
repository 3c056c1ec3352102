"""A rolling window of calls: how many ended in the last seconds, how many badly, how many badly in a row; how many were slow.

Time is cut into slices so that memory and cost do not grow with traffic; the window is therefore right to one slice. The pace
of a slow call is known the moment it turns slow, which is before it ends: so paces and outcomes are counted apart.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from proxy.clock import Clock

SLICES: Final = 20


class _Slice:
    __slots__ = ("calls", "failures", "number", "paced", "slow")

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = self.failures = self.paced = self.slow = 0


class Window:
    """Outcomes of the last `window_s` seconds."""

    def __init__(self, *, window_s: float, clock: Clock) -> None:
        self._slice_s = window_s / SLICES
        self._clock = clock
        self._slices: deque[_Slice] = deque()  # oldest first
        self._sum = _Slice(0)
        self.consecutive = 0

    @property
    def calls(self) -> int:
        """Outcomes in the window."""
        return self._current()[1].calls

    @property
    def failures(self) -> int:
        """Bad outcomes in the window."""
        return self._current()[1].failures

    @property
    def paced(self) -> int:
        """Calls whose pace became known in the window."""
        return self._current()[1].paced

    @property
    def slow(self) -> int:
        """Those of them that were slow."""
        return self._current()[1].slow

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

    def clear(self) -> None:
        """Forget everything."""
        self._slices.clear()
        self._sum = _Slice(0)
        self.consecutive = 0

    def _current(self) -> tuple[_Slice, _Slice]:
        """Drop slices that have left the window; return the current one and the sum of all."""
        number, slices = int(self._clock.monotonic() // self._slice_s), self._slices
        if slices and slices[-1].number == number:
            return slices[-1], self._sum
        while slices and slices[0].number <= number - SLICES:
            self._drop(slices.popleft())
        slices.append(_Slice(number))
        return slices[-1], self._sum

    def _drop(self, old: _Slice) -> None:
        total = self._sum
        total.calls -= old.calls
        total.failures -= old.failures
        total.paced -= old.paced
        total.slow -= old.slow
