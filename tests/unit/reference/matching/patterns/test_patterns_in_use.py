"""What makes a search cheap: filters share it, it keeps its last answer, and a text that a match needs is looked for first."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.matching.match import Unsure
from reference.matching.patterns import search as searching
from reference.matching.patterns.parse import parse
from reference.matching.patterns.positions import Positions
from reference.matching.patterns.search import Search, needed_text, search_for
from tests.unit.reference.matching.asking import ask, said
from tests.unit.reference.matching.patterns.test_patterns_search import SIMPLE


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"@corp\.(com|org)$", "@corp."),
        (r"^user[0-9]*@example\.com$", "@example.com"),
        ("(ab)(cd)", "abcd"),
        (r"a\bb$", "ab"),
        ("ab?c", "a"),
        ("ab[xy]cde", "cde"),
        ("a(?=b)b", "a"),
        ("(ab)+", ""),
        ("a|b", ""),
        ("(?i)abc", ""),
        ("(?i)é", ""),
        ("", ""),
    ],
)
def test_what_every_match_contains(pattern: str, needed: str) -> None:
    assert needed_text(parse(pattern)) == needed


@given(SIMPLE, SIMPLE, st.text(alphabet="ab1- \n", max_size=8))
def test_no_text_is_found_without_it(first: str, second: str, text: str) -> None:
    tree = parse(f"{first}ab{second}")
    assert needed_text(tree) in text or not Positions(text, 1_000_000).is_matched_by(tree)


def test_filters_with_the_same_pattern_share_one_search_for_as_long_as_they_live() -> None:
    first = search_for("^a+b$")
    assert search_for("^a+b$") is first
    assert "^a+b$" in searching._in_use
    del first
    gc.collect()
    assert "^a+b$" not in searching._in_use


def test_the_last_answer_is_kept_and_no_other_texts() -> None:
    asked: list[str] = []
    search = Search(lambda text: asked.append(text) or text == "a")
    assert [search(text) for text in ("a", "a", "b", "b", "a")] == [True, True, False, False, True]
    assert asked == ["", "a", "b", "a"]


def test_an_unsure_answer_is_kept_like_any_other() -> None:
    doubt = Unsure("regex_too_costly")
    search = Search(lambda text: doubt if text else False)
    assert [search("x"), search("x"), search("")] == [doubt, doubt, False]


def test_both_operators_of_one_pattern_keep_their_own_answers() -> None:
    for text, found in (("ab", True), ("ab", True), ("b", False), ("b", False)):
        assert said(ask("regex", "^a", text)) is found
        assert said(ask("not_regex", "^a", text)) is not found
