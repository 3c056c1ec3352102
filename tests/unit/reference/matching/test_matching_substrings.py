"""contains, contains any of, starts with, ends with (contract §7.3)."""

from __future__ import annotations

import pytest

from tests.unit.reference.matching.asking import ask, said

# filter value, property, contains, starts with, ends with
ROWS = [
    ("LU", "blue", True, False, False),
    ("BL", "blue", True, True, False),
    ("UE", "blue", True, False, True),
    ("blue", "BLUE", True, True, True),
    ("blues", "blue", False, False, False),
    ("", "blue", True, True, True),
    ("", "", True, True, True),
    ("", None, True, True, True),
    ("nul", None, True, True, False),
    ("é", "CAFÉ", False, False, False),  # only A–Z fold
    ("É", "CAFÉ", True, False, True),
    ("k", "\u212a", False, False, False),
    (1, 212, True, False, False),
    (2, 212, True, True, True),
    (["a"], ["x", "a"], False, False, False),  # a list is its JSON text
    (["a"], [["A"]], True, False, False),
    ('"A"]', ["x", "a"], True, False, True),
    (True, "TRUE", True, True, True),
    ({"a": 1}, {"a": 1}, True, True, True),
]


@pytest.mark.parametrize(("wanted", "value", "contained", "prefix", "suffix"), ROWS)
def test_text_operators_and_their_complements(
    wanted: object, value: object, contained: bool, prefix: bool, suffix: bool
) -> None:
    for operator, expected in (("icontains", contained), ("starts_with", prefix), ("ends_with", suffix)):
        assert said(ask(operator, wanted, value)) is expected
        assert said(ask(f"not_{operator}", wanted, value)) is not expected


@pytest.mark.parametrize(
    ("wanted", "value", "contained"),
    [
        (["RED", "LU"], "blue", True),
        (["RED", "GREEN"], "blue", False),
        (["", "x"], "blue", True),
        ([], "blue", False),
        ([], "", False),
        ("LU", "blue", True),
        ("RED", "blue", False),
        ([1], 212, True),
        ([None], None, True),
        ([["a"]], [["A"]], True),
        (["é"], "É", False),
    ],
)
def test_any_member_of_a_list_counts(wanted: object, value: object, contained: bool) -> None:
    assert said(ask("icontains_multi", wanted, value)) is contained
    assert said(ask("not_icontains_multi", wanted, value)) is not contained
