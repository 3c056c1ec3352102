"""Laws about what is known: a value is given only where nothing unknown can change it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reference import Status
from tests.properties.reference.asking import answer, answers, evaluate
from tests.properties.reference.strategies import completions, contexts, documents, reductions, with_every_group_type

NOT_PORTABLE = {"date_format_not_portable", "regex_not_portable", "regex_too_costly"}
"""What the evaluator cannot read as surely as the service does, however much is known."""


@given(documents, contexts, st.data())
def test_a_conclusive_value_is_the_value_of_every_completion(document, context, data):
    local = evaluate(document, context)
    complete_document = with_every_group_type(document)
    for _ in range(4):
        server = evaluate(complete_document, data.draw(completions(context)))
        assert set(server.outcomes) == set(local.outcomes)
        for key, outcome in local.outcomes.items():
            if outcome.status is not Status.INCONCLUSIVE:
                assert answer(server.outcomes[key]) == answer(outcome), key


@given(documents, contexts, st.data())
def test_removing_information_never_changes_a_value_only_makes_it_inconclusive(document, context, data):
    fuller = evaluate(document, context)
    poorer = evaluate(document, data.draw(reductions(context)))
    assert set(poorer.outcomes) == set(fuller.outcomes)
    for key, outcome in poorer.outcomes.items():
        assert outcome.status is Status.INCONCLUSIVE or answer(fuller.outcomes[key]) == answer(outcome), key


@given(documents, contexts, st.data())
def test_a_server_that_knows_everybody_is_inconclusive_only_about_texts_that_are_not_portable(document, context, data):
    outcomes = evaluate(document, data.draw(completions(context))).outcomes
    unsure = {outcome.why for outcome in outcomes.values() if outcome.status is Status.INCONCLUSIVE}
    assert unsure <= {*NOT_PORTABLE, "dependency_unknown"}
    assert unsure != {"dependency_unknown"}


@given(documents, contexts)
def test_an_inconclusive_or_failed_outcome_says_why_and_carries_nothing(document, context):
    for outcome in evaluate(document, context).outcomes.values():
        if outcome.status is Status.VALUE:
            assert outcome.why is None
        else:
            assert outcome.why
            assert (outcome.enabled, outcome.variant, outcome.payload) == (False, None, None)


@given(documents, contexts)
def test_the_error_bit_is_set_exactly_for_failed_flags_and_cycles(document, context):
    evaluation = evaluate(document, context)
    live = {flag["key"] for flag in document["flags"] if flag.get("active", True)}
    has_failed = any(outcome.status is Status.FAILED for outcome in evaluation.outcomes.values())
    assert evaluation.errors == (has_failed or live != set(evaluation.outcomes))
    assert answers(evaluation).keys() <= live
