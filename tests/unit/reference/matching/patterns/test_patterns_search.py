"""Searching: both engines, their limits, and the answers of `regex` and `not_regex` (contract §7.3)."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from reference.matching.patterns.costs import BACKTRACK_LIMIT, backtracks, compiled_bytes, looks_around, sets, stays_below_limit
from reference.matching.patterns.linear import compile_linear, direct_search
from reference.matching.patterns.parse import parse
from reference.matching.patterns.positions import OverBudget, Positions
from tests.unit.reference.matching.asking import ask, said

NOT_PORTABLE = "regex_not_portable"
TOO_COSTLY = "regex_too_costly"

# pattern, texts it is found in, texts it is not found in
ROWS = [
    ("", ["", "x"], []),
    ("b", ["abc"], ["ac", "B", ""]),
    ("^b", ["bc"], ["ab"]),
    ("b$", ["ab"], ["ba", "b\n"]),
    ("^a$", ["a"], ["a\n", "aa", "\na"]),
    ("(?m)^a$", ["a", "b\na\nc", "a\n"], ["ab", "ba"]),
    ("(?m)^b", ["b", "é\nb"], ["éb", "éb\n"]),
    (r"a\Z", ["a", "a\n", "a\n\n"], ["ab", "a\nb"]),
    (".", ["a", "é", " "], ["", "\n"]),
    ("^.$", ["é", "😀"], ["éé", "\n"]),
    ("(?s)^.$", ["\n"], [""]),
    (r"^\d+$", ["12", "٣"], ["", "1a", "½"]),
    (r"^\w+$", ["aé_1", "日本", "Ⓐ", "e\u0301", "\u200d"], ["a b", "-", "😀"]),
    (r"^\s+$", [" \t\n\x0b\x0c\r", "\x85\xa0\u2028\u3000"], ["\x1c", "\u200b", ""]),
    (r"\bé", ["é", "a é"], ["aé"]),
    (r"\ba\b", ["a", "a b", "(a)"], ["ab", "éa"]),
    (r"\B", ["", "ab", "-"], ["a"]),
    (r"a\B", ["ab"], ["a", "a b"]),
    ("[^a]", ["b", "é"], ["a", ""]),
    ("a", ["a\ue000", "\ud7ffa"], ["\ue000", "\ud7ff"]),
    ("(?i)k", ["k", "K", "\u212a"], ["c"]),
    ("(?i)[^k]", ["c"], ["k", "K", "\u212a"]),
    ("^(?:a|bc)*$", ["", "abca"], ["b", "ac"]),
    ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
    ("^a{,2}$", ["", "aa"], ["aaa"]),
    ("^(?:a?){3}b$", ["b", "aaab"], ["aaaab"]),
    ("^(?:a{2}){2}$", ["aaaa"], ["aaa", "aaaaa"]),
    ("x{0}y", ["y", "xy"], ["x"]),
    ("^b(?=lue)", ["blue"], ["bl", "abl"]),
    ("foo(?=bar)baz", [], ["foobarbaz"]),
    ("^(?!foo)", ["bar", ""], ["foobar"]),
    ("^(?!.*x).*$", ["abc", ""], ["axb"]),
    ("(?<=a)b", ["ab"], ["b", "cb"]),
    ("(?<!a)b", ["b", "cb"], ["ab"]),
    ("(?<=^|,)a", ["a", "b,a"], ["ba"]),
    ("(?<=a|bb)c", ["ac", "bbc"], ["bc"]),
    ("(?=(?!ab)a)a", ["ac"], ["ab", "b"]),
    (r"^(?=.*[A-Z])(?=.*\d).{4,}$", ["aB3d"], ["ab3d", "aBcd", "aB3"]),
    (r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", ["user@example.com", "ü@e.de"], ["user@example", "a b@c.de"]),
    (r"^(?!-)[a-z-]+(?<!-)$", ["a-b"], ["-a", "a-"]),
    (r"[^\s\S]", [], ["", "a", "é"]),
    ("$a", [], ["a"]),
]


@pytest.mark.parametrize(("pattern", "found", "missed"), ROWS)
def test_searches(pattern: str, found: list[str], missed: list[str]) -> None:
    for texts, answer in ((found, True), (missed, False)):
        for text in texts:
            assert said(ask("regex", pattern, text)) is answer, text
            assert said(ask("not_regex", pattern, text)) is not answer, text


@pytest.mark.parametrize(("pattern", "found", "missed"), ROWS)
def test_both_engines_agree_on_ascii(pattern: str, found: list[str], missed: list[str]) -> None:
    tree = parse(pattern)
    linear = None if looks_around(tree) else compile_linear(tree)
    for text in filter(str.isascii, found + missed):
        counted = Positions(text, 100_000).is_matched_by(tree)
        assert counted is (text in found)
        assert linear is None or linear(text.encode()) is counted


SIMPLE = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w", r"\d", "^", "$", "1", "-", r"\s"]),
    lambda inner: st.one_of(
        st.builds("(?:{}{})".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}b){}".format, inner, st.sampled_from(["?", "*", "+", "{2}", "{1,2}"])),
        st.builds("(?={}){}".format, inner, inner),
        st.builds("(?!{}){}".format, inner, inner),
    ),
    max_leaves=6,
)


@given(SIMPLE, st.text(alphabet="ab1- \n", max_size=6))
def test_position_sets_agree_with_the_standard_library_on_common_ground(pattern: str, text: str) -> None:
    tree = parse(pattern)
    python = re.search(pattern.replace("$", r"\Z"), text) is not None
    assert Positions(text, 1_000_000).is_matched_by(tree) is python
    if not looks_around(tree):
        linear = compile_linear(tree)
        assert linear is not None
        assert linear(text.encode()) is python


@pytest.mark.parametrize(
    ("pattern", "value", "answer"),
    [
        ("^1$", 1, True),
        ("^1.0$", 1.0, True),
        ("null", None, True),
        ("true", True, True),
        (r'^\["a"\]$', ["a"], True),
        (12, "a12", True),
        (True, "true", True),
        (["a"], "b", False),
    ],
)
def test_both_sides_are_taken_in_text_form(pattern: object, value: object, answer: bool) -> None:
    expected = NOT_PORTABLE if pattern == ["a"] else answer
    assert said(ask("regex", pattern, value)) == (False if pattern == ["a"] else expected)


@pytest.mark.parametrize("operator", ["regex", "not_regex"])
def test_a_pattern_outside_the_subset_is_not_answered_unless_the_key_is_known_to_be_absent(operator: str) -> None:
    assert said(ask(operator, r"(a)\1", "aa")) == NOT_PORTABLE
    assert said(ask(operator, r"(a)\1", complete=False)) == "property_unknown"
    assert said(ask(operator, r"(a)\1")) is (operator == "not_regex")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("(?i)é", "É"), ("(?i)[à-ÿ]", "ä"), ("(?i)é+", "É"), ("(?i)(?=é)", "É"), ("a", "a\ud800"), (".", "\udfff")],
)
def test_texts_past_what_is_modelled_are_not_answered(pattern: str, text: str) -> None:
    assert said(ask("regex", pattern, text)) == NOT_PORTABLE
    assert said(ask("not_regex", pattern, text)) == NOT_PORTABLE


def test_folding_past_ascii_is_certain_for_ascii_texts() -> None:
    assert said(ask("regex", "(?i)é|b", "B")) is True
    assert said(ask("regex", "(?i)[à-ÿ]", "a")) is False
    assert said(ask("regex", "(?i)ſ", "S")) is True


def test_patterns_too_large_for_the_service_are_not_answered() -> None:
    assert said(ask("regex", r"^\w{100}$", "a" * 100)) is True
    assert said(ask("regex", r"^\w{300}$", "a" * 300)) == NOT_PORTABLE
    assert said(ask("regex", "^(?:a{100}){9}$", "a" * 900)) is True
    assert said(ask("regex", "(?:(?:a{1000}){1000}){10}", "a")) == NOT_PORTABLE


def test_counts_that_re2_declines_are_counted_instead() -> None:
    assert compile_linear(parse("(?:a{100}){100}")) is None
    assert said(ask("regex", "^(?:a{100}){20}$", "a" * 2000)) is True
    assert said(ask("regex", "^(?:a{100}){20}$", "a" * 1999)) is False


def test_what_may_reach_the_backtrack_limit_is_not_answered() -> None:
    assert said(ask("regex", r"\b\w+@\w+\b", "a@b")) is True
    assert said(ask("regex", r"\b\w+@\w+\b", "a" * 100)) == TOO_COSTLY
    assert said(ask("regex", r"(?=(?:a+)+\b)b", "a" * 30)) == TOO_COSTLY
    assert said(ask("regex", r"\b" * 5 + "é", "é" * 9000)) == TOO_COSTLY


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(\\w+\\s?)*$",
        "(a|aa)+$",
        "(.*)*x",
        "(?:a?){200}a{200}",
        "^(?=(a+)+$)b",
        "(x+x+)+y",
        "((a{0,5}){0,5}){0,5}b",
    ],
)
def test_no_pattern_holds_the_process(pattern: str) -> None:
    for text in ("a" * 60 + "!", "x" * 3000, "a" * 100_000, "é" * 4000, "aé" * 2000):
        # That this returns at all is the point: backtracking would take ages.
        assert said(ask("regex", pattern, text)) in {True, False, TOO_COSTLY}


def test_long_texts_are_searched_while_the_pattern_is_small_and_turned_away_after() -> None:
    assert said(ask("regex", "b", "a" * 3_999_999 + "b")) is True
    assert said(ask("regex", "b", "a" * 4_000_000 + "b")) == TOO_COSTLY
    assert said(ask("regex", "bcde", "a" * 1_000_000)) == TOO_COSTLY
    assert said(ask("regex", "é", "a" * 4095 + "é")) is True
    assert said(ask("regex", "é", "a" * 4096 + "é")) == TOO_COSTLY
    assert said(ask("regex", "(?!a)", "a" * 4097)) == TOO_COSTLY


def test_the_counted_engine_stops_at_its_budget() -> None:
    tree = parse("a")
    assert Positions("a", 2).is_matched_by(tree) is True
    with pytest.raises(OverBudget):
        Positions("a", 1).is_matched_by(tree)
    with pytest.raises(OverBudget):
        Positions("ab" * 2000, 20_000).is_matched_by(parse("^(?:ab)+x|^(?:ab)+y|^(?:ab)+z"))
    assert Positions("ab" * 2000, 20_000).is_matched_by(parse("^(?:ab)+x|^(?:ab)+y")) is False


def test_look_around_has_no_linear_form() -> None:
    with pytest.raises(ValueError, match="look-around has no linear form"):
        compile_linear(parse("a(?=b)"))


def test_sizes_are_counted_with_repetitions_written_out() -> None:
    assert sets(parse("a")) == 1
    assert sets(parse("ab")) == 3
    assert sets(parse("a|b")) == 3
    assert sets(parse("a{5}")) == 6
    assert sets(parse("a{2,7}")) == 8
    assert sets(parse("a*")) == 2
    assert sets(parse("a{3,}")) == 5
    assert sets(parse("a{0}")) == 2
    assert sets(parse("(?=ab)")) == 4
    assert sets(parse("^")) == 1
    assert compiled_bytes(parse("a")) == 128
    assert compiled_bytes(parse("[ac]")) == 192
    assert compiled_bytes(parse("é")) == 1628
    assert compiled_bytes(parse(r"[^\s\S]")) == 64


@pytest.mark.parametrize(
    ("pattern", "hard", "looking"),
    [
        ("a", False, False),
        (r"\b", True, False),
        (r"a|\B", True, False),
        (r"(?:\ba)*", True, False),
        ("(?=a)", True, True),
        ("a|b(?!c)", True, True),
        ("(?:a(?=b)b)*", True, True),
        ("^a$", False, False),
        (r"\Z", True, True),
    ],
)
def test_backtracking_constructs_are_found_anywhere(pattern: str, hard: bool, looking: bool) -> None:
    assert backtracks(parse(pattern)) is hard
    assert looks_around(parse(pattern)) is looking


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        ("ab", BACKTRACK_LIMIT - 2),  # no branches: one per start
        ("a|b", 4998),
        ("a?", 4998),
        ("a{3}", BACKTRACK_LIMIT - 2),
        ("a{3,5}", 3332),
        ("a?b?", 2498),
        ("(?:a?|b)", 3332),
        ("(?:a|b){3}c?", 623),  # 7 branches, then one more on each of 8 ways
        ("(?!a)b?", 3332),
        ("(?=a*)b?", 4998),  # plain syntax ahead is one call of the linear engine
        (r"(?=\b(?:a|b))c?", 2498),
        ("(?:a|b){3}", 1248),  # 1 + 2 + 4 branches
        ("(?:a|b){,2}", 1427),  # 2 + 4 branches
        ("(?:a?){2}", 2498),
        ("a*", 98),
        ("a+b", 98),
        ("(?=a)", BACKTRACK_LIMIT - 2),
        ("(?!a)", 4998),
        (r"(?=\b(?:a|b))", 4998),
    ],
)
def test_the_backtrack_bound_is_exact(pattern: str, longest: int) -> None:
    tree = parse(pattern)
    assert stays_below_limit(tree, longest)
    assert not stays_below_limit(tree, longest + 1)


@pytest.mark.parametrize("pattern", [r"(?:a+)+", r"(?:a|b){17}", r"(?:a?b?)*", r"(?:\ba*){20}"])
def test_nested_repetitions_are_past_any_bound(pattern: str) -> None:
    assert not stays_below_limit(parse(pattern), 20)


def test_the_engine_below_the_librarys_search_answers_as_the_search_does():
    compiled = re2.compile(rb"b[0-9]{1,3}\z")
    search = direct_search(compiled)
    assert search is not None, "the locked google-re2 can be searched directly; another version may need another way"
    for text in (b"", b"b", b"b1", b"ab12", b"b1234", b"b12c", b"b12\n", b"b1b2"):
        assert search(text) is (compiled.search(text) is not None)


def test_a_library_without_that_engine_is_searched_as_it_offers():
    assert direct_search(re.compile(b"b")) is None
