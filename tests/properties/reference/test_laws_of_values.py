"""Laws about values: what may change a flag's answer, and what may not."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from reference import Context, Evaluation, Reason, Selection, Status
from reference.evaluate import EVERYTHING
from reference.rules_v1.walk import walk
from tests.properties.reference.asking import NOW, answer, answers, evaluate, one_flag, program
from tests.properties.reference.strategies import VARIANTS, completions, conditions, contexts, documents, flags, values

BROKEN = {"id": 90, "key": "broken", "filters": {"groups": "none"}}
NOBODY = {"properties": [], "rollout_percentage": -1}
PRESENTATION = {"name": "shown to people", "created_at": "2026-01-01", "tags": ["x"]}


def with_flag(document: dict[str, Any], flag: dict[str, Any]) -> dict[str, Any]:
    return {**document, "flags": [*document["flags"], flag]}


def changed_filters(document: dict[str, Any], key: str, **changes: Any) -> dict[str, Any]:
    """Change the filters of one flag."""
    return {
        **document,
        "flags": [
            {**flag, "filters": {**flag["filters"], **changes}} if flag["key"] == key else flag for flag in document["flags"]
        ],
    }


some_conditions = st.lists(conditions, min_size=1, max_size=3)


@given(documents, contexts, some_conditions, st.integers(0, 2), st.sampled_from((0.5, 20, 60, 100)), st.data())
def test_raising_the_rollout_of_a_flag_never_turns_it_off(document, context, groups, position, more, data):
    server = data.draw(completions(context))
    raised = [dict(group) for group in groups]
    raised[position % len(groups)]["rollout_percentage"] += more
    before = evaluate(changed_filters(document, "f1", groups=groups, version=1), server).outcomes.get("f1")
    after = evaluate(changed_filters(document, "f1", groups=raised, version=1), server).outcomes.get("f1")
    if before is not None and before.status is Status.VALUE and before.enabled:
        assert after is not None
        assert after.enabled


@given(documents, contexts)
def test_the_result_is_a_pure_function_of_its_inputs_and_now(document, context):
    compiled = program(document)
    first = compiled.evaluate(context, now=NOW)
    compiled.evaluate(msgspec.structs.replace(context, distinct_id="somebody else"), now=NOW)
    assert compiled.evaluate(context, now=NOW) == first
    assert program(document).evaluate(context, now=NOW) == first


@given(documents, contexts, flags("unrelated", 99))
def test_an_unrelated_flag_changes_nothing(document, context, flag):
    alone = evaluate(document, context).outcomes
    together = evaluate(with_flag(document, flag), context).outcomes
    assert {key: outcome for key, outcome in together.items() if key != "unrelated"} == dict(alone)


@given(documents, contexts)
def test_a_flag_that_cannot_be_parsed_spoils_only_itself(document, context):
    alone = evaluate(document, context).outcomes
    together = evaluate(with_flag(document, BROKEN), context).outcomes
    assert {key: outcome for key, outcome in together.items() if key != "broken"} == dict(alone)
    assert together["broken"].status is Status.INCONCLUSIVE


@given(documents, contexts, st.booleans())
def test_the_payload_follows_the_variant(document, context, complete):
    context = msgspec.structs.replace(context, properties_complete=complete)
    stored = {flag["key"]: flag["filters"].get("payloads", {}) for flag in document["flags"]}
    for key, outcome in evaluate(document, context).outcomes.items():
        if outcome.status is not Status.VALUE or outcome.reason == Reason.SUPER_CONDITION_VALUE:
            continue
        name = "true" if outcome.variant is None else outcome.variant
        assert outcome.payload == (stored[key].get(name) if outcome.enabled else None)


def shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(member, rng) for member in value]
    if not isinstance(value, dict):
        return value
    names = list(value)
    rng.shuffle(names)
    return {name: shuffled(value[name], rng) for name in names}


@given(documents, contexts, st.integers(0, 2**32))
def test_the_order_of_json_keys_is_irrelevant(document, context, seed):
    rng = random.Random(seed)
    reordered = msgspec.structs.replace(context, person_properties=shuffled(dict(context.person_properties), rng))
    assert answers(evaluate(shuffled(document, rng), reordered)) == answers(evaluate(document, context))


@given(documents, contexts)
def test_fields_for_presentation_change_nothing(document, context):
    decorated = {
        **document,
        **PRESENTATION,
        "flags": [{**flag, **PRESENTATION, "filters": {**flag["filters"], **PRESENTATION}} for flag in document["flags"]],
    }
    assert evaluate(decorated, context).outcomes == evaluate(document, context).outcomes


@given(documents, contexts, st.booleans())
def test_the_fast_loop_and_the_careful_walk_agree(document, context, complete):
    compiled = program(document)
    subject = compiled._subject(msgspec.structs.replace(context, properties_complete=complete), NOW)
    for flag in compiled._plan(EVERYTHING).flags:
        outcome = subject.outcomes[flag.key] = flag.evaluate(subject)
        definition = flag.definition
        if definition.defect is None and definition.config_version == 1 and outcome.why != "dependency_missing":
            is_settled = outcome.reason in {Reason.SUPER_CONDITION_VALUE, Reason.MISSING_DEPENDENCY}
            assert is_settled or definition.feature_enrollment or walk(flag, subject) == outcome


@given(documents, contexts, st.booleans())
def test_an_evaluation_is_certain_when_every_outcome_is_a_value(document, context, complete):
    evaluation = evaluate(with_flag(document, BROKEN), msgspec.structs.replace(context, properties_complete=complete))
    assert not evaluation.is_certain
    evaluation = evaluate(document, msgspec.structs.replace(context, properties_complete=complete))
    has_values = all(outcome.status is Status.VALUE for outcome in evaluation.outcomes.values())
    assert evaluation.is_certain == (has_values and not evaluation.errors)


def until_the_end(steps: Generator[None, None, Evaluation], ended: list[Evaluation]) -> Generator[None, None, None]:
    ended.append((yield from steps))


@given(documents, contexts, st.integers(1, 5))
def test_evaluating_in_steps_gives_what_evaluating_at_once_gives(document, context, work):
    compiled = program(document)
    ended: list[Evaluation] = []
    pauses = list(until_the_end(compiled.steps(context, now=NOW, work=work), ended))
    assert ended == [compiled.evaluate(context, now=NOW)]
    assert len(pauses) <= len(document["flags"])


@given(documents, contexts, st.sets(st.sampled_from(("f1", "f2", "f3", "unknown"))))
def test_asking_for_some_flags_gives_them_what_asking_for_all_gives(document, context, keys):
    everything = answers(evaluate(document, context))
    some = answers(evaluate(document, context, Selection(flag_keys=tuple(sorted(keys)))))
    assert some.items() <= everything.items()
    assert keys & set(everything) <= set(some)


@given(documents, contexts, st.lists(conditions, max_size=2))
def test_conditions_behind_a_certain_match_are_never_looked_at(document, context, more):
    everybody = {"properties": [], "rollout_percentage": 100, "aggregation_group_type_index": None, "variant": "x"}
    filters = {"multivariate": {"variants": [{"key": key, "rollout_percentage": 0} for key in VARIANTS]}, "holdout": None}
    short = changed_filters(document, "f1", groups=[everybody], **filters)
    long = changed_filters(document, "f1", groups=[everybody, *plain(more)], **filters)
    assert answer(evaluate(short, context).outcomes.get("f1")) == answer(evaluate(long, context).outcomes.get("f1"))


def plain(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave dependencies out: they decide whether and when a flag is evaluated at all."""
    return [{**group, "properties": [each for each in group["properties"] if each["type"] != "flag"]} for group in groups]


