"""Time as an argument: everything that waits, expires or ages takes a `Clock`, so that tests own time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two readings of one clock."""

    def monotonic(self) -> float:
        """Return seconds that only go forward; deadlines, ages and windows."""

    def wall(self) -> float:
        """Return Unix seconds; only for what is shown or survives the process."""


class SystemClock:
    """The machine's clock."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
