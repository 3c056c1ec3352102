"""One flag's bytes → one `Record`, for each form a flag has on the wire; None for what cannot be understood.

Checked is what a caller may rely on (`enabled`, `variant`, `value`, `failed`, the reason, id and version); payloads stay bytes.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from reference.json import Json
from reference.outcome import Status

from .record import Record
from .shape import Shape


class _Reason(msgspec.Struct):
    code: str | None = None
    condition_index: int | None = None
    description: str | None = None


class _Metadata(msgspec.Struct):
    """Lenient where SDKs are: `id` and `version` of another type count as 0."""

    id: Any = 0
    version: Any = 0
    config_version: Any = 1
    payload: Raw | UnsetType = UNSET
    has_experiment: bool | None = None
    variant_key: str | None = None


class _RecordV2(msgspec.Struct):
    enabled: bool
    variant: str | None = None
    failed: bool | None = None
    reason: _Reason | None = None
    metadata: _Metadata | None = None


class _RecordV3(msgspec.Struct):
    value: Raw
    failed: bool | None = None
    reason: _Reason | None = None
    metadata: _Metadata | None = None


_decode_v2: Final = msgspec.json.Decoder(_RecordV2).decode
_decode_v3: Final = msgspec.json.Decoder(_RecordV3).decode
_decode_plain: Final = msgspec.json.Decoder(bool | str).decode
_TROUBLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_NULL: Final = Raw(b"null")


def read_v2(key: str, raw: Raw, _shape: Shape) -> Record | None:
    """Read a v2 record."""
    try:
        wire = _decode_v2(raw)
    except _TROUBLE:
        return None
    failed = bool(wire.failed)
    value = None if failed else wire.enabled if wire.variant is None else wire.variant
    enabled = not failed and (
        wire.enabled or wire.variant is not None
    )  # a variant is the value, whatever `enabled` says (§3.2)
    return _record(key, wire, raw, Shape.V2, enabled=enabled, variant=None if failed else wire.variant, value=value)


def read_typed(key: str, raw: Raw, shape: Shape) -> Record | None:
    """Read a v3 record; a record without `value` among v3 records is read as v2 (sdks.md §1.3)."""
    try:
        wire = _decode_v3(raw)
    except msgspec.ValidationError:
        return read_v2(key, raw, shape)
    except _TROUBLE:
        return None
    if wire.failed:
        return _record(key, wire, raw, Shape.V3, enabled=False, variant=None, value=None)
    return _read_value(key, wire, raw)


def _read_value(key: str, wire: _RecordV3, raw: Raw) -> Record | None:
    """Project a typed value onto v2's terms (contract §11, last paragraph)."""
    try:
        value: Json = msgspec.json.decode(wire.value)
    except _TROUBLE:
        return None
    match value:
        case None | bool():
            return _record(key, wire, raw, Shape.V3, enabled=bool(value), variant=None, value=value)
        case str():
            return _record(key, wire, raw, Shape.V3, enabled=True, variant=value, value=value)
        case _:
            record = _record(key, wire, raw, Shape.V3, enabled=True, variant=None, value=value)
            text = bytes(wire.value).decode()
            return msgspec.structs.replace(record, payload=text)


def read_plain(key: str, raw: Raw, shape: Shape) -> Record | None:
    """Read a value of a `featureFlags` map: a boolean or a variant."""
    try:
        value = _decode_plain(raw)
    except _TROUBLE:
        return None
    variant = value if isinstance(value, str) else None
    return Record(key=key, enabled=value is not False, variant=variant, value=value, raw=bytes(raw), origin=shape)


def _record(key: str, wire: _RecordV2 | _RecordV3, raw: Raw, origin: Shape, **values: Any) -> Record:
    reason = wire.reason or _Reason()
    metadata = wire.metadata or _Metadata()
    payload = metadata.payload
    return Record(
        key=key,
        status=Status.FAILED if wire.failed else Status.VALUE,
        payload=None if payload is UNSET or payload == _NULL else Raw(bytes(payload)),
        reason=reason.code,
        condition_index=reason.condition_index,
        description=reason.description,
        flag_id=_number(metadata.id),
        flag_version=_number(metadata.version),
        has_experiment=metadata.has_experiment,
        config_version=2 if metadata.config_version == 2 else 1,  # noqa: PLR2004 - the two formats there are
        raw=bytes(raw),
        origin=origin,
        **values,
    )


def _number(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