@given(documents, contexts, some_conditions, st.integers(0, 3))
def test_a_condition_that_takes_nobody_changes_no_value(document, context, groups, position):
    context = msgspec.structs.replace(context, distinct_id="somebody")
    longer = [*groups[:position], NOBODY, *groups[position:]]
    before = evaluate(changed_filters(document, "f1", early_exit=False, groups=groups, version=1), context)
    after = evaluate(changed_filters(document, "f1", early_exit=False, groups=longer, version=1), context)
    assert answers(after) == answers(before)


@given(documents, contexts, st.data())
def test_early_exit_only_ever_turns_a_flag_off(document, context, data):
    server = data.draw(completions(context))
    without = evaluate(changed_filters(document, "f1", early_exit=False), server).outcomes.get("f1")
    exiting = evaluate(changed_filters(document, "f1", early_exit=True), server).outcomes.get("f1")
    if exiting is not None and exiting.enabled:
        assert answer(exiting) == answer(without)


@given(values, values.filter(lambda value: value is not None), st.sampled_from((1, 2)))
def test_is_not_complements_exact_when_key_and_filter_value_are_there(sent, wanted, version):
    found = []
    for operator in ("exact", "is_not"):
        condition = {"properties": [{"key": "p", "type": "person", "operator": operator, "value": wanted}]}
        document = {**one_flag(condition), "property_matching_version": version}
        found.append(evaluate(document, Context(distinct_id="u", person_properties={"p": sent})).outcomes["f"].enabled)
    assert found[0] is not found[1]


@given(documents, contexts, st.text(min_size=200, max_size=210), st.text(max_size=5))
def test_what_follows_the_first_200_scalars_of_an_identifier_is_irrelevant(document, context, identifier, more):
    one = msgspec.structs.replace(context, distinct_id=identifier[:200])
    other = msgspec.structs.replace(context, distinct_id=identifier[:200] + more)
    assert evaluate(document, one) == evaluate(document, other)
