"""From one property filter to one function: does this person or group satisfy it?

Owns the table of operators and what a key that is not there means (contract §7.1). Everything that depends on the filter
alone is decided in `compile_filter`. Cohort and flag filters are not property filters and are refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

from reference.definitions.model import FilterType, Operator, PropertyFilter
from reference.json import Json

from . import numbers, substrings
from .comparison import ERROR, NEVER, Comparison, Texts, negated
from .dates import compare as dates
from .equality import exact
from .match import Match, Predicate, Unsure, View
from .patterns import compare as patterns
from .versions import compare as versions

Factory: TypeAlias = Callable[[Json], Comparison]

PROPERTY_UNKNOWN: Final = Unsure("property_unknown")
PERSON_METADATA_PREFIX: Final = "__posthog_person_metadata__"

_PROPERTY_TYPES: Final = frozenset({FilterType.PERSON, FilterType.GROUP, FilterType.PERSON_METADATA})
_ABSENT: Final = object()


def compile_filter(filter: PropertyFilter, *, explicit_matching: bool) -> Predicate:  # noqa: A002 - PostHog's word
    """Compile a filter on a person's or group's property.

    Args:
        filter: Of type person, group or person_metadata. Its `negation` is ignored, as the service does.
        explicit_matching: True for teams with property_matching_version 2 (contract §7.2).

    Returns:
        A function of a `View` that answers True, False, `INVALID`, or an `Unsure` whose `why` is one of
        `property_unknown`, `timezone_unknown`, `date_format_not_portable`, `regex_not_portable`, `regex_too_costly`.

    Raises:
        ValueError: The filter looks at a cohort or a flag.
    """
    if filter.type not in _PROPERTY_TYPES:
        raise ValueError(f"a {filter.type} filter is no property filter; the evaluator compiles it")
    key = PERSON_METADATA_PREFIX + filter.key if filter.type is FilterType.PERSON_METADATA else filter.key
    if filter.operator is Operator.IS_SET:
        return _presence(key, wanted=True)
    if filter.operator is Operator.IS_NOT_SET:
        return _presence(key, wanted=False)
    return _predicate(key, _comparison(filter, explicit_matching=explicit_matching))


def _comparison(filter: PropertyFilter, *, explicit_matching: bool) -> Comparison:  # noqa: A002
    if filter.value is None:
        return NEVER
    match filter.operator:
        case Operator.EXACT:
            return exact(filter.value, explicit=explicit_matching)
        case Operator.IS_NOT:
            return negated(exact(filter.value, explicit=explicit_matching))
        case other:
            return _FACTORIES[other](filter.value)


def _predicate(key: str, comparison: Comparison) -> Predicate:
    present, absent, constant, texts = comparison
    unknown: Match = PROPERTY_UNKNOWN if constant is None else constant
    if texts is not None:
        return _text_predicate(key, comparison, texts, unknown)

    def predicate(view: View) -> Match:
        value = view.properties.get(key, _ABSENT)
        if value is _ABSENT:
            return absent if view.complete else unknown
        return present(value, view.moment)  # type: ignore[arg-type]

    return predicate


def _text_predicate(key: str, comparison: Comparison, texts: Texts, unknown: Match) -> Predicate:
    """Make the commonest predicate, which answers for a text, the commonest value, without a further call."""
    present, absent = comparison.present, comparison.absent
    known, answer = texts

    def predicate(view: View) -> Match:
        value = view.properties.get(key, _ABSENT)
        if type(value) is str:
            return (value.lower() in known) is answer
        if value is _ABSENT:
            return absent if view.complete else unknown
        return present(value, view.moment)  # type: ignore[arg-type]

    return predicate


def _presence(key: str, *, wanted: bool) -> Predicate:
    def predicate(view: View) -> Match:
        if key in view.properties:
            return wanted
        return not wanted if view.complete else PROPERTY_UNKNOWN

    return predicate


def _complement(factory: Factory, value: Json) -> Comparison:
    return negated(factory(value))


def _not_for_properties(_value: Json) -> Comparison:
    return ERROR


_FACTORIES: Final[Mapping[Operator, Factory]] = MappingProxyType(
    {
        Operator.ICONTAINS: substrings.contains,
        Operator.NOT_ICONTAINS: partial(_complement, substrings.contains),
        Operator.ICONTAINS_MULTI: substrings.contains_any,
        Operator.NOT_ICONTAINS_MULTI: partial(_complement, substrings.contains_any),
        Operator.STARTS_WITH: substrings.starts_with,
        Operator.NOT_STARTS_WITH: partial(_complement, substrings.starts_with),
        Operator.ENDS_WITH: substrings.ends_with,
        Operator.NOT_ENDS_WITH: partial(_complement, substrings.ends_with),
        Operator.REGEX: patterns.matches,
        Operator.NOT_REGEX: patterns.matches_not,
        Operator.GT: partial(numbers.ordered, operator.gt),
        Operator.GTE: partial(numbers.ordered, operator.ge),
        Operator.LT: partial(numbers.ordered, operator.lt),
        Operator.LTE: partial(numbers.ordered, operator.le),
        Operator.BETWEEN: numbers.between,
        Operator.NOT_BETWEEN: numbers.not_between,
        Operator.SEMVER_EQ: partial(versions.ordered, operator.eq),
        Operator.SEMVER_NEQ: partial(versions.ordered, operator.ne),
        Operator.SEMVER_GT: partial(versions.ordered, operator.gt),
        Operator.SEMVER_GTE: partial(versions.ordered, operator.ge),
        Operator.SEMVER_LT: partial(versions.ordered, operator.lt),
        Operator.SEMVER_LTE: partial(versions.ordered, operator.le),
        Operator.SEMVER_TILDE: versions.tilde,
        Operator.SEMVER_CARET: versions.caret,
        Operator.SEMVER_WILDCARD: versions.wildcard,
        Operator.IS_DATE_EXACT: partial(dates.dated, operator.eq),
        Operator.IS_DATE_BEFORE: partial(dates.dated, operator.lt),
        Operator.IS_DATE_AFTER: partial(dates.dated, operator.gt),
        Operator.IN: _not_for_properties,
        Operator.NOT_IN: _not_for_properties,
        Operator.FLAG_EVALUATES_TO: _not_for_properties,
    }
)
