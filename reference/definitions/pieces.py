"""Reads a document flag by flag and cohort by cohort, for callers that must not block: parsing 400 KB at once takes 9 ms.

It gives what `read_document` gives. Whatever it is not sure about, faults and JSON that only a lenient parser takes (NaN, half
a surrogate pair in a key), it leaves to that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Raw

from reference.json import Json, JsonObject
from reference.steps import Steps

from .document import MAX_NESTING, decode, nests_deeper_than
from .errors import DefinitionsError

STEP_BYTES: Final = 8_192
"""Text between two yields: about 0.2 ms. One flag or cohort is never cut."""

_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_items: Final = msgspec.json.Decoder(list[Raw]).decode
_LEVELS_INSIDE: Final = MAX_NESTING - 1


def read_in_pieces(document: bytes) -> Steps[JsonObject | None]:
    """Return the document as a JSON object; None when it has to be read as a whole."""
    try:
        return (yield from _read(document))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DefinitionsError):
        return None


def _read(document: bytes) -> Steps[JsonObject]:
    root: dict[str, Json] = {}
    for name, raw in _members(document).items():
        if name == "flags":
            flags = yield from _values(_items(raw))
            root[name] = flags
        elif name == "cohorts" and bytes(raw) != b"null":
            table = _members(raw)
            cohorts = yield from _values(table.values())
            root[name] = dict(zip(table, cohorts, strict=True))
        else:
            root[name] = _value(raw, levels=_LEVELS_INSIDE)
    return root


def _values(parts: Iterable[Raw]) -> Steps[list[Json]]:
    found: list[Json] = []
    size = 0
    for raw in parts:
        found.append(_value(raw, levels=_LEVELS_INSIDE - 1))
        size += len(bytes(raw))
        if size >= STEP_BYTES:
            size = 0
            yield
    return found


def _value(raw: Raw, *, levels: int) -> Json:
    value = decode(bytes(raw))
    if nests_deeper_than(value, levels):
        raise DefinitionsError("$", "nests too deep")
    return value
