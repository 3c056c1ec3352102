"""What stands in a definitions document, as far as aiming at it needs: leaves by flag, what a flag depends on, its edges.

Reads leniently: what it does not understand it leaves out, since the document is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Leaf: TypeAlias = Mapping[str, Any]


def conditions(flag: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a flag's condition sets."""
    filters = flag.get("filters")
    groups = filters.get("groups") if isinstance(filters, Mapping) else None
    return [one for one in groups or () if isinstance(one, Mapping)]


def leaves(condition: Mapping[str, Any], cohorts: Mapping[str, Any]) -> Iterator[Leaf]:
    """Yield the filters of one condition about properties, those of the cohorts it names included."""
    named: set[str] = set()
    pending: list[Any] = [*(condition.get("properties") or ())]
    while pending:
        node = pending.pop(0)
        if not isinstance(node, Mapping):
            continue
        if "values" in node:
            pending += node["values"] or ()
        elif node.get("type") == "cohort":
            cohort = f"{node.get('value')}"
            if cohort not in named:
                named.add(cohort)
                pending.append(cohorts.get(cohort))
        elif node.get("type") != "flag" and isinstance(node.get("key"), str):
            yield node


def needed(flag: Mapping[str, Any], flags: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return a flag and all that it depends on, itself first."""
    found: dict[str, Mapping[str, Any]] = {}
    pending = [flag]
    while pending:
        one = pending.pop()
        if one["key"] in found:
            continue
        found[one["key"]] = one
        asked = (leaf for condition in conditions(one) for leaf in condition.get("properties") or ())
        names = [f"{leaf.get('key')}" for leaf in asked if isinstance(leaf, Mapping) and leaf.get("type") == "flag"]
        pending += [flags[name] for name in names if name in flags]
    return list(found.values())


def reduced(document: Mapping[str, Any], flag_key: str) -> dict[str, Any]:
    """Return the document with one flag, what it depends on, and the cohorts that those reach."""
    flags = {flag["key"]: flag for flag in document["flags"] if isinstance(flag, Mapping) and "key" in flag}
    kept = needed(flags[flag_key], flags) if flag_key in flags else []
    cohorts = document.get("cohorts") or {}
    pending = [
        f"{leaf.get('value')}"
        for flag in kept
        for condition in conditions(flag)
        for leaf in condition.get("properties") or ()
        if isinstance(leaf, Mapping) and leaf.get("type") == "cohort"
    ]
    named: dict[str, Any] = {}
    while pending:
        cohort = pending.pop()
        if cohort in named or cohort not in cohorts:
            continue
        named[cohort] = cohorts[cohort]
        pending += nested(cohorts[cohort])
    return {**document, "flags": kept, "cohorts": named}


def nested(tree: Any) -> list[str]:
    """Return the ids of the cohorts that a cohort asks about."""
    found: list[str] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if not isinstance(node, Mapping):
            continue
        pending += node.get("values") or ()
        if node.get("type") == "cohort":
            found.append(f"{node.get('value')}")
    return found
