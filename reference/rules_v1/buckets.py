"""PostHog's SHA-1 bucketing, exact to the last bit (contract §6).

`hash = float(n) / 2**60` with `n` the first 60 bits of SHA-1(prefix + identifier + salt). Both operands become doubles
before the division, so comparing `n` with a threshold needs care. The rule here: since `hash` grows with `n`, every test
"hash <= x" or "hash < x" is "the digest sorts before an edge", an 8-byte string found once per threshold. Comparing bytes
halves the cost of a rolled-out flag, and the edge is found with the very float arithmetic it replaces.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from reference.definitions.model import Variant

try:
    # CPython's own SHA-1: for one block it costs 0.40 µs where OpenSSL's, behind its envelope interface, costs 0.66.
    from _sha1 import sha1 as _sha1  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports] - no stubs
except ImportError:  # an interpreter built without it
    from hashlib import sha1 as _sha1


class _Hashed(Protocol):
    def digest(self) -> bytes: ...


sha1: Final[Callable[[bytes], _Hashed]] = _sha1

NUMBERS: Final = 2**60
"""How many different values the first 60 bits can have; also the divisor, because 0xFFFFFFFFFFFFFFF as a double is 2**60."""

VARIANT_SALT: Final = b"variant"
HOLDOUT_PREFIX: Final = b"holdout-"

ZERO: Final = b""
"""Stands for the digest of an empty identifier, whose hash counts as exactly 0.0: it sorts before every edge but NEVER."""

NEVER: Final = b""
"""The edge that no digest sorts before."""

ALWAYS: Final = b"\xff" * 21
"""The edge that every digest (20 bytes) sorts before."""

FULL: Final = 100.0


def digest(prefix: bytes, identifier: bytes, salt: bytes = b"") -> bytes:
    """Hash an identifier for a rollout or a variant; an empty identifier gives `ZERO` without hashing."""
    return sha1(prefix + identifier + salt).digest() if identifier else ZERO


def holdout_digest(identifier: bytes) -> bytes:
    """Hash an identifier for holdouts, where the empty one is hashed like any other."""
    return sha1(HOLDOUT_PREFIX + identifier).digest()


def fraction_of(digested: bytes) -> float:
    """Give the hash as PostHog's number in 0..1; the rooms here compare digests with edges instead."""
    return float(int.from_bytes(digested[:8], "big") >> 4) / float(NUMBERS)


class Share(NamedTuple):
    """A percentage of people.

    Attributes:
        edge: The digests in the share sort before it.
        is_full: Everybody is in it, whatever the hash.
        is_empty: Nobody with an identifier is in it. (An empty one, whose hash counts as 0.0, is in even at 0 %.)
    """

    edge: bytes
    is_full: bool
    is_empty: bool


def rollout_share(percentage: float) -> Share:
    """Return the share of a rollout: in when `percentage == 100`, else when hash <= percentage / 100. Nothing is clamped."""
    edge = ALWAYS if percentage == FULL else _edge_at_most(percentage / 100)
    return Share(edge, is_full=edge is ALWAYS, is_empty=percentage <= 0)


def holdout_share(percentage: float) -> Share:
    """Return the share of a holdout; the percentage is clamped to 0..100 (presumed, contract §5.4)."""
    return rollout_share(min(max(percentage, 0.0), FULL))


class Split:
    """How a flag's variants divide the hash: the first variant whose running sum of weights is above the hash.

    Attributes:
        reachable: The variants some identifier can get, None included where the weights leave room for none.
        is_degenerate: The split does not depend on the hash, in the sense of contract §5.4 b.
    """

    __slots__ = ("_edges", "_keys", "is_degenerate", "reachable")

    def __init__(self, variants: Sequence[Variant]) -> None:
        self._edges: list[bytes] = []
        self._keys: list[str | None] = []
        # A hash of exactly 1.0 exists (one identifier in 2**54); what only it could get does not count as reachable.
        reachable: list[str | None] = []
        boundary = highest = 0.0
        for variant in variants:
            boundary += variant.rollout_percentage / 100
            edge = _edge_below(boundary)
            if edge > (self._edges[-1] if self._edges else NEVER):  # a variant below an earlier boundary is never first
                self._edges.append(edge)
                self._keys.append(variant.key)
                reachable += [variant.key] if highest < 1.0 else []
                highest = boundary
        self.reachable = (*reachable, None) if highest < 1.0 else tuple(reachable)
        self._keys.append(None)
        weights = [variant.rollout_percentage for variant in variants if variant.rollout_percentage != 0]
        self.is_degenerate = not weights or weights[0] == FULL

    def pick(self, digested: bytes) -> str | None:
        """Return the variant of a digest; None when the weights leave it without one."""
        return self._keys[bisect_right(self._edges, digested)]


@lru_cache(maxsize=4096)
def _edge_at_most(fraction: float) -> bytes:
    return _edge(lambda number: float(number) / float(NUMBERS) <= fraction)


@lru_cache(maxsize=4096)
def _edge_below(fraction: float) -> bytes:
    return _edge(lambda number: float(number) / float(NUMBERS) < fraction)


def _edge(is_in: Callable[[int], bool]) -> bytes:
    """Find by bisection how many numbers from 0 up are in, and write the first that is not as the top 60 of 64 bits."""
    inside, outside = -1, NUMBERS
    while outside - inside > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if is_in(middle) else (inside, middle)
    if outside == 0:
        return NEVER
    return ALWAYS if outside == NUMBERS else (outside << 4).to_bytes(8, "big")
