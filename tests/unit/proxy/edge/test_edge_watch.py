"""When a body is too slow and when an answer is not taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.edge.guard.files import FEWEST_CONNECTIONS, connections_within
from proxy.edge.guard.watch import SLOWEST_UPLOAD_BYTES_PER_S, BodyWatch, WriteWatch


def body(*steps: tuple[float, int], is_streamed: bool = False, is_held: bool = False) -> list[bool]:
    """Return the verdicts of a watch with 10 s over (time, bytes so far); it starts at 0 with nothing."""
    watch = BodyWatch(0, 0.0)
    return [watch.is_overdue(fed, now=now, is_held=is_held, is_streamed=is_streamed, timeout_s=10) for now, fed in steps]


def test_a_whole_body_has_one_deadline_however_much_drips_in() -> None:
    assert body((5, 1), (10, 2), (10.1, 3)) == [False, False, True]


def test_a_streamed_body_may_take_long_while_it_comes() -> None:
    fast = [(second, second * SLOWEST_UPLOAD_BYTES_PER_S * 2) for second in range(1, 200)]
    assert not any(body(*fast, is_streamed=True))


def test_a_streamed_body_may_not_pause_longer_than_the_timeout() -> None:
    assert body((1, 10_000_000), (11, 10_000_000), (11.5, 10_000_000), is_streamed=True) == [False, False, True]


def test_a_streamed_drip_is_ended() -> None:
    drip = [(second, second) for second in range(1, 60)]
    assert body(*drip, is_streamed=True)[:10] == [False] * 10
    assert any(body(*drip, is_streamed=True))


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_body_that_we_hold_back_costs_the_client_no_time(is_streamed: bool) -> None:
    assert body((100, 1), (1000, 1), is_streamed=is_streamed, is_held=True) == [False, False]


def test_an_answer_not_taken_for_too_long_is_overdue() -> None:
    watch = WriteWatch(1000, 0.0)
    assert [watch.is_overdue(1000, now=now, timeout_s=30) for now in (10.0, 30.0, 30.1)] == [False, False, True]


def test_growth_of_what_waits_is_no_progress() -> None:
    watch = WriteWatch(1000, 0.0)
    assert [watch.is_overdue(unsent, now=now, timeout_s=30) for now, unsent in ((20.0, 5000), (40.0, 9000))] == [False, True]


def test_a_client_that_takes_a_little_at_a_time_is_left_alone() -> None:
    watch = WriteWatch(1_000_000, 0.0)
    assert not any(watch.is_overdue(1_000_000 - now, now=float(now), timeout_s=30) for now in range(25, 1000, 25))


@given(st.integers(0, 1 << 20), st.integers(1, 1 << 20), st.integers(0, 1 << 20))
def test_connections_stay_below_the_file_limit_where_it_allows_any(files: int, wanted: int, reserved: int) -> None:
    granted = connections_within(files, wanted=wanted, reserved=reserved)
    assert granted == FEWEST_CONNECTIONS or granted <= min(wanted, files - reserved)
