"""The `semver_*` operators: leniency in front of the crate's rules (contract §7.3). The rules themselves: rust_vectors."""

from __future__ import annotations

import pytest

from reference.matching.versions.requirement import parse_requirement
from reference.matching.versions.version import canonical, parse_strict, stripped, version_of, without_leading_zeros
from tests.unit.reference.matching.asking import ask, said

MAX = 2**64 - 1


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("3.08", "3.8.0"),
        ("v2", "2.0.0"),
        ("v3.08", "3.8.0"),
        ("1", "1.0.0"),
        ("1.2", "1.2.0"),
        ("0", "0.0.0"),
        ("000", "0.0.0"),
        ("v 1.2.3 ", "1.2.3"),
        ("\u20031.2.3\u00a0", "1.2.3"),
        ("1-rc.1", "1.0.0-rc.1"),
        ("1.2+b.1", "1.2.0+b.1"),
        ("01.02.03-a", "1.2.3-a"),
    ],
)
def test_versions_are_read_leniently(raw: str, read: str) -> None:
    assert version_of(raw) is not None
    assert version_of(raw) == parse_strict(read)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "V1.0",
        " v1.0",
        "vv1",
        "1.2.3.4",
        "a",
        "1.a",
        "1..2",
        ".1",
        "1.",
        "-1",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3+",
        "\x1c1.2.3",
        "²",
        "1.²",
        None,
        True,
        [1],
        {},
    ],
)
def test_what_is_no_version_stays_none(raw: object) -> None:
    assert version_of(raw) is None


def test_numbers_are_versions_of_their_text() -> None:
    assert version_of(3) == parse_strict("3.0.0")
    assert version_of(3.8) == parse_strict("3.8.0")


def test_components_have_sixty_four_bits() -> None:
    assert parse_strict(f"{MAX}.{MAX}.{MAX}") is not None
    assert parse_strict(f"{MAX + 1}.0.0") is None
    assert parse_strict(f"0.{MAX + 1}.0") is None
    assert parse_strict(f"0.0.{MAX + 1}") is None
    assert version_of("9" * 100_000) is None
    assert version_of("1.0.0-" + "9" * 100_000) is not None


def test_reading_goes_in_this_order() -> None:
    assert stripped("v v1") == "v1"
    assert canonical("1.02") == "1.2.0"
    assert canonical("1-2.3") == "1.0.0-2.3"
    assert canonical("") == ".0.0"
    assert without_leading_zeros("0x1") == "0x1"
    assert without_leading_zeros("²") == "²"


ORDERED = [
    "0.9.9",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-beta",
    "1.0.0",
    "1.0.0+0",
    "1.0.0+00",
    "1.0.0+1",
    "1.0.0+a",
    "1.0.1",
    "1.1.0",
    "2.0.0",
]


@pytest.mark.parametrize("low", range(len(ORDERED)))
def test_versions_have_one_order_build_metadata_included(low: int) -> None:
    for high in range(len(ORDERED)):
        wanted, value = ORDERED[low], ORDERED[high]
        assert said(ask("semver_gt", wanted, value)) is (high > low)
        assert said(ask("semver_gte", wanted, value)) is (high >= low)
        assert said(ask("semver_lt", wanted, value)) is (high < low)
        assert said(ask("semver_lte", wanted, value)) is (high <= low)
        assert said(ask("semver_eq", wanted, value)) is (high == low)
        assert said(ask("semver_neq", wanted, value)) is (high != low)


@pytest.mark.parametrize(
    "operator",
    [
        "semver_eq",
        "semver_neq",
        "semver_gt",
        "semver_gte",
        "semver_lt",
        "semver_lte",
        "semver_tilde",
        "semver_caret",
        "semver_wildcard",
    ],
)
def test_a_property_that_is_no_version_never_matches_and_a_filter_that_is_none_is_an_error(operator: str) -> None:
    assert said(ask(operator, "1.0.0", "x")) is False
    assert said(ask(operator, "x.y", "1.0.0")) == "INVALID"
    assert said(ask(operator, "x.y", "x")) is False


