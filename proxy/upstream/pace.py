"""How long an exchange takes lately: the 95th percentile of good ones, for who wants to know when an answer is late.

Durations are counted in buckets of a tenth more each, and counts are halved again and again, so that memory and cost do not
grow with traffic and what is old fades. The percentile is right to one bucket.
"""

from __future__ import annotations

import math
from typing import Final

DEFAULT_S: Final = 0.25
"""Said before enough exchanges were seen."""

ENOUGH: Final = 20

_SHORTEST_S: Final = 0.0005
_PER_E_FOLD: Final = 10.0  # a bucket's bounds are e^(1/10) = 1.105 apart
_BUCKETS: Final = 110
"""0.5 ms … 30 s; the last takes what is longer."""

_ASK_AGAIN: Final = 32
_FADE: Final = 512
_QUANTILE: Final = 0.95


class Pace:
    """Durations of recent good exchanges."""

    def __init__(self) -> None:
        self._counts = [0.0] * _BUCKETS
        self._seen = 0
        self._p95_s = DEFAULT_S

    def note(self, seconds: float) -> None:
        """Count one."""
        bucket = int(math.log(seconds / _SHORTEST_S) * _PER_E_FOLD) + 1 if seconds > _SHORTEST_S else 0
        self._counts[bucket if bucket < _BUCKETS else -1] += 1.0
        self._seen = seen = self._seen + 1
        if not seen % _ASK_AGAIN or seen == ENOUGH:
            self._look()

    @property
    def p95_s(self) -> float:
        """Seconds; `DEFAULT_S` before enough were seen."""
        return self._p95_s

    def _look(self) -> None:
        rest = sum(self._counts) * (1.0 - _QUANTILE)
        bucket = _BUCKETS
        while rest >= 0 and bucket > 0:
            bucket -= 1
            rest -= self._counts[bucket]
        self._p95_s = _SHORTEST_S * math.exp(bucket / _PER_E_FOLD)
        if self._seen % _FADE == 0:
            self._counts = [count / 2.0 for count in self._counts]
