"""The text of a JSON value, S(x) of contract §7.1: what Rust's serde_json prints.

It differs from Python's in details that decide matches: `1e16` against `1e+16`, `0.00001` against `1e-05`, sorted keys.
Numbers no double can hold, NaN and the infinities are not JSON: the service reads them as null, and so does this module.
Nothing here raises, however odd or deep the value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Final

from reference.json import Json

# Rust's White_Space, for `str::trim` and `\s`; Python's `str.strip` also takes U+001C–001F.
WHITE_SPACE: Final = "".join(
    map(chr, (*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000))
)

_MIN_INTEGER: Final = -(2**63)
_MAX_INTEGER: Final = 2**64 - 1
_UPPER_TO_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_quote: Final = json.JSONEncoder(ensure_ascii=False).encode


def text_form(value: Json) -> str:
    """Return S(x): a string as it is, everything else its compact JSON text with sorted object keys."""
    return value if isinstance(value, str) else json_text(value)


def ascii_lower(raw: str) -> str:
    """Return `raw` with A–Z lowered and every other character kept."""
    return raw.lower() if raw.isascii() else raw.translate(_UPPER_TO_LOWER)


class _Raw(str):
    """Text that is already JSON, on the stack of `json_text`."""

    __slots__ = ()


def json_text(value: Json) -> str:
    """Return the text serde_json prints for a value; written with a stack, so nesting costs no recursion."""
    if not isinstance(value, (str, Mapping, list, tuple)):
        return _scalar_text(value)
    written: list[str] = []
    stack: list[Json] = [value]
    while stack:
        item = stack.pop()
        if item.__class__ is _Raw:
            written.append(str(item))
        elif isinstance(item, str):
            written.append(_quote(item))
        elif isinstance(item, Mapping):
            stack.extend(reversed(_object_parts(item)))
        elif isinstance(item, (list, tuple)):
            stack.extend(reversed(_list_parts(item)))
        else:
            written.append(_scalar_text(item))
    return "".join(written)


def _list_parts(items: list[Json] | tuple[Json, ...]) -> list[Json]:
    parts: list[Json] = [_Raw("[")]
    for position, item in enumerate(items):
        if position:
            parts.append(_Raw(","))
        parts.append(item)
    parts.append(_Raw("]"))
    return parts


def _object_parts(mapping: Mapping[str, Json]) -> list[Json]:
    parts: list[Json] = [_Raw("{")]
    for position, key in enumerate(sorted(mapping)):
        parts.append(_Raw(("," if position else "") + _quote(key) + ":"))
        parts.append(mapping[key])
    parts.append(_Raw("}"))
    return parts


def _scalar_text(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return _integer_text(value)
        case float():
            return float_text(value)
        case _:
            return "null"


def _integer_text(value: int) -> str:
    """Past 64 bits serde_json holds a double, and prints it as one."""
    if _MIN_INTEGER <= value <= _MAX_INTEGER:
        return str(value)
    double = as_double(value)
    return "null" if double is None else float_text(double)


def as_double(value: int) -> float | None:
    """Return an integer as a double, rounded to even; None past the doubles."""
    try:
        return float(value)
    except OverflowError:
        return None


def float_text(value: float) -> str:
    """Return the shortest round-trip text in serde_json's spelling: `1e16`, `0.00001`, `1e-6`; `null` for what JSON lacks."""
    if not isfinite(value):
        return "null"
    shortest = repr(value)
    mantissa, marker, exponent = shortest.partition("e")
    if not marker:
        return shortest
    if exponent == "-05":
        sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
        return f"{sign}0.0000{digits.replace('.', '')}"
    return f"{mantissa}e{int(exponent)}"
