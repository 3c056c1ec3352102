"""What the service serves while a scenario is played: one document after the other, and the people who ask.

Each version changes one flag for everybody (`pulse`, whose payload is the number of the version), so that an answer shows when
it was true; one version takes a rollout from 100 to 0 and the next switches a flag off, which is what a remembered answer must
not hide any longer than its label says.
"""

from __future__ import annotations

import json
from typing import Any, Final

TOKEN: Final = "phc_holdfast_scenarios"  # noqa: S105 - of an embedded service
KEY: Final = "phx_holdfast_scenarios"
"""May read definitions."""
VERSIONS: Final = 5
FADED_FROM: Final = 2
KILLED_FROM: Final = 3
PLANS: Final = ("free", "pro", "team")
_PLAIN: Final = 14


def document(version: int) -> bytes:
    """Return the definitions file of a version, 0 up to `VERSIONS`."""
    flags = [_pulse(version), _fading(version), _killed(version), *(_plain(number) for number in range(_PLAIN))]
    for number, flag in enumerate(flags, start=1):
        flag["id"] = number
    service = {"tokens": [TOKEN], "personal_keys": {KEY: {}}}
    return json.dumps({"flags": flags, "group_type_mapping": {}, "cohorts": {}, "service": service}).encode()


def body(distinct_id: str) -> bytes:
    """Return what an SDK posts for a person, the same each time."""
    number = sum(distinct_id.encode())
    fields = {
        "token": TOKEN,
        "distinct_id": distinct_id,
        "person_properties": {"plan": PLANS[number % 3], "seats": number % 40},
        "groups": {},
        "geoip_disable": True,
    }
    return json.dumps(fields).encode()


def _flag(key: str, *conditions: dict[str, Any], version: int = 1, active: bool = True, **filters: Any) -> dict[str, Any]:
    return {"key": key, "active": active, "version": version, "filters": {"groups": list(conditions), **filters}}


def _condition(rollout: float = 100, *properties: dict[str, Any]) -> dict[str, Any]:
    return {"properties": list(properties), "rollout_percentage": rollout}


def _pulse(version: int) -> dict[str, Any]:
    return _flag("pulse", _condition(), version=1 + version, payloads={"true": json.dumps(version)})


def _fading(version: int) -> dict[str, Any]:
    has_faded = version >= FADED_FROM
    return _flag("fading", _condition(0 if has_faded else 100), version=1 + has_faded)


def _killed(version: int) -> dict[str, Any]:
    is_killed = version >= KILLED_FROM
    return _flag("killed", _condition(), version=1 + is_killed, active=not is_killed)


def _plain(number: int) -> dict[str, Any]:
    wanted = {"key": "plan", "type": "person", "operator": "exact", "value": [PLANS[number % 3]]}
    match number % 3:
        case 0:
            return _flag(f"plain-{number:02}", _condition(20 + 5 * number))
        case 1:
            return _flag(f"plain-{number:02}", _condition(100, wanted), _condition(30))
        case _:
            shares = [{"key": "control", "rollout_percentage": 50}, {"key": "test", "rollout_percentage": 50}]
            return _flag(f"plain-{number:02}", _condition(80), multivariate={"variants": shares}, payloads={"test": '{"a":1}'})
