"""What trips a closed breaker: pure questions to a window. Each answers with its cause, or None.

Shares are looked at over the whole window and over its last quarter: at three hundred calls a second, ten calm seconds would
outvote the first seven of an outage that fails every third call, and bulkhead places that hang say little in numbers.
"""

from __future__ import annotations

from proxy.config.settings import Breaker

from .state import Cause
from .window import Window


def failing(window: Window, settings: Breaker) -> Cause | None:
    """Too many failures in a row, or too large a share of enough outcomes."""
    if window.consecutive >= settings.consecutive:
        return Cause.CONSECUTIVE
    for counts in window.stretches():
        if counts.calls >= settings.minimum_calls and counts.failures / counts.calls >= settings.failure_ratio:
            return Cause.RATE
    return None


def slow(window: Window, settings: Breaker) -> Cause | None:
    """Too large a share of enough calls were slow, whether they have ended or not."""
    for counts in window.stretches():
        if counts.paced >= settings.minimum_calls and counts.slow / counts.paced >= settings.slow_ratio:
            return Cause.SLOW
    return None
