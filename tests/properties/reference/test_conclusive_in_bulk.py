"""The law of completions over many seeded documents; a seed in the message is the whole counter-example."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from reference import Status
from tests.properties.reference import plausible
from tests.properties.reference.asking import NOW, answer, program
from tests.properties.reference.strategies import with_every_group_type

DOCUMENTS = 12_000
SHARES = 6
PERSONS = 3
COMPLETIONS = 4


@pytest.mark.parametrize("share", range(SHARES))
def test_conclusive_values_hold_in_every_completion_of_many_documents(share):
    seen: Counter[Status] = Counter()
    for seed in range(share * DOCUMENTS // SHARES, (share + 1) * DOCUMENTS // SHARES):
        rng = random.Random(seed)
        document = plausible.document(rng)
        local, server = program(document), program(with_every_group_type(document))
        for _ in range(PERSONS):
            context = plausible.context(rng)
            outcomes = local.evaluate(context, now=NOW).outcomes
            seen.update(outcome.status for outcome in outcomes.values())
            certain = {key: answer(each) for key, each in outcomes.items() if each.status is not Status.INCONCLUSIVE}
            for _ in range(COMPLETIONS):
                complete = server.evaluate(plausible.completion(rng, context), now=NOW).outcomes
                assert {key: answer(complete[key]) for key in certain} == certain, f"seed {seed}"
    # The law would be empty if little were decided, or nothing unknown.
    assert seen[Status.VALUE] > seen[Status.INCONCLUSIVE] > seen[Status.VALUE] // 5
