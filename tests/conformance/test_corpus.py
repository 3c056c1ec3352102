"""The repository's own cases: every operator and feature of the contract, each with the rule it was derived from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reference import Evaluation, Outcome, Status, compile_definitions, parse_definitions
from reference.definitions.model import Operator
from reference.reading import read_request

FOLDER = Path(__file__).parent / "corpus"
SCHEMA = json.loads((Path(__file__).parent / "corpus.schema.json").read_text())
FILES = sorted(FOLDER.glob("*.json"))
CASES: list[Any] = [case for path in FILES for case in json.loads(path.read_text())["cases"]]
FEWEST = 120
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EMPTY_HOLDOUT = {"id": 1, "exclusion_percentage": 0}
ASKED = ("flag_keys", "runtime", "evaluation_contexts", "survey_only", "timezone")


def evaluate(case: dict[str, Any]) -> Evaluation:
    asked = {name: case[name] for name in ASKED if name in case}
    context = {**case["context"], "now": case.get("now")}
    request = read_request({"context": context, "properties_complete": case.get("server", False), **asked})
    program = compile_definitions(parse_definitions(json.dumps(case["definitions"])))
    return program.evaluate(request.context, now=request.now or NOW, selection=request.selection)


def facts(outcome: Outcome, expected: dict[str, Any]) -> dict[str, Any]:
    """Say about an outcome what the case says, in the case's own words."""
    match outcome.status:
        case Status.INCONCLUSIVE:
            return {"inconclusive": outcome.why}
        case Status.FAILED:
            return {"failed": str(outcome.reason)}
        case Status.VALUE:
            return {name: getattr(outcome, name) for name in expected if hasattr(outcome, name)}


def is_well_formed(outcome: Outcome) -> bool:
    """A value is the variant or `enabled`; anything else is off, without variant and payload, and says why."""
    if outcome.status is Status.VALUE:
        return outcome.why is None and (outcome.variant is None or outcome.enabled)
    return outcome.why is not None and (outcome.enabled, outcome.variant, outcome.payload) == (False, None, None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_corpus_case_holds(case):
    check(case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_corpus_case_holds_for_flags_that_need_the_careful_walk(case):
    """A holdout of nobody changes no outcome, but takes every flag past the fast loop."""
    check({**case, "definitions": with_empty_holdouts(case["definitions"])})


def with_empty_holdouts(definitions: dict[str, Any]) -> dict[str, Any]:
    def with_one(flag: dict[str, Any]) -> dict[str, Any]:
        filters = flag.get("filters")
        return {**flag, "filters": {"holdout": EMPTY_HOLDOUT, **filters}} if isinstance(filters, dict) else flag

    return {**definitions, "flags": [with_one(flag) for flag in definitions["flags"]]}


def check(case: dict[str, Any]) -> None:
    evaluation = evaluate(case)
    for key, expected in case["expected"].items():
        outcome = evaluation.outcomes[key]
        assert facts(outcome, expected) == expected, case["rule"]
        assert is_well_formed(outcome)
        assert type(outcome.value) is type(expected.get("value", False))
    assert not set(case.get("omitted", ())) & set(evaluation.outcomes), case["rule"]
    assert evaluation.errors == case.get("errors", evaluation.errors), case["rule"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_corpus_file_follows_the_schema_and_its_own_number(path):
    document = json.loads(path.read_text())
    jsonschema.validate(document, SCHEMA)
    assert document["topic"] == path.stem
    number = path.stem.partition("-")[0]
    assert [case["id"] for case in document["cases"]] == [f"{number}.{i:02}" for i in range(1, len(document["cases"]) + 1)]


def test_corpus_holds_enough_cases_and_every_operator():
    text = json.dumps(CASES)
    assert len(CASES) >= FEWEST
    assert {operator for operator in Operator if f'"operator": "{operator}"' not in text} == set()
