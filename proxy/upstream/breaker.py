"""The circuit breaker of one upstream: aiobreaker judges finished outcomes, our gate decides who may ask.

aiobreaker 1.2.0 never wraps I/O here (decision 0042): half-open it would let every waiting call through at once, and late
results would rewrite its state. The gate admits one leased probe at a time and stamps each permit with a generation; an outcome
of an older generation changes nothing. Everything is synchronous, so every transition is atomic.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final

import aiobreaker
import msgspec
from aiobreaker.state import CircuitBreakerState
from aiobreaker.storage.base import CircuitBreakerStorage

from proxy.answer.answer import Failure, Trouble
from proxy.clock import Clock
from proxy.config.settings import Breaker as BreakerSettings

from .window import Window

JITTER: Final = 0.2
"""Open periods vary by this share, so that workers and machines do not probe in step."""

_TRIPPED: Final = 1


class State(StrEnum):
    """The three states, as metrics and headers spell them."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Permit(msgspec.Struct, frozen=True):
    """Leave to ask upstream once; its outcome goes back to `Gate.settle`."""

    generation: int
    is_probe: bool


class _UpstreamFailedError(Exception):
    """What a failed outcome is to aiobreaker."""


class Gate:
    """Who may ask this upstream, and what is learnt from how it went."""

    def __init__(self, settings: BreakerSettings, *, clock: Clock, rng: Random) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._storage = _Storage(settings, clock=clock)
        self._breaker = aiobreaker.CircuitBreaker(fail_max=_TRIPPED, state_storage=self._storage)
        self._generation = 0
        self._probe_until: float | None = None
        self._period_s = settings.open_s
        self._trips_in_row = 0
        self._closed_at = clock.monotonic()
        self.refused = 0
        self.trips = 0

    @property
    def state(self) -> State:
        """The state as an operator sees it: half-open from the moment a probe may be sent."""
        if self._storage.state is CircuitBreakerState.CLOSED:
            return State.CLOSED
        return State.OPEN if self._open_for_s() > 0 else State.HALF_OPEN

    def admit(self) -> Permit | Failure:
        """Let a call through, or say how long to stay away (seconds)."""
        if self._storage.state is CircuitBreakerState.CLOSED:
            return Permit(self._generation, is_probe=False)
        wait_s = self._open_for_s() or self._probe_for_s()
        if wait_s > 0:
            self.refused += 1
            return Failure(trouble=Trouble.BREAKER_OPEN, retry_after_s=wait_s, no_byte_received=True)
        return self._probe()

    def settle(self, permit: Permit, *, is_success: bool | None) -> None:
        """Take the outcome of a permitted call; None means it was cut short by us and taught nothing."""
        if permit.generation != self._generation:
            return
        if permit.is_probe:
            self._probe_until = None
        if is_success is not None:
            self._judge(is_success=is_success)

    def _probe(self) -> Permit:
        # Said here and not left to aiobreaker: it would compare wall clocks, which may step.
        self._breaker.half_open()
        self._generation += 1
        self._probe_until = self._clock.monotonic() + self._settings.probe_lease_s
        return Permit(self._generation, is_probe=True)

    def _judge(self, *, is_success: bool) -> None:
        before = self._storage.state
        if is_success and before is CircuitBreakerState.CLOSED:
            self._storage.reset_counter()  # all that aiobreaker does with it, without its 3 µs
            return
        # The caller has its own answer or failure; only the transition matters here.
        with suppress(_UpstreamFailedError, aiobreaker.CircuitBreakerError):
            self._breaker.call(_replay, is_success)
        if self._storage.state is CircuitBreakerState.OPEN:
            self._opened(was_closed=before is CircuitBreakerState.CLOSED)
        elif before is not CircuitBreakerState.CLOSED:
            self._closed()

    def _opened(self, *, was_closed: bool) -> None:
        """Start a new open period, longer the more often it opened without a calm window between."""
        if was_closed and self._clock.monotonic() - self._closed_at > self._settings.window_s:
            self._trips_in_row = 0
        period_s = min(self._settings.open_s * 2.0 ** min(self._trips_in_row, 20), self._settings.open_max_s)
        self._period_s = period_s * (1 - JITTER * self._rng.random())
        self._breaker.timeout_duration = timedelta(seconds=self._period_s)  # pyright: ignore[reportAttributeAccessIssue] - its annotation errs
        self._trips_in_row += 1
        self._generation += 1
        self.trips += 1

    def _closed(self) -> None:
        self._closed_at = self._clock.monotonic()
        self._generation += 1

    def _open_for_s(self) -> float:
        if self._storage.state is not CircuitBreakerState.OPEN:
            return 0.0
        return max(0.0, self._storage.opened_at_s + self._period_s - self._clock.monotonic())

    def _probe_for_s(self) -> float:
        return 0.0 if self._probe_until is None else max(0.0, self._probe_until - self._clock.monotonic())


def _replay(is_success: bool) -> None:  # noqa: FBT001 - aiobreaker passes arguments on by position
    if not is_success:
        raise _UpstreamFailedError


class _Storage(CircuitBreakerStorage):  # type: ignore[misc]  # aiobreaker is untyped
    """aiobreaker's memory, on our window and our clock.

    It calls `increment_counter` for a failure, and `reset_counter` for a success while closed but for "start afresh" otherwise.
    """

    def __init__(self, settings: BreakerSettings, *, clock: Clock) -> None:
        super().__init__("window")
        self._settings = settings
        self._clock = clock
        self._window = Window(window_s=settings.window_s, clock=clock)
        self._state = CircuitBreakerState.CLOSED
        self.opened_at_s = clock.monotonic()

    @property
    def state(self) -> CircuitBreakerState:
        return self._state

    @state.setter
    def state(self, state: CircuitBreakerState) -> None:
        self._state = state

    def increment_counter(self) -> None:
        self._window.add(is_failure=True)

    def reset_counter(self) -> None:
        if self._state is CircuitBreakerState.CLOSED:
            self._window.add(is_failure=False)
        else:
            self._window.clear()

    @property
    def counter(self) -> int:
        """`fail_max` when the window says trip, else 0: so aiobreaker's own comparison decides."""
        return _TRIPPED if self._is_too_bad() else 0

    @property
    def opened_at(self) -> datetime:
        """A moment that is as long ago on aiobreaker's wall clock as the trip is on our monotonic one."""
        return datetime.utcnow() - timedelta(seconds=self._clock.monotonic() - self.opened_at_s)  # noqa: DTZ003

    @opened_at.setter
    def opened_at(self, date_time: datetime) -> None:  # noqa: ARG002 - a wall clock may step; ours does not
        self.opened_at_s = self._clock.monotonic()

    def _is_too_bad(self) -> bool:
        window, settings = self._window, self._settings
        if window.consecutive >= settings.consecutive:
            return True
        calls = window.calls
        return calls >= settings.minimum_calls and window.failures / calls >= settings.failure_ratio
