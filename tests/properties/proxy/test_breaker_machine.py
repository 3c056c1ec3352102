"""The breaker and its gate against every order of admissions, outcomes, cancellations and time."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from proxy.answer.answer import Failure, Trouble
from proxy.config.settings import Breaker
from proxy.upstream.breaker import Gate, Permit, State
from tests.fakes.clock import FakeClock

SETTINGS = Breaker(
    window_s=10,
    failure_ratio=0.34,
    minimum_calls=6,
    consecutive=4,
    open_s=2,
    open_max_s=8,
    probe_lease_s=5,
    probes=1,
    ramp_s=0,
    slow_s=86_400,
)


class BreakerMachine(RuleBasedStateMachine):
    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.gate = Gate(SETTINGS, clock=self.clock, rng=Random(7))
        self.probes: dict[int, float] = {}  # generation → when its lease ends
        self.opened_at: float | None = None

    @rule(target=permits)
    def a_caller_asks(self):
        before, answer = self.gate.state, self.gate.admit()
        if isinstance(answer, Failure):
            assert before is not State.CLOSED, "a closed breaker refuses nobody"
            assert answer.trouble is Trouble.BREAKER_OPEN
            assert answer.retry_after_s is not None
            assert 0 < answer.retry_after_s <= max(SETTINGS.open_max_s, SETTINGS.probe_lease_s)
            return multiple()
        assert before is not State.OPEN, "an open breaker lets nobody through before its time"
        assert answer.is_probe == (before is State.HALF_OPEN)
        if answer.is_probe:
            live = [end for end in self.probes.values() if end > self.clock.now]
            assert not live, "there is one probe at a time"
            self.probes = {answer.generation: self.clock.now + SETTINGS.probe_lease_s}
        return answer

    @rule(permit=consumes(permits), is_success=st.booleans())
    def an_outcome_arrives(self, permit: Permit, is_success: bool):
        before = self.gate.state
        is_current = permit.generation == self.gate._generation
        self.gate.settle(permit, is_success=is_success)
        after = self.gate.state
        if not is_current:
            assert after is before, "an outcome from before the last transition changes nothing"
        elif permit.is_probe:
            assert after is (State.CLOSED if is_success else State.OPEN), "the probe's outcome decides"
        elif is_success:
            assert after is State.CLOSED, "a success never opens"
        self._note(before, after)
        self.probes.pop(permit.generation, None)

    @rule(permit=consumes(permits))
    def a_call_is_cut_short(self, permit: Permit):
        before = self.gate.state
        self.gate.settle(permit, is_success=None)
        assert self.gate.state is before, "a cancelled call teaches nothing"
        self.probes.pop(permit.generation, None)

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 11.0]))
    def time_passes(self, seconds: float):
        self.clock.advance(seconds)

    @rule()
    def failures_in_a_row_open_a_closed_breaker(self):
        if self.gate.state is not State.CLOSED:
            return
        for _ in range(SETTINGS.consecutive):
            permit = self.gate.admit()
            assert isinstance(permit, Permit)
            self.gate.settle(permit, is_success=False)
            if self.gate.state is State.OPEN:
                break
        assert self.gate.state is State.OPEN
        self._note(State.CLOSED, State.OPEN)

    @invariant()
    def an_open_period_ends(self):
        if self.gate.state is State.OPEN:
            assert self.opened_at is not None
            assert self.clock.now < self.opened_at + SETTINGS.open_max_s

    @invariant()
    def it_is_never_stuck(self):
        """After the longest open period and a lease the next caller gets through."""
        if self.gate.state is State.CLOSED:
            return
        now = self.clock.now
        self.clock.now += SETTINGS.open_max_s + SETTINGS.probe_lease_s
        assert self.gate.state is State.HALF_OPEN
        self.clock.now = now

    def _note(self, before: State, after: State) -> None:
        if after is State.OPEN and before is not State.OPEN:
            self.opened_at = self.clock.now
            self.probes.clear()


BreakerMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestBreakerMachine = pytest.mark.timeout(240)(BreakerMachine.TestCase)
