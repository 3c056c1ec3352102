"""Edges, shares and splits at their exact boundaries."""

from __future__ import annotations

import pytest

from reference.definitions.model import Variant
from reference.rules_v1.buckets import ALWAYS, NEVER, NUMBERS, ZERO, Share, Split, fraction_of, holdout_share, rollout_share

HALF = NUMBERS // 2


def digest_of(number: int) -> bytes:
    return (number << 4 | 15).to_bytes(8, "big") + b"\xff" * 12


def split(*weights: float) -> Split:
    return Split([Variant(key=str(position), rollout_percentage=weight) for position, weight in enumerate(weights)])


def test_a_hash_equal_to_the_percentage_is_in_and_the_next_is_out():
    edge = rollout_share(50).edge
    spacing = 2**7  # the distance of doubles just above 2**59, the half; ties round to even, which is 2**59
    assert digest_of(HALF + spacing // 2) < edge
    assert not digest_of(HALF + spacing // 2 + 1) < edge
    assert fraction_of(digest_of(HALF + spacing // 2)) == 0.5


@pytest.mark.parametrize(
    ("percentage", "share"),
    [
        (100, Share(ALWAYS, is_full=True, is_empty=False)),
        (100.5, Share(ALWAYS, is_full=True, is_empty=False)),
        (-0.1, Share(NEVER, is_full=False, is_empty=True)),
        (0, Share((1 << 4).to_bytes(8, "big"), is_full=False, is_empty=True)),
    ],
)
def test_the_ends_of_a_share_are_exact(percentage, share):
    assert rollout_share(percentage) == share


def test_just_below_full_and_just_above_empty_are_neither():
    for percentage in (99.99, 0.01):
        assert rollout_share(percentage)[1:] == (False, False)


def test_zero_percent_holds_the_hash_zero_and_nothing_else():
    edge = rollout_share(0).edge
    assert (edge > ZERO, digest_of(0) < edge, digest_of(1) < edge) == (True, True, False)


def test_nothing_sorts_before_never_and_everything_before_always():
    for digested in (ZERO, bytes(20), b"\xff" * 20):
        assert not digested < NEVER
        assert digested < ALWAYS


@pytest.mark.parametrize(("percentage", "same"), [(-1, 0), (0, 0), (50, 50), (100, 100), (250, 100)])
def test_holdouts_are_clamped(percentage, same):
    assert holdout_share(percentage) == rollout_share(same)


@pytest.mark.parametrize(
    ("weights", "reachable"),
    [
        ((), (None,)),
        ((0,), (None,)),
        ((0, 100), ("1",)),
        ((100, 50), ("0",)),
        ((60, 60), ("0", "1")),
        ((50, 50), ("0", "1")),
        ((50, 0, 50), ("0", "2")),
        ((50, -10, 5, 10), ("0", "3", None)),
        ((50, 49.9), ("0", "1", None)),
        ((1.01, 10.02, 88.97), ("0", "1", "2", None)),
    ],
)
def test_reachable_are_the_variants_somebody_gets(weights, reachable):
    assert split(*weights).reachable == reachable


@pytest.mark.parametrize(
    ("weights", "degenerate"),
    [
        ((), True),
        ((0, 0), True),
        ((100,), True),
        ((0, 100, 50), True),
        ((50, 50), False),
        ((99.9, 0.1), False),
        ((150,), False),
    ],
)
def test_a_split_is_degenerate_when_its_first_weight_is_all_or_there_is_none(weights, degenerate):
    assert split(*weights).is_degenerate is degenerate


def test_a_boundary_belongs_to_the_next_variant():
    halves = split(50, 50)
    assert (halves.pick(digest_of(HALF - 65)), halves.pick(digest_of(HALF))) == ("0", "1")
    assert halves.pick(ZERO) == "0"
    assert split(0, 100).pick(ZERO) == "1"
    assert split().pick(ZERO) is None


def test_a_hash_of_exactly_one_has_no_variant():
    assert fraction_of(digest_of(NUMBERS - 1)) == 1.0
    assert split(100).pick(digest_of(NUMBERS - 1)) is None
    assert split(100).pick(digest_of(NUMBERS - 65)) == "0"
