"""Structural check: every unknown key, missing key and wrong type of a document, all at once, each with its place.

msgspec stops at the first fault; an operator who fixes a file wants the whole list. The walk converts leaf by leaf, so the
messages are msgspec's own and agree with what the final conversion would say.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from .schema import Leaf, Named, Node, Place, Table

_SUFFIX: Final = re.compile(r" - at `\$(.*)`$")


def faults(value: Any, node: Node, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield place and reason of each fault; nothing means that the conversion will succeed."""
    match node:
        case Leaf(type=wanted):
            yield from _leaf_faults(value, wanted, place)
        case _ if not isinstance(value, Mapping):
            yield place, "expected a table"
        case Table():
            yield from _table_faults(value, node, place)
        case Named():
            yield from _named_faults(value, node, place)


def _leaf_faults(value: Any, wanted: Any, place: Place) -> Iterator[tuple[Place, str]]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        text = str(error)
        inner = _SUFFIX.search(text)
        reason = _SUFFIX.sub("", text)
        yield _with_index(place, inner[1] if inner else ""), reason[0].lower() + reason[1:]


def _with_index(place: Place, inner: str) -> Place:
    return (*place[:-1], place[-1] + inner)


def _table_faults(value: Mapping[str, Any], node: Table, place: Place) -> Iterator[tuple[Place, str]]:
    for key, each in value.items():
        if key in node.fields:
            yield from faults(each, node.fields[key], (*place, key))
        else:
            yield (*place, key), "unknown key" + _hint(key, node)
    for key in node.fields:
        if key not in value and key not in node.defaults:
            yield (*place, key), "required, but missing"


def _named_faults(value: Mapping[str, Any], node: Named, place: Place) -> Iterator[tuple[Place, str]]:
    for name, each in value.items():
        yield from _leaf_faults(name, node.name, (*place, name))
        yield from faults(each, node.each, (*place, name))


def _hint(key: str, node: Table) -> str:
    close = difflib.get_close_matches(key, node.fields, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(node.fields)}"
