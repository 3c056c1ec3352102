"""Version requirements with the grammar and matching rules of Rust's `semver` crate (contract §7.3).

A filter value ends up inside a requirement text, so everything the crate's grammar allows can be reached: comma-separated
comparators, other operators, wildcards and ignored build metadata.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from .version import BUILD, MAX_COMPONENT, PRE_RELEASE, Rank, Version, pre_rank

_MAX_COMPARATORS: Final = 32
_STAR: Final = re.compile(r" *[*xX] *", re.ASCII)
_NUMBER: Final = r"(?:0|[1-9][0-9]*)"
# `patch` must not follow a wildcard minor unless it is a wildcard too; a suffix needs a numeric patch.
_COMPARATOR: Final = re.compile(
    rf"(?P<op>=|>=|>|<=|<|~|\^|) *(?P<major>{_NUMBER})"
    rf"(?:\.(?:(?P<minor>{_NUMBER})(?:\.(?:(?P<patch>{_NUMBER})(?:-(?P<pre>{PRE_RELEASE}))?(?:\+{BUILD})?|(?P<star>[*xX])))?"
    rf"|(?P<stars>[*xX](?:\.[*xX])?)))? *",
    re.ASCII,
)


class Comparator(NamedTuple):
    """One part of a requirement; None where the text leaves a component open."""

    op: str
    major: int
    minor: int | None
    patch: int | None
    pre: Rank

    def accepts_pre_release(self, version: Version) -> bool:
        """Say whether this names a pre-release of the version's own major.minor.patch."""
        return self.pre[0] == 0 and (self.major, self.minor, self.patch) == version[:3]


Requirement = Callable[[Version], bool]


def parse_requirement(raw: str) -> Requirement | None:
    """Parse a requirement; None where the crate reports an error."""
    if _STAR.fullmatch(raw):
        return lambda version: not version.is_pre_release
    parts = raw.lstrip(" ").split(",")
    if len(parts) > _MAX_COMPARATORS:
        return None
    comparators = [_comparator(part.lstrip(" ")) for part in parts]
    known = tuple(comparator for comparator in comparators if comparator is not None)
    return _all_of(known) if len(known) == len(comparators) else None


def _comparator(raw: str) -> Comparator | None:
    match = _COMPARATOR.fullmatch(raw)
    if match is None:
        return None
    numbers = [None if match[name] is None else _component(match[name]) for name in ("major", "minor", "patch")]
    major, minor, patch = numbers
    if major is None or any(number is not None and number > MAX_COMPONENT for number in numbers):
        return None
    has_wildcard = match["star"] is not None or match["stars"] is not None
    op = match["op"] or ("*" if has_wildcard else "^")
    return Comparator(op, major, minor, patch, pre_rank(match["pre"]))


def _component(digits: str) -> int:
    """Read a component; more digits than 64 bits hold become one number past the limit."""
    return int(digits) if len(digits) <= 20 else MAX_COMPONENT + 1  # noqa: PLR2004 - digits of 2**64


def _all_of(comparators: tuple[Comparator, ...]) -> Requirement:
    def matches(version: Version) -> bool:
        if not all(_RULES[comparator.op](comparator, version) for comparator in comparators):
            return False
        return not version.is_pre_release or any(comparator.accepts_pre_release(version) for comparator in comparators)

    return matches


def _exact(wanted: Comparator, version: Version) -> bool:
    return (
        version.major == wanted.major
        and wanted.minor in {None, version.minor}
        and wanted.patch in {None, version.patch}
        and version.pre == wanted.pre
    )


def _greater(wanted: Comparator, version: Version) -> bool:
    """Components left open are equal to everything, so they are never greater."""
    for named, actual in ((wanted.major, version.major), (wanted.minor, version.minor), (wanted.patch, version.patch)):
        if named is None:
            return False
        if actual != named:
            return actual > named
    return version.pre > wanted.pre


def _less(wanted: Comparator, version: Version) -> bool:
    for named, actual in ((wanted.major, version.major), (wanted.minor, version.minor), (wanted.patch, version.patch)):
        if named is None:
            return False
        if actual != named:
            return actual < named
    return version.pre < wanted.pre


def _tilde(wanted: Comparator, version: Version) -> bool:
    if version.major != wanted.major or wanted.minor not in {None, version.minor}:
        return False
    if wanted.patch is not None and version.patch != wanted.patch:
        return version.patch > wanted.patch
    return version.pre >= wanted.pre


def _caret(wanted: Comparator, version: Version) -> bool:
    """Keep the leftmost component that is not zero; what is to its right may grow."""
    if version.major != wanted.major:
        return False
    if wanted.minor is None:
        return True
    if wanted.patch is None:
        return version.minor >= wanted.minor if wanted.major > 0 else version.minor == wanted.minor
    named, actual = (wanted.minor, wanted.patch), (version.minor, version.patch)
    frozen = 0 if wanted.major > 0 else 1 if wanted.minor > 0 else 2
    if named[:frozen] != actual[:frozen]:
        return False
    return actual > named or (actual == named and version.pre >= wanted.pre)


_RULES: Final[dict[str, Callable[[Comparator, Version], bool]]] = {
    "=": _exact,
    "*": _exact,
    ">": _greater,
    ">=": lambda wanted, version: _exact(wanted, version) or _greater(wanted, version),
    "<": _less,
    "<=": lambda wanted, version: _exact(wanted, version) or _less(wanted, version),
    "~": _tilde,
    "^": _caret,
}
