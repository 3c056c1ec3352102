"""A hundred thousand hostile inputs: only the documented parse error, no hang, no crash, and every outcome well-formed."""

from __future__ import annotations

import json
import random

import pytest

from reference import Context, DefinitionsError, Evaluation, Status, compile_definitions, parse_definitions
from tests.properties.reference import hostile
from tests.properties.reference.asking import NOW

INPUTS = 100_000
SHARES = 10
PERSONS_EACH = 2


def check(evaluation: Evaluation) -> None:
    for key, outcome in evaluation.outcomes.items():
        assert outcome.key == key
        assert (outcome.status is Status.VALUE) is (outcome.why is None)
        json.dumps({"value": outcome.value, "payload": outcome.payload, "text": outcome.description}, allow_nan=False).encode()
        key.encode()


@pytest.mark.parametrize("share", range(SHARES))
def test_hostile_documents_and_persons_meet_only_the_documented_error(share):
    refused = evaluated = 0
    for number in range(share * INPUTS // SHARES, (share + 1) * INPUTS // SHARES):
        rng = random.Random(number)
        document = hostile.document(rng)
        text = rng.random()
        if text < 0.5:
            document = hostile.as_text(document)
        if text < 0.15:
            document = hostile.spoilt(rng, document)
        try:
            program = compile_definitions(parse_definitions(document))
        except DefinitionsError:
            refused += 1
            continue
        for _ in range(PERSONS_EACH):
            check(program.evaluate(Context(**hostile.context(rng)), now=NOW))
        evaluated += 1
    # Both happen, and mostly the document is good enough to get at the evaluation.
    assert refused > INPUTS // SHARES // 20
    assert evaluated > INPUTS // SHARES // 2
