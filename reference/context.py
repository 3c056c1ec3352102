"""Whom a flag is evaluated for, and how much is known about them.

A `Context` says what the request carried *and* what the evaluator may assume about the rest. The default is a local
evaluator's position: what was not sent is unknown. With `properties_complete` it is the server's position: what is not
there does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from .json import Json, JsonObject


class Runtime(StrEnum):
    """Where the caller runs; decides which flags with an `evaluation_runtime` it may see (flags-service.md 5.2)."""

    ALL = "all"
    CLIENT = "client"
    SERVER = "server"


class Memberships(Protocol):
    """Who is in the static and behavioural cohorts that definitions cannot express."""

    def is_member(self, cohort_id: int) -> bool | None:
        """Return whether the person of this request is in the cohort; None when that is not known."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One person, their groups, and what is known about them.

    Attributes:
        distinct_id: Any string, the empty one included. Longer than 200 Unicode scalars: the first 200 count.
        person_properties: What the request sent; merged over stored properties where the caller has those.
        groups: Group type name → group key; only non-empty strings and numbers are usable keys.
        group_properties: Group type name → that group's properties.
        device_id: For flags bucketed by device. None: a non-empty string `$device_id` among the person properties is taken
            instead (flags-service.md 2.2). Empty: absent, whatever the properties say.
        anon_distinct_id: `$anon_distinct_id` of the request: the identity continuity flags hash when nothing is stored.
        properties_complete: True on a server, which knows everything there is to know about the person and the groups;
            False in a local evaluator, where a key that was not sent may or may not be set.
        hash_key_overrides: Stored experience-continuity identities, flag key → hash key. None: not known
            (a complete context then means that none is stored).
        memberships: Static and behavioural cohorts. None: not known.
        timezone: IANA name of the team's time zone. None: not known (a complete context then means UTC).
        geoip_disabled: False: the service fills `$geoip_*` keys that were sent as null, so those stay unknown locally.
    """

    distinct_id: str
    person_properties: JsonObject = msgspec.field(default_factory=dict)
    groups: JsonObject = msgspec.field(default_factory=dict)
    group_properties: Mapping[str, JsonObject] = msgspec.field(default_factory=dict)
    device_id: str | None = None
    anon_distinct_id: str | None = None
    properties_complete: bool = False
    hash_key_overrides: Mapping[str, str] | None = None
    memberships: Memberships | None = None
    timezone: str | None = None
    geoip_disabled: bool = True


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which flags of the definitions a request asks about (flags-service.md 5.2 and 5.3).

    Attributes:
        flag_keys: Only these and what they depend on; unknown keys are ignored; None asks for all, empty for none.
        runtime: The caller's runtime; None when it could not be told (runtime-bound flags are then dropped).
            `Runtime.ALL` (the default) drops nothing.
        evaluation_contexts: A flag with contexts of its own must share one of these; empty: no filter.
        survey_only: Only keys starting with `survey-targeting-`.
    """

    flag_keys: tuple[str, ...] | None = None
    runtime: Runtime | None = Runtime.ALL
    evaluation_contexts: tuple[str, ...] = ()
    survey_only: bool = False


__all__ = ["Context", "Json", "Memberships", "Runtime", "Selection"]
