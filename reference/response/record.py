"""What an answer says, apart from its form: records and the envelope around them.

A `Record` is one flag, read from a body of any shape or taken from an evaluation. It speaks v2's terms (`enabled`, `variant`,
`payload`) and v3's (`value`) at once, so that it can be rendered into every shape, and it keeps the bytes it was read from:
rendered into the shape it came in, nothing is lost, not even fields that this version does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from reference.json import Json
from reference.outcome import Evaluation, Outcome, Status

from .shape import Shape

UNKNOWN_REASON: Final = "unknown"
"""Reason code of a record that came from a shape without reasons; SDKs tolerate unknown codes (sdks.md §1.3)."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One flag of an answer. Attribute names are those of `Outcome`, so both render alike.

    Attributes:
        key: The flag's key (the key of the map it stood in).
        status: VALUE, or FAILED for `failed: true`.
        enabled: In v2 terms; False when failed.
        variant: In v2 terms: the variant key, or a string value of a rules-v2 flag.
        value: In v3 terms: bool, string, number, object or null; null when failed.
        payload: The stored payload; `Raw` where it was read from bytes; None when there is none or the shape has none.
        reason: Reason code; None when the shape carries no reasons.
        condition_index: Stored position of the condition set that gave the reason.
        description: Human text of the reason.
        flag_id: `metadata.id`, 0 when unknown.
        flag_version: `metadata.version`, 0 when unknown.
        has_experiment: As the answer said; None when it did not.
        config_version: 1, or 2 for rules v2.
        raw: The record's own bytes in the shape `origin`; None for a record that was not read from bytes.
        origin: The shape `raw` is in.
    """

    key: str
    status: Status = Status.VALUE
    enabled: bool = False
    variant: str | None = None
    value: Json | Raw = None
    payload: Json | Raw = None
    reason: str | None = None
    condition_index: int | None = None
    description: str | None = None
    flag_id: int = 0
    flag_version: int = 0
    has_experiment: bool | None = None
    config_version: int = 1
    raw: bytes | None = None
    origin: Shape | None = None

    @property
    def failed(self) -> bool:
        """The service could not compute this flag: its value must not be used."""
        return self.status is not Status.VALUE


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of an answer that is not a flag.

    Attributes:
        errors: `errorsWhileComputingFlags`; None leaves it out. Shapes without the field never show it.
        request_id: UUID text.
        evaluated_at: Milliseconds since the epoch.
        quota_limited: Resources over quota; empty leaves the field out.
        minimal_flag_called_events: Shown only when true.
        extra: Config keys, unknown keys, and known keys whose value was not of the known type.
        orphan_payloads: Entries of `featureFlagPayloads` without a flag. None: the answer read had no such map.
        origin: The shape this was read from; None when it was made here.
    """

    errors: bool | None = False
    request_id: str | None = None
    evaluated_at: int | None = None
    quota_limited: tuple[str, ...] = ()
    minimal_flag_called_events: bool = False
    extra: Mapping[str, Json | Raw] = msgspec.field(default_factory=dict)
    orphan_payloads: Mapping[str, Raw] | None = msgspec.field(default_factory=dict)
    origin: Shape | None = None


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer body, read.

    Attributes:
        shape: The shape the body had.
        records: Flag key → record.
        envelope: The rest.
        odd: Flag key → bytes of records that could not be understood; shown again only in the same shape.
    """

    shape: Shape
    records: Mapping[str, Record]
    envelope: Envelope
    odd: Mapping[str, Raw] = msgspec.field(default_factory=dict)


def record_of(outcome: Outcome) -> Record:
    """Turn one outcome into a record. An inconclusive outcome has no value, so it becomes a failed record."""
    settled = outcome.status is Status.VALUE
    return Record(
        key=outcome.key,
        status=Status.VALUE if settled else Status.FAILED,
        enabled=outcome.enabled,
        variant=outcome.variant,
        value=outcome.value if settled else None,
        payload=outcome.payload,
        reason=outcome.reason,
        condition_index=outcome.condition_index,
        description=outcome.description,
        flag_id=outcome.flag_id,
        flag_version=outcome.flag_version,
        has_experiment=outcome.has_experiment,
        config_version=outcome.config_version,
    )


def records_of(evaluation: Evaluation) -> dict[str, Record]:
    """Turn an evaluation into records, flag key → record, in evaluation order."""
    return {key: record_of(outcome) for key, outcome in evaluation.outcomes.items()}
