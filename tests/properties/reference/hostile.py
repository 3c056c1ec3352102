"""A fast seeded source of hostile JSON: plausible documents and persons with holes, wrong kinds and absurdities in them.

Not Hypothesis: a hundred thousand inputs in about a minute need a plain generator, and a seed names each of them.
"""

from __future__ import annotations

import json
import random
from typing import Any

OPERATORS = (
    *("exact", "is_not", "is_set", "is_not_set", "icontains", "not_icontains", "icontains_multi", "not_icontains_multi"),
    *("starts_with", "not_starts_with", "ends_with", "not_ends_with", "regex", "not_regex", "gt", "gte", "lt", "lte"),
    *("between", "not_between", "semver_eq", "semver_neq", "semver_gt", "semver_tilde", "semver_caret", "semver_wildcard"),
    *("is_date_exact", "is_date_before", "is_date_after", "in", "not_in", "flag_evaluates_to", "min", None, 7),
)
TYPES = ("person", "person", "person", "group", "cohort", "flag", "person_metadata", "behavioral", "planet", None)
PATTERNS = (
    *("(a+)+$", "(", "a{1000}{1000}", "(?<=x)y", "\\1", "[" * 50, "(?:" * 80 + ")" * 80, "\\p{L}+", "(?i)ß"),
    *(".*" * 30, "\x00"),
)
ABSURD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**40, 10**400, 0.5, -0.0, 1e308, 1e-320),
    *(float("nan"), float("inf"), -float("inf")),
    *("", " ", "a", "true", "1", "-7d", "9999y", "2024-03-01", "2024-02-30T25:61:00Z", "1.2.3", "v1.*", "\ud800", "😀" * 3),
    *("a" * 1000, "9" * 300, "$group_key", "distinct_id", [], {}, [[]], [None], [True, "false"], [1, 2], [2, 1], ["a"] * 40),
    *({"a": {"b": [1]}}, {"\ud800": 1}, {"type": "AND", "values": []}),
)
NAMES = ("plan", "", "$geoip_x", "$initial_os", "$os", "distinct_id", "$feature_enrollment/f0", "\ud800", "a" * 300)


def nested(rng: random.Random) -> Any:
    """Nest something, shallow or far too deep."""
    depth, value = rng.choice((3, 20, 200, 255, 256, 257, 600)), rng.choice(ABSURD)
    for _ in range(depth):
        value = [value] if rng.random() < 0.5 else {"values": value}
    return value


def absurd(rng: random.Random) -> Any:
    """Draw one value that may be anything."""
    draw = rng.random()
    if draw < 0.02:
        return nested(rng)
    return rng.choice(PATTERNS) if draw < 0.15 else rng.choice(ABSURD)


def maybe(rng: random.Random, value: Any, share: float = 0.06) -> Any:
    """Take a plausible value, and now and then anything."""
    return absurd(rng) if rng.random() < share else value


def leaf(rng: random.Random) -> Any:
    """Draw a property filter."""
    kind = rng.choice(TYPES)
    value = (
        rng.choice((1, 2, 3, "1", "x"))
        if kind == "cohort"
        else rng.choice((True, False, "x"))
        if kind == "flag"
        else absurd(rng)
    )
    key = rng.choice(("f0", "f1", "f2", "1", "9")) if kind == "flag" else rng.choice(NAMES)
    drawn = {"key": maybe(rng, key), "type": kind, "value": value}
    if kind == "cohort":
        return {**drawn, "operator": maybe(rng, rng.choice(("in", "not_in"))), "negation": maybe(rng, False)}
    operator = "flag_evaluates_to" if kind == "flag" and rng.random() < 0.8 else rng.choice(OPERATORS)
    return {**drawn, "operator": operator, "group_type_index": maybe(rng, rng.choice((0, 1, None)))}


def condition(rng: random.Random) -> Any:
    """Draw a condition set."""
    drawn = {
        "properties": maybe(rng, [maybe(rng, leaf(rng)) for _ in range(rng.randrange(3))]),
        "rollout_percentage": maybe(rng, rng.choice((0, 50, 100, None))),
    }
    if rng.random() < 0.2:
        drawn["aggregation_group_type_index"] = maybe(rng, rng.choice((0, None)))
    if rng.random() < 0.2:
        drawn["variant"] = maybe(rng, "x")
    return drawn


