"""A rolling window of outcomes: how many calls ended in the last seconds, how many of them badly, how many badly in a row.

Time is cut into slices so that memory and cost do not grow with traffic; the window is therefore right to one slice.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from proxy.clock import Clock

SLICES: Final = 20


class Window:
    """Outcomes of the last `window_s` seconds."""

    def __init__(self, *, window_s: float, clock: Clock) -> None:
        self._slice_s = window_s / SLICES
        self._clock = clock
        self._slices: deque[list[int]] = deque()  # [slice number, calls, failures], oldest first
        self._calls = 0
        self._failures = 0
        self.consecutive = 0

    @property
    def calls(self) -> int:
        """Outcomes in the window."""
        self._forget()
        return self._calls

    @property
    def failures(self) -> int:
        """Bad outcomes in the window."""
        self._forget()
        return self._failures

    def add(self, *, is_failure: bool) -> None:
        """Count one outcome."""
        current = self._forget()
        if not self._slices or self._slices[-1][0] != current:
            self._slices.append([current, 0, 0])
        newest = self._slices[-1]
        newest[1] += 1
        self._calls += 1
        if is_failure:
            newest[2] += 1
            self._failures += 1
            self.consecutive += 1
        else:
            self.consecutive = 0

    def clear(self) -> None:
        """Forget everything."""
        self._slices.clear()
        self._calls = self._failures = self.consecutive = 0

    def _forget(self) -> int:
        """Drop slices that have left the window; return the number of the current one."""
        current = int(self._clock.monotonic() // self._slice_s)
        slices = self._slices
        while slices and slices[0][0] <= current - SLICES:
            _, calls, failures = slices.popleft()
            self._calls -= calls
            self._failures -= failures
        return current
