"""What PostHog's sdk-test-harness asks of an adapter, as data: its actions, and the fields of each.

Facts from that repository's CONTRACT.yaml, contracts/adapter_actions.yaml and ADAPTER_GUIDE.md (contract 1.2, harness 1.0.0).
An optional field that is null counts as left out, for the harness's own client sends nulls; fields that are not named here
are let through unread, for the contract grows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

OK, BAD_REQUEST, NOT_FOUND, WRONG_METHOD, TOO_LARGE, FAILED = 200, 400, 404, 405, 413, 500
BODY_BYTES: Final = 16 * 1024 * 1024


class Field(NamedTuple):
    """One field of a request; a required text must not be empty."""

    kind: str
    is_required: bool = False


_TEXT, _OBJECT = Field("string"), Field("object")
_NAMED: Final = Field("string", is_required=True)
_NUMBER, _SWITCH = Field("integer"), Field("boolean")
_KINDS: Final = {"string": str, "object": dict, "integer": int, "boolean": bool}

ACTIONS: Final[Mapping[tuple[str, str], Mapping[str, Field]]] = {
    ("GET", "/health"): {},
    ("GET", "/state"): {},
    ("POST", "/init"): {
        "api_key": _NAMED,
        "host": _NAMED,
        "flush_at": _NUMBER,
        "flush_interval_ms": _NUMBER,
        "max_retries": _NUMBER,
        "enable_compression": _SWITCH,
        "disable_geoip": _SWITCH,
    },
    ("POST", "/get_feature_flag"): {
        "key": _NAMED,
        "distinct_id": _NAMED,
        "person_properties": _OBJECT,
        "groups": _OBJECT,
        "group_properties": _OBJECT,
        "disable_geoip": _SWITCH,
        "force_remote": _SWITCH,
    },
    ("POST", "/capture"): {"distinct_id": _NAMED, "event": _NAMED, "properties": _OBJECT, "timestamp": _TEXT},
    ("POST", "/flush"): {},
    ("POST", "/reset"): {},
}
"""Method and path → the fields of the request."""


class Refusal(Exception):  # noqa: N818 — an answer on its way out
    """A request that is not of the contract: the status and the text of its answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def fields(method: str, path: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a request that the contract names and the caller filled.

    Raises:
        Refusal: no such action, or a body that is not as the contract says; the message names the field.
    """
    expected = ACTIONS.get((method, path))
    if expected is None:
        known = any(path == other for _, other in ACTIONS)
        raise Refusal(WRONG_METHOD if known else NOT_FOUND, f"no action {method} {path}")
    sent = _object(body) if expected else {}
    found = {name: sent[name] for name in expected if sent.get(name) is not None}
    for name, field in expected.items():
        if name in found and not _fits(found[name], field.kind):
            raise Refusal(BAD_REQUEST, f"{name} must be {field.kind}")
        if field.is_required and not found.get(name):
            raise Refusal(BAD_REQUEST, f"{name} is required")
    return found


def _object(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body or b"{}")
    except (ValueError, RecursionError) as cause:
        raise Refusal(BAD_REQUEST, "the body is not JSON") from cause
    if not isinstance(sent, dict):
        raise Refusal(BAD_REQUEST, "the body is not a JSON object")
    return sent


def _fits(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and isinstance(value, bool) is (kind == "boolean")
