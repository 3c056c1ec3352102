"""Who may ask upstream, and what is learnt from how it went.

    closed ─ too many failures, or slow calls ─► open ─ its period is over ─► half-open: one leased probe at a time
      ▲                                           ▲                              │
      └── ramp: 10 → 100 % of the calls ◄─────────┴── a bad or slow probe ───────┴─ good probes in a row

Permits are stamped with a generation, and every change of state begins a new one: an outcome of an earlier generation changes
nothing. A call is slow the moment it has taken `slow_s`, not when it ends; nobody sets an alarm for that, since whoever asks
the gate anything first counts what has turned slow by then. Probes are requests: where none come, nothing is asked, and the
next one that comes is the probe.
"""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from proxy.answer.answer import Failure, Trouble
from proxy.clock import Clock
from proxy.config.settings import Breaker

from .inner import Inner
from .period import Period
from .ramp import Ramp
from .state import Cause, Permit, State
from .triggers import failing, slow


class Gate:
    """One breaker.

    Attributes:
        cause: Why it last opened; None: it never did, or an operator held it closed since.
        refused: Calls refused while open or half-open.
        held_back: Calls refused by the ramp.
        trips: How often it opened; an operator's doing is not counted.
        causes: The same by cause.
        transitions: How often it went from one state to another, by whoever's doing.
    """

    def __init__(self, settings: Breaker, *, clock: Clock, rng: Random) -> None:
        self._settings = settings
        self._clock = clock
        self._inner = Inner(settings, clock=clock)
        self._period = Period(settings, rng=rng)
        self._ramp = Ramp(ramp_s=settings.ramp_s)
        self._generation = 0
        self._forced: State | None = None
        self._is_plain = True  # closed, past the ramp, not forced: nothing to ask about
        self._opens_again = self._probe_until = self._calm_from = -math.inf
        self._good_probes = 0
        self._serial = 0
        self._under_way: dict[int, float] = {}  # serial → when it turns slow; oldest first
        self._look_at = math.inf  # not later than the first of them
        self._stood = State.CLOSED
        self.cause: Cause | None = None
        self.refused = 0
        self.held_back = 0
        self.trips = 0
        self.transitions: Counter[tuple[State, State]] = Counter()
        self.causes: Counter[Cause] = Counter()

    @property
    def state(self) -> State:
        """The state as an operator sees it: half-open from the moment a probe may be sent."""
        now = self._now()
        if self._forced is not None:
            return self._forced
        if self._inner.is_closed:
            return State.CLOSED
        return State.OPEN if self._inner.is_open and now < self._opens_again else State.HALF_OPEN

    @property
    def forced(self) -> State | None:
        """What an operator holds it at; None: nothing."""
        return self._forced

    @property
    def admitted_ratio(self) -> float:
        """The share of calls that it lets through now: 0 unless closed, below 1 on the ramp."""
        if self.state is not State.CLOSED:
            return 0.0
        return 1.0 if self._is_plain or self._forced else self._ramp.ratio(self._clock.monotonic())

    @property
    def is_plain(self) -> bool:
        """It is closed, past its ramp, and nobody holds it."""
        return self._is_plain

    @property
    def is_idle(self) -> bool:
        """It stands as it would have begun: nothing is lost with it."""
        return self.state is State.CLOSED and self._is_plain and self._inner.window.whole.failures == 0

    def admit(self, *, has_other_source: bool = True) -> Permit | Failure:
        """Let a call through, or say how long to stay away (seconds). On the ramp, who has no other source goes first."""
        now = self._now()
        if self._is_plain:
            return self._permit(now)
        if self._forced is not None:
            return self._permit(now) if self._forced is State.CLOSED else self._refuse(self._settings.open_max_s)
        if self._inner.is_closed:
            return self._on_the_ramp(now, has_other_source=has_other_source)
        wait_s = self._wait_s(now)
        return self._refuse(wait_s) if wait_s > 0 else self._probe(now)

    def settle(self, permit: Permit, *, is_success: bool | None, retry_after_s: float | None = None) -> None:
        """Take the outcome of a permitted call; None: it taught nothing, say because it was cut short by us.

        `retry_after_s`: what a failed answer asked for.
        """
        now = self._now()
        if permit.generation != self._generation:
            return
        is_quick = self._under_way.pop(permit.serial, None) is not None
        if permit.is_probe:
            self._probe_until = -math.inf
        if is_success is None:
            return
        if is_success and self._is_plain:
            self._inner.window.add(is_failure=False, is_quick=is_quick)
        else:
            self._learn(now, is_success=is_success, is_quick=is_quick, retry_after_s=retry_after_s)

    def blame(self, *, retry_after_s: float | None = None) -> None:
        """Count a failure that was found out after its permit was settled. An open breaker learns nothing from it."""
        now = self._now()
        if not self._inner.is_open:
            self._learn(now, is_success=False, is_quick=False, retry_after_s=retry_after_s)

    def force(self, state: State | None) -> None:
        """Hold it open or closed whatever happens; None lets go of it.

        Held closed it counts nothing. Let go, one that was held open asks with probes first, one held closed starts afresh.
        """
        if state is State.HALF_OPEN:
            raise ValueError("a breaker is forced open or closed; half-open is for probes to decide")
        if state is self._forced:
            return
        before, self._forced = self._forced, state
        self._good_probes = 0
        if state is State.OPEN:
            self.cause = Cause.FORCED
            self._inner.open()
        elif state is State.CLOSED:
            self.cause = None
            self._inner.close()
        elif before is State.OPEN:
            self._opens_again = -math.inf
        self._enter(State.CLOSED if self._inner.is_closed else State.OPEN)
        self._is_plain = self._inner.is_closed and self._forced is None

    # --- leave -------------------------------------------------------------------------------------------------------------

    def _permit(self, now: float) -> Permit:
        self._serial = serial = self._serial + 1
        turns_slow = now + self._settings.slow_s
        self._under_way[serial] = turns_slow
        if turns_slow < self._look_at:  # noqa: PLR1730 - `min` costs more than all the rest
            self._look_at = turns_slow
        return Permit(self._generation, is_probe=False, serial=serial)

    def _on_the_ramp(self, now: float, *, has_other_source: bool) -> Permit | Failure:
        if now >= self._ramp.ends:
            self._is_plain = True
        elif not self._ramp.admits(now, has_other_source=has_other_source):
            self.held_back += 1
            return self._refusal(Trouble.BREAKER_RECOVERING, self._ramp.ends - now)
        return self._permit(now)

    def _wait_s(self, now: float) -> float:
        return self._opens_again - now if self._inner.is_open else self._probe_until - now

    def _probe(self, now: float) -> Permit:
        self._inner.half_open()
        self._enter(State.HALF_OPEN)
        self._probe_until = now + self._settings.probe_lease_s
        permit = self._permit(now)
        return Permit(permit.generation, is_probe=True, serial=permit.serial)

    def _refuse(self, wait_s: float) -> Failure:
        self.refused += 1
        return self._refusal(Trouble.BREAKER_OPEN, wait_s)

    def _refusal(self, trouble: Trouble, wait_s: float) -> Failure:
        return Failure(trouble=trouble, retry_after_s=wait_s, no_byte_received=True, is_slowness=self.cause is Cause.SLOW)

    # --- outcomes ----------------------------------------------------------------------------------------------------------

    def _now(self) -> float:
        """Return the time, once what has turned slow by then is counted."""
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._count_slow(now)
        return now

    def _count_slow(self, now: float) -> None:
        late = [serial for serial, turns_slow in self._under_way.items() if turns_slow <= now]
        for serial in late:
            del self._under_way[serial]
        self._look_at = next(iter(self._under_way.values()), math.inf)
        if self._forced is not None:
            return
        if self._inner.is_closed:
            for _ in late:
                self._inner.window.add_slow()
            if late and slow(self._inner.window, self._settings):
                self._inner.open()
                self._opened(now, Cause.SLOW)
        elif late:  # half-open: only the probe is under way
            self._inner.open()
            self._opened(now, Cause.SLOW)

    def _learn(self, now: float, *, is_success: bool, is_quick: bool, retry_after_s: float | None) -> None:
        if retry_after_s is not None and not is_success:
            self._period.ask_for(retry_after_s, now=now)
        if self._forced is not None:
            return
        if self._inner.is_closed:
            self._inner.window.add(is_failure=not is_success, is_quick=is_quick)
            if not is_success:
                self._failed(now)
        else:
            self._probed(now, is_success=is_success)

    def _failed(self, now: float) -> None:
        cause = failing(self._inner.window, self._settings)
        self._inner.judge(is_success=False)
        if cause is not None:
            self._opened(now, cause)

    def _probed(self, now: float, *, is_success: bool) -> None:
        if not is_success:
            self._inner.judge(is_success=False)
            self._opened(now, Cause.PROBE)
            return
        self._good_probes += 1
        if self._good_probes >= self._settings.probes:
            self._inner.judge(is_success=True)
            self._closed(now)

    def _opened(self, now: float, cause: Cause) -> None:
        """Start an open period, longer the more often it opened without a calm window between."""
        if self._stood is State.CLOSED and now > self._calm_from:
            self._period.calm()
        self._opens_again = now + self._period.start(now)
        self._inner.stays_open(self._opens_again - now)
        self._good_probes = 0
        self._is_plain = False
        self.cause = cause
        self.causes[cause] += 1
        self.trips += 1
        self._enter(State.OPEN)

    def _closed(self, now: float) -> None:
        self._ramp.start(now)
        self._is_plain = now >= self._ramp.ends
        self._calm_from = self._ramp.ends + self._settings.window_s
        self._enter(State.CLOSED)

    def _enter(self, state: State) -> None:
        """Begin a new generation; what was under way belongs to the one before."""
        self._generation += 1
        self._probe_until = -math.inf
        self._under_way.clear()
        self._look_at = math.inf
        if state is not self._stood:
            self.transitions[self._stood, state] += 1
            self._stood = state
