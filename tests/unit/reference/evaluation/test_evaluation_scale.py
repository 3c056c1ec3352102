"""Size: long chains need no recursion, and nothing that is shared is done twice."""

from __future__ import annotations

import pytest

from reference import Context, Selection, Status
from tests.unit.reference.evaluation.building import NOW, anyone_with, cohort, compiled, condition, depends, flag, person

LONG = 10_000
PERSON = Context(distinct_id="user-1", person_properties={"plan": "yes"})


def chain(first: dict[str, object]) -> list[dict[str, object]]:
    """Flags that each depend on the next; the last one is given."""
    links = [flag(f"f{number}", condition(depends(f"f{number + 1}")), number=number + 1) for number in range(LONG)]
    return [*links, first]


def test_a_chain_of_ten_thousand_flags_is_evaluated_from_its_end():
    last = flag(f"f{LONG}", condition(), number=LONG + 1)
    outcomes = compiled(*chain(last)).evaluate(PERSON, now=NOW).outcomes
    assert next(iter(outcomes)) == f"f{LONG}"
    assert [outcome.enabled for outcome in outcomes.values()] == [True] * (LONG + 1)


def test_asking_for_one_end_of_a_chain_brings_the_whole_chain():
    last = flag(f"f{LONG}", condition(rollout=-1), number=LONG + 1)
    program = compiled(*chain(last))
    assert len(program.evaluate(PERSON, now=NOW, selection=Selection(flag_keys=("f0",))).outcomes) == LONG + 1
    assert len(program.evaluate(PERSON, now=NOW, selection=Selection(flag_keys=(f"f{LONG}",))).outcomes) == 1


def test_a_cycle_of_ten_thousand_flags_is_left_out():
    evaluation = compiled(*chain(flag(f"f{LONG}", condition(depends("f0")), number=LONG + 1))).evaluate(PERSON, now=NOW)
    assert (dict(evaluation.outcomes), evaluation.errors) == ({}, True)


def test_missing_at_the_end_of_a_chain_is_missing_all_along_it():
    last = flag(f"f{LONG}", condition(depends("nowhere")), number=LONG + 1)
    outcomes = compiled(*chain(last)).evaluate(PERSON, now=NOW).outcomes
    assert {outcome.why for outcome in outcomes.values()} == {"dependency_missing"}


@pytest.mark.parametrize(("end", "status"), [({"type": "AND", "values": []}, Status.VALUE), (None, Status.INCONCLUSIVE)])
def test_a_chain_of_ten_thousand_cohorts_is_decided_from_its_end(end, status):
    cohorts = {str(number): anyone_with(cohort(number + 1)) for number in range(LONG)}
    if end is not None:
        cohorts[str(LONG)] = end
    program = compiled(flag("f", condition(cohort(0))), cohorts=cohorts)
    assert program.evaluate(PERSON, now=NOW).outcomes["f"].status is status


def test_cohorts_that_share_what_they_need_ask_it_once():
    layers = 60  # two needs each: 2**60 paths
    cohorts = {str(number): anyone_with(cohort(number + 1), cohort(number + 1, "in")) for number in range(layers)}
    cohorts[str(layers)] = anyone_with(person("plan"))
    program = compiled(flag("f", condition(cohort(0))), cohorts=cohorts)
    assert program.evaluate(PERSON, now=NOW).outcomes["f"].enabled


def test_a_flag_of_ten_thousand_conditions_is_walked():
    conditions = [condition(person("plan", "exact", str(number))) for number in range(LONG)]
    outcome = compiled(flag("f", *conditions)).evaluate(PERSON, now=NOW).outcomes["f"]
    assert (outcome.enabled, outcome.condition_index) == (False, LONG - 1)


def test_what_a_caller_lists_is_read_once_and_not_for_every_flag():
    class Counted(tuple[str, ...]):
        __slots__ = ()
        reads = 0

        def __iter__(self):
            Counted.reads += 1
            return super().__iter__()

    flags = [flag(f"f{number}", condition(), number=number + 1) | {"evaluation_contexts": ["b"]} for number in range(50)]
    selection = Selection(evaluation_contexts=Counted(("a", "b")))
    assert len(compiled(*flags).evaluate(PERSON, now=NOW, selection=selection).outcomes) == len(flags)
    assert Counted.reads < 5


@pytest.mark.parametrize("names", [("f",) * 1000, ("x" * 100_000,)])
def test_a_long_selection_is_not_kept(names):
    program = compiled(flag("f", condition()))
    for selection in (Selection(flag_keys=names), Selection(evaluation_contexts=names)):
        program.evaluate(PERSON, now=NOW, selection=selection)
        assert selection not in program._plans
    program.evaluate(PERSON, now=NOW, selection=Selection(flag_keys=("f",)))
    assert len(program._plans) == 1
