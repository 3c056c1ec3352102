"""What is inside the subset, what is outside, and what the service's engine refuses."""

# ruff: noqa: E501 - rows of a table, read across
from __future__ import annotations

import pytest

from reference.matching.patterns.characters import ANY, DIGIT, SPACE, WORD, clipped_to_ascii, contains, folded, inverted, union
from reference.matching.patterns.faults import Broken, Outside
from reference.matching.patterns.parse import MAX_COUNT, MAX_DEPTH, MAX_LENGTH, parse
from reference.matching.patterns.tree import Anchor, Chars, Choice, Look, Place, Repeat, Sequence


def _letters(letters: str) -> Chars:
    return Chars(union((ord(letter), ord(letter)) for letter in letters))


A, B, C = _letters("a"), _letters("b"), _letters("c")
EMPTY = Sequence()


@pytest.mark.parametrize(
    ("pattern", "tree"),
    [
        ("", EMPTY),
        ("a", A),
        ("ab", Sequence((A, B))),
        ("a|b", Choice((A, B))),
        ("a|", Choice((A, EMPTY))),
        ("|", Choice((EMPTY, EMPTY))),
        ("ab|c", Choice((Sequence((A, B)), C))),
        ("(ab)", Sequence((A, B))),
        ("(?:a|b)c", Sequence((Choice((A, B)), C))),
        ("a?", Repeat(A, 0, 1)),
        ("a*", Repeat(A, 0, None)),
        ("a+", Repeat(A, 1, None)),
        ("a+?", Repeat(A, 1, None)),
        ("a{2}", Repeat(A, 2, 2)),
        ("a{2,}", Repeat(A, 2, None)),
        ("a{2,3}", Repeat(A, 2, 3)),
        ("a{,3}", Repeat(A, 0, 3)),
        ("a{,}", Repeat(A, 0, None)),
        ("a{0}", Repeat(A, 0, 0)),
        (f"a{{{MAX_COUNT}}}", Repeat(A, MAX_COUNT, MAX_COUNT)),
        ("(a|b)*", Repeat(Choice((A, B)), 0, None)),
        ("a{", Sequence((A, _letters("{")))),
        ("a{b}", Sequence((A, _letters("{"), B, _letters("}")))),
        ("{", _letters("{")),
        ("]}", Sequence((_letters("]"), _letters("}")))),
        ("^a$", Sequence((Anchor(Place.START), A, Anchor(Place.END)))),
        ("(?m)^a$", Sequence((Anchor(Place.LINE_START), A, Anchor(Place.LINE_END)))),
        ("(?m:^)$", Sequence((Anchor(Place.LINE_START), Anchor(Place.END)))),
        (r"\Aa\z", Sequence((Anchor(Place.START), A, Anchor(Place.END)))),
        (r"\ba\B", Sequence((Anchor(Place.WORD), A, Anchor(Place.NOT_WORD)))),
        (".", Chars(inverted(((10, 10),)))),
        ("(?s).", Chars(ANY)),
        ("(?s-s).", Chars(inverted(((10, 10),)))),
        (r"\d", Chars(DIGIT)),
        (r"\D", Chars(inverted(DIGIT))),
        (r"\w\W", Sequence((Chars(WORD), Chars(inverted(WORD))))),
        (r"\s\S", Sequence((Chars(SPACE), Chars(inverted(SPACE))))),
        (r"\h", _letters("0123456789abcdefABCDEF")),
        (r"\n\r\t\f\v\a\e", Sequence(tuple(_letters(letter) for letter in "\n\r\t\f\v\a\x1b"))),
        (r"\x41\x{42}\u0043\U00000044", Sequence(tuple(_letters(letter) for letter in "ABCD"))),
        (r"\.\-\@\ \_", Sequence(tuple(_letters(letter) for letter in ".-@ _"))),
        ("(?i)a", _letters("aA")),
        ("(?i:a)b", Sequence((_letters("aA"), B))),
        ("a(?i)b", Sequence((A, _letters("bB")))),
        ("(?i)a(?-i)b", Sequence((_letters("aA"), B))),
        ("(?i)a(?-i:b)c", Sequence((_letters("aA"), B, _letters("cC")))),
        ("(?i)k", _letters("kK\u212a")),
        ("(?i)S", _letters("sS\u017f")),
        ("(?i)ſ", Chars(_letters("sS\u017f").ranges, ascii_only=True)),
        ("(?i)1", _letters("1")),
        ("(?P<n>a)(?<m>b)", Sequence((A, B))),
        ("(?u)a(?U)b", Sequence((A, B))),
        ("(?=a)", Look(A, ahead=True, negative=False)),
        ("(?!a)", Look(A, ahead=True, negative=True)),
        ("(?<=a)", Look(A, ahead=False, negative=False)),
        ("(?<!a|bc)", Look(Choice((A, Sequence((B, C)))), ahead=False, negative=True)),
        ("(?<=^|,)", Look(Choice((Anchor(Place.START), _letters(","))), ahead=False, negative=False)),
    ],
)
def test_patterns_become_trees(pattern: str, tree: object) -> None:
    assert parse(pattern) == tree


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("[abc]", "abc"),
        ("[a-c]", "abc"),
        ("[a-c-e]", "abc-e"),
        ("[-a]", "-a"),
        ("[a-]", "a-"),
        ("[]a]", "]a"),
        (r"[\]\\\-]", "]\\-"),
        (r"[\x61-\u{63}]", "abc"),
        (r"[\b\t]", "\x08\t"),
        ("[&a]", "&a"),
        ("[.*+?(){}|^$]", ".*+?(){}|^$"),
        ("[a^]", "a^"),
        ("[[:digit:]x]", "0123456789x"),
        (r"[\hx]", "0123456789abcdefABCDEFx"),
        ("(?i)[a-b]", "abAB"),
        ("(?i)[k]", "kK\u212a"),
        ("[ #]", " #"),
    ],
)
def test_classes_become_sets(pattern: str, letters: str) -> None:
    assert parse(pattern) == _letters(letters)


