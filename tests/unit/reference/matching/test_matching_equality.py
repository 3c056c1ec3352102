"""`exact` and `is_not` (contract §7.2)."""

from __future__ import annotations

import pytest

from tests.unit.reference.matching.asking import ask, said

# filter value, property, matched in legacy mode, matched in explicit mode
ROWS = [
    ("a", "a", True, True),
    ("A", "a", True, True),
    ("a", "A", True, True),
    ("a", "ab", False, False),
    ("a", " a", False, False),
    ("ÄÖ", "äö", True, True),
    ("ß", "SS", False, False),  # lower case, not case folding
    ("ΑΣ", "ας", True, True),  # final sigma
    (7, "7", True, True),
    (7, 7, True, True),
    ("7", 7.0, False, False),
    (7, 7.0, False, False),
    ("7.0", 7.0, True, True),
    (1e16, "1e16", True, True),
    ("null", None, True, True),
    ([None], None, True, True),
    (["a"], ["a"], False, False),
    ('["a"]', ["a"], True, True),
    ({"a": 1}, {"a": 1}, True, True),
    ('{"a":1,"b":2}', {"b": 2, "a": 1}, True, True),
    (["BLUE"], "blue", True, True),
    (["x", "BLUE"], "blue", True, True),
    (["x", "y"], "blue", False, False),
    ([1, 2], "2", True, True),
    # what looks boolean
    (True, True, True, True),
    (True, "TRUE", True, True),
    (True, "true", True, True),
    ("TRUE", True, True, True),
    (True, False, False, False),
    (True, 1, False, False),
    (True, ["true", True], True, False),
    (True, [], True, False),
    (True, [[True], ["True"]], True, False),
    (True, ["true", 1], False, False),
    (False, False, True, True),
    (False, "False", True, True),
    (False, 0, True, False),
    (False, None, True, False),
    (False, "banana", True, False),
    (False, {}, True, False),
    ("false", ["x"], True, False),
    ("true", "yes", False, False),
    (["true"], True, True, True),
    (["true"], "x", False, False),
    (["false"], "x", True, False),
    (["true", "false"], "true", False, True),
    (["true", "false"], "x", True, False),
    ([True, "x"], True, True, True),
    ([True, "x"], "X", True, True),
    ([["true"]], '["true"]', False, True),
    ([["true"]], True, True, False),
    # the empty list
    ([], True, True, True),
    ([], "True", True, True),
    ([], [], True, True),
    ([], [[]], True, True),
    ([], "x", False, False),
    ([], None, False, False),
    ([], "", False, False),
    ("", "", True, True),
    ("", None, False, False),
]


@pytest.mark.parametrize(("wanted", "value", "legacy", "explicit"), ROWS)
def test_exact_in_both_matching_modes(wanted: object, value: object, legacy: bool, explicit: bool) -> None:
    assert said(ask("exact", wanted, value)) is legacy
    assert said(ask("exact", wanted, value, explicit=True)) is explicit


@pytest.mark.parametrize(("wanted", "value", "legacy", "explicit"), ROWS)
def test_is_not_is_the_complement_in_both_matching_modes(wanted: object, value: object, legacy: bool, explicit: bool) -> None:
    assert said(ask("is_not", wanted, value)) is not legacy
    assert said(ask("is_not", wanted, value, explicit=True)) is not explicit


def test_lists_nested_ten_thousand_deep_are_answered() -> None:
    deep: object = True
    for _ in range(10_000):
        deep = [deep]
    assert said(ask("exact", True, deep)) is True
    assert said(ask("exact", deep, "x")) is False
    assert said(ask("exact", "x", deep)) is False
    assert said(ask("exact", deep, deep, explicit=True)) is False
