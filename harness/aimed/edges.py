"""Identities whose hash falls beside the edges of a flag's rollout, variants and holdout (contract §6).

A rollout is the project's own, so an identity cannot be made to fall exactly on its edge; among some thousand candidates the
nearest on either side are within a thousandth of it, which is where another hash, salt, divisor or rounding shows.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

NUMBERS: Final = float(0xFFFFFFFFFFFFFFF)
"""Both operands of the division are doubles (contract §6)."""
HASHED: Final = 200
"""Identifiers are hashed up to this many characters (contract §5.8)."""


class Ring(NamedTuple):
    """Where a hash is taken: the text before the identity, the one after it, and whose identity it is."""

    prefix: str
    salt: str
    identity: str


class Edges:
    """The identities beside any share, ring by ring; a ring is hashed once."""

    def __init__(self, identities: Sequence[str]) -> None:
        self._identities = tuple(identities)
        self._hashed: dict[tuple[str, str], list[tuple[float, str]]] = {}

    def beside(self, ring: Ring, share: float) -> tuple[str, ...]:
        """Return the identities nearest to a share of 0..1 on either side: at most two."""
        hashed = self._hashed.setdefault((ring.prefix, ring.salt), [])
        if not hashed:
            hashed += sorted((fraction(ring, identity), identity) for identity in self._identities)
        at = bisect_right(hashed, (share, "\U0010ffff"))
        return tuple(identity for _, identity in hashed[max(at - 1, 0) : at + 1])


def fraction(ring: Ring, identity: str) -> float:
    """Return where an identity falls on a ring, 0..1."""
    digest = hashlib.sha1(f"{ring.prefix}{identity[:HASHED]}{ring.salt}".encode()).hexdigest()  # noqa: S324 — the contract's hash
    return float(int(digest[:15], 16)) / NUMBERS


def rings(flag: Mapping[str, Any]) -> Iterator[tuple[Ring, float]]:
    """Yield every edge of a flag that somebody can fall beside: the ring and the share, 0 < share < 1."""
    filters = flag["filters"]
    own = f"{flag['key']}."
    whole = filters.get("aggregation_group_type_index")
    person = "device" if flag.get("bucketing_identifier") == "device_id" else "person"
    for condition in filters.get("groups") or ():
        index = condition.get("aggregation_group_type_index", whole)
        identity = person if index is None else f"{index}"
        share: Any = condition.get("rollout_percentage")
        if _is_between(share):
            yield Ring(own, "", identity), share / 100
        for boundary in _boundaries(filters):
            yield Ring(own, "variant", identity), boundary
    exclusion: Any = (filters.get("holdout") or {}).get("exclusion_percentage")
    if _is_between(exclusion):
        yield Ring("holdout-", "", person if whole is None else f"{whole}"), exclusion / 100


def _boundaries(filters: Mapping[str, Any]) -> Iterator[float]:
    total = 0.0
    for variant in (filters.get("multivariate") or {}).get("variants") or ():
        weight = variant.get("rollout_percentage")
        if not isinstance(weight, int | float):
            return
        total += weight / 100
        if 0 < total < 1:
            yield total


def _is_between(share: Any) -> bool:
    return isinstance(share, int | float) and not isinstance(share, bool) and 0 < share < 100  # noqa: PLR2004 — per cent
