"""How the laws ask: one document, one context, one fixed instant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reference import Context, Evaluation, Outcome, Program, Selection, Status, compile_definitions, parse_definitions

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def program(document: dict[str, Any]) -> Program:
    return compile_definitions(parse_definitions(document))


def evaluate(document: dict[str, Any], context: Context, selection: Selection | None = None) -> Evaluation:
    return program(document).evaluate(context, now=NOW, selection=selection or Selection())


def answer(outcome: Outcome | None) -> tuple[object, ...] | None:
    """What a caller acts on: the status and, for a value, the value and payload with their JSON kinds."""
    if outcome is None:
        return None
    if outcome.status is not Status.VALUE:
        return (outcome.status,)
    return (outcome.status, type(outcome.value), outcome.value, outcome.payload)


def answers(evaluation: Evaluation) -> dict[str, tuple[object, ...] | None]:
    return {key: answer(outcome) for key, outcome in evaluation.outcomes.items()}


def one_flag(*groups: dict[str, Any], **filters: Any) -> dict[str, Any]:
    """A document of the single flag `f`."""
    return {"flags": [{"id": 1, "key": "f", "version": 1, "filters": {"groups": list(groups), **filters}}]}