@pytest.mark.parametrize(
    ("pattern", "ranges"),
    [
        ("[^a]", inverted(A.ranges)),
        ("[^-]", inverted(_letters("-").ranges)),
        ("[^]]", inverted(_letters("]").ranges)),
        ("(?i)[^k]", inverted(_letters("kK\u212a").ranges)),
        (r"[\w-]", union([*WORD, (45, 45)])),
        (r"[^\s@]", inverted(union([*SPACE, (64, 64)]))),
        ("[[:^digit:]]", inverted(((48, 57),))),
        (r"[\s\S]", ANY),
        (r"[^\s\S]", ()),
        (r"[a\D]", union([*inverted(DIGIT)])),
    ],
)
def test_negated_and_named_sets(pattern: str, ranges: object) -> None:
    assert parse(pattern) == Chars(ranges)


@pytest.mark.parametrize(
    ("pattern", "ascii_only"),
    [
        ("(?i)[é]", True),
        ("(?i)[a-é]", True),
        (r"(?i)[\w]", False),
        ("(?i)é", True),
        ("é", False),
        ("[é]", False),
        ("(?i)[^a]", False),
    ],
)
def test_folding_past_ascii_is_marked_as_not_modelled(pattern: str, ascii_only: bool) -> None:
    assert parse(pattern).ascii_only is ascii_only


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "(a",
        "((a)",
        "(?:a",
        "(?=a",
        "*",
        "+a",
        "?",
        "a|*",
        "(*)",
        "a**",
        "a+*",
        "(?:a*)**",
        "\\",
        "a\\",
        "[",
        "[a",
        "[^",
        "[]",
        "[^]",
        "[z-a]",
        r"[\x62-a]",
        r"[a\x62-a]",
        "[a-",
        "[[:alpha:]",
        "[\\",
    ],
)
def test_what_the_engine_refuses_is_broken(pattern: str) -> None:
    with pytest.raises(Broken):
        parse(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "a++", "a*+", "a?+", "a{2}+", "a+?+", "a{3,2}", "a*{2}", "{2}", "{,2}", "^*", "$?", r"\b+", "(?=a)*", "()*", "(?:)*", "(?i)*", f"a{{{MAX_COUNT + 1}}}", f"a{{1,{MAX_COUNT + 1}}}", "a{99999}",
        r"\1", r"\0", r"(a)\1", r"\k<a>", r"\g<a>", r"\K", r"\G", r"\O", r"\R", r"\X", r"\N", r"\<", r"\>", r"\pL", r"\p{L}", r"\P{L}", r"\q", r"\Q", r"\é", r"\b{start}", r"\B{2}", r"\x4", r"\x{}", r"\x{110000}", r"\x{D800}", r"\uDFFF", r"\u12",
        "(?>a)", "(?#a)", "(?x)a", "(?-u)a", "(?R)a", "(?)", "(?i", "(?-)", "(?(1)a)", "(?'n'a)", "(?P=n)", "(?<1>a)", "(?<n>a)(?P<n>b)", "(a(?i)b)", "(?i:(?s)a)", "(?<=a+)b", r"(?<=\b)a", "(?<!a|b*)c", "(?<=(?=a))b",
        "[a&&b]", "[a--b]", "[a~~b]", "[--a]", "[^--a]", "[a[b]]", "[[a]]", "[[:nope:]]", "[[:alpha:]-z]", r"[\w-z]", r"[a-\d]", "[a-[b]]", r"[\1]", r"[\A]", r"[\q]", r"[\é]", "\ud800", "[\ud800]", "a" * (MAX_LENGTH + 1), "(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_outside(pattern: str) -> None:
    with pytest.raises(Outside):
        parse(pattern)


def test_the_limits_themselves_are_inside() -> None:
    parse("a" * MAX_LENGTH)
    parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    parse("(a)" * (MAX_DEPTH + 1))
    parse(r"[\w-]")
    parse(r"[\w-]a")
    parse("[[:alpha:]-]]")
    parse("\ud7ff\ue000")


def test_sets_are_kept_in_normal_form() -> None:
    assert union([(5, 6), (1, 2), (3, 3), (6, 9)]) == ((1, 3), (5, 9))
    assert union([(1, 9), (2, 3)]) == ((1, 9),)
    assert inverted(()) == ANY
    assert inverted(ANY) == ()
    assert inverted(((0, 4), (6, 0x10FFFF))) == ((5, 5),)
    assert inverted(((0, 4),)) == ((5, 0x10FFFF),)
    assert inverted(((5, 0x10FFFF),)) == ((0, 4),)
    assert clipped_to_ascii(((0x70, 0x90), (0xE0, 0xE9))) == ((0x70, 0x7F),)
    assert clipped_to_ascii(((0x7F, 0x7F), (0x80, 0x80))) == ((0x7F, 0x7F),)
    assert [contains(((5, 6), (8, 8)), code) for code in (4, 5, 6, 7, 8, 9)] == [False, True, True, False, True, False]


def test_folding_closes_a_set_over_ascii() -> None:
    assert folded(((0x40, 0x41),)) == ((0x40, 0x41), (0x61, 0x61))
    assert folded(((0x5A, 0x61),)) == ((0x41, 0x41), (0x5A, 0x61), (0x7A, 0x7A))
    assert folded(((0x212A, 0x212A),)) == ((0x4B, 0x4B), (0x6B, 0x6B), (0x212A, 0x212A))
    assert folded(((0x17F, 0x17F),)) == ((0x53, 0x53), (0x73, 0x73), (0x17F, 0x17F))
    assert folded(((0x30, 0x39),)) == ((0x30, 0x39),)
