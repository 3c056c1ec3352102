"""Comparisons that are made once, when their module is imported: what they are made of, called as it is then."""

from __future__ import annotations

import pytest

from reference.matching.comparison import NEVER, Comparison, always, negated
from reference.matching.match import INVALID, Unsure
from tests.unit.reference.matching.asking import ABSENT, ask, said


@pytest.mark.parametrize("answer", [False, True, INVALID, Unsure("why")])
def test_an_answer_that_the_filter_alone_decides_is_the_same_for_any_value_and_for_none(answer):
    fixed = always(answer)
    assert fixed.present("anything", None) is answer
    assert (fixed.absent, fixed.constant) == (answer, answer)


@pytest.mark.parametrize("operator", ["exact", "is_not", "icontains", "gt", "regex", "is_date_after", "semver_eq"])
@pytest.mark.parametrize("value", [ABSENT, None, "x", 1])
def test_a_filter_without_a_value_matches_nobody_whatever_is_known(operator, value):
    assert [said(ask(operator, None, value, complete=complete)) for complete in (True, False)] == [False, False]


def test_a_comparison_is_unknown_where_nothing_says_otherwise():
    plain = Comparison(lambda value, _moment: value == "x")
    assert (plain.absent, plain.constant) == (False, None)
    assert (negated(plain).absent, negated(plain).constant) == (True, None)
    assert (negated(NEVER).absent, negated(NEVER).constant) == (True, True)
    assert [negated(plain).present(value, None) for value in ("x", "y")] == [False, True]
