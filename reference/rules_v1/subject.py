"""Everything one request brings to the evaluation: identities, views of properties, and what was already decided.

One `Subject` serves one request; the compiled flags only read it, except for the memos of cohorts, groups and outcomes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple, TypeAlias

from reference.context import Context, Memberships
from reference.json import Json
from reference.matching.match import Moment, Unsure, View
from reference.matching.text import text_form
from reference.outcome import Outcome, Status

from .enrich import person_properties
from .targeting.answers import Failure

IDENTIFIER_SCALARS: Final = 200
_NO_NUMBER: Final = text_form(None)  # what the service makes of numbers that no double holds
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Bucket(Enum):
    """An identity that is no identifier."""

    NOBODY = auto()
    """There is none: the group key is missing or unusable."""
    UNKNOWN = auto()
    """There is one, but it is not known here."""


Identity: TypeAlias = "bytes | Bucket"


class Group(NamedTuple):
    """One group of the request: its key as it is hashed, and the view of its properties."""

    identity: Identity
    view: View


class Subject:
    """The person and the groups of one request.

    Attributes:
        identity: The distinct_id as it is hashed.
        device: The device id as it is hashed; None without one.
        complete: True in the server's position.
        view: The person's properties.
        outcomes: Flag key → outcome of the flags evaluated so far.
        possible: Inconclusive flag key → the values it may have; absent when they are not known.
        cohorts: Cohort id → answer, for the cohorts asked so far.
        has_failure: Some flag failed.
        has_doubt: Some flag has no value: it failed, or stays open.
    """

    __slots__ = (
        *("_context", "_group_types", "_groups", "cohorts", "complete", "device", "has_doubt", "has_failure", "identity"),
        *("outcomes", "possible", "view"),
    )

    def __init__(self, context: Context, moment: Moment, *, group_types: Mapping[int, str], fill: tuple[str, ...]) -> None:
        distinct_id = well_formed(context.distinct_id)[:IDENTIFIER_SCALARS]
        self._context = context
        self._group_types = group_types
        self._groups: dict[int, Group] = {}
        self.complete = context.properties_complete
        self.identity = distinct_id.encode()
        self.device = _device(context)
        self.view = View(person_properties(context, distinct_id, fill), moment, complete=self.complete)
        self.outcomes: dict[str, Outcome] = {}
        self.possible: dict[str, tuple[bool | str, ...]] = {}
        self.cohorts: dict[int, bool | Unsure | Failure] = {}
        self.has_failure = self.has_doubt = False

    def noted(self, outcome: Outcome) -> Outcome:
        """Return an outcome that may be no value, having noted what it is."""
        self.has_failure = self.has_failure or outcome.status is Status.FAILED
        self.has_doubt = self.has_doubt or outcome.status is not Status.VALUE
        return outcome

    @property
    def memberships(self) -> Memberships | None:
        """Who is in which static or behavioural cohort, where that is known."""
        return self._context.memberships

    def continued_identity(self, flag_key: str) -> Identity:
        """Return what a flag with experience continuity hashes: stored override, anonymous id, distinct_id (contract §5.8)."""
        overrides = self._context.hash_key_overrides
        if overrides is None and not self.complete:
            return Bucket.UNKNOWN
        stored = None if overrides is None else overrides.get(flag_key)
        return self.unstored_identity() if stored is None else as_identifier(stored)

    def unstored_identity(self) -> bytes:
        """Return what a continuity flag hashes when no override is stored, and always for its holdout."""
        anonymous = self._context.anon_distinct_id
        return as_identifier(anonymous) if anonymous else self.identity

    def group(self, index: int) -> Group:
        """Return the request's group of a type; its view is complete where nothing can be stored for it (contract §9)."""
        known = self._groups.get(index)
        if known is None:
            known = self._groups[index] = self._group(index)
        return known

    def _group(self, index: int) -> Group:
        context, moment = self._context, self.view.moment
        name = self._group_types.get(index)
        if name is None:
            # The service may know a type that these definitions do not; it cannot matter without any group in the request.
            may_have_key = not self.complete and any(_group_key(key) is not None for key in context.groups.values())
            may_be_set = may_have_key or (not self.complete and any(context.group_properties.values()))
            return Group(Bucket.UNKNOWN if may_have_key else Bucket.NOBODY, View({}, moment, complete=not may_be_set))
        key = _group_key(context.groups.get(name))
        properties = dict(context.group_properties.get(name) or {})
        if name in context.groups:
            properties["$group_key"] = context.groups[name]
        return Group(
            Bucket.NOBODY if key is None else as_identifier(key),
            View(properties, moment, complete=self.complete or key is None),
        )


def as_identifier(text: str) -> bytes:
    """Return an identifier as it is hashed: its first 200 Unicode scalars in UTF-8 (contract §5.8)."""
    return well_formed(text)[:IDENTIFIER_SCALARS].encode()


def well_formed(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry, by U+FFFD, as the service's lossy decoding does."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def _device(context: Context) -> bytes | None:
    device = context.device_id
    if device is None:
        sent = context.person_properties.get("$device_id")
        device = sent if isinstance(sent, str) else None
    return as_identifier(device) if device else None


def _group_key(key: Json) -> str | None:
    """Return a usable group key as text: a non-empty string, or a number's JSON text (contract §9)."""
    if isinstance(key, str):
        return key or None
    if isinstance(key, bool) or not isinstance(key, int | float):
        return None
    text = text_form(key)
    return None if text == _NO_NUMBER else text
