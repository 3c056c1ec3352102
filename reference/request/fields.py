"""The fields of a flags request: aliases under one name, types checked strictly, unknown fields ignored (contract §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from reference.json import Json
from reference.matching.text import text_form
from reference.response import Refusal

MAX_DISTINCT_ID_SCALARS: Final = 200

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "token": ("token", "api_key", "$token"),
    "distinct_id": ("distinct_id", "$distinct_id"),
    "anon_distinct_id": ("$anon_distinct_id", "anon_distinct_id"),
    "device_id": ("$device_id", "device_id"),
    "person_properties": ("person_properties", "$properties"),
    "groups": ("groups", "$groups"),
    "group_properties": ("group_properties", "$group_properties"),
    "flag_keys": ("flag_keys", "flag_keys_to_evaluate"),
    "disable_flags": ("disable_flags",),
    "geoip_disable": ("geoip_disable",),
    "evaluation_contexts": ("evaluation_contexts", "evaluation_environments"),
    "evaluation_runtime": ("evaluation_runtime",),
    "timezone": ("timezone",),
    "ip_address": ("ip_address",),
    "cookieless_hash_extra": ("cookieless_hash_extra",),
    "override_flags_definitions": ("override_flags_definitions",),
}
"""Field → the names it may have on the wire."""

_FIELDS: Final = {name: field for field, names in ALIASES.items() for name in names}


class FlagsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A flags request body; None where a field is absent or null. Meaning of the fields: contract §2.2."""

    token: str | None = None
    distinct_id: str | int | float | None = None
    anon_distinct_id: str | None = None
    device_id: str | None = None
    person_properties: dict[str, Any] | None = None
    groups: dict[str, Any] | None = None
    group_properties: dict[str, dict[str, Any]] | None = None
    flag_keys: list[str] | None = None
    disable_flags: bool | None = None
    geoip_disable: bool | None = None
    evaluation_contexts: list[str] | None = None
    evaluation_runtime: str | None = None
    timezone: str | None = None
    ip_address: str | None = None
    cookieless_hash_extra: str | None = None
    override_flags_definitions: dict[str, Any] | None = None

    @property
    def identity(self) -> str | None:
        """The distinct_id as text, cut to 200 Unicode scalars; None when absent. A number is its JSON text."""
        return None if self.distinct_id is None else text_form(self.distinct_id)[:MAX_DISTINCT_ID_SCALARS]


def read_fields(document: Json) -> FlagsBody | Refusal:
    """Read the fields of a decoded body; a wrong type, or two aliases of one field, spoils the request."""
    if not isinstance(document, Mapping):
        return Refusal.INVALID_JSON
    fields: dict[str, Json] = {}
    for name, value in document.items():
        field = _FIELDS.get(name)
        if field in fields:
            return Refusal.INVALID_JSON
        if field is not None:
            fields[field] = value
    try:
        return msgspec.convert(fields, FlagsBody)
    except msgspec.ValidationError:
        return Refusal.INVALID_JSON
