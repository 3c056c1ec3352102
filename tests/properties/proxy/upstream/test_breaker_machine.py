"""The breaker against every order of calls, outcomes, cancellations, operators and time.

The gate counts in slices and lazily; here is what it should amount to, in plain lists, and the sentences that hold whatever
happens.
"""

from __future__ import annotations

import math
from random import Random

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, precondition, rule

from proxy.answer.answer import Failure, Trouble
from proxy.config.settings import Breaker
from proxy.upstream.breaker import Cause, Gate, Permit, State
from proxy.upstream.breaker.ramp import FROM, MOST_DEBT
from proxy.upstream.breaker.window import RECENT, SLICES
from tests.fakes.clock import FakeClock

SETTINGS = Breaker(
    window_s=10,
    failure_ratio=0.34,
    minimum_calls=6,
    consecutive=4,
    slow_s=1.5,
    slow_ratio=0.5,
    open_s=2,
    open_max_s=8,
    retry_after_max_s=12,
    probes=3,
    probe_lease_s=5,
    ramp_s=4,
)
LONGEST_S = max(SETTINGS.open_max_s, SETTINGS.retry_after_max_s)
STEPS = {
    (State.CLOSED, State.OPEN),
    (State.OPEN, State.HALF_OPEN),
    (State.HALF_OPEN, State.OPEN),
    (State.HALF_OPEN, State.CLOSED),
}


