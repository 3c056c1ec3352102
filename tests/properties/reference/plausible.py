"""The strategies' documents and persons from a plain seeded generator, which draws them much faster.

Rare combinations decide whether a value is really conclusive (a dependent of a dependent of a flag that fails, an empty
identifier under unknown overrides…), and it takes tens of thousands of documents to meet them.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from reference import Context
from reference.reading import KnownMemberships
from tests.properties.reference.strategies import COHORT_IDS, FLAG_KEYS, GROUP_TYPES, KEYS, PERSONS, VALUES, VARIANTS, ZONES

OPERATORS = (
    *("exact", "is_not", "icontains", "not_icontains", "starts_with", "not_ends_with", "gt", "lte", "between", "not_between"),
    *("is_set", "is_not_set", "semver_gte", "semver_neq", "is_date_before", "is_date_after", "regex", "not_regex"),
)
PERCENTAGES = (0, 10, 50, 90, 100, 100, 100, -1, 150)
MAPPINGS = ({"0": "organization", "1": "project"}, {"0": "organization"}, {})
USABLE = ("acme", 42)


def property_filter(rng: random.Random, kind: str = "person") -> dict[str, Any]:
    """Draw a filter on a property."""
    operator = rng.choice(OPERATORS)
    several = [rng.choice(VALUES) for _ in range(rng.randrange(3))]
    value = [1, 2] if "between" in operator else several if rng.random() < 0.2 else rng.choice(VALUES)
    drawn = {"key": rng.choice(KEYS), "type": kind, "operator": operator, "value": value}
    return {**drawn, "group_type_index": rng.choice((0, 1, 3))} if kind == "group" and rng.random() < 0.7 else drawn


def cohort_filter(rng: random.Random) -> dict[str, Any]:
    """Draw a cohort filter; cohort 5 is never there."""
    return {"key": "id", "type": "cohort", "operator": rng.choice(("in", "in", "not_in")), "value": rng.choice(COHORT_IDS)}


def dependency(rng: random.Random) -> dict[str, Any]:
    """Draw a dependency; often on a flag that is not there."""
    value = rng.choice((True, False, "x", "y"))
    return {"key": rng.choice(FLAG_KEYS), "type": "flag", "operator": "flag_evaluates_to", "value": value}


def any_filter(rng: random.Random) -> dict[str, Any]:
    """Draw a filter of any kind."""
    draw = rng.random()
    if draw < 0.55:
        return property_filter(rng, "person" if draw < 0.4 else "group")
    return cohort_filter(rng) if draw < 0.75 else dependency(rng)


def condition(rng: random.Random) -> dict[str, Any]:
    """Draw a condition set."""
    drawn: dict[str, Any] = {
        "properties": [any_filter(rng) for _ in range(rng.randrange(3))],
        "rollout_percentage": rng.choice(PERCENTAGES),
    }
    if rng.random() < 0.4:
        drawn["variant"] = rng.choice((*VARIANTS, "gone", None))
    if rng.random() < 0.3:
        drawn["aggregation_group_type_index"] = rng.choice((None, 0, 1, 3))
    return drawn


def flag(rng: random.Random, key: str, number: int) -> dict[str, Any]:
    """Draw a flag, one in thirty of them odd."""
    variants = [{"key": name, "rollout_percentage": rng.choice((0, 25, 50, 100))} for name in VARIANTS[: rng.randrange(4)]]
    filters: dict[str, Any] = {"groups": [condition(rng) for _ in range(rng.randrange(4))]}
    state: dict[str, Any] = {}
    for share, target, name, value in (
        (0.5, filters, "multivariate", {"variants": variants}),
        (0.3, filters, "payloads", {rng.choice((*VARIANTS, "true")): "1"}),
        (0.15, filters, "aggregation_group_type_index", 0),
        (0.3, filters, "early_exit", True),
        (0.1, filters, "feature_enrollment", True),
        (0.15, filters, "holdout", {"id": 7, "exclusion_percentage": rng.choice((0, 10, 50, 100))}),
        (0.04, filters, "version", 3),
        (0.03, filters, "groups", None),
        (0.3, state, "ensure_experience_continuity", True),
        (0.1, state, "bucketing_identifier", "device_id"),
        (0.1, state, "active", False),
    ):
        if rng.random() < share:
            target[name] = value
    return {"id": number, "key": key, **state, "filters": filters}


def tree(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """Draw a cohort tree."""
    if depth < 2 and rng.random() < 0.5:
        return {"type": rng.choice(("AND", "OR")), "values": [tree(rng, depth + 1) for _ in range(rng.randrange(3))]}
    draw = rng.random()
    behaviour = {"type": "behavioral", "key": "e"}
    leaf = property_filter(rng) if draw < 0.7 else cohort_filter(rng) if draw < 0.94 else behaviour
    return {**leaf, "negation": rng.random() < 0.4}


def cohort(rng: random.Random) -> dict[str, Any] | None:
    """Draw a cohort: a tree, a static one, one that cannot be parsed, or none."""
    draw = rng.random()
    if draw < 0.6:
        return {"type": rng.choice(("AND", "OR")), "values": [tree(rng) for _ in range(rng.randrange(3))]}
    return {"is_static": True} if draw < 0.7 else {"type": "XOR"} if draw < 0.75 else None


def document(rng: random.Random) -> dict[str, Any]:
    """Draw definitions."""
    cohorts = {str(number): cohort(rng) for number in COHORT_IDS[:-1]}
    return {
        "flags": [flag(rng, key, number) for number, key in enumerate(FLAG_KEYS[: rng.randrange(1, 6)], 1)],
        "cohorts": {number: drawn for number, drawn in cohorts.items() if drawn is not None},
        "group_type_mapping": rng.choice(MAPPINGS),
        "property_matching_version": rng.choice((1, 2)),
    }


def properties(rng: random.Random, *more: str) -> dict[str, Any]:
    """Draw a property map."""
    return {rng.choice((*KEYS, *more)): rng.choice(VALUES) for _ in range(rng.randrange(6))}


def person_properties(rng: random.Random) -> dict[str, Any]:
    """Draw a person's properties."""
    return properties(rng, "$feature_enrollment/f1", "$feature_enrollment/f2", "distinct_id")


