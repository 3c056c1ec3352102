"""Small definitions for tests of the evaluator: flags from conditions, conditions from filters, and their evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reference.context import Context
from reference.definitions.parse import parse_definitions
from reference.evaluate import Program, compile_definitions
from reference.outcome import Evaluation, Outcome

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOBODY_HELD_OUT = {"id": 9, "exclusion_percentage": 0}


class Members:
    """A membership provider that knows some cohorts."""

    def __init__(self, known: Mapping[int, bool]) -> None:
        self.known = known

    def is_member(self, cohort_id: int) -> bool | None:
        return self.known.get(cohort_id)


def condition(*properties: dict[str, Any], rollout: float | None = 100, **more: Any) -> dict[str, Any]:
    return {"properties": list(properties), "rollout_percentage": rollout, **more}


def flag(
    key: str, *conditions: dict[str, Any], number: int = 1, filters: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": number,
        "key": key,
        "version": 3,
        "active": True,
        "filters": {"groups": list(conditions), **(filters or {})},
        **more,
    }


def person(key: str, operator: str = "exact", value: Any = "yes") -> dict[str, Any]:
    return {"key": key, "type": "person", "operator": operator, "value": value}


def cohort(number: Any, operator: str = "in") -> dict[str, Any]:
    return {"key": "id", "type": "cohort", "operator": operator, "value": number}


def depends(key: str, value: Any = True) -> dict[str, Any]:
    return {"key": key, "type": "flag", "operator": "flag_evaluates_to", "value": value}


def anyone_with(*leaves: dict[str, Any]) -> dict[str, Any]:
    """Return a cohort of those for whom all leaves hold."""
    return {"type": "AND", "values": list(leaves)}


def compiled(*flags: dict[str, Any], cohorts: Mapping[str, Any] | None = None) -> Program:
    document = {"flags": list(flags), "group_type_mapping": {"0": "organization"}, "cohorts": dict(cohorts or {})}
    return compile_definitions(parse_definitions(document))


def evaluate(
    *flags: dict[str, Any], cohorts: Mapping[str, Any] | None = None, server: bool = False, **context: Any
) -> Evaluation:
    return compiled(*flags, cohorts=cohorts).evaluate(_context(server=server, **context), now=NOW)


def decide(subject: dict[str, Any], *others: dict[str, Any], **asked: Any) -> Outcome:
    """Return the first flag's outcome, which must be the same in the fast loop and in the careful walk."""
    fast = evaluate(subject, *others, **asked).outcomes[subject["key"]]
    careful = {**subject, "filters": {**subject["filters"], "holdout": NOBODY_HELD_OUT}}
    if "holdout" not in subject["filters"]:
        assert evaluate(careful, *others, **asked).outcomes[subject["key"]] == fast
    return fast


def _context(*, server: bool, distinct_id: str = "user-1", **context: Any) -> Context:
    return Context(distinct_id=distinct_id, properties_complete=server, **context)
