"""The proxy's one door to the response shapes, which live in `reference.response` alone.

The hot path only peeks: is this body a flags answer, and a good one? Records are read when rungs are to be merged, not before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Raw, UnsetType

from reference.response import (
    Envelope,
    ErrorAnswer,
    ReadAnswer,
    Record,
    Refusal,
    Shape,
    choose_shape,
    error_answer,
    json_error,
    read,
    render,
)
from reference.response.read import ERROR_BIT

from .answer import Assembled, Whole
from .request import Family, FlagsRequest

__all__ = [
    "ErrorAnswer",
    "Reading",
    "Record",
    "Refusal",
    "compose",
    "error_answer",
    "is_worth_remembering",
    "mark",
    "read_answer",
    "records_in",
    "unavailable",
]

_JSON: Final = "application/json"
_TRUE: Final = Raw(b"true")
_FAILED: Final = re.compile(rb'"failed"\s*:\s*true')


class Reading(msgspec.Struct, gc=False):
    """The few fields of an answer that decide what becomes of it; flags stay bytes."""

    flags: Raw | UnsetType = UNSET
    feature_flags: Raw | UnsetType = msgspec.field(name="featureFlags", default=UNSET)
    errors: Raw | UnsetType = msgspec.field(name="errorsWhileComputingFlags", default=UNSET)
    quota_limited: Raw | UnsetType = msgspec.field(name="quotaLimited", default=UNSET)
    compression: Raw | UnsetType = msgspec.field(name="supportedCompression", default=UNSET)
    has_flags: Raw | UnsetType = msgspec.field(name="hasFeatureFlags", default=UNSET)


_peek: Final = msgspec.json.Decoder(Reading).decode
_members: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def read_answer(whole: Whole) -> Reading | None:
    """Return what a 200's body says; None when it is no flags answer (HTML, cut off, `{}`, flags of another kind)."""
    if whole.status != 200:  # noqa: PLR2004 - the one status with flags
        return None
    try:
        reading = _peek(whole.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return reading if _has_flags(reading) else None


def is_worth_remembering(whole: Whole, reading: Reading) -> bool:
    """Tell whether an answer is good as a whole: no errors, no failed flag, not over quota, not the fixed answer for bots."""
    if reading.errors == _TRUE or _has_failed(whole, reading):
        return False
    if reading.quota_limited is not UNSET and b"feature_flags" in bytes(reading.quota_limited):
        return False
    return not _is_for_bots(reading)


def mark(body: bytes) -> bytes:
    """Return the same answer with `errorsWhileComputingFlags: true`; unchanged where its shape has no such field."""
    members = _members(body)
    if ERROR_BIT not in members:
        return body
    members[ERROR_BIT] = _TRUE
    return msgspec.json.encode(members)


def records_in(body: bytes) -> Mapping[str, Record]:
    """Return the good records of a whole answer; none when it cannot be read."""
    answer = read(body)
    if not isinstance(answer, ReadAnswer):
        return {}
    return {key: record for key, record in answer.records.items() if not record.failed}


def compose(request: FlagsRequest, records: Mapping[str, Record], *, errors: bool, request_id: str, evaluated_at: int) -> bytes:
    """Render records in the shape the request asks for. `evaluated_at` in milliseconds since the epoch."""
    envelope = Envelope(errors=errors, request_id=request_id, evaluated_at=evaluated_at)
    return render(records, envelope, _asked_shape(request))


def unavailable() -> Assembled:
    """Return the last resort: a small JSON error that every SDK takes as final (sdks.md §2.4)."""
    return _UNAVAILABLE


def _asked_shape(request: FlagsRequest) -> Shape:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    version = query.get("v", query.get("version"))
    is_decide = request.family is Family.DECIDE
    return choose_shape(is_decide, version, config=query.get("config"), method=request.method).shape


def _has_flags(reading: Reading) -> bool:
    if reading.flags is not UNSET:
        return bytes(reading.flags)[:1] == b"{"
    return reading.feature_flags is not UNSET and bytes(reading.feature_flags)[:1] in (b"{", b"[")


def _is_for_bots(reading: Reading) -> bool:
    """Tell the fixed answer for bots (contract §3.8) from a project without flags: its config lacks what every project's has."""
    flags = reading.feature_flags if reading.flags is UNSET else reading.flags
    is_empty = flags is not UNSET and not bytes(flags)[1:-1].strip()
    return is_empty and reading.compression is not UNSET and reading.has_flags is UNSET


def _has_failed(whole: Whole, reading: Reading) -> bool:
    """Tell whether a record is marked failed; a payload, or a flag of that name, may merely look like the mark."""
    if reading.flags is UNSET or b'"failed"' not in whole.body or not _FAILED.search(whole.body):
        return False
    answer = read(whole.body)
    return not isinstance(answer, ReadAnswer) or any(record.failed for record in answer.records.values())


def _make_unavailable() -> Assembled:
    answer = json_error(503, "server_error", "service_unavailable", "The flag service cannot be reached right now.")
    return Assembled(answer.body, status=answer.status, content_type=answer.content_type)


_UNAVAILABLE: Final = _make_unavailable()
