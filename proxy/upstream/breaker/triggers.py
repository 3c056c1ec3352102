"""What trips a closed breaker: pure questions to a window. Each answers with its cause, or None."""

from __future__ import annotations

from proxy.config.settings import Breaker

from .state import Cause
from .window import Window


def failing(window: Window, settings: Breaker) -> Cause | None:
    """Too many failures in a row, or too large a share of enough outcomes."""
    if window.consecutive >= settings.consecutive:
        return Cause.CONSECUTIVE
    calls = window.calls
    if calls >= settings.minimum_calls and window.failures / calls >= settings.failure_ratio:
        return Cause.RATE
    return None


def slow(window: Window, settings: Breaker) -> Cause | None:
    """Too large a share of enough calls were slow, whether they have ended or not."""
    paced = window.paced
    if paced >= settings.minimum_calls and window.slow / paced >= settings.slow_ratio:
        return Cause.SLOW
    return None
