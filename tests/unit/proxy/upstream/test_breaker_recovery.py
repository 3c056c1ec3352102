"""From slow calls to the top of the ramp: how a breaker opens before calls have ended, and how it finds back."""

from __future__ import annotations

from random import Random

import pytest

from proxy.answer.answer import Failure, Trouble
from proxy.config.settings import Breaker
from proxy.upstream.breaker import Cause, Gate, Permit, State
from tests.fakes.clock import FakeClock


def gate(**settings: float) -> tuple[Gate, FakeClock]:
    clock = FakeClock()
    return Gate(Breaker(**settings), clock=clock, rng=Random(3)), clock


def leave(of: Gate, **how: bool) -> Permit:
    permit = of.admit(**how)
    assert isinstance(permit, Permit)
    return permit


def refusal(of: Gate) -> Failure:
    failure = of.admit()
    assert isinstance(failure, Failure)
    return failure


def tripped(**settings: float) -> tuple[Gate, FakeClock]:
    breaker, clock = gate(consecutive=1, **settings)
    breaker.settle(leave(breaker), is_success=False)
    clock.advance(30)
    return breaker, clock


def recovered(**settings: float) -> tuple[Gate, FakeClock]:
    breaker, clock = tripped(**settings)
    for _ in range(3):
        breaker.settle(leave(breaker), is_success=True)
    assert breaker.state is State.CLOSED
    return breaker, clock


def test_slow_calls_trip_the_moment_they_are_slow_while_all_of_them_are_still_under_way() -> None:
    breaker, clock = gate(slow_s=1.5, minimum_calls=20)
    for _ in range(20):
        leave(breaker)
    clock.advance(1.4)
    assert breaker.state is State.CLOSED
    clock.advance(0.1)
    assert breaker.state is State.OPEN
    assert breaker.cause is Cause.SLOW
    assert refusal(breaker).is_slowness


def test_a_slow_call_counts_once_however_it_ends() -> None:
    breaker, clock = gate(slow_s=1.5, slow_ratio=0.5, minimum_calls=4)
    permits = [leave(breaker)]
    clock.advance(2)
    breaker.settle(permits[0], is_success=True)
    for _ in range(2):
        breaker.settle(leave(breaker), is_success=True)
    permits = [leave(breaker)]
    clock.advance(2)
    assert breaker.state is State.OPEN, "2 of 4, not 2 of 6"


def test_quick_calls_outvote_slow_ones() -> None:
    breaker, clock = gate(slow_s=1.5, slow_ratio=0.5, minimum_calls=4)
    for _ in range(10):
        breaker.settle(leave(breaker), is_success=True)
    for _ in range(8):
        leave(breaker)
    clock.advance(2)
    assert breaker.state is State.CLOSED


def test_few_slow_calls_are_no_outage() -> None:
    breaker, clock = gate(slow_s=1.5, minimum_calls=20)
    for _ in range(19):
        leave(breaker)
    clock.advance(2)
    assert breaker.state is State.CLOSED


def test_a_slow_probe_is_a_bad_one_before_it_ends() -> None:
    breaker, clock = tripped(slow_s=1.5)
    probe = leave(breaker)
    clock.advance(1.5)
    assert breaker.state is State.OPEN
    assert breaker.cause is Cause.SLOW
    breaker.settle(probe, is_success=True)
    assert breaker.state is State.OPEN, "what it says in the end is not heard any more"


def test_three_good_probes_in_a_row_close_it_and_a_bad_one_between_begins_anew() -> None:
    breaker, clock = tripped()
    for is_success in (True, True, False):
        breaker.settle(leave(breaker), is_success=is_success)
    assert breaker.cause is Cause.PROBE
    clock.advance(30)
    for _ in range(2):
        breaker.settle(leave(breaker), is_success=True)
        assert breaker.state is State.HALF_OPEN
    breaker.settle(leave(breaker), is_success=True)
    assert breaker.state is State.CLOSED


def test_one_caller_an_hour_is_never_refused_by_an_upstream_that_is_well_again() -> None:
    breaker, clock = tripped()
    for _ in range(6):
        clock.advance(3600)
        breaker.settle(leave(breaker), is_success=True)
    assert breaker.state is State.CLOSED
    assert breaker.admitted_ratio == 1.0
    assert (breaker.refused, breaker.held_back) == (0, 0)


def test_after_closing_the_share_let_through_grows_from_a_tenth_to_all() -> None:
    breaker, clock = recovered(ramp_s=10, slow_s=60)
    shares = []
    for _ in range(11):
        shares.append(sum(isinstance(breaker.admit(), Permit) for _ in range(1_000)) / 1_000)
        assert breaker.admitted_ratio == pytest.approx(min(1.0, 0.1 + 0.09 * len(shares) - 0.09))
        clock.advance(1)
    assert shares == pytest.approx([0.1 + 0.09 * second for second in range(11)], abs=0.002)
    assert breaker.state is State.CLOSED


