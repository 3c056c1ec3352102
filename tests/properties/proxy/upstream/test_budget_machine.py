"""The retry budget against every mixture of first tries and wishes to try again."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.upstream.retries import PRICE, RESERVE, RetryBudget


class BudgetMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.budget = RetryBudget()
        self.history: list[tuple[int, int]] = [(0, 0)]  # first tries, retries: sums so far
        self.wishes = 0

    @rule(times=st.integers(1, 150))
    def first_tries(self, times: int):
        for _ in range(times):
            self.budget.deposit()
        tries, retries = self.history[-1]
        self.history.append((tries + times, retries))

    @rule(times=st.integers(1, 15))
    def wishes_to_try_again(self, times: int):
        granted = sum(self.budget.withdraw() for _ in range(times))
        self.wishes += times
        tries, retries = self.history[-1]
        self.history.append((tries, retries + granted))

    @invariant()
    def retries_are_a_tenth_of_the_traffic(self):
        tries, retries = self.history[-1]
        assert retries <= 1 + tries / PRICE

    @invariant()
    def no_stretch_has_more_than_its_tenth_and_the_reserve(self):
        tries, retries = self.history[-1]
        for tries_before, retries_before in self.history:
            assert retries - retries_before <= RESERVE + (tries - tries_before) / PRICE

    @invariant()
    def a_retry_that_the_traffic_has_paid_for_is_granted(self):
        """After a refusal the purse is empty; ten first tries buy the next."""
        if self.budget.denied and self.history[-1][1] == self.history[-2][1]:
            for _ in range(PRICE):
                self.budget.deposit()
            assert self.budget.withdraw()
            tries, retries = self.history[-1]
            self.history.append((tries + PRICE, retries + 1))
            self.wishes += 1

    @invariant()
    def every_wish_is_counted(self):
        assert self.budget.spent + self.budget.denied == self.wishes
        assert self.budget.spent == self.history[-1][1]


BudgetMachine.TestCase.settings = settings(max_examples=400, stateful_step_count=60, deadline=None)
TestBudgetMachine = BudgetMachine.TestCase
