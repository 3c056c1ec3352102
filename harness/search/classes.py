"""Type classes of values, as an implementation's branches would tell them apart; by family of operators."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

Classifier: TypeAlias = Callable[[Any], str]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?\Z")
_NEARLY = re.compile(r"\s*[+-]?\d+(_\d+)*(\.\d+)?\s*\Z|0[xX][0-9a-fA-F]+\Z|\s+\Z")
_ODD_NUMBERS = {"inf", "nan", "infinity", "-inf", "+inf"}

FAMILIES: Final = {
    **dict.fromkeys(("exact", "is_not"), "equality"),
    **dict.fromkeys(("icontains", "not_icontains"), "containment"),
    **dict.fromkeys(("icontains_multi", "not_icontains_multi"), "containment of several"),
    **dict.fromkeys(("starts_with", "not_starts_with", "ends_with", "not_ends_with"), "affix"),
    **dict.fromkeys(("gt", "gte", "lt", "lte"), "order"),
    **dict.fromkeys(("between", "not_between"), "range"),
    **dict.fromkeys(("regex", "not_regex"), "pattern"),
    **dict.fromkeys(("semver_eq", "semver_neq", "semver_gt", "semver_gte", "semver_lt", "semver_lte"), "version"),
    **dict.fromkeys(("semver_tilde", "semver_caret", "semver_wildcard"), "version range"),
    **dict.fromkeys(("is_date_exact", "is_date_before", "is_date_after"), "date"),
    **dict.fromkeys(("is_set", "is_not_set"), "presence"),
}
"""Operator → the family that one piece of code usually decides."""


def value_class(value: Any) -> str:
    """Return the type class of any JSON value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return _text_class(value)
        case list():
            return _list_class(value)
        case _:
            return "object"


def _text_class(text: str) -> str:
    lowered = text.lower()
    if lowered in {"true", "false"}:
        return "boolean text"
    if _NUMBER.match(text) or lowered in _ODD_NUMBERS:
        return "numeric text" if _PLAIN_NUMBER.match(text) else "odd numeric text"
    if not text:
        return "empty text"
    if _NEARLY.match(text):
        return "nearly numeric text"
    return "text" if text.isascii() else "non-ASCII text"


def _list_class(members: list[Any]) -> str:
    classes = sorted({value_class(member) for member in members})
    return "empty list" if not classes else f"list of {classes[0]}" if len(classes) == 1 else "mixed list"


_DATES: Final = (
    (r"-?\d+[hdwmy]\Z", "relative date"),
    (r"\d{4}-\d\d-\d\d\Z", "date"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?\Z", "date and time"),
    (r"\d{4}-\d\d-\d\d[ T][\d:.]+(Z|[+-]\d\d:?\d\d)\Z", "date and time with zone"),
    (r"[+-]?\d+(\.\d+)?\Z", "numeric text"),
)
_VERSIONS: Final = (
    (r"[vV]", "prefixed version"),
    (r"\s|.*\s\Z", "spaced version"),
    (r"(\d+(\.\d+)*\.)?\*\Z", "wildcard"),
    (r"\d+(\.\d+)*-[0-9A-Za-z.-]+\Z", "pre-release"),
    (r"\d+(\.\d+)*\+[0-9A-Za-z.-]+\Z", "build metadata"),
    (r"\d+\.\d+\.\d+\.\d+\Z", "four components"),
    (r"(\d+\.)*0\d+(\.\d+)*\Z", "leading zero"),
    (r"\d+\.\d+\.\d+\Z", "version"),
    (r"\d+(\.\d+)?\Z", "partial version"),
)
_PATTERNS: Final = (
    (r".*\(\?(<?[=!])", "look-around"),
    (r".*\\[1-9]", "back-reference"),
    (r".*\(\?>|.*[+*?]\+", "atomic or possessive"),
    (r".*\\p", "Unicode property"),
    (r".*\[\[:", "POSIX class"),
    (r".*\(\?P<", "Python group name"),
    (r".*\(\?<[a-z]", "group name"),
    (r".*\(\?[a-zA-Z-]+\)", "inline flag"),
    (r".*\\[AzZ]", "text anchor"),
    (r".*\\[wdsb]", "shorthand class"),
    (r".*&&", "set operation"),
    (r".*\\[hKQEeux]", "rare escape"),
    (r".*(\{|\}|\])", "brace or bracket"),
    (r".*\$\Z", "end anchor"),
    (r"\.\Z|\^\.", "dot"),
    (r"[\[(*]", "invalid pattern"),
)


def _by(table: tuple[tuple[str, str], ...], otherwise: str) -> Classifier:
    compiled = [(re.compile(pattern, re.DOTALL), name) for pattern, name in table]

    def classify(value: Any) -> str:
        if not isinstance(value, str):
            return value_class(value)
        if not value:
            return "empty text"
        return next((name for pattern, name in compiled if pattern.match(value)), otherwise)

    return classify


def _searched(value: Any) -> str:
    if not isinstance(value, str):
        return value_class(value)
    return "text with a line end" if "\n" in value else "text" if value.isascii() else "non-ASCII text"


_version, _date = _by(_VERSIONS, "no version"), _by(_DATES, "other text")
CLASSES: Final[dict[str, tuple[Classifier, Classifier]]] = {
    "date": (_date, _date),
    "version": (_version, _version),
    "version range": (_version, _version),
    "pattern": (_by(_PATTERNS, "pattern"), _searched),
}
"""Family → classifiers of the filter's value and of the property; `value_class` for the others."""
