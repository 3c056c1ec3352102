"""The rest of the service's decoding (contract §2.1, steps 3 to 6), to find the token of a body that is not strict JSON.

Nothing read here is ever trusted with more than the question whose project it is: such a request gets no key.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
import pyjson5

from .body import ALIASES, FORM, Framing, Trouble, inflate

MOST_ESCAPES: Final = 20_000
"""Percent escapes that are decoded: 50 ms at worst. 4 MiB of nothing else would hold the loop for 2.5 s."""

_UNREADABLE: Final = (ValueError, RecursionError, pyjson5.Json5Exception)


def read_leniently(raw: bytes, framing: Framing, *, inflated_bytes: int) -> dict[str, Any] | None:
    """Return the fields of a body under their first names; None when the service could not read it either."""
    if framing.media_type == FORM:
        fields = _form(raw)
    else:
        text = inflate(raw, framing, inflated_bytes=inflated_bytes)
        fields = None if isinstance(text, Trouble) else _json5_or_base64(text)
    if not isinstance(fields, dict):
        return None
    named: dict[str, Any] = fields
    return {ALIASES.get(name, name): value for name, value in named.items()}


def _json5_or_base64(text: bytes) -> Any:
    found = _json5(text)
    if found is not None:
        return found
    plain = _from_base64(_unquoted(text))
    return None if plain is None else _json5(plain)


def _form(raw: bytes) -> Any:
    text = _unquoted(raw)
    if text.startswith(b"data="):
        text = text.split(b"=", 2)[1]
    plain = _from_base64(text)
    try:
        return None if plain is None else msgspec.json.decode(plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _unquoted(text: bytes) -> bytes:
    return unquote_to_bytes(text) if text.count(b"%") <= MOST_ESCAPES else b""


def _json5(text: bytes) -> Any:
    try:
        return pyjson5.decode(text.decode(errors="replace"), 128)
    except _UNREADABLE:
        return None


def _from_base64(text: bytes) -> bytes | None:
    text = text.replace(b" ", b"")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
