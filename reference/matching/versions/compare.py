"""The nine `semver_*` operators (contract §7.3).

A property that is not a version never matches, under `semver_neq` too; a filter that is not one is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from reference.json import Json
from reference.matching.comparison import Comparison
from reference.matching.match import INVALID, Match, Moment
from reference.matching.text import text_form

from .requirement import Requirement, parse_requirement
from .version import Version, canonical, stripped, version_of, without_leading_zeros

Ordering: TypeAlias = Callable[[Version, Version], bool]


def ordered(compare: Ordering, value: Json) -> Comparison:
    """Compile one of the six comparing operators."""
    wanted = version_of(value)
    if wanted is None:
        return _UNREADABLE
    return _satisfying(lambda version: compare(version, wanted))


def tilde(value: Json) -> Comparison:
    """Compile `semver_tilde`: `~1.2` is at least 1.2.0 and below 1.3.0."""
    return _required("~" + canonical(stripped(text_form(value))))


def caret(value: Json) -> Comparison:
    """Compile `semver_caret`: `^0.2` is at least 0.2.0 and below 0.3.0."""
    return _required("^" + canonical(stripped(text_form(value))))


def wildcard(value: Json) -> Comparison:
    """Compile `semver_wildcard`: `1.2.*`; a bare version without any `*` acts like caret, which is the crate's default."""
    components = (without_leading_zeros(component) for component in stripped(text_form(value)).split("."))
    return _required(".".join(components).replace("*", "x"))


def _required(raw: str) -> Comparison:
    requirement = parse_requirement(raw)
    return _UNREADABLE if requirement is None else _satisfying(requirement)


def _satisfying(accepts: Requirement) -> Comparison:
    def present(value: Json, _moment: Moment) -> bool:
        version = version_of(value)
        return version is not None and accepts(version)

    return Comparison(present)


def _error_of_versions(value: Json, _moment: Moment) -> Match:
    return INVALID if version_of(value) is not None else False


_UNREADABLE = Comparison(_error_of_versions, constant=False)
