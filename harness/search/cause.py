"""Tells causes apart: two reproducers that one fix in one source would settle get the same cause.

A cause is the two subjects, the kind of difference, the feature (an operator's family, or what surrounds filters), the type
class of the filter's value and that of the person's property. It is read off a *shrunk* specimen: what is left
is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from harness.case import Document, Person

from .classes import CLASSES, FAMILIES, value_class

EVERYBODY: Final = 100
HASHED: Final = 200
"""Identifiers are hashed up to this many characters (contract §5.8)."""


class Specimen(msgspec.Struct, frozen=True):
    """Definitions, the one flag in question (None: the whole answer), and one person."""

    definitions: Document
    person: Person
    flag_key: str | None


class Cause(msgspec.Struct, frozen=True, order=True):
    """What tells one finding from another."""

    base: str
    subject: str
    kind: str
    feature: str
    filter: str
    property: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind} · {self.feature} · {self.filter} · {self.property}"


def features(specimen: Specimen) -> tuple[str, str, str]:
    """Return feature, class of the filter's value, class of the property, for the specimen."""
    flags: dict[str, Any] = {flag["key"]: flag for flag in specimen.definitions["flags"]}
    flag: Mapping[str, Any] = flags.get(specimen.flag_key or "") or next(iter(flags.values()), {})
    filters = flag.get("filters", {})
    leaves = list(_leaves(filters, specimen.definitions.get("cohorts", {})))
    if any(leaf.get("type") == "flag" for leaf in leaves):
        return _dependency(leaves, flags)
    around = _around(flag, filters, specimen.definitions)
    found = sorted({told(leaf, specimen.person) for leaf in leaves if leaf.get("type") != "cohort"})
    if not found:
        return ("+".join(around) or "rollout", *_unfiltered(filters, specimen.person))
    names = dict.fromkeys((*around, *(name for name, _, _ in found)))
    return "+".join(names), "+".join(dict.fromkeys(f for _, f, _ in found)), "+".join(dict.fromkeys(p for _, _, p in found))


