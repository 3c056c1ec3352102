"""Probes about what surrounds a filter: rollouts and ids beside their edge, variants, payloads, cohorts, groups, dependencies,
and the rarer switches of a flag. Each flag has at most two conditions with at most two filters."""  # noqa: D205, D209

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any, Final, TypeAlias

from harness.case import Case, Document, Person
from harness.strategies import position

from .pools import DISTINCT_IDS, Level

FLAGS: Final = 24
PEOPLE: Final = 16
COHORTS: Final = 8
GROUP_TYPES: Final = {"0": "organization", "1": "project"}
PLAN: Final[Document] = {"key": "p", "type": "person", "value": ["pro"], "operator": "exact"}
Filters: TypeAlias = dict[str, Any]


def flag(number: int, key: str, filters: Filters, **more: Any) -> Document:
    """Return a flag as definitions carry it."""
    return {
        "id": number + 1, "key": key, "name": key, "version": 1, "active": True, "deleted": False,
        "ensure_experience_continuity": False, "filters": {"multivariate": None, "payloads": {}, **filters}, **more,
    }  # fmt: skip


def batch(theme: str, level: Level, random: Random) -> Case:
    """Return a batch of one of `THEMES`."""
    people = [_person(random, n, level) for n in range(PEOPLE)]
    cohorts = {f"{n}": _cohort(random, level, n) for n in range(1, COHORTS + 1)} if theme == "cohort" else {}
    flags = [_WRITERS[theme](random, n, people, level) for n in range(FLAGS)]
    people = [_enrolled(random, person, flags) for person in people]
    return Case({"flags": flags, "group_type_mapping": GROUP_TYPES, "cohorts": cohorts}, people)


def _person(random: Random, number: int, level: Level) -> Person:
    keys: tuple[Any, ...] = ("org-1", "org-2", "ÖRG", "42")
    keys += (42, 1.0, "", None, True) if level is Level.HOSTILE else ()
    groups = {name: random.choice(keys) for name in GROUP_TYPES.values() if random.random() < 2 / 3}
    properties: dict[str, Any] = {"p": random.choice(("pro", "free", "true"))} if random.random() < 5 / 6 else {}
    sent = {name: {"p": random.choice(("pro", "free"))} for name in groups if random.random() < 3 / 4}
    identity = random.choice(DISTINCT_IDS) if random.random() < 1 / 3 else f"user-{number}-{random.getrandbits(24):x}"
    person: dict[str, Any] = {
        "distinct_id": identity, "person_properties": properties, "groups": groups, "group_properties": sent,
    }  # fmt: skip
    return {**person, "device_id": f"device-{number}"} if random.random() < 1 / 4 else person


def _enrolled(random: Random, person: Person, flags: list[Document]) -> Person:
    """Let a person have chosen about some of the flags in early access."""
    asked = [flag["key"] for flag in flags if flag["filters"].get("feature_enrollment") and random.random() < 2 / 3]
    chosen = {f"$feature_enrollment/{key}": random.choice((True, False, "true", "yes")) for key in asked}
    return {**person, "person_properties": {**person["person_properties"], **chosen}}


def _rollout(random: Random, number: int, people: list[Person], level: Level) -> Document:
    key = f"probe-{number}-{random.getrandbits(20):x}"
    edge = position(key, random.choice(people)["distinct_id"]) * 100
    shares: tuple[Any, ...] = (None, 100, 0, 50, 0.01, 99.99, edge, math.nextafter(edge, 0), math.nextafter(edge, 200))
    shares += (101, -1, "50", True) if level is Level.HOSTILE else ()
    condition = {"properties": [PLAN] if random.random() < 1 / 6 else [], "rollout_percentage": random.choice(shares)}
    if random.random() < 1 / 8:
        del condition["rollout_percentage"]
    conditions: list[Document] = [condition] if random.random() < 9 / 10 else []
    return flag(number, key, {"groups": conditions})


