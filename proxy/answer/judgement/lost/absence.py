"""Flags that answers with errors leave out without a word: not computed, or deleted just then? Nothing but time tells.

What such an answer lacks is filled from elsewhere, so each absence is put to the proof: seen again and again for the judge's
holding time, and the flag in no answer of the project meanwhile, it is believed. A kill switch holds also where every answer
carries errors, as it does once a single flag is broken for good.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

MOST_FLAGS: Final = 4096


class Absence(msgspec.Struct, gc=False):
    """One flag's: when it was last counted, on the monotonic clock, and how often."""

    counted_at: float
    confirmations: int = 0


class Absences:
    """Those of one project."""

    def __init__(self) -> None:
        self._flags: dict[str, Absence] = {}

    def __len__(self) -> int:
        return len(self._flags)

    def miss(self, keys: AbstractSet[str], *, every_s: float, needed: int, now: float) -> set[str]:
        """Note flags that an answer lacks; return those whose absence is now believed."""
        believed = set()
        for key in keys:
            absence = self._flags.get(key)
            if absence is None:
                if len(self._flags) < MOST_FLAGS:
                    self._flags[key] = Absence(now)
            elif now - absence.counted_at >= every_s:
                absence.counted_at = now
                absence.confirmations += 1
                if absence.confirmations >= needed:
                    believed.add(key)
        for key in believed:
            del self._flags[key]
        return believed

    def see(self, keys: AbstractSet[str]) -> None:
        """Note flags that an answer has."""
        for key in self._flags.keys() & keys:
            del self._flags[key]