# operator, filter value, versions inside, versions outside
RANGES = [
    ("semver_tilde", "1", ["1.0.0", "1.0.9"], ["1.1.0", "0.9.9", "2.0.0", "1.0.0-rc"]),
    ("semver_tilde", "1.2", ["1.2.0", "1.2.99"], ["1.3.0", "1.1.9"]),
    ("semver_tilde", "1.2.3", ["1.2.3", "1.2.4"], ["1.2.2", "1.3.0"]),
    ("semver_tilde", "v01.2", ["1.2.0"], ["1.3.0"]),
    ("semver_tilde", "1.2.3-rc.1", ["1.2.3-rc.1", "1.2.3-rc.2", "1.2.3", "1.2.9"], ["1.2.3-rc.0", "1.2.4-rc.1", "1.3.0"]),
    ("semver_caret", "1.2", ["1.2.0", "1.9.9"], ["2.0.0", "1.1.9"]),
    ("semver_caret", "0.2", ["0.2.0", "0.2.9"], ["0.3.0", "0.1.9"]),
    ("semver_caret", "0.1.2", ["0.1.2", "0.1.9"], ["0.2.0", "0.1.1", "0.0.2"]),
    ("semver_caret", "0.0.3", ["0.0.3"], ["0.0.4", "0.0.2", "0.1.3"]),
    ("semver_caret", "1.2.3-rc.1", ["1.2.3-rc.1", "1.2.3", "1.3.0"], ["1.2.3-alpha", "1.3.0-rc.1"]),
    ("semver_caret", "1.2, <1.5", ["1.2.0", "1.4.9"], ["1.5.0"]),
    ("semver_wildcard", "1.*", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.9", "1.0.0-rc"]),
    ("semver_wildcard", "1.2.*", ["1.2.0", "1.2.9"], ["1.3.0"]),
    ("semver_wildcard", "1.*.*", ["1.0.0", "1.9.9"], ["2.0.0"]),
    ("semver_wildcard", "1.08.*", ["1.8.1"], ["1.9.0"]),
    ("semver_wildcard", "*", ["0.0.0", "9.9.9"], ["1.0.0-rc"]),
    ("semver_wildcard", "1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2"]),
    ("semver_wildcard", "1.0.0-*", ["1.0.0-x", "1.0.0", "1.2.0"], ["1.0.0-w"]),
    ("semver_wildcard", "1", ["1.0.0", "1.9.9"], ["2.0.0"]),
    ("semver_wildcard", "0.2", ["0.2.0", "0.2.9"], ["0.3.0", "0.1.9"]),
    ("semver_wildcard", "<1.2.3", ["1.2.2", "0.9.9"], ["1.2.3", "1.2.4", "1.3.0"]),
    ("semver_wildcard", "<1.2.3-rc.1", ["1.2.2", "1.2.3-rc.0"], ["1.2.3-rc.1", "1.2.3"]),
]


@pytest.mark.parametrize(("operator", "wanted", "inside", "outside"), RANGES)
def test_ranges(operator: str, wanted: str, inside: list[str], outside: list[str]) -> None:
    assert [version for version in inside if said(ask(operator, wanted, version)) is not True] == []
    assert [version for version in outside if said(ask(operator, wanted, version)) is not False] == []


@pytest.mark.parametrize("wanted", ["1.*.3", "", "1.2.3.4", "*.1", "a", "1.2.3-", "~1 2"])
def test_what_is_no_requirement_is_an_error(wanted: str) -> None:
    assert said(ask("semver_wildcard", wanted, "1.0.0")) == "INVALID"


def test_a_requirement_has_at_most_thirty_two_comparators() -> None:
    assert parse_requirement(",".join(["1"] * 32)) is not None
    assert parse_requirement(",".join(["1"] * 33)) is None
    assert parse_requirement(f"^{MAX}") is not None
    assert parse_requirement("1, 1") is not None
    assert parse_requirement("1,X1") is None
    assert parse_requirement(f"^{MAX + 1}") is None
    assert parse_requirement("^" + "9" * 5000) is None