def flag(rng: random.Random, number: int) -> Any:
    """Draw a flag."""
    filters = {"groups": maybe(rng, [maybe(rng, condition(rng), 0.02) for _ in range(rng.randrange(3))], 0.02)}
    for name, value in (
        ("multivariate", {"variants": maybe(rng, [{"key": "x", "rollout_percentage": maybe(rng, 50)}])}),
        ("payloads", {"true": absurd(rng)}),
        ("holdout", {"id": maybe(rng, 1), "exclusion_percentage": maybe(rng, 10)}),
        ("feature_enrollment", True),
        ("early_exit", True),
        ("aggregation_group_type_index", 0),
        ("version", rng.choice((1, 2, 3))),
    ):
        if rng.random() < 0.12:
            filters[name] = maybe(rng, value)
    drawn = {"id": maybe(rng, number), "key": maybe(rng, f"f{number}", 0.02), "version": maybe(rng, 1)}
    for name, value in (
        ("active", rng.random() < 0.9),
        ("ensure_experience_continuity", True),
        ("bucketing_identifier", "device_id"),
        ("evaluation_runtime", "client"),
        ("evaluation_contexts", ["a"]),
    ):
        if rng.random() < 0.15:
            drawn[name] = maybe(rng, value)
    return {**drawn, "filters": maybe(rng, filters, 0.02)}


def tree(rng: random.Random, depth: int = 0) -> Any:
    """Draw a cohort tree."""
    if depth == 2 or rng.random() < 0.6:
        return maybe(rng, {**leaf(rng), "negation": maybe(rng, rng.random() < 0.5)}, 0.03)
    kind = rng.choice(("AND", "OR", "property", "XOR"))
    return {"type": kind, "values": maybe(rng, [tree(rng, depth + 1) for _ in range(rng.randrange(3))], 0.03)}


def document(rng: random.Random) -> Any:
    """Draw a definitions document."""
    cohorts = {str(n): maybe(rng, {"type": "AND", "values": [tree(rng)]}, 0.05) for n in range(rng.randrange(4))}
    drawn = {
        "flags": maybe(rng, [maybe(rng, flag(rng, number), 0.01) for number in range(rng.randrange(1, 4))], 0.01),
        "cohorts": maybe(rng, cohorts, 0.01),
        "group_type_mapping": maybe(rng, {"0": maybe(rng, "organization"), rng.choice(("1", "1", "x")): "project"}, 0.01),
        "property_matching_version": maybe(rng, rng.choice((1, 2))),
    }
    return drawn if rng.random() < 0.99 else absurd(rng)


def properties(rng: random.Random) -> dict[str, Any]:
    """Draw a property map."""
    return {rng.choice(NAMES): absurd(rng) for _ in range(rng.randrange(4))}


def context(rng: random.Random) -> dict[str, Any]:
    """Draw the fields of a `Context`: the kinds are right at the top, and anything below."""
    return {
        "distinct_id": rng.choice(("user-1", "", "\ud800", "a" * 500, "😀" * 250)),
        "person_properties": properties(rng),
        "groups": {"organization": absurd(rng)} if rng.random() < 0.5 else {},
        "group_properties": {"organization": properties(rng)},
        "device_id": rng.choice((None, "", "\udfff", "device")),
        "anon_distinct_id": rng.choice((None, "", "anon")),
        "hash_key_overrides": rng.choice((None, {}, {"f0": "\ud800"}, {"f0": ""})),
        "timezone": rng.choice((None, "UTC", "Europe/Berlin", "../etc/passwd", "Nowhere/At_All", "", "\x00", "Europe")),
        "geoip_disabled": rng.random() < 0.5,
        "properties_complete": rng.random() < 0.5,
    }


def spoilt(rng: random.Random, text: bytes) -> bytes:
    """Break JSON text: cut it off, or overwrite bytes."""
    if rng.random() < 0.5:
        return text[: rng.randrange(len(text) + 1)]
    broken = bytearray(text)
    for _ in range(rng.randrange(1, 4)):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    return bytes(broken)


def as_text(value: Any) -> bytes:
    """Write JSON the lenient way: NaN, Infinity and escaped lone surrogates included."""
    return json.dumps(value).encode()
