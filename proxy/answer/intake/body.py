"""The body of a flag request, decoded in the service's order (contract §2.1), and whether it was read strictly.

Strictly means: one JSON object in UTF-8, plain or gzip, in which no key stands twice at any depth and no two aliases of one
field stand side by side. Only then is it certain that we and the service read the same thing, so only then may the request get
a key. Anything else is read leniently, for the token alone, or not at all.
"""

from __future__ import annotations

import json
import re
import zlib
from enum import Enum
from typing import Any, Final

import msgspec

GZIP_MAGIC: Final = b"\x1f\x8b"
GZIP: Final = 31  # zlib's wbits for a gzip stream
FORM: Final = "application/x-www-form-urlencoded"
_JSON_TYPES: Final = frozenset({"application/json", "text/plain"})
_COMPRESSIONS: Final = frozenset({None, "gzip", "gzip-js", "base64"})

DEEPEST: Final = 128
"""Nesting the service's parser may stop at (contract §2.1); deeper ones would end in a `RecursionError` on the way."""

LONGEST_LOOK: Final = 32_768
"""Bytes that are looked at one by one: 10 ms at worst. A longer text that needs it gets no key: 4 MiB would take 1 s."""

ALIASES: Final = {
    "api_key": "token",
    "$token": "token",
    "$distinct_id": "distinct_id",
    "anon_distinct_id": "$anon_distinct_id",
    "device_id": "$device_id",
    "$properties": "person_properties",
    "$groups": "groups",
    "$group_properties": "group_properties",
    "flag_keys_to_evaluate": "flag_keys",
    "evaluation_environments": "evaluation_contexts",
}
"""The second names of fields (contract §2.2) and the names that stand for them in a key."""

_ALIASED: Final = frozenset(ALIASES)
_NEGATIVE_ZERO: Final = re.compile(rb"[:\[,\s]-0[,\]}\s]")
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_without_blanks: Final = msgspec.json.format


class Trouble(Enum):
    """Why a body could not be read."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"


class Framing(msgspec.Struct, frozen=True):
    """How the body came: its media type, its `Content-Encoding`, and `compression` of the query."""

    media_type: str
    encoding: str
    compression: str | None


def media_type(content_type: str | None) -> str:
    """Return `Content-Type` up to the semicolon; JSON when there is none, as the service assumes."""
    return (content_type or "application/json").partition(";")[0].strip().lower()


def inflate(raw: bytes, framing: Framing, *, inflated_bytes: int) -> bytes | Trouble:
    """Return the JSON text's bytes: gunzipped where the query, the header or the magic says so.

    At most `inflated_bytes` are ever produced, so a bomb costs no more than a large body.
    """
    if framing.media_type not in _JSON_TYPES or framing.compression not in _COMPRESSIONS:
        return Trouble.UNREADABLE
    if not _is_gzip(raw, framing):
        return raw
    return gunzip(raw, limit=inflated_bytes)


def gunzip(raw: bytes, *, limit: int) -> bytes | Trouble:
    """Return the first member of a gzip stream; TOO_LARGE past `limit` bytes, UNREADABLE when broken or cut."""
    inflater = zlib.decompressobj(GZIP)
    try:
        text = inflater.decompress(raw, limit + 1)
    except zlib.error:
        return Trouble.UNREADABLE
    if len(text) > limit:
        return Trouble.TOO_LARGE
    return text if inflater.eof else Trouble.UNREADABLE


def read_strictly(text: bytes) -> dict[str, Any] | None:
    """Return the fields under their first names; None unless the whole text is strict JSON that can be read in one way only."""
    try:
        fields = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if type(fields) is not dict or not _is_shallow(text, fields) or not _reads_one_way(text, fields):
        return None
    return _by_first_name(fields)


def _is_gzip(raw: bytes, framing: Framing) -> bool:
    if framing.compression in ("gzip", "gzip-js"):
        return True
    return "gzip" in framing.encoding or raw[:2] == GZIP_MAGIC


def _by_first_name(fields: dict[str, Any]) -> dict[str, Any] | None:
    for alias in _ALIASED.intersection(fields):
        name = ALIASES[alias]
        if name in fields:
            return None
        fields[name] = fields.pop(alias)
    return fields


def _is_shallow(text: bytes, fields: dict[str, Any]) -> bool:
    """Tell whether nothing lies deeper than `DEEPEST`: a text with few brackets cannot, another is looked at level by level."""
    if text.count(b"{") + text.count(b"[") <= DEEPEST:
        return True
    if len(text) > LONGEST_LOOK:
        return False
    level: list[Any] = [fields]
    for _ in range(DEEPEST):
        members = (member for each in level for member in (each.values() if type(each) is dict else each))
        level = [member for member in members if type(member) in (dict, list)]
        if not level:
            return True
    return False


def _reads_one_way(text: bytes, fields: dict[str, Any]) -> bool:
    """Tell whether no object of the text names a key twice, and no number is an integer's `-0`.

    What was decoded cannot hold a doubled key. So if it encodes to the very text, blanks aside, the text holds none: a proof
    for 1 µs. A text with other spellings (escapes, `1e3`) gets the exact look, a second parse of 8 µs. (The service reads `-0`
    as a float, the decoder here as the integer 0: such a text never equals its encoding.)
    """
    return _without_blanks(text, indent=-1) == _encode(fields) or _names_each_key_once(text)


class _DuplicateKeyError(Exception):
    """Some object names a key twice."""


def _names_each_key_once(text: bytes) -> bool:
    if len(text) > LONGEST_LOOK or _NEGATIVE_ZERO.search(text):
        return False
    try:
        json.loads(text, object_pairs_hook=_refuse_duplicates)
    except (_DuplicateKeyError, ValueError, RecursionError):
        return False
    return True


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKeyError
    return found
