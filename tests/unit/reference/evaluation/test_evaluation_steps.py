"""Evaluation in pieces of bounded work, for callers that must not block their event loop."""

from __future__ import annotations

from datetime import datetime
from itertools import count

import pytest

from reference.context import Context, Selection
from reference.outcome import Evaluation
from tests.unit.reference.evaluation.building import NOW, compiled, condition, depends, flag, person

CONTEXT = Context(distinct_id="user-1", person_properties={"a": "yes"})


def run(steps):
    """Return how often the steps paused, and what they came to."""
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return pauses, end.value
        pauses += 1


def many(size):
    plain = [flag(f"flag-{number}", condition(person("a"), rollout=50), number=number) for number in range(1, size)]
    broken = flag("lost", condition(depends("nowhere")), number=size)
    return compiled(*plain, broken)


@pytest.mark.parametrize("work", [1, 3, 7, 500])
def test_steps_come_to_what_evaluating_at_once_does(work):
    program = many(40)
    _, evaluation = run(program.steps(CONTEXT, now=NOW, work=work))
    assert evaluation == program.evaluate(CONTEXT, now=NOW)
    assert list(evaluation.outcomes) == list(program.evaluate(CONTEXT, now=NOW).outcomes)


def test_steps_pause_after_each_piece_of_work():
    program = many(41)
    pauses = {work: run(program.steps(CONTEXT, now=NOW, work=work))[0] for work in (1, 4, 10_000)}
    assert pauses[1] == 41  # no flag is without work, so each is a piece of its own
    assert 41 > pauses[4] >= 41 // 4
    assert pauses[10_000] == 0


def test_work_counts_from_zero_after_a_pause():
    program = compiled(*(flag(f"flag-{number}", condition(person("a")), number=number) for number in range(1, 13)))
    per_flag = next(work for work in range(1, 50) if run(program.steps(CONTEXT, now=NOW, work=work))[0] < 12) - 1
    assert run(program.steps(CONTEXT, now=NOW, work=3 * per_flag))[0] == 4
    assert run(program.steps(CONTEXT, now=NOW, work=2 * per_flag + 1))[0] == 4


def test_work_counts_from_zero_at_the_start():
    def most(count):
        """Return the work of so many equal flags: with one more allowed, nothing pauses."""
        program = compiled(*(flag(f"flag-{number}", condition(person("a")), number=number) for number in range(1, count + 1)))
        return next(work for work in range(1, 200) if run(program.steps(CONTEXT, now=NOW, work=work))[0] == 0) - 1

    assert most(2) == 2 * most(1)
    assert most(5) == 5 * most(1)


def test_flag_with_more_filters_is_more_work():
    few = compiled(*(flag(f"flag-{n}", condition(person("a")), number=n) for n in range(1, 21)))
    more = compiled(*(flag(f"flag-{n}", *[condition(*[person("a")] * 5)] * 5, number=n) for n in range(1, 21)))
    assert run(more.steps(CONTEXT, now=NOW, work=60))[0] > run(few.steps(CONTEXT, now=NOW, work=60))[0]


def test_steps_do_nothing_before_they_are_asked_and_nothing_after_the_last():
    steps = many(5).steps(CONTEXT, now=NOW, work=1)
    assert run(steps)[0] == 5
    assert next(steps, "ended") == "ended"


def test_steps_evaluate_only_the_selected_flags_and_what_they_need():
    program = compiled(flag("a", condition()), flag("b", condition(depends("a")), number=2), flag("c", condition(), number=3))
    _, evaluation = run(program.steps(CONTEXT, now=NOW, selection=Selection(flag_keys=("b",))))
    assert list(evaluation.outcomes) == ["a", "b"]


def test_dependents_are_the_flags_that_ask_about_one_of_them_and_the_flags_themselves():
    program = compiled(
        flag("a", condition()),
        flag("b", condition(depends("a")), number=2),
        flag("c", condition(depends("b")), number=3),
        flag("d", condition(), number=4),
    )
    assert program.dependents(["a"]) == {"a", "b", "c"}
    assert program.dependents(["c", "d"]) == {"c", "d"}


def test_steps_tell_of_a_failure_as_evaluating_at_once_does():
    program = compiled(flag("odd", condition(), filters={"version": 3}))
    server = Context(distinct_id="user-1", properties_complete=True)
    assert run(program.steps(server, now=NOW))[1].errors
    assert program.evaluate(server, now=NOW).errors


def test_naive_now_is_refused_in_both_ways():
    program = many(2)
    naive = datetime(2026, 11, 22, 12)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="aware"):
        program.evaluate(CONTEXT, now=naive)
    with pytest.raises(ValueError, match="aware"):
        run(program.steps(CONTEXT, now=naive))


def test_what_evaluates_within_one_piece_is_known_beforehand():
    program = many(40)

    def at_once(work: int, selection: Selection) -> Evaluation | None:
        return program.evaluate_within(work, CONTEXT, now=NOW, selection=selection)

    work = next(work for work in count() if at_once(work, Selection()) is not None)
    assert at_once(work, Selection()) == program.evaluate(CONTEXT, now=NOW)
    assert run(program.steps(CONTEXT, now=NOW, work=work + 1))[0] == 0
    assert run(program.steps(CONTEXT, now=NOW, work=work - 1))[0] == 1
    assert at_once(work - 1, Selection(flag_keys=("flag-1",))) is not None
    assert at_once(0, Selection(flag_keys=())) is not None
