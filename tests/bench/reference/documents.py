"""The definitions and the persons of the evaluator's benchmark: a realistic mix, the same for both sides, drawn by number.

One flag in ten of each kind: plain rollout, property and rollout, variants with payloads, regular expression, cohort,
dependency on another flag, numeric comparison, group flag, two condition sets with a date, and 100 %. All of it is inside
what both evaluators claim to decide, so any difference in a value is a bug of one of them.
"""

from __future__ import annotations

from typing import Any

PERSONS = 500
COHORTS = 4
PLANS = ("free", "pro", "team", "enterprise")
COUNTRIES = ("SE", "DE", "US", "BR", "JP", "IN")


def document(count: int) -> dict[str, Any]:
    """Return definitions of so many flags."""
    return {
        "flags": [_flag(number) for number in range(count)],
        "group_type_mapping": {"0": "organization"},
        "cohorts": {str(number): _cohort(number) for number in range(1, COHORTS + 1)},
    }


def persons() -> list[dict[str, Any]]:
    """Return the persons as requests: distinct_id, person_properties, groups, group_properties."""
    return [_person(number) for number in range(PERSONS)]


def _person(number: int) -> dict[str, Any]:
    company = f"company-{number % 37}"
    return {
        "distinct_id": f"user-{number:06}",
        "person_properties": {
            "plan": PLANS[number % 4],
            "country": COUNTRIES[number % 6],
            "seats": number % 60,
            "email": f"user{number}@{'example' if number % 3 else 'corp'}.com",
            "signed_up": f"202{number % 6}-03-{1 + number % 28:02}T08:30:00Z",
        },
        "groups": {"organization": company},
        "group_properties": {"organization": {"industry": "games" if number % 5 else "health", "employees": number % 400}},
    }


def _flag(number: int) -> dict[str, Any]:
    filters = KINDS[number % len(KINDS)](number)
    return {
        "id": 1_000 + number,
        "team_id": 1,
        "key": _key(number),
        "name": "",
        "active": True,
        "deleted": False,
        "version": 1,
        "ensure_experience_continuity": False,
        "filters": {"payloads": {}, "multivariate": None, **filters},
    }


def _key(number: int) -> str:
    return f"flag-{number:04}"


def _condition(*properties: dict[str, Any], rollout: float | None = 100, variant: str | None = None) -> dict[str, Any]:
    return {"properties": list(properties), "rollout_percentage": rollout, "variant": variant}


def _property(key: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "person", "operator": operator, "value": value, **more}


def _rollout(number: int) -> dict[str, Any]:
    return {"groups": [_condition(rollout=20 + number % 60)]}


def _property_and_rollout(number: int) -> dict[str, Any]:
    plans = [PLANS[number % 4], PLANS[(number // 10) % 4]]
    return {"groups": [_condition(_property("plan", "exact", plans), rollout=75)]}


def _variants(number: int) -> dict[str, Any]:
    shares = {"control": 40, "test-a": 35, "test-b": 25}
    return {
        "groups": [
            _condition(_property("country", "exact", [COUNTRIES[number % 6]]), rollout=80, variant="test-b"),
            _condition(rollout=60),
        ],
        "multivariate": {"variants": [{"key": key, "rollout_percentage": share} for key, share in shares.items()]},
        "payloads": {"control": '{"colour": "blue"}', "test-a": '{"colour": "red"}'},
    }


def _regex(number: int) -> dict[str, Any]:
    pattern = r"^user[0-9]*[02468]@example\.com$" if number % 20 < 10 else r"@corp\.(com|org)$"
    return {"groups": [_condition(_property("email", "regex", pattern), rollout=90)]}


def _in_cohort(number: int) -> dict[str, Any]:
    cohort = 1 + (number // 10) % COHORTS
    return {"groups": [_condition({"key": "id", "type": "cohort", "value": cohort, "operator": "in"}, rollout=85)]}


def _dependent(number: int) -> dict[str, Any]:
    target = _key(number - 5)
    wanted = {"key": target, "type": "flag", "operator": "flag_evaluates_to", "value": True, "dependency_chain": [target]}
    return {"groups": [_condition(wanted, rollout=90)]}


def _numeric(number: int) -> dict[str, Any]:
    return {
        "groups": [_condition(_property("seats", "gt", 5 + number % 40)), _condition(_property("seats", "lte", 3), rollout=50)]
    }


def _group(number: int) -> dict[str, Any]:
    wanted = {"key": "industry", "type": "group", "group_type_index": 0, "operator": "exact", "value": ["games"]}
    return {"aggregation_group_type_index": 0, "groups": [_condition(wanted, rollout=30 + number % 60)]}


def _dated(number: int) -> dict[str, Any]:
    return {
        "groups": [
            _condition(_property("signed_up", "is_date_after", f"202{2 + number // 10 % 3}-07-01"), rollout=70),
            _condition(_property("email", "icontains", "@CORP."), rollout=40),
        ]
    }


def _everyone(number: int) -> dict[str, Any]:
    del number
    return {"groups": [_condition()], "payloads": {"true": '{"limit": 10}'}}


KINDS = (
    _rollout, _property_and_rollout, _variants, _regex, _in_cohort,
    _dependent, _numeric, _group, _dated, _everyone,
)  # fmt: skip


def _cohort(number: int) -> dict[str, Any]:
    """Return a cohort tree; the later ones stand on the first one."""
    rich = {"type": "AND", "values": [_property("seats", "gt", 8 * number), _property("plan", "is_not", ["free"])]}
    near = {"type": "AND", "values": [_property("country", "exact", list(COUNTRIES[:number]))]}
    first = {"key": "id", "type": "cohort", "value": 1, "operator": "in"}
    values = [rich, near] if number == 1 else [rich, {"type": "AND", "values": [first, near]}]
    return {"type": "OR", "values": values}
