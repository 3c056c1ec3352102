"""Wrong content: pure functions from the bytes of a true answer to the bytes of a wrong one, for every response shape."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import msgspec

from harness.faults.fault import BadDefinitions, Defect, Emptied, Failing, Shrunk

Document = dict[str, Any]
ContentFault = Emptied | Shrunk | Failing | BadDefinitions

FLAG_FIELDS: Final = ("flags", "featureFlags", "featureFlagPayloads")
FAILED: Final[Document] = {
    "failed": True,
    "reason": {"code": "timeout", "condition_index": None, "description": "The flag could not be computed"},
}
ERROR_BIT: Final = "errorsWhileComputingFlags"


def edited(body: bytes, fault: ContentFault) -> bytes:
    """Return what the fault makes of a flags answer or a definitions document."""
    document = msgspec.json.decode(body)
    match fault:
        case Emptied():
            _keep(document, 0.0)
        case Shrunk(kept=kept):
            _keep(document, kept)
        case Failing(share=share):
            _fail(document, share)
        case BadDefinitions(defect=defect):
            _DEFECTS[defect](document["flags"])
    return msgspec.json.encode(document)


def first_flags(flags: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Return what a shrunk answer keeps: a share of the flags, rounded down, the first ones by key."""
    return {key: flags[key] for key in sorted(flags)[: _count(flags, share)]}


def etag_of(body: bytes) -> str:
    """Return the ETag of a changed document: weak, as the service's are."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'


def _keep(document: Document, share: float) -> None:
    """Keep the first flags of every field that lists flags."""
    for field in FLAG_FIELDS:
        value = document.get(field)
        if isinstance(value, dict):
            document[field] = first_flags(value, share)
        elif isinstance(value, list):
            document[field] = value[: _count(value, share)]


def _count(flags: Collection[Any], share: float) -> int:
    return math.floor(len(flags) * share)


def _fail(document: Document, share: float) -> None:
    """Fail the first flags; shapes without records say false (contract §3.3), or leave them out (§3.4)."""
    for field in FLAG_FIELDS:
        flags = document.get(field)
        if flags:
            first = sorted(flags)[: _count(flags, share)]
            document[field] = _STYLES[_style(field, flags, document)](flags, first)
    if ERROR_BIT in document:
        document[ERROR_BIT] = True


def _style(field: str, flags: Any, document: Document) -> str:
    if isinstance(flags, list):
        return "list"
    if field == "flags":
        return "records"
    return "values" if field == "featureFlags" and ERROR_BIT in document else "enabled only"


def _failed(record: Document) -> Document:
    valueless: Document = {"value": None} if "value" in record else {"enabled": False, "variant": None}
    return record | valueless | FAILED | {"metadata": record.get("metadata", {}) | {"payload": None}}


def _unknown_operator(flags: list[Document]) -> None:
    _require(flags[0], {"key": "plan", "type": "person", "operator": "resembles", "value": "pro"})


def _unresolvable_cohort(flags: list[Document]) -> None:
    _require(flags[0], {"key": "id", "type": "cohort", "value": 2_147_483_647})


def _cycle(flags: list[Document]) -> None:
    first, second = flags[0], flags[1]
    for flag, other in ((first, second), (second, first)):
        needs = {"type": "flag", "operator": "flag_evaluates_to", "value": True, "dependency_chain": []}
        _require(flag, needs | {"key": other["key"]})


def _require(flag: Document, leaf: Document) -> None:
    """Add a filter to every condition of a flag."""
    filters = flag.setdefault("filters", {})
    filters["groups"] = [
        group | {"properties": [*(group.get("properties") or []), leaf]} for group in filters.get("groups") or [{}]
    ]


_STYLES: Final[dict[str, Callable[[Any, list[str]], Any]]] = {
    "list": lambda flags, first: [key for key in flags if key not in first],
    "records": lambda flags, first: flags | {key: _failed(flags[key]) for key in first},
    "values": lambda flags, first: flags | dict.fromkeys(first, False),
    "enabled only": lambda flags, first: {key: value for key, value in flags.items() if key not in first},
}

_DEFECTS: Final[dict[Defect, Callable[[list[Document]], None]]] = {
    Defect.UNKNOWN_OPERATOR: _unknown_operator,
    Defect.UNRESOLVABLE_COHORT: _unresolvable_cohort,
    Defect.CYCLE: _cycle,
}
