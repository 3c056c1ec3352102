"""Records or outcomes in, bytes out, in any of the five shapes and in the service's serialisation order.

A record that was read from the shape now asked for is written back as it came. Pure: request id and time are in the envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from reference.json import Json
from reference.outcome import Outcome, Status

from .record import UNKNOWN_REASON, Envelope, ReadAnswer, Record
from .shape import Shape
from .wire import FailedV2, FailedV3, MetadataV2, MetadataV3, ReasonBody, RecordV2, RecordV3

Item = Record | Outcome
Flags = Mapping[str, Item]
_Body = dict[str, object]

RESERVED: Final = frozenset({"flags", "featureFlags", "featureFlagPayloads", "errorsWhileComputingFlags"})
"""Keys that belong to a shape: never carried from one shape into another, never taken from config."""

_PLACE_BYTES: Final = b"\x00"
"""Where the flags go; no JSON text holds it."""
_PLACE: Final = Raw(b"{" + _PLACE_BYTES + b"}")

_encode: Final = msgspec.json.Encoder().encode


def render(flags: Flags, envelope: Envelope, shape: Shape, *, odd: Mapping[str, Raw] | None = None) -> bytes:
    """Write one answer.

    Args:
        flags: Flag key → record or outcome. An outcome without a value is written as failed.
        envelope: Everything else; `errors` is what `errorsWhileComputingFlags` will say.
        shape: The shape to write.
        odd: Records not understood, already in this shape.
    """
    body: _Body = {}
    if envelope.errors is not None and shape.has_error_bit:
        body["errorsWhileComputingFlags"] = envelope.errors
    _FLAGS_OF[shape](body, flags, envelope, odd or {})
    _close(body, envelope, shape)
    return _encode(body)


class Printed:
    """Writes answers of outcomes in one typed shape, each flag's part once.

    Outcomes are shared between requests, so what is written of them can be too: joining 20 parts takes a tenth of writing them.
    No more than `most` parts are kept, of about 500 bytes.
    """

    def __init__(self, shape: Shape, *, most: int = 10_000) -> None:
        self.shape = shape
        self._write = _ITEM_OF[shape]
        self._most = most
        self._parts: dict[int, bytes] = {}
        self._frames: dict[tuple[bool | None, bool], tuple[bytes, bytes, bytes]] = {}
        self._outcomes: list[Outcome] = []  # as long as they are kept no other outcome gets their identity

    def render(self, outcomes: Collection[Outcome], envelope: Envelope) -> bytes:
        """Write one answer, byte by byte as `render` writes it."""
        parts = self._parts
        try:
            flags = b",".join(map(parts.__getitem__, map(id, outcomes)))
        except KeyError:  # not all of them were written before
            flags = b",".join([parts.get(id(outcome)) or self._part(outcome) for outcome in outcomes])
        head, tail = self._around(envelope)
        return b"".join((head, flags, tail))

    def _around(self, envelope: Envelope) -> tuple[bytes, bytes]:
        """Return what stands before and after the flags; of the usual envelope only id and time are written anew."""
        request_id, at = envelope.request_id, envelope.evaluated_at
        if request_id is None or at is None or envelope.extra or envelope.quota_limited:
            return self._written_around(envelope)
        kind = (envelope.errors, envelope.minimal_flag_called_events)
        known = self._frames.get(kind)
        if known is None:
            known = self._frames[kind] = self._frame(envelope)
        head, before_id, tail = known
        return head, b'%b%b,"evaluatedAt":%d%b' % (before_id, _encode(request_id), at, tail)

    def _written_around(self, envelope: Envelope) -> tuple[bytes, bytes]:
        around: _Body = {}
        if envelope.errors is not None:
            around["errorsWhileComputingFlags"] = envelope.errors
        around["flags"] = _PLACE
        _close(around, envelope, self.shape)
        head, _, tail = _encode(around).partition(_PLACE_BYTES)
        return head, tail

    def _frame(self, envelope: Envelope) -> tuple[bytes, bytes, bytes]:
        head, tail = self._written_around(msgspec.structs.replace(envelope, request_id="", evaluated_at=0))
        before_id, _, after = tail.partition(b'"",')
        return head, before_id, after.removeprefix(b'"evaluatedAt":0')

    def _part(self, outcome: Outcome) -> bytes:
        part = _encode({outcome.key: self._write(outcome)})[1:-1]
        if len(self._outcomes) >= self._most:
            self._parts.clear()
            self._outcomes.clear()
        self._parts[id(outcome)] = part
        self._outcomes.append(outcome)
        return part


def render_again(answer: ReadAnswer, shape: Shape | None = None) -> bytes:
    """Write an answer that was read, in its own shape (nothing is lost) or in another one (what that shape can say)."""
    shape = shape or answer.shape
    return render(answer.records, answer.envelope, shape, odd=answer.odd if shape is answer.shape else None)


def _close(body: _Body, envelope: Envelope, shape: Shape) -> None:
    """Add what follows the flags: quota, identity, time, then config and unknown keys."""
    if envelope.quota_limited:
        body["quotaLimited"] = envelope.quota_limited
    if envelope.request_id is not None:
        body["requestId"] = envelope.request_id
    if envelope.evaluated_at is not None:
        body["evaluatedAt"] = envelope.evaluated_at
    if envelope.minimal_flag_called_events and shape.has_records:
        body["minimalFlagCalledEvents"] = True
    for name, value in envelope.extra.items():
        if name not in body and (name not in RESERVED or envelope.origin is shape):
            body[name] = value


def _typed(of_item: Callable[[Item], object], shape: Shape) -> Callable[[_Body, Flags, Envelope, Mapping[str, Raw]], None]:
    def write(body: _Body, flags: Flags, _envelope: Envelope, odd: Mapping[str, Raw]) -> None:
        own = {key: _own_bytes(item, shape) or of_item(item) for key, item in flags.items()}
        body["flags"] = {**own, **odd} if odd else own

    return write


def _own_bytes(item: Item, shape: Shape) -> Raw | None:
    return Raw(item.raw) if type(item) is Record and item.raw is not None and item.origin is shape else None


def _record_v2(item: Item) -> RecordV2 | FailedV2:
    metadata = MetadataV2(item.flag_id, item.flag_version, None, item.payload, _or_unset(item.has_experiment))
    if item.status is Status.VALUE:
        return RecordV2(item.key, item.enabled, item.variant, _reason(item), metadata)
    return FailedV2(item.key, False, None, True, _reason(item), metadata)


def _record_v3(item: Item) -> RecordV3 | FailedV3:
    payload = item.payload if item.config_version == 1 else None
    variant = UNSET if item.variant is None else item.variant
    metadata = MetadataV3(
        item.flag_id, item.flag_version, item.config_version, None, payload, _or_unset(item.has_experiment), variant
    )
    if item.status is Status.VALUE:
        return RecordV3(item.key, item.value, _reason(item), metadata)
    return FailedV3(item.key, None, True, _reason(item), metadata)


def _reason(item: Item) -> ReasonBody:
    return ReasonBody(UNKNOWN_REASON if item.reason is None else item.reason, item.condition_index, item.description)


def _or_unset(value: bool | None) -> bool | UnsetType:  # noqa: FBT001 - three states, not a switch
    return UNSET if value is None else value


def _write_legacy(body: _Body, flags: Flags, envelope: Envelope, odd: Mapping[str, Raw]) -> None:
    body["featureFlags"] = {**{key: _plain_value(item, Shape.LEGACY) for key, item in flags.items()}, **odd}
    payloads: dict[str, Json | Raw] = {key: item.payload for key, item in flags.items() if item.payload is not None}
    if payloads or envelope.orphan_payloads is not None:
        body["featureFlagPayloads"] = {**payloads, **(envelope.orphan_payloads or {})}


def _write_decide_2(body: _Body, flags: Flags, _envelope: Envelope, odd: Mapping[str, Raw]) -> None:
    shown = {key: item for key, item in flags.items() if item.enabled or _own_bytes(item, Shape.DECIDE_2)}
    body["featureFlags"] = {**{key: _plain_value(item, Shape.DECIDE_2) for key, item in shown.items()}, **odd}


def _write_decide_1(body: _Body, flags: Flags, _envelope: Envelope, _odd: Mapping[str, Raw]) -> None:
    body["featureFlags"] = [key for key, item in flags.items() if item.enabled]


def _plain_value(item: Item, shape: Shape) -> bool | str | Raw:
    """Give the value of a map shape: a variant or a boolean; numbers and objects of rules v2 stand in the payload."""
    own = _own_bytes(item, shape)
    if own is not None:
        return own
    return item.enabled if item.variant is None else item.variant


_ITEM_OF: Final[Mapping[Shape, Callable[[Item], object]]] = {Shape.V3: _record_v3, Shape.V2: _record_v2}
_FLAGS_OF: Final[Mapping[Shape, Callable[[_Body, Flags, Envelope, Mapping[str, Raw]], None]]] = {
    Shape.V3: _typed(_record_v3, Shape.V3),
    Shape.V2: _typed(_record_v2, Shape.V2),
    Shape.LEGACY: _write_legacy,
    Shape.DECIDE_2: _write_decide_2,
    Shape.DECIDE_1: _write_decide_1,
}