def _leaves(filters: Mapping[str, Any], cohorts: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for condition in filters.get("groups") or ():
        yield from (leaf for leaf in condition.get("properties") or () if isinstance(leaf, Mapping))
    for tree in cohorts.values():
        yield from _of_tree(tree)


def _of_tree(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the filters of a cohort, at any depth."""
    if isinstance(node, Mapping) and "values" in node:
        for member in node["values"] or ():
            yield from _of_tree(member)
    elif isinstance(node, Mapping):
        yield node


def told(leaf: Mapping[str, Any], person: Person) -> tuple[str, str, str]:
    """Return feature, class of the filter's value, class of the property, for one filter and one person."""
    operator = leaf.get("operator", "exact")
    family = FAMILIES.get(operator, "unknown operator")
    of_filter, of_property = CLASSES.get(family, (value_class, value_class))
    properties = person.get("person_properties", {})
    name = family
    if leaf.get("type") == "group":
        name = f"group {family}"
        properties = next(iter((person.get("group_properties") or {}).values()), {})
    if leaf.get("negation"):
        name = f"negated {name}"
    asked = of_filter(leaf["value"]) if "value" in leaf else "absent"
    return name, asked, of_property(properties[leaf["key"]]) if leaf["key"] in properties else "missing"


def _dependency(leaves: list[Mapping[str, Any]], flags: Mapping[str, Any]) -> tuple[str, str, str]:
    leaf = next(leaf for leaf in leaves if leaf.get("type") == "flag")
    target = flags.get(leaf["key"])
    state = "unknown flag" if target is None else "active flag" if target.get("active") else "inactive flag"
    chain = "" if leaf.get("dependency_chain") else " without a chain"
    if target is not None and any(inner.get("type") == "flag" for inner in _leaves(target.get("filters", {}), {})):
        state = "cycle or chain"
    return f"flag dependency{chain}", value_class(leaf.get("value")), state


_SWITCHES: Final = ("early_exit", "holdout", "feature_enrollment", "holdout_groups", "super_groups")


def _around(flag: Mapping[str, Any], filters: Mapping[str, Any], definitions: Document) -> list[str]:
    conditions = filters.get("groups") or []
    found = [name for name in _SWITCHES if filters.get(name) not in (None, False)]
    found += ["version"] if filters.get("version", 1) != 1 else []
    found += [name for name, usual in (("active", True), ("deleted", False)) if flag.get(name, usual) is not usual]
    found += ["continuity"] if flag.get("ensure_experience_continuity") else []
    found += [name for name in ("bucketing_identifier", "evaluation_runtime") if flag.get(name)]
    found += ["group aggregation"] if filters.get("aggregation_group_type_index") is not None else []
    found += ["condition aggregation"] if any("aggregation_group_type_index" in one for one in conditions) else []
    found += ["payload"] if filters.get("payloads") else []
    found += ["pin"] if any("variant" in one for one in conditions) else []
    found += ["variants"] if filters.get("multivariate") else []
    found += ["several conditions"] if len(conditions) > 1 else []
    found += ["filtered rollout"] if any(_is_filtered_rollout(one) for one in conditions) else []
    cohort = next((leaf for one in conditions for leaf in one.get("properties") or () if leaf.get("type") == "cohort"), None)
    return found + ([] if cohort is None else [_cohort(cohort, definitions.get("cohorts", {}))])


def _is_filtered_rollout(condition: Mapping[str, Any]) -> bool:
    return bool(condition.get("properties")) and condition.get("rollout_percentage") not in (None, EVERYBODY)


def _cohort(leaf: Mapping[str, Any], cohorts: Mapping[str, Any]) -> str:
    tree = cohorts.get(str(leaf.get("value")))
    if tree is None:
        return "unknown cohort"
    operator = "cohort" if leaf.get("operator", "in") == "in" else f"cohort {leaf['operator']}"
    members = tree.get("values") or []
    if not members:
        return f"{operator}, empty"
    nested = ["values" in member for member in members]
    shape = " of levels and leaves" if len(set(nested)) > 1 else " of levels" if all(nested) else ""
    empty = ", an empty level" if any(_has_empty_level(one) for one in cohorts.values()) else ""
    inner = " in a cohort" if any(member.get("type") == "cohort" for member in members) else ""
    inner = " in a cycle" if _is_cyclic(cohorts) else inner
    return f"{operator}{shape}{empty}{inner}"


def _is_cyclic(cohorts: Mapping[str, Any]) -> bool:
    """Tell whether some cohort asks about itself, be it by way of others."""
    asks = {
        key: {str(leaf["value"]) for leaf in _of_tree(tree) if leaf.get("type") == "cohort"} for key, tree in cohorts.items()
    }
    for _ in asks:  # who asks nobody that is left is in no cycle
        asks = {key: others & asks.keys() for key, others in asks.items() if others & asks.keys()}
    return bool(asks)


def _has_empty_level(tree: Any) -> bool:
    """Tell whether a level of the cohort has no members; in a shrunk specimen every cohort is one that is asked about."""
    levels = tree.get("values") if isinstance(tree, Mapping) else None
    return levels == [] or any(_has_empty_level(member) for member in levels or () if isinstance(member, Mapping))


def _unfiltered(filters: Mapping[str, Any], person: Person) -> tuple[str, str]:
    if filters.get("payloads"):
        return f"payload {value_class(next(iter(filters['payloads'].values())))}", "–"
    if filters.get("multivariate"):
        shares = [variant.get("rollout_percentage") for variant in filters["multivariate"].get("variants") or ()]
        return ("no variants" if not shares else "+".join(sorted({_share(share) for share in shares}))), _identity(
            person.get("distinct_id")
        )
    conditions = filters.get("groups") or []
    share = _share(conditions[0].get("rollout_percentage", None)) if conditions else "no condition"
    groups = person.get("groups") or {}
    key = f"group key {value_class(next(iter(groups.values())))}" if groups else _identity(person.get("distinct_id"))
    return share, key


def _share(share: Any) -> str:
    if not isinstance(share, int | float) or isinstance(share, bool):
        return value_class(share)
    if share in (0, EVERYBODY):
        return f"{share:g} %"
    return "in between" if 0 < share < EVERYBODY else "outside 0 to 100 %"


def _identity(identity: Any) -> str:
    return "long text" if isinstance(identity, str) and len(identity) > HASHED else value_class(identity)
