"""People aimed at definitions: beside the edges of their rollouts, with values beside their filters, under marked identities.

The same definitions, seed and day give the same people. No two projects' people meet: each has an identity that begins with
the caller's mark, so that nothing is stored about them anywhere, and none has an anonymous identity, which would be written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, Final

from harness.case import Document, Person

from .edges import Edges, rings
from .project import conditions, leaves, needed
from .sides import Sides
from .values import OTHER

CANDIDATES: Final = 3_000
TAILS: Final = ("", "", "", "-Ünï", "-UPPER", " ", ".x", "-" + "u" * 200)
"""What odd identities end in, in turn: nothing, and what somebody may fold, strip or cut (contract §5.8: at 200 characters)."""
AT_EDGE: Final = 2 / 3
"""How often somebody stands beside an edge; the others fall anywhere."""
SENT: Final = 5 / 6
"""How often a group is given to a flag that asks about groups."""


class Population:
    """A source of people for one document."""

    def __init__(
        self,
        document: Document,
        *,
        seed: int,
        mark: str,
        now: datetime,
        keys: Sequence[str] | None = None,
        has_odd_ids: bool = False,
    ) -> None:
        """Read the document.

        Args:
            document: What `/flags/definitions` answers.
            seed: The same seed gives the same people.
            mark: Begins every identity and group key.
            now: The day that relative dates count from.
            keys: Aim at these flags; None: at all of them.
            has_odd_ids: Some people have long ids, or ones with capitals, spaces and letters that are not ASCII.
        """
        self._seed, self._mark = seed, mark
        self._tails = TAILS if has_odd_ids else TAILS[:1]
        self._sides = Sides(now)
        flags = {flag["key"]: flag for flag in document["flags"] if _can_be_aimed_at(flag)}
        self._aims = [flag for key, flag in flags.items() if keys is None or key in keys]
        self._needed = {key: needed(flag, flags) for key, flag in flags.items()}
        self._cohorts = document.get("cohorts") or {}
        self._groups = {str(index): name for index, name in (document.get("group_type_mapping") or {}).items()}
        self._edges = {
            "person": Edges([self._identity(n) for n in range(CANDIDATES)]),
            "other": Edges([f"{mark}{seed}-{n}" for n in range(CANDIDATES)]),
        }
        self._pools = self._pooled(flags)

    def people(self, first: int = 0) -> Iterator[Person]:
        """Yield people without end, each aimed at one flag, flag after flag; nobody where there is no flag to aim at."""
        number = first
        while self._aims:
            yield self._person(number)
            number += 1

    def _person(self, number: int) -> Person:
        random = Random(f"{self._seed}:{number}")  # noqa: S311 — repeatable by design
        flag = self._aims[number % len(self._aims)]
        identities = {"person": self._identity(CANDIDATES + number)}
        near = list(rings(flag))
        if near and random.random() < AT_EDGE:
            ring, share = random.choice(near)
            edges = self._edges.get(ring.identity, self._edges["other"])
            identities[ring.identity] = random.choice(edges.beside(ring, share))
        own = [leaf for one in self._needed[flag["key"]] for leaf in self._asked(random, one)]
        failing = random.choice((None, None, random.randrange(len(own)))) if own else None
        chosen = [(leaf, n != failing) for n, leaf in enumerate(own)]
        properties = {**self._others(random), **self._sent(random, [one for one in chosen if one[0].get("type") != "group"])}
        if (flag["filters"] or {}).get("feature_enrollment"):
            properties[f"$feature_enrollment/{flag['key']}"] = random.choice((True, False, "true", "false"))
        groups = self._grouped(random, identities, own)
        of_groups = [one for one in chosen if one[0].get("type") == "group"]
        sent = {name: self._sent(random, of_groups) for name in groups if of_groups}
        person = {"distinct_id": identities["person"], "person_properties": properties, "groups": groups}
        device = {"device_id": identities["device"]} if "device" in identities else {}
        return {**person, "group_properties": sent, **device}

    def _identity(self, number: int) -> str:
        return f"{self._mark}{self._seed}-{number}{self._tails[number % len(self._tails)]}"

    def _asked(self, random: Random, flag: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the filters of one condition, those of its cohorts included."""
        found = conditions(flag)
        return list(leaves(random.choice(found), self._cohorts)) if found else []

    def _grouped(self, random: Random, identities: Mapping[str, str], own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        is_asked = any(leaf.get("type") == "group" for leaf in own)
        found = {}
        for index, name in self._groups.items():
            if index in identities or random.random() < (SENT if is_asked else 1 / 2):
                found[name] = identities.get(index, f"{self._mark}{index}-{random.randrange(1000)}")
        return found

    def _sent(self, random: Random, asked: Sequence[tuple[Mapping[str, Any], bool]]) -> dict[str, Any]:
        """Give each property a value that its filter holds of, or one that it just does not hold of."""
        sent = {}
        for leaf, holds in asked:
            pool = self._sides.of(leaf, holds=holds)
            if pool:
                sent[leaf["key"]] = random.choice(pool)
        return sent

    def _others(self, random: Random) -> dict[str, Any]:
        """Give some properties that other flags read."""
        return {key: random.choice(pool) for key, pool in self._pools.items() if pool and random.random() < 1 / 2}

    def _pooled(self, flags: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
        pools: dict[str, tuple[Any, ...]] = {}
        for flag in flags.values():
            for condition in conditions(flag):
                for leaf in leaves(condition, self._cohorts):
                    if leaf.get("type") == "person" and leaf["key"] not in pools:
                        pools[leaf["key"]] = tuple(self._sides.all(leaf)) or (OTHER,)
        return pools


def _can_be_aimed_at(flag: Any) -> bool:
    return isinstance(flag, Mapping) and isinstance(flag.get("key"), str) and isinstance(flag.get("filters"), Mapping)
