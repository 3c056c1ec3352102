"""Seeded generation of definitions and people, inside the core that the service and all SDKs agree on.

The core: string equality, `is_set`, `icontains`, numeric comparison of numbers, rollout, variants and pins, payloads, simple
cohorts, groups. Ids are also *constructed*: a rollout is often set to the exact hash of one of the people, so that the last
bit of the division and the direction of the comparison count. What is left out, and why, is in
`docs/decisions/0070-what-the-agreed-core-leaves-out.md`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from .case import Case, Document, Person

FLAGS_PER_DOCUMENT: Final = 10
PEOPLE_PER_DOCUMENT: Final = 25

# Look-alikes in case and prefix; letters whose lower case every language agrees on; nothing that reads as a boolean.
WORDS: Final = (
    "free",
    "Free",
    "pro",
    "PRO",
    "pro plan",
    "enterprise",
    "Ünlimited",
    "ünlimited",
    "q-1",
    "Zürich",
    "東京",
    "a+b",
    "50%",
)
MAILS: Final = ("ada@example.com", "Ada@Example.com", "bob@example.org", "eve+test@mail.example", "no-mail")
PIECES: Final = ("pro", "PRO", "@EXAMPLE", "e", "example.com", "plan", "nlimited", "+", "%", "京")
NUMBERS: Final = (0, 1, -1, 17, 18, 21, 65, 1000, -0.5, 0.1, 17.5, 99.99, 1e6)
GROUP_TYPES: Final = {"0": "organization", "1": "project"}
STRING_KEYS: Final = {"plan": WORDS, "email": MAILS, "city": WORDS}
NUMBER_KEYS: Final = ("age", "score")
PAYLOADS: Final = ('{"color":"blue","size":3}', '"hello"', "42", "[1,2,3]", "true", '{"nested":{"a":[null,"ü"]}}')


def cases(seed: int) -> Iterator[Case]:
    """Yield cases without end; the same seed gives the same cases on every machine."""
    number = 0
    while True:
        yield _Writer(Random(f"{seed}:{number}")).case()  # noqa: S311 — repeatable by design
        number += 1


def position(flag_key: str, identity: str) -> float:
    """Return where an identity falls in a flag's rollout, 0..1 (contract §6: both operands are doubles)."""
    digest = hashlib.sha1(f"{flag_key}.{identity}".encode()).hexdigest()  # noqa: S324 — the contract's hash
    return float(int(digest[:15], 16)) / float(0xFFFFFFFFFFFFFFF)


