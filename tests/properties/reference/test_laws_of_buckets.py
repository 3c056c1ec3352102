"""Laws about hashing: edges to the last bit, and shares as large as the percentages say."""

from __future__ import annotations

import math
from collections import Counter
from hashlib import sha1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import Context
from reference.definitions.model import Variant
from reference.rules_v1.buckets import NUMBERS, ZERO, Split, digest, holdout_share, rollout_share
from tests.properties.reference.asking import NOW, evaluate, one_flag, program

PEOPLE = 100_000
SIGMAS = 4
digests = st.binary(min_size=20, max_size=20)
percents = st.floats(-10, 210) | st.integers(0, 100).map(float) | st.floats(0, 100).map(lambda pct: round(pct, 2))
weights = st.lists(st.floats(0, 60) | st.integers(0, 100).map(float) | st.just(-5.0), max_size=5)


def plain_hash(digested: bytes) -> float:
    """PostHog's number, the way the contract writes it down."""
    return float(int(digested.hex()[:15], 16)) / float(0xFFFFFFFFFFFFFFF)


def digest_of(number: int) -> bytes:
    return (number << 4).to_bytes(8, "big") + b"\xff" * 12


def is_in(percentage: float, identifier: str) -> bool:
    document = one_flag({"properties": [], "rollout_percentage": percentage})
    return evaluate(document, Context(distinct_id=identifier)).outcomes["f"].enabled


@given(digests, percents)
def test_a_digest_sorts_before_the_edge_of_a_rollout_exactly_when_its_hash_is_in(digested, percentage):
    expected = percentage == 100 or plain_hash(digested) <= percentage / 100
    assert (digested < rollout_share(percentage).edge) is expected


@given(st.integers(0, NUMBERS - 1))
def test_the_edge_lies_between_a_hash_and_the_next_double_below_it(number):
    digested = digest_of(number)
    fraction = plain_hash(digested)
    at, below = fraction * 100, math.nextafter(fraction, -1) * 100
    for percentage in (at, below, math.nextafter(at, 1000), math.nextafter(below, -1)):
        assert (digested < rollout_share(percentage).edge) is (fraction <= percentage / 100 or percentage == 100)


@given(weights, digests)
def test_a_variant_is_the_first_whose_running_sum_is_above_the_hash(shares, digested):
    expected, boundary = None, 0.0
    for position, share in enumerate(shares):
        boundary += share / 100
        if plain_hash(digested) < boundary:
            expected = str(position)
            break
    split = Split([Variant(key=str(position), rollout_percentage=share) for position, share in enumerate(shares)])
    assert split.pick(digested) == expected
    assert expected in split.reachable or plain_hash(digested) == 1.0


@given(st.lists(st.integers(0, 100).map(float), max_size=4), st.lists(st.integers(0, NUMBERS - 65), max_size=20))
def test_only_reachable_variants_are_ever_drawn(shares, numbers):
    split = Split([Variant(key=str(position), rollout_percentage=share) for position, share in enumerate(shares)])
    assert {split.pick(digest_of(number)) for number in numbers} <= set(split.reachable)
    assert split.pick(digest_of(0)) in split.reachable


@given(st.text(min_size=1, max_size=30))
def test_an_id_just_inside_a_rollout_edge_is_in_and_just_outside_is_out(identifier):
    fraction = plain_hash(sha1(f"f.{identifier}".encode()).digest())
    percentage = next(pct for pct in (fraction * 100, math.nextafter(fraction * 100, 1000)) if pct / 100 >= fraction)
    outside = percentage
    while outside / 100 >= fraction:
        outside = math.nextafter(outside, -1)
    assert is_in(percentage, identifier)
    assert not is_in(outside, identifier)


@given(percents)
def test_the_empty_identifier_hashes_to_zero(percentage):
    assert (digest(b"f.", b"") < rollout_share(percentage).edge) is (percentage >= 0)
    assert digest(b"f.", b"") == ZERO


@given(percents, digests)
def test_a_holdout_is_a_rollout_clamped_to_0_and_100(percentage, digested):
    clamped = min(max(percentage, 0.0), 100.0)
    assert holdout_share(percentage) == rollout_share(clamped)


@pytest.mark.parametrize("shares", [(50, 25, 25), (10, 20, 30, 40), (33.34, 33.33, 33.33), (1, 98)])
def test_variant_shares_over_100_000_people_are_within_four_sigma(shares):
    variants = [{"key": str(position), "rollout_percentage": share} for position, share in enumerate(shares)]
    compiled = program(one_flag({"properties": [], "rollout_percentage": 100}, multivariate={"variants": variants}))
    drawn = Counter(
        compiled.evaluate(Context(distinct_id=f"person-{number}"), now=NOW).outcomes["f"].value for number in range(PEOPLE)
    )
    for position, share in enumerate(shares):
        expected = share / 100
        tolerated = SIGMAS * math.sqrt(PEOPLE * expected * (1 - expected))
        assert abs(drawn[str(position)] - PEOPLE * expected) <= tolerated
    assert drawn[True] == PEOPLE - sum(drawn[str(position)] for position in range(len(shares)))


@pytest.mark.parametrize("percentage", [0.1, 5, 50, 99])
def test_rollout_shares_over_100_000_people_are_within_four_sigma(percentage):
    compiled = program(one_flag({"properties": [], "rollout_percentage": percentage}))
    people = (Context(distinct_id=f"person-{number}") for number in range(PEOPLE))
    inside = sum(compiled.evaluate(person, now=NOW).outcomes["f"].enabled for person in people)
    expected = percentage / 100
    assert abs(inside - PEOPLE * expected) <= SIGMAS * math.sqrt(PEOPLE * expected * (1 - expected))
