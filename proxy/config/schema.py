"""The shape of the settings as data, derived from the structs: tables, tables by name, and leaves.

Everything that walks a configuration (environment names, unknown keys, the printed form) walks this, so that a new field in
`settings` needs no second place.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

Place: TypeAlias = tuple[str, ...]
Document: TypeAlias = Mapping[str, Any]


class Leaf(Struct, frozen=True):
    """One value.

    Attributes:
        type: What msgspec converts it to.
        is_text: A string is taken as it stands, from the environment too.
        is_private: Never shown (project tokens).
    """

    type: Any
    is_text: bool
    is_private: bool


class Table(Struct, frozen=True):
    """A closed table: `settings.Section`."""

    fields: Mapping[str, Node]
    defaults: Mapping[str, Any]


class Named(Struct, frozen=True):
    """Tables or leaves under names that the operator chooses."""

    name: Any
    each: Node


Node: TypeAlias = Leaf | Table | Named


@cache
def describe(section: type[Struct]) -> Table:
    """Return the shape of one struct. Fields without a default are absent from `defaults`."""
    hints = get_type_hints(section, include_extras=True)
    fields = {field.encode_name: _node(hints[field.name]) for field in msgspec.structs.fields(section)}
    defaults = {field.encode_name: _default(field) for field in msgspec.structs.fields(section) if not field.required}
    return Table(fields, defaults)


def json_path(place: Place) -> str:
    """Write a place as a JSON path; names here never need quoting."""
    return ".".join(("$", *place))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _node(annotation: Any) -> Node:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, Struct):
        return describe(bare)
    if get_origin(bare) is dict:
        name, each = get_args(bare)
        return Named(name, _node(each))
    return Leaf(annotation, is_text=_bare(bare) is str, is_private=_is_private(annotation))


def _bare(annotation: Any) -> Any:
    """Strip `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {types.UnionType, Union}:
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _is_private(annotation: Any) -> bool:
    metas = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return any(isinstance(meta, Meta) and (meta.extra or {}).get("private") for meta in metas)
