"""aiobreaker behind one typed door: it keeps the state and judges finished outcomes on our window and our clock.

aiobreaker 1.2.0 never wraps I/O here (decision 0042): half-open it would let every waiting call through at once, and late
results would rewrite its state. Everything is synchronous, so every transition is atomic.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import aiobreaker
from aiobreaker.state import CircuitBreakerState
from aiobreaker.storage.base import CircuitBreakerStorage

from proxy.clock import Clock
from proxy.config.settings import Breaker as BreakerSettings

from .triggers import failing
from .window import Window

_TRIPPED: Final = 1


class _UpstreamFailedError(Exception):
    """What a failed outcome is to aiobreaker."""


class Inner:
    """Closed, open or half-open, and the window that a closed one is judged by."""

    def __init__(self, settings: BreakerSettings, *, clock: Clock) -> None:
        self.window = Window(window_s=settings.window_s, clock=clock)
        self._storage = _Storage(settings, self.window, clock=clock)
        self._breaker = aiobreaker.CircuitBreaker(fail_max=_TRIPPED, state_storage=self._storage)

    @property
    def is_closed(self) -> bool:
        """It is neither open nor half-open."""
        return self._storage.state is CircuitBreakerState.CLOSED

    @property
    def is_open(self) -> bool:
        """It is open, its period over or not."""
        return self._storage.state is CircuitBreakerState.OPEN

    def judge(self, *, is_success: bool) -> None:
        """Hand an outcome to aiobreaker, which may change its state on it."""
        # The caller has its own answer or failure; only the transition matters here.
        with suppress(_UpstreamFailedError, aiobreaker.CircuitBreakerError):
            self._breaker.call(_replay, is_success)

    def open(self) -> None:
        """Open it, whatever the window says."""
        self._breaker.open()

    def half_open(self) -> None:
        """Say that a probe is on its way. Not left to aiobreaker: it would compare wall clocks, which may step."""
        self._breaker.half_open()

    def close(self) -> None:
        """Close it and forget what was counted."""
        self.window.clear()
        self._breaker.close()

    def stays_open(self, period_s: float) -> None:
        """Tell aiobreaker how long the open period is."""
        self._breaker.timeout_duration = timedelta(seconds=period_s)  # pyright: ignore[reportAttributeAccessIssue] - its annotation errs


def _replay(is_success: bool) -> None:  # noqa: FBT001 - aiobreaker passes arguments on by position
    if not is_success:
        raise _UpstreamFailedError


class _Storage(CircuitBreakerStorage):  # type: ignore[misc]  # aiobreaker is untyped
    """aiobreaker's memory, on our window and our clock.

    It calls `increment_counter` for a failure, and `reset_counter` for a success while closed but for "start afresh" otherwise;
    outcomes while closed are counted before they are handed to it, since only failures are.
    """

    def __init__(self, settings: BreakerSettings, window: Window, *, clock: Clock) -> None:
        super().__init__("window")
        self._settings = settings
        self._window = window
        self._clock = clock
        self._state = CircuitBreakerState.CLOSED
        self._opened_at_s = clock.monotonic()

    @property
    def state(self) -> CircuitBreakerState:
        return self._state

    @state.setter
    def state(self, state: CircuitBreakerState) -> None:
        self._state = state

    def increment_counter(self) -> None:
        """Leave it: the outcome is counted already."""

    def reset_counter(self) -> None:
        if self._state is not CircuitBreakerState.CLOSED:
            self._window.clear()

    @property
    def counter(self) -> int:
        """`fail_max` when the window says trip, else 0: so aiobreaker's own comparison decides."""
        return _TRIPPED if failing(self._window, self._settings) else 0

    @property
    def opened_at(self) -> datetime:
        """A moment that is as long ago on aiobreaker's wall clock as the trip is on our monotonic one."""
        return datetime.utcnow() - timedelta(seconds=self._clock.monotonic() - self._opened_at_s)  # noqa: DTZ003

    @opened_at.setter
    def opened_at(self, date_time: datetime) -> None:  # noqa: ARG002 - a wall clock may step; ours does not
        self._opened_at_s = self._clock.monotonic()
