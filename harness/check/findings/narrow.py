"""Makes a difference small: asks again, then without what the person need not carry, one request a try."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from harness.aimed.project import conditions, leaves, reduced
from harness.case import Document, Person
from harness.check.pairs import Difference

TRIALS: Final = 16
_OPTIONAL: Final = ("group_properties", "groups", "person_properties")
Again = Callable[[Person], Awaitable[Difference | None]]


async def narrowed(document: Document, found: Difference, again: Again) -> Difference:
    """Return the difference with as few overrides as it goes.

    Args:
        document: The definitions; say which properties the flag reads at all.
        found: A difference that was met again.
        again: Asks about a person; the difference of the same flag and kind, or None.
    """
    left = TRIALS
    candidates = _smaller(document, found)
    while left > 0 and (candidate := next(candidates, None)) is not None:
        left -= 1
        met = await again(candidate)
        if met is not None:
            found, candidates = met, _smaller(document, met)
    return found


def _smaller(document: Document, found: Difference) -> Iterator[Person]:
    """Yield people with less, the boldest first: all that no filter of the flag reads, then one thing after the other."""
    person = found.person
    read = _read(document, found.key)
    needless = {name: [key for key in person.get(name) or {} if key not in read] for name in ("person_properties",)}
    if len(needless["person_properties"]) > 1:
        yield _without(person, "person_properties", needless["person_properties"])
    for name in _OPTIONAL:
        keys = list(person.get(name) or {})
        if len(keys) > 1:
            yield _without(person, name, keys)
        yield from (_without(person, name, [key]) for key in keys)
    if "device_id" in person:
        yield {name: value for name, value in person.items() if name != "device_id"}


def _without(person: Person, name: str, keys: list[str]) -> Person:
    smaller: dict[str, Any] = copy.deepcopy(dict(person))
    for key in keys:
        del smaller[name][key]
    return smaller


def _read(document: Document, key: str) -> set[str]:
    part = reduced(document, key)
    asked = (leaf for flag in part["flags"] for one in conditions(flag) for leaf in leaves(one, part["cohorts"]))
    return {leaf["key"] for leaf in asked} | {f"$feature_enrollment/{flag['key']}" for flag in part["flags"]}
