"""The baseline: the reference's evaluator in this process, without a protocol, a child or a comparison."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from harness.case import Case
from reference.definitions.parse import parse_definitions
from reference.evaluate import compile_definitions
from reference.reading import read_request

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


def evaluate_all(case: Case) -> int:
    """Evaluate all flags for all people of a case, from its document on; return how many evaluations that were."""
    program = compile_definitions(parse_definitions(dict(case.definitions)))
    for person in case.people:
        request = read_request({"context": dict(person)})
        program.evaluate(request.context, now=NOW, selection=request.selection)
    return len(case.people) * len(case.flag_keys)
