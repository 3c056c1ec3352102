"""Which requests are traced: drawn before anything is made, and some of the troubled ones that were not drawn.

Drawing costs a tenth of a microsecond; a span that is made and then thrown away costs seven. Fallbacks and errors are what
people look for, so of those that lost the draw up to `MOST_PER_S` a second are told afterwards, for each project and reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.clock import Clock

from .context import Parent

MOST_PER_S: Final = 10
"""Of one project and one reason, in one worker."""
_MOST_KINDS: Final = 4096


class Draw:
    """Decides for each request. `random` gives numbers in [0, 1)."""

    def __init__(self, *, ratio: float, random: Callable[[], float], clock: Clock) -> None:
        self.ratio = ratio
        self.passed_over = 0
        self._random = random
        self._clock = clock
        self._second = -1
        self._told: dict[tuple[str, str], int] = {}

    def before(self, parent: Parent | None, *, is_trusted: bool) -> bool:
        """Tell whether a request is traced from the start. A trusted caller's decision is ours, too."""
        if parent is not None and is_trusted:
            return parent.is_sampled
        return self._random() < self.ratio

    def after(self, project: str, reason: str) -> bool:
        """Tell whether a fallback or an error that was not drawn is traced all the same."""
        second = int(self._clock.monotonic())
        if second != self._second or len(self._told) >= _MOST_KINDS:
            self._second = second
            self._told.clear()
        told = self._told.get((project, reason), 0)
        if told >= MOST_PER_S:
            self.passed_over += 1
            return False
        self._told[project, reason] = told + 1
        return True
