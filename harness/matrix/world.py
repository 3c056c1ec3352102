"""The project and the people of the matrix: enough flags that losing half of them is much, and one whose value changes.

Everybody here is on the plan `pro`, so one document gives one truth for all; who asks only decides what a proxy remembers.
"""

from __future__ import annotations

import json
from typing import Any, Final

TOKEN: Final = "phc_holdfast_matrix"  # noqa: S105 - of an embedded service
KEY: Final = "phx_holdfast_matrix"
"""May read definitions; the SDKs' and the proxy's alike."""

ASKED: Final = "a-checkout"
"""The flag that applications ask for: the first by key, so that a fault which hits some of the flags hits it."""
_PLAIN: Final = 9


def document(edition: int) -> bytes:
    """Return the definitions file: edition 0 is what everybody knows, 1 changes the asked flag alone."""
    flags = [
        _flag(ASKED, version=1 + edition, multivariate=_only("next" if edition else "first")),
        *(_flag(f"feature-{number}") for number in range(_PLAIN)),
        _flag("layout", multivariate=_only("compact")),
        _flag("staff-only", plan="staff"),
    ]
    for number, flag in enumerate(flags, start=1):
        flag["id"] = number
    service = {"tokens": [TOKEN], "personal_keys": {KEY: {}}}
    return json.dumps({"flags": flags, "group_type_mapping": {}, "cohorts": {}, "service": service}).encode()


def truth(edition: int) -> dict[str, bool | str]:
    """Return the right value of every flag."""
    plain = {f"feature-{number}": True for number in range(_PLAIN)}
    return {ASKED: "next" if edition else "first", **plain, "layout": "compact", "staff-only": False}


def person(distinct_id: str) -> dict[str, Any]:
    """Return somebody as applications know them."""
    return {"distinct_id": distinct_id, "person_properties": {"plan": "pro"}}


def _flag(key: str, *, plan: str = "pro", version: int = 1, **filters: Any) -> dict[str, Any]:
    wanted = {"key": "plan", "type": "person", "operator": "exact", "value": [plan]}
    condition = {"properties": [wanted], "rollout_percentage": 100, "variant": None}
    fixed = {"name": key, "active": True, "deleted": False, "ensure_experience_continuity": False}
    return {"key": key, **fixed, "version": version, "filters": {"groups": [condition], "payloads": {}, **filters}}


def _only(variant: str) -> dict[str, Any]:
    return {"variants": [{"key": variant, "name": variant, "rollout_percentage": 100}]}