class BreakerMachine(RuleBasedStateMachine):
    permits = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.settings = SETTINGS
        self.asked = self.let_through = 0
        self.started: dict[int, float] = {}  # serial → when; calls under way of this generation that are not slow yet
        self.probe_until = -math.inf
        self.good_probes = 0
        self.is_probing = False  # it has asked since it opened
        self.outcomes: list[tuple[int, bool]] = []  # slice, is_failure
        self.paces: list[tuple[int, bool]] = []  # slice, is_slow
        self.in_row = 0
        self.not_before = -math.inf  # what upstream asked for
        self.opened_at: float | None = None
        self.ramp_from = -math.inf
        self.on_ramp: list[tuple[float, bool]] = []  # share due to a call, whether it was let through
        self.forced: State | None = None
        self.has_been_forced = False

    @initialize(slow_s=st.sampled_from([1.5, 1.5, 86_400.0]), ramp_s=st.sampled_from([4.0, 4.0, 0.0]))
    def begin(self, slow_s: float, ramp_s: float):
        self.settings = msgspec.structs.replace(SETTINGS, slow_s=slow_s, ramp_s=ramp_s)
        self.gate = Gate(self.settings, clock=self.clock, rng=Random(7))

    # --- what happens ------------------------------------------------------------------------------------------------------

    @rule(target=permits, has_other_source=st.booleans())
    def a_caller_asks(self, has_other_source: bool):
        permit = self.ask(has_other_source=has_other_source)
        return multiple() if permit is None else permit

    @rule(permit=consumes(permits), is_success=st.booleans(), retry_after_s=st.sampled_from([None, None, 3.0, 11.0, 3600.0]))
    def an_outcome_arrives(self, permit: Permit, is_success: bool, retry_after_s: float | None):
        self.end(permit, is_success=is_success, retry_after_s=retry_after_s)

    @rule(callers=st.lists(st.booleans(), min_size=5, max_size=20))
    def many_callers_ask_and_are_answered(self, callers: list[bool]):
        for has_other_source in callers:
            permit = self.ask(has_other_source=has_other_source)
            if permit is not None:
                self.end(permit, is_success=True)

    @precondition(lambda self: self.gate.state is State.HALF_OPEN and self.forced is None)
    @rule(outcomes=st.lists(st.booleans(), min_size=1, max_size=4))
    def probes_go_out_one_by_one(self, outcomes: list[bool]):
        for is_success in outcomes:
            permit = self.ask(has_other_source=True)
            if permit is not None:
                self.end(permit, is_success=is_success)

    @rule(permit=consumes(permits))
    def a_call_is_cut_short(self, permit: Permit):
        before = self.gate.state
        if permit.generation == self.gate._generation:
            self.started.pop(permit.serial, None)
            if permit.is_probe:
                self.probe_until = -math.inf
        self.gate.settle(permit, is_success=None)
        assert self.gate.state is before, "a call that was cut short teaches nothing"

    @rule()
    def a_later_stage_finds_fault_with_an_answer(self):
        before, is_asking = self.gate.state, self.is_probing or self.gate.state is State.CLOSED
        self.gate.blame()
        if is_asking:
            self.learn(before, is_success=False, is_quick=False, retry_after_s=None)
        else:
            assert self.gate.state is before, "a breaker that lets nobody through learns nothing"

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 5.0, 11.0, 40.0]))
    def time_passes(self, seconds: float):
        before = self.gate.state
        self.clock.advance(seconds)
        late = [serial for serial, at in self.started.items() if at + self.settings.slow_s <= self.clock.now]
        for serial in late:
            del self.started[serial]
        if self.forced is not None or not late:
            return
        if before is State.CLOSED:
            self.paces += [(self.slice(), True)] * len(late)
            trips = self.is_too_large(self.paces, self.settings.slow_ratio)
            assert (self.gate.state is State.OPEN) == trips, "enough slow calls trip, ended or not, and nothing less"
            if trips:
                self.opened(Cause.SLOW)
        elif before is State.HALF_OPEN:
            assert self.gate.state is State.OPEN, "a slow probe is a bad one, before it ends"
            self.opened(Cause.SLOW)

    @rule(state=st.sampled_from([State.OPEN, State.CLOSED, None, None]))
    def an_operator_steps_in(self, state: State | None):
        if state is self.forced:
            self.gate.force(state)
            return
        before, self.forced = self.forced, state
        self.gate.force(state)
        self.has_been_forced = True
        self.forget()
        self.good_probes = 0
        if state is None:
            wanted = State.HALF_OPEN if before is State.OPEN else State.CLOSED
            assert self.gate.state is wanted, "let go, one held open probes and one held closed starts afresh"
        else:
            assert self.gate.state is state, "it stands where the operator holds it"
        if self.gate.state is State.CLOSED:
            self.outcomes, self.paces, self.in_row, self.ramp_from = [], [], 0, -math.inf
        self.opened_at = None

    @rule(target=permits, quick=st.integers(0, 6), hanging=st.integers(1, 6))
    def some_calls_are_answered_and_others_hang(self, quick: int, hanging: int):
        permits = [permit for _ in range(quick + hanging) if (permit := self.ask(has_other_source=True)) is not None]
        for permit in permits[:quick]:
            self.end(permit, is_success=True)
        return multiple(*permits[quick:])

    @precondition(lambda self: self.gate.state is State.CLOSED and self.forced is None)
    @rule(retry_after_s=st.sampled_from([None, None, 5.0, 11.0, 40.0]))
    def failures_in_a_row_open_a_closed_breaker(self, retry_after_s: float | None):
        if retry_after_s is not None:
            self.not_before = max(self.not_before, self.clock.now + min(retry_after_s, self.settings.retry_after_max_s))
        for _ in range(self.settings.consecutive):
            self.gate.blame(retry_after_s=retry_after_s)
            if self.gate.state is not State.CLOSED:
                break
            self.count(is_failure=True, is_quick=False)
        assert self.gate.state is State.OPEN
        self.opened(None)

    @precondition(lambda self: self.forced is None and self.gate.state is not State.CLOSED)
    @rule()
    def upstream_is_well_again(self):
        """It is never stuck: after the longest open period and a lease, good probes alone bring it back."""
        self.clock.advance(LONGEST_S + self.settings.probe_lease_s)
        self.gate.admit()  # whatever was out is lost, and so is this one
        self.clock.advance(LONGEST_S + self.settings.probe_lease_s)
        assert self.gate.state is not State.CLOSED
        self.clock.advance(LONGEST_S)
        assert self.gate.state is State.HALF_OPEN
        for _ in range(self.settings.probes):
            assert self.gate.state is State.HALF_OPEN
            probe = self.gate.admit()
            assert isinstance(probe, Permit)
            self.gate.settle(probe, is_success=True)
            if self.gate.state is State.CLOSED:
                break
        assert self.gate.state is State.CLOSED
        self.asked = self.let_through = 0
        self.gate.refused = self.gate.held_back = 0
        self.forget()
        self.closed()

    # --- what one caller does ----------------------------------------------------------------------------------------------

    def ask(self, *, has_other_source: bool) -> Permit | None:
        before, is_ramping = self.gate.state, self.is_ramping()
        answer = self.gate.admit(has_other_source=has_other_source)
        self.asked += 1
        self.note_ramp(is_ramping, isinstance(answer, Permit))
        if isinstance(answer, Failure):
            self.refused(before, answer, is_ramping=is_ramping)
            return None
        self.let_through += 1
        assert before is not State.OPEN, "an open breaker lets nobody through before its time"
        assert answer.is_probe == (before is State.HALF_OPEN), "half-open, whoever is let through is a probe"
        if answer.is_probe:
            assert self.clock.now >= self.probe_until, "there is one probe at a time"
            self.started.clear()
            self.is_probing = True
            self.probe_until = self.clock.now + self.settings.probe_lease_s
        self.started[answer.serial] = self.clock.now
        return answer

    def end(self, permit: Permit, *, is_success: bool, retry_after_s: float | None = None) -> None:
        before, is_current = self.gate.state, permit.generation == self.gate._generation
        self.gate.settle(permit, is_success=is_success, retry_after_s=retry_after_s)
        if not is_current:
            assert self.gate.state is before, "an outcome from before the last change of state changes nothing"
            return
        is_quick = self.started.pop(permit.serial, None) is not None
        self.learn(before, is_success=is_success, is_quick=is_quick, retry_after_s=retry_after_s)

    # --- what always holds -------------------------------------------------------------------------------------------------

    @invariant()
    def an_open_period_ends(self):
        if self.gate.state is State.OPEN and self.forced is None:
            assert self.opened_at is not None
            assert self.clock.now < self.opened_at + LONGEST_S, "no open period is longer than the longest"

    @invariant()
    def a_request_of_upstream_is_obeyed(self):
        if self.forced is None and self.gate.state is not State.CLOSED and self.opened_at is not None:
            asked = min(self.not_before, self.opened_at + self.settings.retry_after_max_s)
            if self.clock.now < asked - 1e-9:
                assert self.gate.state is State.OPEN, "nobody asks before upstream's Retry-After is over"

    @invariant()
    def everybody_is_counted(self):
        assert self.gate.refused + self.gate.held_back + self.let_through == self.asked

    @invariant()
    def nothing_is_kept_of_calls_that_are_over(self):
        assert self.gate.state  # looking counts what has turned slow
        assert self.gate._under_way.keys() == self.started.keys()

    @invariant()
    def every_change_is_a_step_of_the_machine(self):
        steps = self.gate.transitions
        assert self.has_been_forced or steps.keys() <= STEPS
        for state in State:
            balance = sum(n * ((to is state) - (of is state)) for (of, to), n in steps.items())
            stands, began = self.gate._stood is state, state is State.CLOSED
            assert balance == stands - began, "each step begins where the last one ended"

    # --- the model ---------------------------------------------------------------------------------------------------------

    def slice(self) -> int:
        return int(self.clock.now // (self.settings.window_s / SLICES))

    def is_ramping(self) -> bool:
        return (
            self.forced is None and self.gate.state is State.CLOSED and self.clock.now < self.ramp_from + self.settings.ramp_s
        )

    def note_ramp(self, is_ramping: bool, is_let_through: bool) -> None:
        if not is_ramping:
            self.on_ramp.clear()
            return
        done = (self.clock.now - self.ramp_from) / self.settings.ramp_s
        self.on_ramp.append((FROM + (1 - FROM) * done, is_let_through))
        due = sum(share for share, _ in self.on_ramp)
        let_through = sum(is_in for _, is_in in self.on_ramp)
        assert let_through <= due + 1 + MOST_DEBT + 1e-6, "the ramp lets through its share and no more"
        assert let_through >= due - 1 - 1e-6, "… and no less"

    def refused(self, before: State, failure: Failure, *, is_ramping: bool) -> None:
        assert failure.retry_after_s is not None
        assert failure.no_byte_received
        assert failure.is_slowness == (self.gate.cause is Cause.SLOW), "who is refused for slowness is told so"
        if is_ramping:
            assert failure.trouble is Trouble.BREAKER_RECOVERING, "the ramp says that it is the ramp"
            assert 0 < failure.retry_after_s <= self.settings.ramp_s
        else:
            assert before is not State.CLOSED, "a closed breaker past its ramp refuses nobody"
            assert failure.trouble is Trouble.BREAKER_OPEN
            assert 0 < failure.retry_after_s <= max(LONGEST_S, self.settings.probe_lease_s)

    def learn(self, before: State, *, is_success: bool, is_quick: bool, retry_after_s: float | None) -> None:
        if not is_success and retry_after_s is not None:
            self.not_before = max(self.not_before, self.clock.now + min(retry_after_s, self.settings.retry_after_max_s))
        if self.forced is not None:
            assert self.gate.state is before, "no outcome moves a breaker that an operator holds"
        elif before is State.CLOSED:
            self.count(is_failure=not is_success, is_quick=is_quick)
            cause = None if is_success else self.trips()
            assert (self.gate.state is State.OPEN) == (cause is not None), "failures trip by share or in a row; a success never"
            if cause is not None:
                self.opened(cause)
        elif not is_success:
            assert self.gate.state is State.OPEN, "a bad probe opens"
            self.opened(Cause.PROBE)
        else:
            self.good_probes += 1
            self.probe_until = -math.inf
            wanted = State.CLOSED if self.good_probes == self.settings.probes else State.HALF_OPEN
            assert self.gate.state is wanted, "so many good probes in a row close it, and no fewer"
            if wanted is State.CLOSED:
                self.closed()

    def count(self, *, is_failure: bool, is_quick: bool) -> None:
        self.outcomes.append((self.slice(), is_failure))
        if is_quick:
            self.paces.append((self.slice(), False))
        self.in_row = self.in_row + 1 if is_failure else 0

    def trips(self) -> Cause | None:
        if self.in_row >= self.settings.consecutive:
            return Cause.CONSECUTIVE
        return Cause.RATE if self.is_too_large(self.outcomes, self.settings.failure_ratio) else None

    def is_too_large(self, marks: list[tuple[int, bool]], ratio: float) -> bool:
        """Tell whether the share of marked calls is too large in the whole window, or in its last quarter."""
        stretches = [[mark for at, mark in marks if at > self.slice() - slices] for slices in (SLICES, RECENT)]
        return any(len(seen) >= self.settings.minimum_calls and sum(seen) / len(seen) >= ratio for seen in stretches)

    def opened(self, cause: Cause | None) -> None:
        assert cause is None or self.gate.cause is cause, "it says why it opened"
        self.opened_at = self.clock.now
        self.good_probes = 0
        self.forget()

    def closed(self) -> None:
        self.outcomes, self.paces, self.in_row, self.good_probes = [], [], 0, 0
        self.opened_at, self.ramp_from = None, self.clock.now
        self.on_ramp.clear()
        self.forget()

    def forget(self) -> None:
        """A new generation: what was under way belongs to the one before."""
        self.started.clear()
        self.is_probing = False
        self.probe_until = -math.inf


BreakerMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestBreakerMachine = pytest.mark.timeout(240)(BreakerMachine.TestCase)
