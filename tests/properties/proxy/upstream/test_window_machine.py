"""The rolling window against a list of every outcome and its time."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.upstream.breaker.window import RECENT, SLICES, Window
from tests.fakes.clock import FakeClock

WINDOW_S = 10.0
SLICE_S = WINDOW_S / SLICES


class WindowMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.window = Window(window_s=WINDOW_S, clock=self.clock)
        self.seen: list[tuple[float, bool]] = []
        self.paces: list[tuple[float, bool]] = []
        self.in_row = 0

    @rule(is_failure=st.booleans(), is_quick=st.booleans(), times=st.integers(1, 5))
    def outcomes(self, is_failure: bool, is_quick: bool, times: int):
        for _ in range(times):
            self.window.add(is_failure=is_failure, is_quick=is_quick)
            self.seen.append((self.clock.now, is_failure))
            self.in_row = self.in_row + 1 if is_failure else 0
            if is_quick:
                self.paces.append((self.clock.now, False))

    @rule(times=st.integers(1, 5))
    def calls_turn_slow(self, times: int):
        for _ in range(times):
            self.window.add_slow()
            self.paces.append((self.clock.now, True))

    @rule(quarters=st.integers(0, 50))
    def time_passes(self, quarters: int):
        self.clock.advance(quarters * 0.25)

    @rule()
    def clear(self):
        self.window.clear()
        self.seen.clear()
        self.paces.clear()
        self.in_row = 0

    @invariant()
    def it_counts_the_window_right_to_one_slice(self):
        sure, at_most = self.within(self.seen)
        assert len(sure) <= self.window.whole.calls <= len(at_most)
        assert sum(sure) <= self.window.whole.failures <= sum(at_most)
        assert self.window.consecutive == self.in_row

    @invariant()
    def it_counts_paces_apart_from_outcomes(self):
        sure, at_most = self.within(self.paces)
        assert len(sure) <= self.window.whole.paced <= len(at_most)
        assert sum(sure) <= self.window.whole.slow <= sum(at_most)

    @invariant()
    def its_last_quarter_is_counted_by_itself(self):
        total, recent = self.window.stretches()
        since = self.clock.now - RECENT * SLICE_S
        assert total.calls == self.window.whole.calls
        assert (
            len([1 for at, _ in self.seen if at > since + SLICE_S])
            <= recent.calls
            <= len([1 for at, _ in self.seen if at >= since])
        )
        assert sum(slow for at, slow in self.paces if at > since + SLICE_S) <= recent.slow
        assert recent.failures <= total.failures
        assert recent.paced <= total.paced

    @invariant()
    def it_keeps_no_more_than_its_slices(self):
        assert len(self.window._slices) <= SLICES

    def within(self, seen: list[tuple[float, bool]]) -> tuple[list[bool], list[bool]]:
        """What is surely in the window, and what may be."""
        now = self.clock.now
        sure = [bad for at, bad in seen if at > now - WINDOW_S + SLICE_S]
        return sure, [bad for at, bad in seen if at >= now - WINDOW_S]


WindowMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestWindowMachine = WindowMachine.TestCase
