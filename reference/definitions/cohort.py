"""Parses one cohort: the tree of the definitions document or the stored row with its `properties` wrapper (contract §4.3, §8).

What cannot be understood, trees deeper than 64 groups included, becomes the cohort's `Defect`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reference.json import Json

from .document import blemish
from .errors import Flaw
from .fields import Source, as_source, boolean, items
from .filters import parse_filter
from .model import BehaviouralLeaf, Cohort, CohortGroup, Defect, PropertyFilter

COHORT_DEFECT: Final = "cohort_filters_parsing_error"
MAX_COHORT_DEPTH: Final = 64

_CONJUNCTIONS: Final[Mapping[object, bool]] = {"AND": True, "OR": False, "property": True}
_BEHAVIOURAL: Final = frozenset({"behavioral", "behavioural", "lifecycle"})


def parse_cohort(cohort_id: int, value: Json, path: str) -> Cohort:
    """Parse one cohort; never raises. Null, `{}` and null filters are a cohort that nobody is in."""
    try:
        return _parse(cohort_id, value, path)
    except Flaw as flaw:
        return Cohort(id=cohort_id, defect=Defect(code=COHORT_DEFECT, path=flaw.path, message=flaw.message))


def _parse(cohort_id: int, value: Json, path: str) -> Cohort:
    found = blemish(value, path)
    if found is not None:
        raise Flaw(*found)
    if isinstance(value, Mapping) and boolean(Source(value, path), "is_static"):
        return Cohort(id=cohort_id, is_static=True)
    tree, place = _unwrapped(value, path)
    return Cohort(id=cohort_id, root=_group(as_source(tree, place), depth=1) if tree else None)


def _unwrapped(value: Json, path: str) -> tuple[Json, str]:
    """Step inside `filters` and `properties`, the wrappers of the stored form."""
    for wrapper in ("filters", "properties"):
        if isinstance(value, Mapping) and "type" not in value and wrapper in value:
            value, path = value[wrapper], f"{path}.{wrapper}"
    if isinstance(value, Mapping) and not value.keys() - {"is_static", "id"}:
        return None, path
    return value, path


def _group(source: Source, *, depth: int) -> CohortGroup:
    if depth > MAX_COHORT_DEPTH:
        raise Flaw(source.path, f"nests deeper than {MAX_COHORT_DEPTH} groups")
    conjunction = _conjunction(source)
    if conjunction is None:
        raise source.flaw("type", "must be AND, OR or property")
    members = items(source, "values")
    path = source.at("values")
    return CohortGroup(
        conjunction=conjunction,
        members=tuple(_member(as_source(member, f"{path}[{index}]"), depth=depth) for index, member in enumerate(members)),
    )


def _member(source: Source, *, depth: int) -> CohortGroup | PropertyFilter | BehaviouralLeaf:
    if _conjunction(source) is not None:
        return _group(source, depth=depth + 1)
    kind = source.fields.get("type")
    if isinstance(kind, str) and kind in _BEHAVIOURAL:
        return BehaviouralLeaf(negation=boolean(source, "negation"))
    return parse_filter(source.fields, source.path)


def _conjunction(source: Source) -> bool | None:
    kind = source.fields.get("type")
    return _CONJUNCTIONS.get(kind) if isinstance(kind, str) else None
