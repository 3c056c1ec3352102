"""Typed readers of one object of the document: each returns the field or raises the `Flaw` that names it.

The types are those of the service's own records (contract §4.5): null and absent are the same unless said otherwise, and
nothing is coerced (`"1"` is no number, `1` is no boolean).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from reference.json import Json, JsonObject

from .errors import Flaw

MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**63 - 1


class Source(NamedTuple):
    """An object of the document and where it stands."""

    fields: JsonObject
    path: str

    def at(self, name: str) -> str:
        """Name the JSON path of a field."""
        return f"{self.path}.{name}"

    def flaw(self, name: str, message: str) -> Flaw:
        """Make the `Flaw` of a field."""
        return Flaw(self.at(name), message)


def as_source(value: Json, path: str) -> Source:
    """Take a JSON value as an object.

    Raises:
        Flaw: It is none.
    """
    if not isinstance(value, Mapping):
        raise Flaw(path, "must be an object")
    return Source(value, path)


def boolean(source: Source, name: str, *, default: bool = False) -> bool:
    """Read true or false."""
    value = source.fields.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise source.flaw(name, "must be true, false or null")
    return value


def text(source: Source, name: str) -> str:
    """Read a string that must be there."""
    value = source.fields.get(name)
    if not isinstance(value, str):
        raise source.flaw(name, "must be a string")
    return value


def optional_text(source: Source, name: str) -> str | None:
    """Read a string or null."""
    return None if source.fields.get(name) is None else text(source, name)


def integer(source: Source, name: str) -> int:
    """Read a 64-bit integer that must be there; `1.0` is none."""
    value = source.fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not MIN_INTEGER <= value <= MAX_INTEGER:
        raise source.flaw(name, "must be an integer of at most 64 bits")
    return value


def optional_integer(source: Source, name: str) -> int | None:
    """Read a 64-bit integer or null."""
    return None if source.fields.get(name) is None else integer(source, name)


def number(source: Source, name: str) -> float:
    """Read a number that must be there, as a double."""
    value = source.fields.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise source.flaw(name, "must be a number")
    try:
        return float(value)
    except OverflowError as error:
        raise source.flaw(name, "must be a number that a double can hold") from error


def items(source: Source, name: str) -> Sequence[Json]:
    """Read a list that must be there."""
    value = source.fields.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise source.flaw(name, "must be a list")
    return value


def optional_items(source: Source, name: str) -> Sequence[Json]:
    """Read a list; null is an empty one."""
    return () if source.fields.get(name) is None else items(source, name)


def texts(source: Source, name: str) -> tuple[str, ...]:
    """Read a list of strings; null is an empty one."""
    values = optional_items(source, name)
    return tuple(text(Source({name: value}, source.path), name) for value in values)


def the_rest(source: Source, known: frozenset[str]) -> JsonObject:
    """Keep the fields that this version does not know, as they came."""
    fields = source.fields
    return {name: fields[name] for name in fields if name not in known}
