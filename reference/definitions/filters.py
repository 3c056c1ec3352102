"""Parses property filters and the condition sets that hold them (contract §4.5, §7).

The rule: an operator, type or shape that the service's parser would refuse is a `Flaw`, never a filter that quietly does
not match.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from reference.json import Json

from .errors import Flaw
from .fields import Source, as_source, boolean, number, optional_integer, optional_items, optional_text, text, the_rest
from .model import Aggregation, ConditionSet, FilterType, Operator, PropertyFilter

T = TypeVar("T")

_TYPES: Final = {kind.value: kind for kind in FilterType}
_OPERATORS: Final = {operator.value: operator for operator in Operator}
_DEFAULT_OPERATORS: Final = {FilterType.COHORT: Operator.IN}
_FILTER_FIELDS: Final = frozenset({"key", "type", "operator", "value", "negation", "group_type_index"})
_CONDITION_FIELDS: Final = frozenset({"properties", "rollout_percentage", "variant", "aggregation_group_type_index"})
FULL_ROLLOUT: Final = 100.0


def parse_filter(value: Json, path: str) -> PropertyFilter:
    """Parse one leaf.

    Raises:
        Flaw: No object, a field of the wrong type, an unknown type or operator.
    """
    source = as_source(value, path)
    kind = _choice(source, "type", _TYPES)
    named = source.fields.get("operator") is not None
    operator = _choice(source, "operator", _OPERATORS) if named else _DEFAULT_OPERATORS.get(kind, Operator.EXACT)
    is_nameless = kind is FilterType.COHORT and source.fields.get("key") is None
    return PropertyFilter(
        key="id" if is_nameless else text(source, "key"),
        type=kind,
        operator=operator,
        value=source.fields.get("value"),
        negation=boolean(source, "negation"),
        group_type_index=optional_integer(source, "group_type_index"),
        unknown=the_rest(source, _FILTER_FIELDS),
    )


def parse_condition(value: Json, path: str, flag_aggregation: Aggregation) -> ConditionSet:
    """Parse one entry of `filters.groups`, resolving its aggregation against the flag's.

    Raises:
        Flaw: As for `parse_filter`.
    """
    source = as_source(value, path)
    filters = optional_items(source, "properties")
    is_full = source.fields.get("rollout_percentage") is None
    return ConditionSet(
        properties=tuple(parse_filter(leaf, f"{path}.properties[{index}]") for index, leaf in enumerate(filters)),
        rollout_percentage=FULL_ROLLOUT if is_full else number(source, "rollout_percentage"),
        variant=optional_text(source, "variant"),
        aggregation=parse_aggregation(source) if "aggregation_group_type_index" in source.fields else flag_aggregation,
        unknown=the_rest(source, _CONDITION_FIELDS),
    )


def parse_aggregation(source: Source) -> Aggregation:
    """Read `aggregation_group_type_index`: null (or absent, on a flag) is a person, an integer a group type."""
    return Aggregation(optional_integer(source, "aggregation_group_type_index"))


def _choice(source: Source, name: str, choices: Mapping[str, T]) -> T:
    value = source.fields.get(name)
    if isinstance(value, str) and value in choices:
        return choices[value]
    raise Flaw(source.at(name), f"must be one of {', '.join(choices)}")
