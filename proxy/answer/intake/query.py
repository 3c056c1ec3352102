"""The query string of a flag request: what the service makes of it, and what of it belongs into a key.

Dropped from the key are `_`, `ver` and `lib_version` (sdks.md §2.5), and only where they cannot change the answer: a doubled or
oddly written one makes the service refuse the request (contract §1.5), so such a query gets no key at all.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

DROPPED: Final = frozenset({"_", "ver", "lib_version"})
INTERNAL: Final = frozenset({"detailed_analysis", "only_use_override_person_properties"})
"""Honoured for internal callers only, and never remembered (contract §1.5)."""

_SENT_AT: Final = re.compile(r"-?[0-9]{1,18}|")
_VERSION: Final = re.compile(r"[+-]?[0-9]{1,10}")
_ALIAS: Final = {"version": "v", "sent_at": "_", "ver": "lib_version"}


class Query(msgspec.Struct, frozen=True):
    """One query string, read.

    Attributes:
        identity: The part an answer depends on, as text; None: a request with it gets no key.
        version: `v` as the service reads it (not a number: 1); None when absent or empty.
        compression: Lower-case `compression`; None when absent or empty.
    """

    identity: str | None
    version: int | None
    compression: str | None


LONGEST_REMEMBERED: Final = 1024
"""Characters of a query that is remembered: clients choose them, and a thousand long ones would pin megabytes."""


def read_query(raw: str) -> Query:
    """Read a raw query string (without `?`)."""
    return _remembered(raw) if len(raw) <= LONGEST_REMEMBERED else _read(raw)


@lru_cache(maxsize=1024)  # an SDK sends one query; a browser's `_=<now>` only churns the cache
def _remembered(raw: str) -> Query:
    return _read(raw)


def _read(raw: str) -> Query:
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in raw.split("&") if part)]
    return Query(_identity(raw, pairs), _version(pairs), _compression(pairs))


def _identity(raw: str, pairs: list[tuple[str, str]]) -> str | None:
    names = [_ALIAS.get(name, name) for name, _ in pairs]
    if len(set(names)) != len(names) or any(_is_special(name, value) for name, value in pairs):
        return None
    return "&".join(part for part in raw.split("&") if part and part.partition("=")[0] not in DROPPED)


def _is_special(name: str, value: str) -> bool:
    """Tell whether a parameter may hide another's name, is an internal one, or makes the service refuse the request."""
    if "%" in name or "+" in name or name in INTERNAL:
        return True
    return name == "_" and _SENT_AT.fullmatch(value) is None


def _version(pairs: list[tuple[str, str]]) -> int | None:
    text = _value(pairs, "v", "version")
    if not text:
        return None
    number = int(text) if _VERSION.fullmatch(text) else 1
    return number if -(1 << 31) <= number < 1 << 31 else 1


def _compression(pairs: list[tuple[str, str]]) -> str | None:
    return _value(pairs, "compression").lower() or None


def _value(pairs: list[tuple[str, str]], *names: str) -> str:
    return next((value for name, value in pairs if name in names), "")