def overrides(rng: random.Random) -> dict[str, str]:
    """Draw stored identities; they are never empty."""
    return {key: rng.choice(PERSONS[:-1]) for key in FLAG_KEYS if rng.random() < 0.45}


def context(rng: random.Random) -> Context:
    """Draw a person a local evaluator may be asked about."""
    known = {number: rng.random() < 0.5 for number in COHORT_IDS if rng.random() < 0.5}
    return Context(
        distinct_id=rng.choice(PERSONS),
        person_properties=person_properties(rng),
        groups={name: rng.choice((*USABLE, "", None)) for name in GROUP_TYPES if rng.random() < 0.5},
        group_properties={name: properties(rng) for name in GROUP_TYPES if rng.random() < 0.5},
        device_id=rng.choice(("", "device-1")),
        anon_distinct_id=rng.choice((None, "anon-1")),
        hash_key_overrides=None if rng.random() < 0.6 else overrides(rng),
        memberships=None if rng.random() < 0.5 else KnownMemberships(known),
        timezone=rng.choice((None, *ZONES)),
        geoip_disabled=rng.random() < 0.5,
    )


def completion(rng: random.Random, partial: Context) -> Context:
    """Draw a server's knowledge that agrees with what a context says, like `strategies.completions`."""
    stored, sent = person_properties(rng), dict(partial.person_properties)
    stored.pop("distinct_id", None)
    if not partial.geoip_disabled:
        filled = [key for key, value in sent.items() if value is None and key.startswith("$geoip_")]
        stored.update({key: rng.choice(VALUES) for key in filled})
        sent = {key: value for key, value in sent.items() if key not in filled}
    told = partial.memberships.by_cohort if isinstance(partial.memberships, KnownMemberships) else {}
    return msgspec.structs.replace(
        partial,
        properties_complete=True,
        person_properties={**stored, **sent},
        group_properties={
            name: {**(properties(rng) if partial.groups.get(name) in USABLE else {}), **partial.group_properties.get(name, {})}
            for name in GROUP_TYPES
        },
        hash_key_overrides=overrides(rng) if partial.hash_key_overrides is None else partial.hash_key_overrides,
        memberships=KnownMemberships({number: rng.random() < 0.5 for number in COHORT_IDS} | dict(told)),
        timezone=partial.timezone or rng.choice(ZONES),
    )
