"""Request targets that may be sent on: exact, and with one reading only.

A path goes upstream byte for byte, so it must mean the same to us, to every hop and to the service. Refused: dot segments,
empty segments, backslashes, encoded slashes, control characters, broken or doubly encoded escapes, fragments. The authority of
an absolute-form target is dropped unread: where a request goes is settled by configuration alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

_SCHEMES: Final = ("http://", "https://")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_DOTS: Final = frozenset({".", ".."})
LONGEST_TARGET: Final = 16_384


class Target(msgspec.Struct, frozen=True):
    """Where a request wants to go.

    Attributes:
        path: As it came, starting with one slash.
        query: As it came, without the question mark; "" when there is none.
        meant: The path as a server reads it: escapes decoded.
    """

    path: str
    query: str
    meant: str


def read_target(raw: str) -> Target | None:
    """Read a request target in origin or absolute form; None: refuse the request."""
    raw = origin_form(raw)
    if not raw.startswith("/") or len(raw) > LONGEST_TARGET or not raw.isascii() or not raw.isprintable() or "#" in raw:
        return None
    path, _, query = raw.partition("?")
    meant = _meaning(path)
    return None if meant is None or " " in raw else Target(path, query, meant)


def is_below(path: str, prefixes: Iterable[str]) -> bool:
    """Tell whether a path is one of the prefixes or below one, on segment boundaries: `/e` has `/e/x`, not `/elsewhere`."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)


def origin_form(raw: str) -> str:
    """Return a target in origin form: what an absolute form (RFC 9112 §3.2.2) asks for, without its authority."""
    if raw[:8].lower().startswith(_SCHEMES):
        rest = raw.partition("://")[2]
        cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        return rest[cut:] if rest[cut : cut + 1] == "/" else "/" + rest[cut:]
    return raw


def _meaning(path: str) -> str | None:
    """Return the decoded path; None when any reader could take it for another one."""
    if not _escapes_are_whole(path):
        return None
    try:
        meant = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return None
    if "%" in meant and unquote_to_bytes(meant) != meant.encode():  # a second decoding would change it again
        return None
    if meant.count("/") != path.count("/") or "//" in meant or "\\" in meant or not meant.isprintable():
        return None
    # `..;x` is a dot segment to servers that know path parameters.
    return None if any(segment.partition(";")[0] in _DOTS for segment in meant.split("/")) else meant


def _escapes_are_whole(path: str) -> bool:
    return all(len(part) >= 2 and part[0] in _HEX and part[1] in _HEX for part in path.split("%")[1:])  # noqa: PLR2004 - %XX
