"""Writes one batch of probes about one theme: many small flags and many people, every person of interest to every flag.

All filters ask about property `p` (rarely `q`), which all people carry with values of the theme, so a batch of m flags and n
people is m × n trials for one loading of the definitions.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from harness.case import Case, Document, Person

from . import composed, moments, requests, structures
from .pools import DISTINCT_IDS, POOLS, UNKNOWN_OPERATORS, Level

FLAGS: Final = 24
COMPOSED_FLAGS: Final = 72
"""There are more patterns than values of any other theme."""
PEOPLE: Final = 24
GROUP_TYPES: Final = {"0": "organization", "1": "project"}
THEMES: Final = (*POOLS, *structures.THEMES)
"""What everybody can be asked about."""
PARTICULAR: Final = {moments.THEME: moments.NEEDS, requests.THEME: requests.NEEDS}
"""Theme → the capabilities that whoever is asked about it must have."""


def batch(theme: str, level: Level, seed: str) -> Case:
    """Return a batch; the same arguments give the same batch on every machine."""
    return drawn(theme, level, Random(seed))  # noqa: S311 — repeatable by design


def drawn(theme: str, level: Level, random: Random) -> Case:
    """Return a batch that depends on nothing but what this source of randomness says."""
    if theme == moments.THEME:
        return moments.batch(level, random)
    if theme == requests.THEME:
        return requests.batch(random)
    if theme in structures.THEMES:
        return structures.batch(theme, level, random)
    people = [person(random, n, _people(random, theme, level)) for n in range(PEOPLE)]
    flags = [_flag(random, theme, level, n) for n in range(COMPOSED_FLAGS if _may_compose(theme, level) else FLAGS)]
    return Case({"flags": flags, "group_type_mapping": GROUP_TYPES, "cohorts": {}}, people)


def person(random: Random, number: int, values: tuple[Any, ...]) -> Person:
    """Return one person with a value of the theme; one in twelve lacks it."""
    properties = {"q": random.choice(("pro", "x"))}
    if random.random() < 11 / 12:
        properties["p"] = random.choice(values)
    identity = random.choice(DISTINCT_IDS) if random.random() < 1 / 4 else f"user-{number}-{random.getrandbits(24):x}"
    return {"distinct_id": identity, "person_properties": properties, "groups": {}, "group_properties": {}}


def leaf(random: Random, theme: str, level: Level) -> Document:
    """Return one property filter of a theme."""
    pool = POOLS[theme]
    written: dict[str, Any] = {"key": "p", "type": "person", "value": random.choice(_filters(random, theme, level))}
    operator = random.choice(UNKNOWN_OPERATORS if theme == "unknown operator" else pool.operators)
    if operator is not None:
        written["operator"] = operator
    if level is Level.HOSTILE and random.random() < 1 / 30:
        del written["value"]
    return written


def _flag(random: Random, theme: str, level: Level, number: int) -> Document:
    conditions: list[Document] = [{"properties": [leaf(random, theme, level)], "rollout_percentage": 100}]
    if random.random() < 1 / 10:
        conditions[0]["properties"].append({"key": "q", "type": "person", "value": ["pro"], "operator": "exact"})
    if random.random() < 1 / 10:
        conditions.append({"properties": [leaf(random, theme, level)], "rollout_percentage": 100})
    return structures.flag(number, f"probe-{number}-{random.getrandbits(20):x}", {"groups": conditions})


def _filters(random: Random, theme: str, level: Level) -> tuple[Any, ...]:
    if _composes(random, theme, level):
        return (composed.pattern(random),)
    pool = POOLS[theme]
    return pool.filters + pool.hostile_filters if level is Level.HOSTILE else pool.filters


def _people(random: Random, theme: str, level: Level) -> tuple[Any, ...]:
    if _composes(random, theme, level):
        return (composed.text(random),)
    pool = POOLS[theme]
    return pool.people + pool.hostile_people if level is Level.HOSTILE else pool.people


def _composes(random: Random, theme: str, level: Level) -> bool:
    return _may_compose(theme, level) and random.random() < 1 / 2


def _may_compose(theme: str, level: Level) -> bool:
    return theme == "pattern" and level is Level.HOSTILE
