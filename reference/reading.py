"""Reads an evaluation request from JSON: the person, the instant, the selection.

The rule: a field of the wrong type is refused by name, an unknown field is ignored, and nothing is coerced but the
`distinct_id` and the ids of cohorts, which may be numbers or their text. No message repeats what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from .context import Context, Runtime, Selection
from .definitions.errors import Flaw
from .definitions.fields import Source, as_source, boolean, number, optional_text, texts
from .json import Json, JsonObject
from .matching.text import text_form

_RUNTIMES: Final = {runtime.value: runtime for runtime in Runtime}


class KnownMemberships(msgspec.Struct, frozen=True):
    """Memberships that the request itself states; cohorts it does not name stay unknown."""

    by_cohort: Mapping[int, bool]

    def is_member(self, cohort_id: int) -> bool | None:
        return self.by_cohort.get(cohort_id)


class Request(NamedTuple):
    """One evaluation: `now` is None where the request names no instant."""

    context: Context
    now: datetime | None
    selection: Selection


def read_request(fields: JsonObject) -> Request:
    """Read `{"context": {…}, "flag_keys"?, "properties_complete"?, "timezone"?, "runtime"?, "evaluation_contexts"?,
    "survey_only"?}`.

    Raises:
        Flaw: A field has the wrong type or an impossible value; the path starts with `$`.
    """  # noqa: D205 - the shape is one sentence and longer than a line
    request = Source(fields, "$")
    sent = as_source(fields.get("context"), "$.context")
    context = Context(
        distinct_id=_distinct_id(sent),
        person_properties=_object(sent, "person_properties"),
        groups=_object(sent, "groups"),
        group_properties=_group_properties(sent),
        device_id=optional_text(sent, "device_id") or None,
        anon_distinct_id=optional_text(sent, "anon_distinct_id"),
        properties_complete=boolean(request, "properties_complete"),
        hash_key_overrides=_overrides(sent),
        memberships=_memberships(sent),
        timezone=_timezone(request),
        geoip_disabled=boolean(sent, "geoip_disabled", default=True),
    )
    return Request(context, _now(sent), _selection(request))


def _selection(request: Source) -> Selection:
    has_keys = request.fields.get("flag_keys") is not None
    runtime = optional_text(request, "runtime")
    if runtime is not None and runtime not in _RUNTIMES:
        raise request.flaw("runtime", f"must be one of {', '.join(_RUNTIMES)}")
    return Selection(
        flag_keys=texts(request, "flag_keys") if has_keys else None,
        runtime=Runtime.ALL if runtime is None else _RUNTIMES[runtime],
        evaluation_contexts=texts(request, "evaluation_contexts"),
        survey_only=boolean(request, "survey_only"),
    )


def _distinct_id(sent: Source) -> str:
    value = sent.fields.get("distinct_id")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return text_form(value)
    if not isinstance(value, str):
        raise sent.flaw("distinct_id", "must be a string or a number")
    return value


def _object(source: Source, name: str) -> JsonObject:
    value = source.fields.get(name)
    return {} if value is None else as_source(value, source.at(name)).fields


def _group_properties(sent: Source) -> Mapping[str, JsonObject]:
    table = Source(_object(sent, "group_properties"), sent.at("group_properties"))
    return {name: _object(table, name) for name in table.fields}


def _overrides(sent: Source) -> Mapping[str, str] | None:
    if sent.fields.get("hash_key_overrides") is None:
        return None
    table = Source(_object(sent, "hash_key_overrides"), sent.at("hash_key_overrides"))
    return {key: value for key in table.fields if (value := optional_text(table, key)) is not None}


def _memberships(sent: Source) -> KnownMemberships | None:
    if sent.fields.get("memberships") is None:
        return None
    table = Source(_object(sent, "memberships"), sent.at("memberships"))
    return KnownMemberships({_cohort_id(table, name): boolean(table, name) for name in table.fields})


def _cohort_id(table: Source, name: str) -> int:
    if not (name.isascii() and name.isdigit() and len(name) <= 10):  # noqa: PLR2004 - 32 bits
        raise Flaw(table.path, "must have cohort ids, as decimal text, as keys")
    return int(name)


def _timezone(request: Source) -> str | None:
    name = optional_text(request, "timezone")
    try:
        return None if name is None else ZoneInfo(name).key
    except (ValueError, OSError, KeyError) as error:
        raise request.flaw("timezone", "must be an IANA time zone") from error


def _now(sent: Source) -> datetime | None:
    value: Json = sent.fields.get("now")
    if value is None:
        return None
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(number(sent, "now"), UTC)
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise sent.flaw("now", "must be an ISO 8601 instant or Unix seconds between the years 1 and 9999") from error
