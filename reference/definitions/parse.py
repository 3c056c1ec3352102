"""Definitions JSON → the frozen model (contract §4.3).

Refuses a document only when it is unusable as a whole; one odd flag or cohort spoils only itself and carries the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from reference.json import Json, JsonObject
from reference.steps import Steps, finish

from .cohort import parse_cohort
from .document import is_text, read_document
from .errors import DefinitionsError
from .fields import MAX_INTEGER, Source, as_source
from .flag import FLAG_DEFECT, parse_flag
from .model import Cohort, Defect, Definitions, Flag
from .pieces import read_in_pieces

EXPLICIT_MATCHING_VERSION: Final = 2
_ID: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_FIELDS: Final = frozenset(
    {"flags", "group_type_mapping", "cohorts", "minimal_flag_called_events", "property_matching_version"}
)


def parse_definitions(document: bytes | str | JsonObject) -> Definitions:
    """Parse the body of `/flags/definitions`, or the same document with cohorts in their stored form.

    Args:
        document: JSON text (UTF-8), or the already parsed object.

    Raises:
        DefinitionsError: Not UTF-8, not JSON, not an object, nested deeper than 256, `flags` no list, or
            `group_type_mapping` or `cohorts` neither an object nor null. Nothing else, whatever the document holds.
    """
    return finish(_parsing(read_document(document)))


def parse_in_steps(document: bytes) -> Steps[Definitions]:
    """Parse like `parse_definitions`, yielding between flags and cohorts, for callers that must not block.

    Args:
        document: JSON text (UTF-8). One that is no well-formed JSON is read as a whole, and refused as a whole.

    Raises:
        DefinitionsError: As for `parse_definitions`.
    """
    root = yield from read_in_pieces(document)
    return (yield from _parsing(read_document(document) if root is None else root))


def _parsing(root: JsonObject) -> Steps[Definitions]:
    flags, unusable = yield from _flags(root)
    group_types = _group_types(_table(root, "group_type_mapping"), unusable)
    cohorts = yield from _cohorts(_table(root, "cohorts"), unusable)
    version = root.get("property_matching_version")
    return Definitions(
        flags=flags,
        group_types=group_types,
        cohorts=cohorts,
        explicit_matching=version == EXPLICIT_MATCHING_VERSION and not isinstance(version, bool),
        minimal_flag_called_events=root.get("minimal_flag_called_events") is True,
        unusable=tuple(unusable),
        unknown={name: value for name, value in root.items() if name not in _FIELDS},
    )


def _flags(root: JsonObject) -> Steps[tuple[tuple[Flag, ...], list[Defect]]]:
    values = root.get("flags")
    if not isinstance(values, list | tuple):
        raise DefinitionsError("$.flags", "must be a list")
    by_key: dict[str, Flag] = {}
    unusable: list[Defect] = []
    for index, value in enumerate(values):
        path = f"$.flags[{index}]"
        key = value.get("key") if isinstance(value, Mapping) else None
        if not isinstance(key, str) or not is_text(key):
            unusable.append(Defect(code=FLAG_DEFECT, path=f"{path}.key", message="must be a string of well-formed Unicode"))
            continue
        by_key.pop(key, None)
        by_key[key] = parse_flag(as_source(value, path), key)
        yield
    return tuple(by_key.values()), unusable


def _table(root: JsonObject, name: str) -> Source:
    value = root.get(name)
    if value is None:
        return Source({}, f"$.{name}")
    if not isinstance(value, Mapping):
        raise DefinitionsError(f"$.{name}", "must be an object or null")
    return Source(value, f"$.{name}")


def _group_types(table: Source, unusable: list[Defect]) -> dict[int, str]:
    group_types: dict[int, str] = {}
    for text, name in table.fields.items():
        index = _identifier(text)
        if index is None or not isinstance(name, str) or not is_text(name):
            message = "must map a group type index, as decimal text, to a name"
            unusable.append(Defect(code=FLAG_DEFECT, path=table.path, message=message))
            continue
        group_types[index] = name
    return group_types


def _cohorts(table: Source, unusable: list[Defect]) -> Steps[dict[int, Cohort]]:
    cohorts: dict[int, Cohort] = {}
    for text, value in table.fields.items():
        cohort_id = _identifier(text)
        if cohort_id is None:
            unusable.append(Defect(code=FLAG_DEFECT, path=table.path, message="must have cohort ids, as decimal text, as keys"))
            continue
        cohorts[cohort_id] = parse_cohort(cohort_id, value, table.at(text))
        yield
    return cohorts


def _identifier(text: Json) -> int | None:
    """Read the decimal text of an id; also an integer, which objects built in Python may carry."""
    if isinstance(text, str):
        number = int(text) if _ID.fullmatch(text) else None
        return number if number is not None and number <= MAX_INTEGER else None
    return text if isinstance(text, int) and not isinstance(text, bool) and text >= 0 else None
