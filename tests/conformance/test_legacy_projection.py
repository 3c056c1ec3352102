"""One outcome in every response shape: PostHog's golden projection cases, and the repository's own in the same form.

The golden file lies beside the checkout; the own cases need nothing outside.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reference.outcome import Outcome, Status
from reference.response import Envelope, Shape, render

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "legacy_projection.json"
OWN = Path(__file__).parent / "legacy_projection_own.json"
GOLDEN_COUNT = 11


def cases(path: Path) -> list[Any]:
    return json.loads(path.read_text())["cases"] if path.exists() else []


def outcome_of(facts: dict[str, Any]) -> Outcome:
    return Outcome(
        key=facts["key"],
        status=Status.FAILED if facts["failed"] else Status.VALUE,
        enabled=facts["enabled"],
        variant=facts["variant"],
        payload=facts["payload"],
        reason=facts["reason"]["code"],
        condition_index=facts["reason"]["condition_index"],
        flag_id=facts["flag_id"],
        flag_version=facts["flag_version"],
    )


def projected(facts: dict[str, Any], shape: Shape) -> Any:
    """Render the outcome of a case; an omitted flag is no outcome at all."""
    flags = {} if facts["omitted"] else {facts["key"]: outcome_of(facts)}
    return json.loads(render(flags, Envelope(errors=facts["failed"]), shape))


def check(case: dict[str, Any]) -> None:
    for name, expected in case["projections"].items():
        body = projected(case["outcome"], Shape(name))
        expected.pop("response_version", None)
        assert set(body) == set(expected), name
        assert contains(body, expected), (name, body)


def contains(found: Any, expected: Any) -> bool:
    """Say whether everything expected is there; records may carry fields that the case does not mention."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(key in found and contains(found[key], value) for key, value in expected.items())
    return type(found) is type(expected) and found == expected


@pytest.mark.parametrize("case", cases(GOLDEN), ids=lambda case: case["id"])
def test_golden_projection_case_holds(case):
    check(case)


def test_all_golden_projection_cases_were_run():
    if not GOLDEN.exists():
        pytest.skip("the golden cases are not beside this checkout")
    assert len(cases(GOLDEN)) == GOLDEN_COUNT


@pytest.mark.parametrize("case", cases(OWN), ids=lambda case: case["id"])
def test_own_projection_case_holds(case):
    check(case)


def test_own_cases_cover_every_shape():
    assert {name for case in cases(OWN) for name in case["projections"]} == {shape.value for shape in Shape}
