"""What counts as flat memory, and which process is whose."""

from __future__ import annotations

import os

from tests.bench.harness.memory import Size, resident

HOUR_S = 3600.0


def sized(*mib: float) -> Size:
    """Return samples spread evenly over an hour."""
    return Size(name="x", at_s=[n * HOUR_S / len(mib) for n in range(len(mib))], mib=list(mib))


def test_growth_after_the_first_third_counts_and_before_it_does_not() -> None:
    assert sized(10, 60, 100, 100, 100, 100, 100, 100, 100).is_flat(HOUR_S)
    assert not sized(*(100 + 5 * n for n in range(12))).is_flat(HOUR_S)


def test_a_saw_is_flat_and_so_is_what_grows_by_less_than_a_twentieth() -> None:
    assert sized(*((100, 130) * 12)).is_flat(HOUR_S)
    large = sized(*(4000 + 5 * n for n in range(12)))
    assert large.per_hour(HOUR_S) > 16
    assert large.is_flat(HOUR_S)


def test_the_root_is_the_harness() -> None:
    assert resident(os.getpid())["harness"] > 1
