"""The edges of the pattern subset: single code points, letters next to each other, sets of several ranges."""

from __future__ import annotations

import pytest

from reference.matching.patterns.characters import _read, contains, union
from reference.matching.patterns.faults import Broken, Outside
from reference.matching.patterns.linear import compile_linear
from reference.matching.patterns.parse import MAX_DEPTH, parse
from reference.matching.patterns.tree import Chars
from tests.unit.reference.matching.asking import ask, said


def test_a_table_of_ranges_is_read_in_base_36():
    assert _read("0 a-c z-10") == ((0, 0), (10, 12), (35, 36))


@pytest.mark.parametrize("pattern", [r"\x{D800}", r"\x{DFFF}", r"\uD800", r"\U00110000", r"[\x{D800}]", r"[\uDFFF]"])
def test_code_points_that_are_no_characters_are_outside(pattern):
    with pytest.raises(Outside):
        parse(pattern)


@pytest.mark.parametrize(("pattern", "code"), [(r"\x{D7FF}", 0xD7FF), (r"\x{E000}", 0xE000), (r"\U0010FFFF", 0x10FFFF)])
def test_code_points_beside_them_are_characters(pattern, code):
    assert parse(pattern) == Chars(((code, code),))
    assert parse(f"[{pattern}]") == Chars(((code, code),))


@pytest.mark.parametrize("pattern", [r"\b{start}", r"\B{2}", r"\b{", r"[\X41]", r"[\N41]", r"[\y]", r"\X41", "[a-[b]]"])
def test_what_versions_of_the_engine_read_differently_is_outside(pattern):
    with pytest.raises(Outside):
        parse(pattern)


@pytest.mark.parametrize("pattern", ["[z-a]", "[a", "[", "[a-", "[\\"])
def test_ranges_backwards_and_classes_without_an_end_are_broken(pattern):
    with pytest.raises(Broken):
        parse(pattern)


@pytest.mark.parametrize(("pattern", "inside", "outside"), [
    (r"^[a-cx-z]$", "abcxyz", "dwXA-`{"),
    (r"^[\d_]$", "059_", "aX/:-"),
    (r"^[\w-]$", "aZ0_-", " +."),
    (r"^[a-]$", "a-", "b,."),
    (r"^[-a]$", "a-", "b,."),
    (r"^[-a-c]$", "abc-", "d,."),
    (r"^[]a]$", "a]", "b[-"),
    (r"^[^a-cx-z]$", "dw-A", "abcxyz"),
    (r"^[\x41-\x43\u0061]$", "ABCa", "Dbx"),
])  # fmt: skip
def test_a_class_of_several_ranges_holds_exactly_these(pattern, inside, outside):
    assert {letter: said(ask("regex", pattern, letter)) for letter in inside} == dict.fromkeys(inside, True)
    assert {letter: said(ask("regex", pattern, letter)) for letter in outside} == dict.fromkeys(outside, False)


def test_a_set_of_several_ranges_is_handed_to_the_engine_as_these_and_nothing_else():
    search = compile_linear(Chars(union([(0x61, 0x63), (0x78, 0x7A)])))
    assert search is not None
    found = {code for code in range(128) if search(bytes([code]))}
    assert found == set(range(0x61, 0x64)) | set(range(0x78, 0x7B))


def test_the_empty_set_matches_nothing():
    search = compile_linear(Chars(()))
    assert search is not None
    assert not any(search(bytes([code])) for code in range(128))


def test_contains_looks_at_both_ends_of_every_range():
    ranges = ((10, 12), (20, 20))
    assert [code for code in range(25) if contains(ranges, code)] == [10, 11, 12, 20]


@pytest.mark.parametrize("code", [0xD800, 0xDFFF])
def test_half_characters_in_a_class_are_outside(code):
    with pytest.raises(Outside):
        parse(f"[{chr(code)}]")


def test_depth_is_given_back_once_for_each_group_that_ends():
    deepest = "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH
    parse("(a)" * 20 + deepest)
    with pytest.raises(Outside):
        parse("(a)" * 20 + f"({deepest})")


@pytest.mark.parametrize(("code", "is_past_ascii"), [(0x61, False), (0x7F, False), (0x80, True), (0xE9, True)])
def test_folding_is_marked_where_the_letters_go_past_ascii(code, is_past_ascii):
    found = parse(rf"(?i)\x{{{code:x}}}")
    assert isinstance(found, Chars)
    assert found.ascii_only is is_past_ascii
