"""The ramp after a breaker has closed: a tenth of the calls at first, all of them ten seconds later.

An upstream that has just come back has cold caches; all callers at once would take it down again. Who has no other source goes
first: such calls may run a small debt, which the others pay.
"""

from __future__ import annotations

import math
from typing import Final

FROM: Final = 0.1
"""Share of calls admitted at first."""

MOST_DEBT: Final = 5.0
"""Calls without another source may be so many ahead of the share."""


class Ramp:
    """Which calls of a breaker that has just closed are admitted: a share, never a draw of lots."""

    def __init__(self, *, ramp_s: float) -> None:
        self._ramp_s = ramp_s
        self._credit = 0.0
        self.ends = -math.inf

    def start(self, now: float) -> None:
        """Begin at the bottom."""
        self.ends = now + self._ramp_s
        self._credit = 1.0  # so that the first one gets in

    def ratio(self, now: float) -> float:
        """Return the share that is admitted now: `FROM` … 1."""
        left_s = self.ends - now
        return 1.0 if left_s <= 0 else 1.0 - (1.0 - FROM) * left_s / self._ramp_s

    def admits(self, now: float, *, has_other_source: bool) -> bool:
        """Tell whether one more call may go, and count it if it does."""
        self._credit += self.ratio(now)
        if self._credit < (1.0 if has_other_source else 1.0 - MOST_DEBT):
            return False
        self._credit -= 1.0
        return True
