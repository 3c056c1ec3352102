from __future__ import annotations

from random import Random

import pytest

from proxy.answer.answer import Failure
from proxy.config.settings import Breaker
from proxy.upstream.breaker import Gate, Permit, State
from proxy.upstream.breaker.period import JITTER
from tests.fakes.clock import FakeClock


def gate(**settings: float) -> tuple[Gate, FakeClock]:
    clock = FakeClock()
    return Gate(Breaker(**{"probes": 1, "ramp_s": 0} | settings), clock=clock, rng=Random(3)), clock


def outcomes(of: Gate, *successes: bool) -> None:
    for is_success in successes:
        permit = of.admit()
        assert isinstance(permit, Permit)
        of.settle(permit, is_success=is_success)


def test_the_default_trips_on_the_outage_that_failed_34_of_100_calls() -> None:
    breaker, _ = gate()
    outcomes(breaker, *[n % 3 != 0 for n in range(19)])
    assert breaker.state is State.CLOSED
    outcomes(breaker, False)
    assert breaker.state is State.OPEN


def test_a_ratio_below_the_limit_never_trips() -> None:
    breaker, clock = gate(failure_ratio=0.25)
    for n in range(2_000):
        outcomes(breaker, n % 5 != 0)
        clock.advance(0.01)
    assert breaker.state is State.CLOSED


def test_failures_in_a_row_trip_below_the_minimum_of_calls() -> None:
    breaker, _ = gate(consecutive=3, minimum_calls=1000)
    outcomes(breaker, False, False, True, False, False)
    assert breaker.state is State.CLOSED
    outcomes(breaker, False)
    assert breaker.state is State.OPEN


def test_what_left_the_window_no_longer_counts() -> None:
    breaker, clock = gate(window_s=10, minimum_calls=4, failure_ratio=0.5, consecutive=100)
    outcomes(breaker, False, False, False)
    clock.advance(11)
    outcomes(breaker, True, True, True, False)
    assert breaker.state is State.CLOSED


def test_a_hundred_callers_after_the_open_period_are_one_probe_and_99_refusals() -> None:
    breaker, clock = gate(consecutive=1, open_s=2)
    outcomes(breaker, False)
    clock.advance(2)
    answers = [breaker.admit() for _ in range(100)]
    assert [type(answer) for answer in answers].count(Permit) == 1
    assert breaker.refused == 99


def test_open_periods_double_up_to_the_longest_and_are_jittered_downwards() -> None:
    breaker, clock = gate(consecutive=1, open_s=2, open_max_s=10)
    for nominal in (2, 4, 8, 10, 10):
        outcomes(breaker, False)
        answer = breaker.admit()
        assert isinstance(answer, Failure)
        assert nominal * (1 - JITTER) <= (answer.retry_after_s or 0) <= nominal
        clock.advance(answer.retry_after_s or 0)


def test_after_a_calm_window_the_first_open_period_is_short_again() -> None:
    breaker, clock = gate(consecutive=1, open_s=2, window_s=10)
    for calm_s in (0.0, 11.0):
        outcomes(breaker, False)
        clock.advance(4)
        outcomes(breaker, True)
        clock.advance(calm_s)
    outcomes(breaker, False)
    answer = breaker.admit()
    assert isinstance(answer, Failure)
    assert (answer.retry_after_s or 0) <= 2


def test_a_flapping_upstream_is_left_alone_for_longer() -> None:
    breaker, clock = gate(consecutive=1, open_s=2, window_s=10)
    waits = []
    for _ in range(3):
        outcomes(breaker, False)
        answer = breaker.admit()
        assert isinstance(answer, Failure)
        waits.append(answer.retry_after_s or 0)
        clock.advance(waits[-1])
        outcomes(breaker, True)
    assert waits[0] < waits[1] < waits[2]


def test_a_probe_that_never_reports_frees_its_place_after_the_lease() -> None:
    breaker, clock = gate(consecutive=1, open_s=2, probe_lease_s=5, slow_s=60)
    outcomes(breaker, False)
    clock.advance(2)
    lost = breaker.admit()
    assert isinstance(lost, Permit)
    clock.advance(4.9)
    assert isinstance(breaker.admit(), Failure)
    clock.advance(0.1)
    second = breaker.admit()
    assert isinstance(second, Permit)
    breaker.settle(lost, is_success=False)
    assert breaker.state is State.HALF_OPEN, "the lost probe's late word is not heard"
    breaker.settle(second, is_success=True)
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("late", [True, False])
def test_stragglers_from_before_the_trip_change_nothing(late: bool) -> None:
    breaker, clock = gate(consecutive=2, open_s=2)
    straggler = breaker.admit()
    assert isinstance(straggler, Permit)
    outcomes(breaker, False, False)
    breaker.settle(straggler, is_success=late)
    assert breaker.state is State.OPEN
    clock.advance(2)
    outcomes(breaker, True)
    breaker.settle(straggler, is_success=late)
    assert breaker.state is State.CLOSED
