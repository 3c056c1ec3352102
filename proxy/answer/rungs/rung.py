"""The port every rung implements: fill what is missing, or say that nothing is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from proxy.answer.answer import Assembled, Source, Whole
from proxy.answer.request import FlagsRequest
from proxy.answer.shape import Envelope, Record


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What one rung has for one request.

    Attributes:
        source: Which rung.
        age_s: Age of what it says.
        fresh_for_s: As `Answer.fresh_for_s`.
        content: An answer to the whole request, ready to be sent; None when the rung has only some of the records.
        records: Flag key → record, where there is no `content`.
        lacking: The asked flags that it knows of and has no record for; None: it can't say.
        envelope: What stood, or is to stand, around the records.
    """

    source: Source
    age_s: float = 0.0
    fresh_for_s: float | None = None
    content: Whole | Assembled | None = None
    records: Mapping[str, Record] = {}
    lacking: frozenset[str] | None = None
    envelope: Envelope | None = None


class Rung(Protocol):
    """One source of records beside upstream."""

    async def fill(self, request: FlagsRequest, missing: frozenset[str] | None) -> Filled | None:
        """Return what is at hand of the `missing` flags (None: of all, whichever those are); None when nothing is."""
