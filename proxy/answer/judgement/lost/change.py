"""Another set of flags than last time: how much is missing, and what the definitions held explain of it.

Sets are compared by a mark, a hash of their names that is remembered with the answer, and names are read only where the bytes
differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
from msgspec import UNSET, Raw

from proxy.answer.judgement.listing import flags_of, lists_only_enabled, version_of
from proxy.answer.request import FlagsRequest
from proxy.answer.shape import Reading, read_answer
from proxy.config.settings import Policy
from proxy.definitions.held import HeldSet
from proxy.lastgood.cache import Entry
from proxy.lastgood.memory import Kept

FIRST_BYTES: Final = 48
NO_FLAGS: Final[frozenset[str]] = frozenset()


class Change(msgspec.Struct, frozen=True):
    """An answer whose set of flags is another than the last one's."""

    request: FlagsRequest
    reading: Reading
    flags: Mapping[str, Raw | None]
    last: Entry[Kept]
    held: HeldSet | None
    set_mark: int

    @property
    def is_emptied(self) -> bool:
        """It lists nothing, and that is no value."""
        return not self.flags and not lists_only_enabled(self.reading)

    @property
    def is_ordinary(self) -> bool:
        """It lists only what is on, and something is: then any loss may be a value."""
        return bool(self.flags) and lists_only_enabled(self.reading)


def is_much(missing: AbstractSet[str], before: Collection[str], policy: Policy) -> bool:
    """Tell whether so many flags are missing that an answer is suspect."""
    return len(missing) >= policy.judge_flags and len(missing) > policy.judge_ratio * len(before)


def may_lack(reading: Reading, keys: AbstractSet[str], held: HeldSet | None, policy: Policy) -> bool:
    """Tell whether an answer is so short that it is worth asking which flags the definitions held list for its question."""
    if held is None or lists_only_enabled(reading):
        return False
    return len(held.program.keys()) - len(keys) >= policy.judge_flags


def by_definitions(lost: AbstractSet[str], before: Mapping[str, Raw | None], change: Change) -> set[str]:
    """Return the losses that the definitions held explain: flags that are off, gone, or were changed since."""
    if change.held is None:
        return set()
    known, stored_at = change.held.standings, change.last.stored_at
    return {key for key in lost if key in known and not known[key].lets_count(version_of(before[key]), stored_at=stored_at)}


def flags_before(kept: Kept) -> Mapping[str, Raw | None]:
    """Return the flags of a remembered answer."""
    reading = read_answer(kept.whole)
    return {} if reading is None else flags_of(reading)


def mark_of(kept: Kept) -> int:
    """Return the mark of a remembered answer's flags, made on first use where it came from another process."""
    if kept.set_mark is None:
        kept.set_mark = hash(frozenset(flags_before(kept)))
    return kept.set_mark


def mark_if_same(reading: Reading, kept: Kept) -> int | None:
    """Return the mark of the remembered flags where these are byte for byte the same; None: that is not so easily told.

    They are looked for in the whole remembered body: more than half of it can only be its flags, nothing inside them. Where
    they begin is found by their first bytes: a search for all of them would cost more than reading their names.
    """
    raw = reading.feature_flags if reading.flags is UNSET else reading.flags
    body = kept.whole.body
    if kept.set_mark is None or raw is UNSET or 2 * len(raw) <= len(body):
        return None
    flags = bytes(raw)
    return kept.set_mark if body.startswith(flags, body.find(flags[:FIRST_BYTES])) else None
