"""Probes about the rest of a request: chosen flags, what is known of the person elsewhere, who asks and from where.

Stored memberships and hash keys, the caller's runtime and contexts, a team's time zone and a selection of flags are for those
whose capabilities name them; a local evaluator of an SDK has none of it. A person's `request` holds what stands beside the
context on the line.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from harness.case import Case, Document, Person

from .structures import PLAN, flag

THEME: Final = "request"
NEEDS: Final = frozenset(
    {"memberships", "experience_continuity", "evaluation_runtime", "evaluation_contexts", "timezone", "clock"}
)
FLAGS: Final = 24
PEOPLE: Final = 24
GROUP_TYPES: Final = {"0": "organization", "1": "project"}
STORED: Final = {
    "1": {"is_static": True},
    "2": {"type": "AND", "values": [{"key": "$pageview", "type": "behavioral", "value": "x"}]},
}
CONTEXTS: Final = ("web", "mobile")
SOURCES: Final = ("$os", "$os_name", "$browser", "utm_source")
FILLED: Final = (*SOURCES, "$initial_os", "$initial_browser", "$initial_utm_source", "distinct_id", "$geoip_country_code")
ZONES: Final = ("UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati")
NOW: Final = "2026-03-29T01:30:00+00:00"
DATES: Final = (
    "2026-03-28",
    "2026-03-29 01:30:00",
    "2026-03-29T07:15",
    "2026-03-28T21:30:00",
    "2026-03-29T01:30:00Z",
    1774747800,
)


def batch(random: Random) -> Case:
    """Return a batch; the same source of randomness gives the same batch."""
    flags = [_WRITERS[random.choice(tuple(_WRITERS))](random, number) for number in range(FLAGS)]
    people = [_person(random, number, [one["key"] for one in flags]) for number in range(PEOPLE)]
    return Case({"flags": flags, "group_type_mapping": GROUP_TYPES, "cohorts": {**STORED, "3": _both()}}, people)


def _both() -> Document:
    leaves = [{"key": "id", "type": "cohort", "value": number, "operator": "in"} for number in (1, 2)]
    return {"type": "OR", "values": [leaves[0], {**leaves[1], "operator": "not_in"}]}


def _key(random: Random, number: int) -> str:
    return f"{random.choice(('survey-targeting-', ''))}probe-{number}"


def _asked(random: Random, number: int, *leaves: Document, **more: Any) -> Document:
    condition = {"properties": list(leaves), "rollout_percentage": random.choice((100, 100, 50))}
    return flag(number, _key(random, number), {"groups": [condition]}, **more)


def _stored(random: Random, number: int) -> Document:
    leaves: list[Document] = [
        {"key": "id", "type": "cohort", "value": value, "operator": random.choice(("in", "not_in"))}
        for value in random.sample((1, 2, 3), random.choice((1, 1, 2)))
    ]
    return _asked(random, number, *leaves, *([PLAN] if random.random() < 1 / 4 else []))


def _continued(random: Random, number: int) -> Document:
    """Ask for a stored hash key, half of the time after a condition that may not be decided."""
    unsent: Document = {"key": "unsent", "type": "person", "value": "1", "operator": "exact"}
    conditions: list[Document] = [{"properties": [], "rollout_percentage": random.choice((50, 20, 80))}]
    if random.random() < 1 / 2:
        conditions.insert(0, {"properties": [unsent, PLAN], "rollout_percentage": 100})
    return flag(number, _key(random, number), {"groups": conditions}, ensure_experience_continuity=True)


def _bound(random: Random, number: int) -> Document:
    more: dict[str, Any] = {"evaluation_runtime": random.choice(("client", "server", "all"))} if random.random() < 1 / 2 else {}
    if random.random() < 1 / 2:
        more["evaluation_contexts"] = random.sample(CONTEXTS, random.randint(0, 2))
    return _asked(random, number, **more)


def _filled(random: Random, number: int) -> Document:
    operator = random.choice(("exact", "is_not", "is_set", "is_not_set"))
    leaf = {"key": random.choice(FILLED), "type": "person", "value": random.choice(("Mac", "Linux")), "operator": operator}
    return _asked(random, number, leaf)


def _dated(random: Random, number: int) -> Document:
    operator = random.choice(("is_date_before", "is_date_after", "is_date_exact"))
    leaf: dict[str, Any] = {
        "key": "when",
        "type": "person",
        "value": random.choice((*DATES[:4], "-1d", "-1h")),
        "operator": operator,
    }
    if random.random() < 1 / 3:
        leaf |= {"type": "group", "group_type_index": 0}
    condition = {"properties": [leaf], "rollout_percentage": 100}
    of_group = {"aggregation_group_type_index": 0} if leaf["type"] == "group" else {}
    return flag(number, _key(random, number), {"groups": [condition], **of_group})


def _chained(random: Random, number: int) -> Document:
    """Ask for an earlier flag: decided, undecided for want of a property or a membership, failed, or not there."""
    target = random.choice((f"probe-{max(number - 1, 0)}", f"survey-targeting-probe-{max(number - 1, 0)}", "gone"))
    value = random.choice((True, False, "v0"))
    leaf = {"key": target, "type": "flag", "value": value, "operator": "flag_evaluates_to", "dependency_chain": [target]}
    return _asked(random, number, leaf)


def _unsound(random: Random, number: int) -> Document:
    """Write a flag that cannot be evaluated: a format from later on, an unreadable cohort or filter."""
    leaf: dict[str, Any] = {"key": "id", "type": "cohort", "value": random.choice(("x", 99)), "operator": "in"}
    filters: dict[str, Any] = {"groups": [{"properties": [leaf], "rollout_percentage": 100}]}
    unread: dict[str, Any] = {"groups": [{"properties": [], "rollout_percentage": "x"}]}
    return flag(number, _key(random, number), random.choice((filters, unread, {"groups": [], "version": 2})))


def _held_out(random: Random, number: int) -> Document:
    of_group = {"aggregation_group_type_index": random.choice((0, 1, 7))} if random.random() < 2 / 3 else {}
    holdout = {"id": 7, "exclusion_percentage": random.choice((100, 50, 0, random.randrange(1, 100)))}
    condition: Document = {"properties": [], "rollout_percentage": random.choice((100, 0))}
    return flag(number, _key(random, number), {"groups": [condition], "holdout": holdout, **of_group})


_WRITERS: Final[dict[str, Callable[[Random, int], Document]]] = {
    "stored": _stored,
    "continued": _continued,
    "bound": _bound,
    "filled": _filled,
    "dated": _dated,
    "chained": _chained,
    "unsound": _unsound,
    "held out": _held_out,
}


def _person(random: Random, number: int, keys: list[str]) -> Person:
    sources = {
        key: random.choice(("Mac", "Linux", None)) for key in (*SOURCES, "$geoip_country_code") if random.random() < 1 / 3
    }
    dates = {"when": random.choice(DATES)} if random.random() < 3 / 4 else {}
    groups = {name: f"{name}-{number % 3}" for name in GROUP_TYPES.values() if random.random() < 1 / 2}
    person: dict[str, Any] = {
        "distinct_id": f"user-{number}",
        "person_properties": {**sources, **dates, **({"p": "pro"} if random.random() < 1 / 2 else {})},
        "groups": groups,
        "group_properties": {name: {"when": random.choice(DATES)} for name in groups if random.random() < 3 / 4},
        "now": NOW,
        "request": _request(random, keys),
    }
    optional = (
        ("memberships", {name: random.random() < 1 / 2 for name in ("1", "2") if random.random() < 3 / 4}),
        ("hash_key_overrides", {key: f"earlier-{number}" for key in keys if random.random() < 1 / 2}),
        ("anon_distinct_id", f"anon-{number}"),
        ("geoip_disabled", random.random() < 1 / 2),
    )
    return {**person, **{name: value for name, value in optional if random.random() < 1 / 2}}


def _request(random: Random, keys: list[str]) -> Document:
    optional = (
        ("flag_keys", random.sample(keys, 6)),
        ("survey_only", True),
        ("runtime", random.choice(("client", "server"))),
        ("evaluation_contexts", random.sample(CONTEXTS, random.randint(0, 2))),
        ("timezone", random.choice(ZONES)),
    )
    return {name: value for name, value in optional if random.random() < 1 / 4}
