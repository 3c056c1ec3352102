"""The body of a POST, decoded as leniently as the service decodes it (contract §2.1), in exactly its order.

Everything unexpected is a `Refusal`; nothing a client can send raises. Gzip is inflated against a limit, never beyond it.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
import pyjson5

from reference.json import Json
from reference.response import Refusal

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
MAX_INFLATED_BYTES: Final = 4 * 1024 * 1024
MAX_NESTING: Final = 128

_JSON_TYPES: Final = ("application/json", "text/plain")
_FORM: Final = "application/x-www-form-urlencoded"
_GZIP_PARAMS: Final = ("gzip", "gzip-js")
_COMPRESSIONS: Final = (*_GZIP_PARAMS, "base64")
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31


def decode_body(body: bytes, *, content_type: str | None, encoding: str | None, compression: str | None) -> Json | Refusal:
    """Decode the body of `/flags`.

    Args:
        body: Raw bytes, already within `MAX_BODY_BYTES`.
        content_type: The `Content-Type` header; absent means JSON.
        encoding: The `Content-Encoding` header.
        compression: The query parameter; empty is absent.
    """
    media = (content_type or _JSON_TYPES[0]).partition(";")[0].strip().lower()
    asked = (compression or "").lower()
    if asked and asked not in _COMPRESSIONS:
        return Refusal.DECODE_COMPRESSION
    is_gzip = asked in _GZIP_PARAMS or "gzip" in (encoding or "").lower()
    if media == _FORM:
        return Refusal.DECODE_GZIP if is_gzip else _decode_form(body)
    if media not in _JSON_TYPES:
        return Refusal.DECODE_CONTENT_TYPE
    plain = _inflate(body) if is_gzip or body.startswith(_GZIP_MAGIC) else body
    return plain if isinstance(plain, Refusal) else _decode_json(plain)


def _inflate(body: bytes) -> bytes | Refusal:
    """Inflate one gzip member; bytes after it are ignored."""
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = inflater.decompress(body, MAX_INFLATED_BYTES + 1)
    except zlib.error:
        return Refusal.DECODE_GZIP
    if len(plain) > MAX_INFLATED_BYTES:
        return Refusal.INFLATED_TOO_LARGE
    return plain if inflater.eof else Refusal.DECODE_GZIP


def _decode_json(plain: bytes) -> Json | Refusal:
    """Parse as JSON5; what fails is taken for percent-encoded base64 of JSON5."""
    found = _parse(plain)
    if not isinstance(found, Refusal):
        return found
    decoded = _decode_base64(unquote_to_bytes(plain))
    return Refusal.INVALID_JSON if decoded is None else _parse(decoded)


def _decode_form(body: bytes) -> Json | Refusal:
    try:
        body.decode()
    except UnicodeDecodeError:
        return Refusal.DECODE_FORM
    text = unquote_to_bytes(body)
    if text.startswith(b"data="):
        text = text.split(b"=", 2)[1]
    decoded = _decode_base64(text)
    if decoded is None:
        return Refusal.DECODE_FORM
    return _strict(decoded)


def _decode_base64(text: bytes) -> bytes | None:
    """Decode standard base64 after dropping spaces and padding to a multiple of four."""
    packed = text.replace(b" ", b"")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _strict(plain: bytes) -> Json | Refusal:
    try:
        found: Json = msgspec.json.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Refusal.INVALID_FORM_JSON
    return found


def _parse(plain: bytes) -> Json | Refusal:
    """Parse JSON, quickly where it is strict; else as JSON5, with U+FFFD for bad UTF-8 and null for numbers JSON lacks."""
    try:
        found: Json = msgspec.json.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _parse_json5(plain)
    return found


def _parse_json5(plain: bytes) -> Json | Refusal:
    try:
        found: Any = pyjson5.decode(plain.decode(errors="replace"), MAX_NESTING)
    except (pyjson5.Json5DecoderException, ValueError, RecursionError):
        return Refusal.INVALID_JSON
    return _without_non_finite(found)


def _without_non_finite(value: Any) -> Json:
    """Replace NaN and infinities by null, as deep as they stand (the parser bounds the depth)."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_without_non_finite(member) for member in value]
        case dict():
            return {str(key): _without_non_finite(member) for key, member in value.items()}
        case _:
            found: Json = value
            return found