def test_what_the_ramp_refuses_is_told_that_it_is_the_ramp_and_when_it_ends() -> None:
    breaker, clock = recovered(ramp_s=10)
    leave(breaker)
    clock.advance(4)
    failure = refusal(breaker)
    assert (failure.trouble, failure.retry_after_s) == (Trouble.BREAKER_RECOVERING, 6)
    assert breaker.held_back == 1


def test_who_has_no_other_source_goes_first_on_the_ramp_and_the_others_pay_for_it() -> None:
    breaker, _ = recovered(ramp_s=10)
    answers = [breaker.admit(has_other_source=n >= 5) for n in range(100)]
    assert [isinstance(answer, Permit) for answer in answers[:5]] == [True] * 5
    assert sum(isinstance(answer, Permit) for answer in answers) <= 11


def test_a_failure_on_the_ramp_counts_as_ever_and_the_next_period_is_longer() -> None:
    breaker, _ = recovered(open_s=2, open_max_s=15)
    breaker.settle(leave(breaker), is_success=False)
    assert breaker.state is State.OPEN
    assert (refusal(breaker).retry_after_s or 0) > 2


@pytest.mark.parametrize(("asked_s", "at_least", "at_most"), [(5, 5, 6), (29, 29, 30), (3600, 30, 30), (0.5, 1.6, 2)])
def test_the_open_period_is_as_long_as_upstream_asks_for_up_to_a_bound(asked_s: float, at_least: float, at_most: float) -> None:
    breaker, _ = gate(consecutive=2)
    breaker.settle(leave(breaker), is_success=False, retry_after_s=asked_s)
    breaker.settle(leave(breaker), is_success=False)
    assert at_least <= (refusal(breaker).retry_after_s or 0) <= at_most


def test_what_upstream_asked_for_long_ago_is_over() -> None:
    breaker, clock = gate(consecutive=2)
    breaker.settle(leave(breaker), is_success=False, retry_after_s=3600)
    breaker.settle(leave(breaker), is_success=True)
    clock.advance(30)
    for _ in range(2):
        breaker.settle(leave(breaker), is_success=False)
    assert (refusal(breaker).retry_after_s or 0) <= 2


def test_a_straggler_cannot_lengthen_an_open_period() -> None:
    breaker, clock = gate(consecutive=1)
    straggler = leave(breaker)
    breaker.settle(leave(breaker), is_success=False)
    breaker.settle(straggler, is_success=False, retry_after_s=30)
    clock.advance(2)
    assert breaker.state is State.HALF_OPEN


def test_with_the_defaults_answers_are_normal_half_a_minute_after_the_worst_moment() -> None:
    """The outage ends just after a last probe went out that hangs, when open periods are at their longest."""
    defaults = Breaker()
    assert defaults.slow_s + defaults.open_max_s + defaults.ramp_s <= 27, "three seconds are left for three probes"


# --- operators ------------------------------------------------------------------------------------------------------------


def test_forced_open_nobody_asks_until_the_operator_lets_go_and_then_probes_decide() -> None:
    breaker, clock = gate(ramp_s=0)
    breaker.force(State.OPEN)
    clock.advance(3600)
    assert refusal(breaker).trouble is Trouble.BREAKER_OPEN
    assert (breaker.state, breaker.cause, breaker.forced) == (State.OPEN, Cause.FORCED, State.OPEN)
    breaker.force(None)
    assert breaker.state is State.HALF_OPEN
    for _ in range(3):
        breaker.settle(leave(breaker), is_success=True)
    assert breaker.state is State.CLOSED
    assert breaker.trips == 0, "what an operator does is no trip"


def test_forced_closed_nothing_trips_and_what_happened_meanwhile_is_not_held_against_upstream() -> None:
    breaker, _ = gate(consecutive=3)
    breaker.force(State.CLOSED)
    for _ in range(50):
        breaker.settle(leave(breaker), is_success=False)
    breaker.force(None)
    for _ in range(2):
        breaker.settle(leave(breaker), is_success=False)
    assert breaker.state is State.CLOSED
    breaker.settle(leave(breaker), is_success=False)
    assert breaker.state is State.OPEN


def test_held_closed_on_the_ramp_all_are_let_through_at_once() -> None:
    breaker, _ = recovered(ramp_s=10)
    assert breaker.admitted_ratio == pytest.approx(0.1)
    breaker.force(State.CLOSED)
    assert breaker.admitted_ratio == 1.0
    assert all(isinstance(breaker.admit(), Permit) for _ in range(100))
    breaker.force(None)
    assert breaker.admitted_ratio == 1.0


def test_a_breaker_cannot_be_forced_half_open() -> None:
    breaker, _ = gate()
    with pytest.raises(ValueError, match="half-open is for probes"):
        breaker.force(State.HALF_OPEN)


def test_every_step_is_counted() -> None:
    breaker, _ = recovered()
    assert breaker.transitions == {
        (State.CLOSED, State.OPEN): 1,
        (State.OPEN, State.HALF_OPEN): 1,
        (State.HALF_OPEN, State.CLOSED): 1,
    }
    assert breaker.causes == {Cause.CONSECUTIVE: 1}