class _Writer:
    """Writes one case from one source of randomness."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def case(self) -> Case:
        people = [self.person(n) for n in range(PEOPLE_PER_DOCUMENT)]
        cohorts = {str(n): self.cohort() for n in range(1, 4)}
        flags = [self.flag(n, people, list(cohorts)) for n in range(FLAGS_PER_DOCUMENT)]
        return Case({"flags": flags, "group_type_mapping": GROUP_TYPES, "cohorts": cohorts}, people)

    def person(self, number: int) -> Person:
        groups = {name: f"{name[:3]}-{self.random.randrange(40)}" for name in GROUP_TYPES.values() if self.chance(0.8)}
        return {
            "distinct_id": self.random.choice(
                (f"user-{number}", f"ünï-{self.random.getrandbits(32):x}", f"{self.random.getrandbits(64)}")
            ),
            "person_properties": self.properties(),
            "groups": groups,
            "group_properties": {name: self.properties() for name in groups},
        }

    def properties(self) -> dict[str, Any]:
        drawn: dict[str, Any] = {key: self.random.choice(pool) for key, pool in STRING_KEYS.items()}
        drawn |= {key: self.random.choice(NUMBERS) for key in NUMBER_KEYS}
        return {key: value for key, value in drawn.items() if self.chance(0.9)}

    def flag(self, number: int, people: list[Person], cohorts: list[str]) -> Document:
        key = f"flag-{number}-{self.random.getrandbits(20):x}"
        group_index = self.random.choice((None, None, None, 0, 1))
        variants = self.variants() if self.chance(0.5) else []
        filters: dict[str, Any] = {
            "groups": [self.condition(key, people, cohorts, variants, group_index) for _ in range(self.random.randint(1, 3))],
            "payloads": self.payloads(variants),
            "multivariate": {"variants": variants} if variants else None,
        }
        if group_index is not None:
            filters["aggregation_group_type_index"] = group_index
        return {
            "id": number + 1, "key": key, "name": key, "version": 1, "active": True, "deleted": False,
            "ensure_experience_continuity": False, "filters": filters,
        }  # fmt: skip

    def condition(
        self, key: str, people: list[Person], cohorts: list[str], variants: list[dict[str, Any]], group_index: int | None
    ) -> Document:
        leaves: list[Document] = [self.leaf(group_index) for _ in range(self.random.choice((0, 0, 1, 1, 2, 3)))]
        if group_index is None and self.chance(0.3):
            operator = self.random.choice(("in", "not_in"))
            leaves.append({"key": "id", "type": "cohort", "value": int(self.random.choice(cohorts)), "operator": operator})
        condition: dict[str, Any] = {"properties": leaves, "rollout_percentage": self.rollout(key, people, group_index)}
        if variants and self.chance(0.2):
            condition["variant"] = self.random.choice(variants)["key"]
        return condition

    def rollout(self, key: str, people: list[Person], group_index: int | None) -> float | None:
        person = self.random.choice(people)
        name = GROUP_TYPES.get(str(group_index))
        identity = person["distinct_id"] if name is None else person["groups"].get(name, "nobody")
        edge = position(key, identity) * 100
        return self.random.choice(
            (None, 100, 100, 0, self.random.randint(1, 99), round(self.random.uniform(0, 100), 2), edge, edge)
        )

    def variants(self) -> list[dict[str, Any]]:
        weights = self.random.choice(
            ((50, 50), (100,), (0, 100), (10, 20, 30, 40), (33.34, 33.33, 33.33), (1.01, 10.02, 88.97), (20, 30))
        )
        return [{"key": f"variant-{n}", "name": None, "rollout_percentage": weight} for n, weight in enumerate(weights)]

    def payloads(self, variants: list[dict[str, Any]]) -> dict[str, str]:
        keys = [variant["key"] for variant in variants] or ["true"]
        return {key: self.random.choice(PAYLOADS) for key in keys if self.chance(0.6)}

    def cohort(self) -> Document:
        """Each level holds leaves or groups, never both: that is what PostHog's cohort editor writes."""
        if self.chance(0.6):
            return self.tree(self.leaves())
        return self.tree([self.tree(self.leaves()) for _ in range(2)])

    def leaves(self) -> list[Document]:
        drawn = [self.leaf(None) for _ in range(self.random.randint(1, 3))]
        return [{**leaf, "negation": True} if self.chance(0.15) else leaf for leaf in drawn]

    def tree(self, members: list[Document]) -> Document:
        return {"type": self.random.choice(("AND", "OR")), "values": members}

    def leaf(self, group_index: int | None) -> Document:
        key, operator, value = self.random.choice((self.equality, self.presence, self.containment, self.comparison))()
        leaf = {"key": key, "operator": operator, "value": value, "type": "person" if group_index is None else "group"}
        return leaf if group_index is None else {**leaf, "group_type_index": group_index}

    def equality(self) -> tuple[str, str, Any]:
        key, pool = self.random.choice(list(STRING_KEYS.items()))
        value: Any = self.random.choice(pool) if self.chance(0.4) else self.random.sample(pool, self.random.randint(1, 3))
        return key, "exact", value

    def presence(self) -> tuple[str, str, Any]:
        return self.random.choice((*STRING_KEYS, *NUMBER_KEYS, "never_sent")), "is_set", "is_set"

    def containment(self) -> tuple[str, str, Any]:
        return self.random.choice(list(STRING_KEYS)), "icontains", self.random.choice(PIECES)

    def comparison(self) -> tuple[str, str, Any]:
        return self.random.choice(NUMBER_KEYS), self.random.choice(("gt", "gte", "lt", "lte")), self.random.choice(NUMBERS)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability
