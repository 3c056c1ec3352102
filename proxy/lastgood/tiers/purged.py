"""What was purged, so that a tier that has yet to hear of it brings nothing back.

Memory forgets first, the disk when every worker did, and a disk or a Redis that is in trouble much later: what is recalled in
between from before the purge would outlive it in memory. Of a person only a hash that means nothing outside this process is
kept. Of many purges the earliest are taken for one of everything: who then recalls too little asks upstream.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import msgspec

from proxy.answer.request import Key, ProjectName

from .person import person_of
from .record import Purge

MOST: Final = 64


class _One(msgspec.Struct, frozen=True):
    """One purge. `at`: Unix second; `person`: a hash, None: everybody."""

    at: float
    project: str | None
    person: int | None


class Purged:
    """The purges of one worker's life."""

    def __init__(self) -> None:
        self._lately: deque[_One] = deque()
        self._everything_at = float("-inf")

    def add(self, purge: Purge, *, at: float) -> None:
        """Note a purge of this Unix second."""
        person = None if purge.distinct_id is None else hash(purge.distinct_id)
        self._lately.append(_One(at, purge.project, person))
        if len(self._lately) > MOST:
            self._everything_at = max(self._everything_at, self._lately.popleft().at)

    def means(self, key: Key, project: ProjectName, *, stored_at: float) -> bool:
        """Tell whether an answer that upstream gave at this Unix second was purged since."""
        if stored_at <= self._everything_at:
            return True
        later = [each for each in self._lately if each.at >= stored_at and each.project in {None, project}]
        if not later or any(each.person is None for each in later):
            return bool(later)
        person = person_of(key)
        return person is not None and hash(person) in {each.person for each in later}
