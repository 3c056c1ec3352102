"""The document that `/flags/definitions` serves, made from the stored one (contract §4.3).

Left out: deleted, encrypted and survey-linked flags, flags of another config format with all that depends on them, flags that
use a cohort nobody can read, static cohorts, and cohorts that no flag reaches. Dependencies are rewritten to keys and chains.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from reference.definitions.model import Definitions

SURVEY_PREFIX: Final = "survey-targeting-"
ETAG_HEX: Final = 16

Document = Mapping[str, Any]
Flags = dict[str, dict[str, Any]]


class Served(msgspec.Struct, frozen=True):
    """Body and raw ETag of the definitions endpoint, and whether its download counts for billing."""

    body: bytes
    etag: str


def serve(document: Document, definitions: Definitions) -> Served:
    """Make the served form of one project's document."""
    stored: Flags = {
        flag["key"]: flag for flag in document["flags"] if isinstance(flag, dict) and isinstance(flag.get("key"), str)
    }
    targets = _Targets(stored)
    shown = _shown(stored, targets, definitions)
    flags = [_rewritten(stored[key], targets) for key in sorted(shown)]
    body = {
        **{name: value for name, value in document.items() if name not in {"flags", "cohorts"}},
        "flags": flags,
        "group_type_mapping": document.get("group_type_mapping") or {},
        "cohorts": _cohorts(flags, document.get("cohorts") or {}, definitions),
        "minimal_flag_called_events": document.get("minimal_flag_called_events") is True,
        "property_matching_version": document.get("property_matching_version", 1),
    }
    ordered = {name: body.pop(name) for name in ("flags", "group_type_mapping", "cohorts")} | body
    canonical = msgspec.json.encode(ordered, order="sorted")
    return Served(msgspec.json.encode(ordered), hashlib.sha256(canonical).hexdigest()[:ETAG_HEX])


def is_encrypted(flag: Mapping[str, Any]) -> bool:
    """Say whether a flag's payloads are encrypted: such flags are remote config, never evaluated nor listed."""
    return flag.get("has_encrypted_payloads") is True


class _Targets:
    """Finds the flag that a dependency names, by key or by numeric id text."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._by_id = {str(flag.get("id")): key for key, flag in flags.items()}

    def find(self, name: str) -> str | None:
        return name if name in self._flags else self._by_id.get(name)

    def of(self, flag: Mapping[str, Any]) -> list[str]:
        """Name the targets of a flag's dependency filters, those that exist."""
        found = (self.find(str(leaf.get("key"))) for leaf in leaves(flag) if leaf.get("type") == "flag")
        return [key for key in found if key is not None]

    def chain(self, start: str, key: str) -> list[str]:
        """List the keys in evaluation order up to `key`; empty when that leads back to `start` or round in a circle."""
        order: list[str] = []
        return order if self._visit(key, [start], order) else []

    def _visit(self, key: str, above: list[str], order: list[str]) -> bool:
        if key in above:
            return False
        for need in self.of(self._flags[key]):
            if need not in order and not self._visit(need, [*above, key], order):
                return False
        order.append(key)
        return True


def leaves(flag: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk the property filters of a flag's condition sets, as far as they can be understood."""
    filters = flag.get("filters")
    groups = filters.get("groups") if isinstance(filters, dict) else None
    for group in groups if isinstance(groups, list) else []:
        properties = group.get("properties") if isinstance(group, dict) else None
        yield from (leaf for leaf in properties or [] if isinstance(leaf, dict)) if isinstance(properties, list) else ()


def _shown(stored: Flags, targets: _Targets, definitions: Definitions) -> set[str]:
    formats = {flag.key: flag.config_version for flag in definitions.flags}
    foreign = {key for key in stored if formats.get(key, 1) != 1}
    foreign |= _dependents(foreign, stored, targets)
    return {key for key, flag in stored.items() if key not in foreign and _is_listed(flag, definitions)}


def _dependents(keys: set[str], stored: Flags, targets: _Targets) -> set[str]:
    found = set(keys)
    while grown := {key for key in stored if key not in found and not found.isdisjoint(targets.of(stored[key]))}:
        found |= grown
    return found


def _is_listed(flag: Mapping[str, Any], definitions: Definitions) -> bool:
    if flag.get("deleted") is True or is_encrypted(flag) or flag["key"].startswith(SURVEY_PREFIX):
        return False
    used = (definitions.cohorts.get(cohort) for cohort in _cohort_ids(leaves(flag)))
    return all(cohort is None or cohort.defect is None for cohort in used)


def _rewritten(flag: dict[str, Any], targets: _Targets) -> dict[str, Any]:
    if not any(leaf.get("type") == "flag" for leaf in leaves(flag)):
        return flag
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(flag))
    for leaf in leaves(copy):
        if leaf.get("type") == "flag":
            target = targets.find(str(leaf.get("key")))
            leaf["key"] = leaf.get("key") if target is None else target
            leaf["dependency_chain"] = [] if target is None else targets.chain(flag["key"], target)
    return copy


def _cohort_ids(found: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    for leaf in found:
        value = str(leaf.get("value"))
        if leaf.get("type") == "cohort" and value.isdecimal():
            yield int(value)


def _cohorts(flags: Iterable[dict[str, Any]], stored: Mapping[str, Any], definitions: Definitions) -> dict[str, Any]:
    """Collect the trees of the dynamic cohorts that the flags reach, directly or through other cohorts."""
    pending = [cohort for flag in flags for cohort in _cohort_ids(leaves(flag))]
    found: dict[str, Any] = {}
    while pending:
        cohort = definitions.cohorts.get(pending.pop())
        if cohort is None or cohort.is_static or str(cohort.id) in found:
            continue
        found[str(cohort.id)] = tree = _unwrapped(stored.get(str(cohort.id)))
        pending.extend(_cohort_ids(_tree_leaves(tree)))
    return dict(sorted(found.items()))


def _unwrapped(tree: Any) -> Any:
    """Take a stored cohort out of its `filters` and `properties` wrappers."""
    for wrapper in ("filters", "properties"):
        if isinstance(tree, dict) and "type" not in tree and wrapper in tree:
            tree = tree[wrapper]
    return tree


def _tree_leaves(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            values = node.get("values")
            pending.extend(values if isinstance(values, list) else ())
