"""Versions: lenient reading, strict grammar, and the total order of Rust's `semver` crate (contract §7.3).

Components are compared as digit strings by length, then text: no integer is ever built from what a person sent, so a
number of a million digits costs nothing. Build metadata takes part in equality and order, as in the crate.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

from reference.json import Json
from reference.matching.text import WHITE_SPACE, text_form

MAX_COMPONENT: Final = 2**64 - 1

_COMPONENT: Final = r"(0|[1-9][0-9]{0,19})"
PRE_RELEASE: Final = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*"
BUILD: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_STRICT: Final = re.compile(rf"{_COMPONENT}\.{_COMPONENT}\.{_COMPONENT}(?:-({PRE_RELEASE}))?(?:\+({BUILD}))?", re.ASCII)
_SUFFIX: Final = re.compile(r"[-+]")

Segment: TypeAlias = "tuple[int, int, str, int] | tuple[int, str]"
Rank: TypeAlias = "tuple[int, tuple[Segment, ...]]"


class Version(NamedTuple):
    """A version whose tuple order is the crate's order."""

    major: int
    minor: int
    patch: int
    pre: Rank
    build: tuple[Segment, ...]

    @property
    def is_pre_release(self) -> bool:
        return self.pre[0] == 0


# A release is greater than each of its pre-releases.
RELEASE: Final[Rank] = (1, ())


def version_of(value: Json) -> Version | None:
    """Read a property or filter value as a version, with the service's leniency; None where that fails."""
    return parse_strict(canonical(stripped(text_form(value))))


def stripped(raw: str) -> str:
    """Drop one leading `v`, then surrounding white space (in that order: ` v1.0` keeps its `v` and fails)."""
    return raw.removeprefix("v").strip(WHITE_SPACE)


def canonical(raw: str) -> str:
    """Drop leading zeros of all-digit components and append `.0` until there are three; any suffix stays as it is."""
    suffix = _SUFFIX.search(raw)
    core, rest = (raw, "") if suffix is None else (raw[: suffix.start()], raw[suffix.start() :])
    components = [without_leading_zeros(component) for component in core.split(".")]
    components += ["0"] * (3 - len(components))
    return ".".join(components) + rest


def without_leading_zeros(component: str) -> str:
    """Return `08` as `8` and `000` as `0`; what is not all ASCII digits stays as it is."""
    if component.isascii() and component.isdigit():
        return component.lstrip("0") or "0"
    return component


def parse_strict(raw: str) -> Version | None:
    """Parse strict SemVer 2.0 with components of at most 64 bits."""
    match = _STRICT.fullmatch(raw)
    if match is None:
        return None
    major, minor, patch = int(match[1]), int(match[2]), int(match[3])
    if max(major, minor, patch) > MAX_COMPONENT:
        return None
    return Version(major, minor, patch, pre_rank(match[4]), _segments(match[5] or ""))


def pre_rank(pre: str | None) -> Rank:
    """Rank a pre-release: numeric identifiers by value and below alphanumeric ones, shorter lists below longer."""
    return RELEASE if pre is None else (0, _segments(pre))


def _segments(dotted: str) -> tuple[Segment, ...]:
    return tuple(_segment(part) for part in dotted.split("."))


def _segment(part: str) -> Segment:
    """Order digits by value, then by how many leading zeros they have (`0 < 00 < 1 < 01`, for build metadata)."""
    if part == "" or part.isdigit():
        digits = part.lstrip("0")
        return (0, len(digits), digits, len(part))
    return (1, part)
