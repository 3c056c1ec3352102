"""When the next poll is: a steady grid while all is well, growing jittered pauses otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.definitions.upkeep.pace import LONGEST_PAUSE_S, LONGEST_WISH_S, next_on_grid, offset_s, pause_after


def test_a_projects_place_is_always_the_same_and_projects_differ() -> None:
    assert offset_s("shop", 30) == offset_s("shop", 30)
    places = {round(offset_s(f"p{number}", 30)) for number in range(200)}
    assert len(places) > 25
    assert all(0 <= place <= 30 for place in places)


@given(now=st.floats(0, 1e6), start=st.floats(0, 1e6), share=st.floats(0, 1, exclude_max=True), poll_s=st.floats(1, 3600))
def test_the_next_poll_is_half_to_one_and_a_half_intervals_away_and_on_the_grid(
    now: float, start: float, share: float, poll_s: float
) -> None:
    start = min(start, now)
    due = next_on_grid(now, start=start, offset=share * poll_s, poll_s=poll_s)
    assert 0.499 * poll_s <= due - now <= 1.501 * poll_s
    steps = (due - start - share * poll_s) / poll_s
    assert steps == pytest.approx(round(steps), abs=1e-3)


PAUSES = [
    # failures, whether nothing is held, Retry-After, the pause without jitter
    (1, False, None, 30),
    (2, False, None, 60),
    (3, False, None, LONGEST_PAUSE_S),
    (9_999, False, None, LONGEST_PAUSE_S),
    (1, True, None, 1),
    (4, True, None, 8),
    (9, True, None, 30),
    (1, False, 10, 30),
    (1, False, 200, 200),
    (1, True, 20, 20),
    (1, False, 86_400, LONGEST_WISH_S),
    (5, False, 0, LONGEST_PAUSE_S),
]


@pytest.mark.parametrize(("failures", "is_cold", "wish_s", "pause"), PAUSES)
def test_pauses_double_up_to_a_limit_and_are_never_shorter_than_asked_for(
    failures: int, is_cold: bool, wish_s: float | None, pause: float
) -> None:
    def jittered(draw: float) -> float:
        return pause_after(failures, poll_s=30, is_cold=is_cold, wish_s=wish_s, draw=draw)

    assert jittered(0.0) == pause
    assert jittered(0.5) == pause * 1.25


def test_a_long_interval_is_never_shortened_by_failures() -> None:
    assert pause_after(5, poll_s=3600, is_cold=False, wish_s=None, draw=0) == 3600
