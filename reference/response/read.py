"""Bytes in, records out: an upstream's answer body of any shape, told apart by what it holds (contract §3.2 to §3.5).

Never raises for what an upstream may send: a body that is no answer is an `Unreadable` with the reason, and one odd record
spoils only itself. The typed fields of a record are checked one level deep; the bytes are kept whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from reference.outcome import Status
from reference.steps import Steps, finish

from .members import read_plain, read_typed, read_v2
from .record import Envelope, ReadAnswer, Record
from .shape import Shape


class Unreadable(msgspec.Struct, frozen=True):
    """Why a body is no answer: `not_json`, `not_an_object`, `no_flags` or `flags_malformed`. Holds no data of the body."""

    reason: str


_Members = Mapping[str, Raw]


class _Flags(NamedTuple):
    """The flags of one body, and the names of the top-level fields they were read from."""

    shape: Shape
    records: dict[str, Record]
    odd: dict[str, Raw]
    spent: tuple[str, ...]
    orphans: Mapping[str, Raw] | None


STEP_RECORDS: Final = 100
"""Records between two yields of `read_in_steps`: about a millisecond."""

ERROR_BIT: Final = "errorsWhileComputingFlags"

_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode
_keys: Final = msgspec.json.Decoder(list[str]).decode


def read(body: bytes, *, asked: Shape | None = None) -> ReadAnswer | Unreadable:
    """Read an answer body.

    Args:
        body: The bytes, already decompressed.
        asked: The shape that was asked for; decides only what an answer without any flag is read as.

    Returns:
        The records and the envelope, or why there are none.
    """
    return finish(read_in_steps(body, asked=asked))


def read_in_steps(body: bytes, *, asked: Shape | None = None) -> Steps[ReadAnswer | Unreadable]:
    """Read like `read`, yielding after every so many records, for callers that must not block."""
    try:
        top = _members(body)
    except msgspec.ValidationError:
        return Unreadable("not_an_object")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unreadable("not_json")
    reader = _read_records if "flags" in top else _read_map_or_list if "featureFlags" in top else None
    if reader is None:
        return Unreadable("no_flags")
    flags = yield from reader(top, asked)
    if flags is None:
        return Unreadable("flags_malformed")
    return ReadAnswer(shape=flags.shape, records=flags.records, envelope=_read_envelope(top, flags), odd=flags.odd)


def _read_records(top: _Members, asked: Shape | None) -> Steps[_Flags | None]:
    members = _object(top["flags"])
    if members is None:
        return None
    shape = _records_shape(members, asked)
    one = read_typed if shape is Shape.V3 else read_v2
    records, odd = yield from _sort(members, one, shape)
    return _Flags(shape, records, odd, ("flags",), {})


def _records_shape(members: _Members, asked: Shape | None) -> Shape:
    """Tell v3 from v2 by the first record that can be opened; an empty map is what was asked for."""
    for raw in members.values():
        record = _object(raw)
        if record is not None:
            return Shape.V3 if "value" in record else Shape.V2
    return Shape.V3 if asked is Shape.V3 else Shape.V2


def _read_map_or_list(top: _Members, _asked: Shape | None) -> Steps[_Flags | None]:
    values = _object(top["featureFlags"])
    if values is None:
        return _read_list(top["featureFlags"])
    if ERROR_BIT not in top and "featureFlagPayloads" not in top:
        records, odd = yield from _sort(values, read_plain, Shape.DECIDE_2)
        return _Flags(Shape.DECIDE_2, records, odd, ("featureFlags",), {})
    return (yield from _read_legacy(values, _object(top.get("featureFlagPayloads", Raw(b"0")))))


def _read_legacy(values: _Members, payloads: _Members | None) -> Steps[_Flags]:
    records, odd = yield from _sort(values, read_plain, Shape.LEGACY)
    if payloads is None:
        return _Flags(Shape.LEGACY, records, odd, ("featureFlags",), None)
    replace = msgspec.structs.replace
    records = {k: replace(r, payload=Raw(bytes(payloads[k]))) if k in payloads else r for k, r in records.items()}
    orphans = {k: Raw(bytes(raw)) for k, raw in payloads.items() if k not in records}
    return _Flags(Shape.LEGACY, records, odd, ("featureFlags", "featureFlagPayloads"), orphans)


def _read_list(raw: Raw) -> _Flags | None:
    try:
        keys = _keys(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    records = {key: Record(key=key, enabled=True, value=True, status=Status.VALUE) for key in keys}
    return _Flags(Shape.DECIDE_1, records, {}, ("featureFlags",), {})


def _sort(
    members: _Members, one: Callable[[str, Raw, Shape], Record | None], shape: Shape
) -> Steps[tuple[dict[str, Record], dict[str, Raw]]]:
    """Read each member; those that cannot be understood keep only their bytes."""
    records: dict[str, Record] = {}
    odd: dict[str, Raw] = {}
    for number, (key, raw) in enumerate(members.items(), 1):
        if number % STEP_RECORDS == 0:
            yield
        record = one(key, raw, shape)
        if record is None:
            odd[key] = Raw(bytes(raw))
        else:
            records[key] = record
    return records, odd


def _object(raw: Raw) -> _Members | None:
    try:
        return _members(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


class _Field(NamedTuple):
    attribute: str
    decode: Callable[[Raw], object]
    keeps: Callable[[object], bool]


def _field(attribute: str, of: object, keeps: Callable[[object], bool] = lambda _: True) -> _Field:
    return _Field(attribute, msgspec.json.Decoder(of).decode, keeps)


_FIELDS: Final[Mapping[str, _Field]] = {
    ERROR_BIT: _field("errors", bool),
    "requestId": _field("request_id", str),
    "evaluatedAt": _field("evaluated_at", int),
    "quotaLimited": _field("quota_limited", tuple[str, ...], bool),
    "minimalFlagCalledEvents": _field("minimal_flag_called_events", bool, bool),
}

_FOREIGN: Final[Mapping[Shape, tuple[str, ...]]] = {
    Shape.LEGACY: ("minimalFlagCalledEvents",),
    Shape.DECIDE_2: ("minimalFlagCalledEvents", ERROR_BIT),
    Shape.DECIDE_1: ("minimalFlagCalledEvents", ERROR_BIT),
}
"""Known fields that a shape does not have: seen there, they are extra like any unknown one."""


def _read_envelope(top: _Members, flags: _Flags) -> Envelope:
    known: dict[str, object] = {"errors": None}
    extra: dict[str, Raw] = {}
    for name, raw in top.items():
        if name in flags.spent:
            continue
        field = _FIELDS.get(name) if name not in _FOREIGN.get(flags.shape, ()) else None
        value = None if field is None else _typed_value(field, raw)
        if field is None or value is None:
            extra[name] = Raw(bytes(raw))
        else:
            known[field.attribute] = value
    return Envelope(**known, extra=extra, orphan_payloads=flags.orphans, origin=flags.shape)  # type: ignore[arg-type]


def _typed_value(field: _Field, raw: Raw) -> object | None:
    """Decode a known field; None when it has another type, or a value that rendering would leave out."""
    try:
        value = field.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return value if field.keeps(value) else None
