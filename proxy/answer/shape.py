"""The proxy's one door to the response shapes, which live in `reference.response` alone.

The hot path only peeks: is this body a flags answer, and a good one? Records are read when rungs are to be merged, not before.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Raw, UnsetType

from reference.response import (
    FEATURE_FLAGS,
    Envelope,
    ErrorAnswer,
    ReadAnswer,
    Record,
    Refusal,
    Shape,
    choose_shape,
    error_answer,
    fallback_config,
    json_error,
    merge_config,
    read,
    read_flag,
    render,
    render_again,
)
from reference.response.read import ERROR_BIT, read_in_steps
from reference.response.render import Item

from .answer import Assembled, Whole
from .intake.query import LONGEST_REMEMBERED
from .request import Family, FlagsRequest

__all__ = [
    "QUOTA",
    "Envelope",
    "ErrorAnswer",
    "ReadAnswer",
    "Reading",
    "Record",
    "Refusal",
    "Wish",
    "compose",
    "compose_again",
    "error_answer",
    "is_worth_remembering",
    "mark",
    "read_answer",
    "read_records",
    "remembered",
    "standing_in",
    "unavailable",
    "wish_of",
]

QUOTA: Final = FEATURE_FLAGS
"""The resource in `quotaLimited` that flags are."""

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


class Wish(msgspec.Struct, frozen=True):
    """What path and query ask for.

    Attributes:
        shape: Of the answer.
        has_config: Remote config is to be merged in.
        survey_only: Only survey flags are to be evaluated.
    """

    shape: Shape
    has_config: bool
    survey_only: bool


def wish_of(request: FlagsRequest) -> Wish:
    """Return what a request's path and query ask for."""
    look = _wish if len(request.query) <= LONGEST_REMEMBERED else _wish.__wrapped__
    return look(request.family, request.query, request.method)


def read_records(body: bytes) -> Generator[None, None, ReadAnswer | None]:
    """Read a whole answer in steps: its records, failed ones too, and all around them; None when it cannot be read."""
    answer = yield from read_in_steps(body)
    return answer if isinstance(answer, ReadAnswer) else None


def remembered(body: bytes) -> Generator[None, None, ReadAnswer | None]:
    """Read like `read_records`, good records only."""
    answer = yield from read_records(body)
    if answer is None:
        return None
    good = {key: record for key, record in answer.records.items() if not record.failed}
    return msgspec.structs.replace(answer, records=good)


def standing_in(wish: Wish, *, is_minimal: bool) -> Envelope:
    """Return what stands around flags that no upstream gave; where config is asked for, what the service gives without one."""
    plain = Envelope(minimal_flag_called_events=is_minimal)
    return merge_config(plain, fallback_config(has_flags=True)) if wish.has_config else plain


def compose(wish: Wish, flags: Mapping[str, Item], envelope: Envelope) -> bytes:
    """Render flags in the shape asked for."""
    return render(flags, envelope, wish.shape)


def compose_again(answer: ReadAnswer) -> bytes:
    """Render an answer that was read in its own shape; nothing of it is lost."""
    return render_again(answer)


def unavailable() -> Assembled:
    """Return the last resort: a small JSON error that every SDK takes as final (sdks.md §2.4)."""
    return _UNAVAILABLE


@lru_cache(maxsize=1024)  # an SDK sends one query; a browser's `_=<now>` only churns the cache
def _wish(family: Family, query: str, method: str) -> Wish:
    found = dict(parse_qsl(query, keep_blank_values=True))
    version = found.get("v", found.get("version"))
    asked = choose_shape(family is Family.DECIDE, version, config=found.get("config"), method=method)
    return Wish(asked.shape, asked.config, bool(read_flag(found.get("only_evaluate_survey_feature_flags"))))


def _has_flags(reading: Reading) -> bool:
    if reading.flags is not UNSET:
        return bytes(reading.flags)[:1] == b"{"
    return reading.feature_flags is not UNSET and bytes(reading.feature_flags)[:1] in (b"{", b"[")


def _is_for_bots(reading: Reading) -> bool:
    """Tell the fixed answer for bots (contract §3.8) from a project without flags: it lacks config every project has."""
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