def _variants(random: Random, number: int, people: list[Person], level: Level) -> Document:
    key = f"probe-{number}-{random.getrandbits(20):x}"
    edge = position(key, random.choice(people)["distinct_id"] + "variant") * 100
    splits: tuple[tuple[Any, ...], ...] = (
        (50, 50),
        (edge, 100 - edge),
        (20, 30),
        (0, 100),
        (33.33, 33.33, 33.34),
        (1.01, 10.02, 88.97),
    )
    splits += ((0, 0), (60, 60), (None, 100), ("50", 50), ()) if level is Level.HOSTILE else ()
    variants = [{"key": f"v{n}", "name": None, "rollout_percentage": share} for n, share in enumerate(random.choice(splits))]
    condition: dict[str, Any] = {"properties": [], "rollout_percentage": random.choice((100, 100, 50, None))}
    if random.random() < 1 / 3:
        condition["variant"] = random.choice(("v0", "v1", "gone", "", None))
    # Who takes pinned conditions first answers otherwise than who takes them in the order they stand.
    later: list[Document] = [{"properties": [], "rollout_percentage": 100, "variant": random.choice(("v0", "v1"))}]
    conditions = [condition, *(later if random.random() < 1 / 4 else [])]
    return flag(number, key, {"groups": conditions, "multivariate": {"variants": variants}})


def _payload(random: Random, number: int, _: list[Person], level: Level) -> Document:
    texts: tuple[Any, ...] = ('{"a":1}', '"text"', "0", "false", "null", '""', "1.0", "[]", "{}", "true", '"ü"')
    texts += ("not json", "", {"a": 1}, 0, None, "NaN", "1e400", "9007199254740993") if level is Level.HOSTILE else ()
    filters: Filters = {"groups": [{"properties": [], "rollout_percentage": 100}], "payloads": {"true": random.choice(texts)}}
    if random.random() < 1 / 4:
        filters["multivariate"] = {"variants": [{"key": "v0", "rollout_percentage": 100}]}
        filters["payloads"] = {"v0": random.choice(texts), "true": '"for true"'}
    return flag(number, f"probe-{number}-{random.getrandbits(20):x}", filters)


def _cohorted(random: Random, number: int, _: list[Person], level: Level) -> Document:
    values: tuple[Any, ...] = (1, 2, 3, 4, 5, 6, 7, 8) + ((99, "1", "x", None) if level is Level.HOSTILE else ())
    member: dict[str, Any] = {"key": "id", "type": "cohort", "value": random.choice(values)}
    if random.random() < 7 / 8:
        member["operator"] = random.choice(("in", "not_in", "exact") if level is Level.HOSTILE else ("in", "not_in"))
    condition = {"properties": [member] if random.random() < 7 / 8 else [member, PLAN], "rollout_percentage": 100}
    return flag(number, f"probe-{number}-{random.getrandbits(20):x}", {"groups": [condition]})


def _cohort(random: Random, level: Level, number: int) -> Document:
    """Write a cohort; a plausible one asks only about later ones, so that there are no cycles."""
    others = range(1, COHORTS + 1) if level is Level.HOSTILE else range(number + 1, COHORTS + 1)

    def member(depth: int) -> Document:
        drawn = random.random()
        if drawn < 1 / 3 and depth < 2:  # noqa: PLR2004 — three levels
            return {"type": random.choice(("AND", "OR")), "values": [member(depth + 1) for _ in range(random.randint(0, 2))]}
        if drawn < 1 / 2 and others:
            nested: dict[str, Any] = {"key": "id", "type": "cohort", "value": random.choice(others), "operator": "in"}
            return {**nested, "operator": "not_in"} if random.random() < 1 / 3 else nested
        operator = random.choice(("exact", "is_not", "icontains", "is_set", "is_not_set"))
        leaf = {"key": "p", "type": "person", "value": random.choice(("pro", ["pro"], "true")), "operator": operator}
        return {**leaf, "negation": random.choice((True, False))} if random.random() < 1 / 2 else leaf

    sizes = (0, 1, 2) if level is Level.HOSTILE else (1, 1, 2)
    return {"type": random.choice(("AND", "OR")), "values": [member(1) for _ in range(random.choice(sizes))]}


def _grouped(random: Random, number: int, _: list[Person], level: Level) -> Document:
    index = random.choice((0, 1, None, 7) if level is Level.HOSTILE else (0, 1, None))
    leaf: dict[str, Any] = {**PLAN, "type": "group", "group_type_index": 0}
    if random.random() < 1 / 3:
        del leaf["group_type_index"]
    if random.random() < 1 / 4:
        leaf["operator"] = "is_not"
    properties = [leaf] if random.random() < 1 / 2 else []
    condition: dict[str, Any] = {"properties": properties, "rollout_percentage": random.choice((100, 50))}
    if random.random() < 1 / 4:
        condition["aggregation_group_type_index"] = random.choice((0, 1, None))
    filters: Filters = {"groups": [condition], "aggregation_group_type_index": index}
    return flag(number, f"probe-{number}-{random.getrandbits(20):x}", filters)


