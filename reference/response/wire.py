"""The JSON objects of one flag, field by field in the service's serialisation order (contract §3.2 and §3.5).

Nothing but form: what goes into the fields is decided in `render`.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, Raw, UnsetType

from reference.json import Json


class ReasonBody(msgspec.Struct, gc=False):
    """`reason` of a record."""

    code: str
    condition_index: int | None
    description: str | None


class MetadataV2(msgspec.Struct, gc=False):
    """`metadata` of a v2 record; `has_experiment` is absent on servers that do not know it."""

    id: Json
    version: Json
    description: str | None
    payload: Json | Raw
    has_experiment: bool | UnsetType = UNSET


class MetadataV3(msgspec.Struct, gc=False):
    """`metadata` of a typed record."""

    id: Json
    version: Json
    config_version: int
    description: str | None
    payload: Json | Raw
    has_experiment: bool | UnsetType = UNSET
    variant_key: str | UnsetType = UNSET


class RecordV2(msgspec.Struct, gc=False, omit_defaults=True):
    """One flag of a v2 answer; `failed` is present only when true."""

    key: str
    enabled: bool
    variant: str | None
    reason: ReasonBody
    metadata: MetadataV2


class FailedV2(msgspec.Struct, gc=False):
    """A flag that could not be computed, in a v2 answer."""

    key: str
    enabled: bool
    variant: str | None
    failed: bool
    reason: ReasonBody
    metadata: MetadataV2


class RecordV3(msgspec.Struct, gc=False):
    """One flag of a v3 answer."""

    key: str
    value: Json | Raw
    reason: ReasonBody
    metadata: MetadataV3


class FailedV3(msgspec.Struct, gc=False):
    """A flag that could not be computed, in a v3 answer: its value is null."""

    key: str
    value: None
    failed: bool
    reason: ReasonBody
    metadata: MetadataV3
