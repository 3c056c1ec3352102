"""What of a remembered answer still counts under the definitions held now ("off means off").

Without definitions all of it does. With some, a record counts while they have nothing newer to say about its flag, and neither
does one that rests on a flag that is off. An answer of an earlier life of this process, from disk or Redis, may hold flags that
were deleted before it began: what is not accounted for does not count. An answer found to count whole is not looked at again
until the definitions change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from proxy.answer.request import FlagsRequest
from proxy.answer.shape import Envelope, ReadAnswer, Record, remembered
from proxy.definitions.held import Held, HeldSet
from proxy.definitions.standing import off_flags, off_record
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept
from proxy.pauses import in_slices

SURVEY: Final = "survey-targeting-"
"""How the keys of flags begin that belong to surveys."""


class Remains(msgspec.Struct, frozen=True):
    """The part of a remembered answer that counts, with flags that are off said to be so, and what stood around it."""

    records: Mapping[str, Record]
    envelope: Envelope


class Counting:
    """Judges remembered answers."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def is_sound(self, request: FlagsRequest, entry: Entry[Kept]) -> bool:
        """Tell whether a remembered answer is already known to count whole."""
        held = self._held.get(request.project)
        return held is None or entry.value.sound_under == held.set.generation

    async def remains(self, request: FlagsRequest, entry: Entry[Kept]) -> Remains | None:
        """Return what is left of a remembered answer; None when it counts whole."""
        held = self._held.get(request.project)
        if held is None or self.is_sound(request, entry):
            return None
        answer = await in_slices(remembered(entry.value.whole.body))
        if answer is None:
            return None  # it is no answer that flags can be told from, nor was it remembered as one
        outdated = _outdated(answer, held, stored_at=entry.stored_at)
        if not outdated and not _is_short(answer, held, request, stored_at=entry.stored_at):
            entry.value.sound_under = held.set.generation
            return None
        counting = {key: record for key, record in answer.records.items() if key not in outdated}
        off = {flag.key: off_record(flag) for flag in off_flags(held.standings, outdated & answer.records.keys())}
        return Remains({**counting, **off}, answer.envelope)


def _outdated(answer: ReadAnswer, held: HeldSet, *, stored_at: float) -> set[str]:
    known = held.standings
    outdated = {
        key
        for key, record in answer.records.items()
        if key in known and not known[key].lets_count(record.flag_version, stored_at=stored_at)
    }
    if stored_at < held.known_since:
        outdated |= _unaccountable(answer, held)
    return outdated | held.program.dependents(key for key in outdated if key in known and not known[key].is_on)


def _unaccountable(answer: ReadAnswer, held: HeldSet) -> set[str]:
    """Return the records of an earlier life's answer of which nothing tells that they still count.

    A flag that is not listed may have been deleted since, and a record without a version may be of any. Survey flags are never
    listed (contract §4.3).
    """
    listed = held.standings
    return {
        key
        for key, record in answer.records.items()
        if (record.flag_version == 0 if key in listed else not key.startswith(SURVEY))
    }


def _is_short(answer: ReadAnswer, held: HeldSet, request: FlagsRequest, *, stored_at: float) -> bool:
    """Tell whether flags that were asked for came into being, or to life, after the answer was remembered."""
    if not answer.shape.has_error_bit:  # these list only what is on
        return False
    keys = held.standings.keys() if request.asked is None else request.asked
    return any(
        key not in answer.records and (standing := held.standings.get(key)) is not None and standing.is_on
        and standing.since >= stored_at
        for key in keys
    )  # fmt: skip