def _dependent(random: Random, number: int, _: list[Person], level: Level) -> Document:
    targets = (number - 1, number + 1) if level is Level.HOSTILE else (number - 1,)
    if number % 2 == 0:
        variants = [{"key": "v0", "name": None, "rollout_percentage": 100}] if random.random() < 1 / 2 else []
        share = random.choice((0, 100))
        filters: Filters = {"groups": [{"properties": [], "rollout_percentage": share}], "multivariate": {"variants": variants}}
        return flag(number, f"probe-{number}", filters, active=random.random() < 5 / 6)
    target = f"probe-{random.choice(targets)}"
    expected = random.choice((True, False, "v0", "V0", "gone", *((None, 1, "true") if level is Level.HOSTILE else ())))
    leaf: dict[str, Any] = {
        "key": target,
        "type": "flag",
        "value": expected,
        "operator": "flag_evaluates_to",
        "dependency_chain": [target],
    }
    if level is Level.HOSTILE and random.random() < 1 / 5:
        leaf["key"] = random.choice(("gone", f"probe-{number}"))
    if random.random() < 1 / 8:
        leaf["dependency_chain"] = []
    return flag(number, f"probe-{number}", {"groups": [{"properties": [leaf], "rollout_percentage": 100}]})


def _switched(random: Random, number: int, people: list[Person], level: Level) -> Document:
    conditions: list[Document] = [{"properties": [], "rollout_percentage": random.choice((0, 50, 100))}]
    if random.random() < 1 / 2:
        conditions.append({"properties": [random.choice((PLAN, {**PLAN, "key": "unsent"}))], "rollout_percentage": 100})
    identity = random.choice(people)["distinct_id"]
    edge = position("holdout-", identity) * 100
    filters, more = random.choice((
        ({"early_exit": True}, {}),
        ({"holdout": {"id": 7, "exclusion_percentage": random.choice((100, 0, 50, edge))}}, {}),
        ({"feature_enrollment": True}, {}),
        ({"holdout_groups": [{"properties": [], "rollout_percentage": 100, "variant": "holdout-7"}]}, {}),
        ({"super_groups": [{"properties": [], "rollout_percentage": 100}]}, {}),
        ({}, {"active": False}),
        ({}, {"deleted": True}),
        ({}, {"ensure_experience_continuity": True}),
        ({}, {"bucketing_identifier": "device_id"}),
        ({}, {"evaluation_runtime": random.choice(("client", "server", "all"))}),
        ({"version": random.choice((1, 2, "1"))} if level is Level.HOSTILE else {}, {}),
    ))  # fmt: skip
    key = f"probe-{number}-{random.getrandbits(20):x}"
    return flag(number, key, {"groups": random.sample(conditions, len(conditions)), **filters}, **more)


def _undecided(random: Random, number: int, _: list[Person], level: Level) -> Document:
    """A condition that cannot be decided beside one that can."""
    del level
    operator = random.choice(
        ("exact", "is_not", "is_set", "is_not_set", "gt", "icontains", "not_icontains", "regex", "not_regex")
    )
    unsent: Document = {"key": "unsent", "type": "person", "value": "1", "operator": operator}
    first: dict[str, Any] = {"properties": [unsent, *([PLAN] if random.random() < 1 / 2 else [])], "rollout_percentage": 100}
    second: dict[str, Any] = {
        "properties": [PLAN] if random.random() < 1 / 2 else [],
        "rollout_percentage": random.choice((100, 0, 50)),
    }
    filters: Filters = {"groups": random.sample([first, second], 2)}
    if random.random() < 1 / 2:
        filters["multivariate"] = {"variants": [{"key": f"v{n}", "rollout_percentage": 50} for n in range(2)]}
        first["variant"], second["variant"] = "v0", "v1"
    return flag(number, f"probe-{number}-{random.getrandbits(20):x}", filters)


_WRITERS: Final[dict[str, Callable[[Random, int, list[Person], Level], Document]]] = {
    "rollout": _rollout,
    "variants": _variants,
    "payload": _payload,
    "cohort": _cohorted,
    "group": _grouped,
    "dependency": _dependent,
    "switch": _switched,
    "undecided": _undecided,
}
THEMES: Final = tuple(_WRITERS)
