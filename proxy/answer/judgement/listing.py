"""Which flags an answer lists, read no deeper than that: the names of the flags, and a record's version where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from proxy.answer.shape import Reading

_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_names: Final = msgspec.json.Decoder(list[str]).decode


class _Metadata(msgspec.Struct, gc=False):
    version: int | None = 0


class _Versioned(msgspec.Struct, gc=False):
    metadata: _Metadata | UnsetType | None = UNSET


_versioned: Final = msgspec.json.Decoder(_Versioned).decode


def flags_of(reading: Reading) -> Mapping[str, Raw | None]:
    """Return the flags that an answer lists, with their bytes where the shape has some; none when they are of no such kind."""
    raw = reading.feature_flags if reading.flags is UNSET else reading.flags
    if raw is UNSET:
        return {}
    try:
        return dict.fromkeys(_names(raw)) if bytes(raw)[:1] == b"[" else _members(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def lists_only_enabled(reading: Reading) -> bool:
    """Tell whether the shape leaves out what is off (contract §3.4): there a loss is as good as a value."""
    return reading.flags is UNSET and reading.errors is UNSET


def version_of(record: Raw | None) -> int:
    """Return `metadata.version` of a record; 0 where there is none."""
    if record is None or bytes(record)[:1] != b"{":
        return 0
    try:
        metadata = _versioned(record).metadata
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0
    return (metadata.version or 0) if isinstance(metadata, _Metadata) else 0
