"""Ids of our own answers: real UUIDs, asked of the system in bulk."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from random import Random
from uuid import RFC_4122, UUID

from proxy.uuids import AT_ONCE, uuids


def test_every_id_is_a_random_uuid_of_the_rfc():
    for text in islice(uuids(), 2 * AT_ONCE):
        read = UUID(text)
        assert (read.version, read.variant, str(read)) == (4, RFC_4122, text)


def test_no_two_ids_are_the_same():
    assert len(set(islice(uuids(), 10 * AT_ONCE))) == 10 * AT_ONCE


def test_randomness_is_asked_for_in_bulk_and_used_once():
    rng, asked = Random(7), []

    def random(size: int) -> bytes:
        asked.append(size)
        return rng.randbytes(size)

    ids = uuids(random)
    first = list(islice(ids, AT_ONCE))
    assert asked == [16 * AT_ONCE]
    assert next(ids) not in first
    assert len(asked) == 2


def test_all_of_the_random_bits_are_kept_but_six():
    sixteen = bytes(range(0x10, 0x20))
    assert next(uuids(lambda size: sixteen * (size // 16))) == str(UUID(bytes=sixteen, version=4))


def test_each_variant_digit_is_as_likely_as_the_others():
    seen = Counter(text[19] for text in islice(uuids(Random(3).randbytes), 4000))
    assert set(seen) == set("89ab")
    assert min(seen.values()) > 850
