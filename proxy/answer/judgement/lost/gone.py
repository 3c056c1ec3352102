"""The flags of one project that were believed to be gone: to whoever still remembers one of them its loss is nothing new.

So kill switches pressed one after the other never add up to a suspicion. A flag that is seen again is not gone, and none is
remembered longer than answers that hold it. Losses are doubtful where each was most of what a question asked for: they may be
kill switches, or an outage that empties answers as callers of single flags see it. Many in a minute are an outage.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

import msgspec

FLAG_BYTES: Final = 208
"""Of one flag beside its key: the record, its time, its place in the table (measured)."""
MOST_BYTES: Final = 256 * 1024
"""Of one project, about a thousand flags; the earliest are forgotten first."""
MOST_THERE: Final = 1024
"""Flags of one project that are noted to be there, by the hash of their keys: 64 KiB."""


class Measure(msgspec.Struct, frozen=True):
    """How many losses are too many.

    Attributes:
        within_s: Doubtful losses count for so many seconds.
        flags: So many, at least, are an outage …
        ratio: … if they are more than this share of the flags that were asked for meanwhile.
        now: On the monotonic clock.
    """

    within_s: float
    flags: int
    ratio: float
    now: float


class Loss(msgspec.Struct, gc=False):
    """How one flag was lost.

    Attributes:
        at: When that was first believed, on the monotonic clock.
        is_plain: It was one of few that an answer lost; otherwise it is doubtful.
    """

    at: float
    is_plain: bool


class Gone:
    """The flags of one project that are gone."""

    def __init__(self) -> None:
        self._losses: dict[str, Loss] = {}
        self._there: set[int] = set()
        self._doubted_at = -math.inf
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._losses)

    def __contains__(self, key: str) -> bool:
        return key in self._losses

    def add(self, keys: Iterable[str], *, is_plain: bool, now: float) -> tuple[str, ...]:
        """Believe flags to be gone; return those of which that is news."""
        news = tuple(key for key in keys if self._is_news(key, is_plain=is_plain, now=now))
        while self.bytes > MOST_BYTES:
            self._forget(next(iter(self._losses)))
        return news

    def see(self, keys: AbstractSet[str], *, within_s: float, now: float) -> None:
        """Note that an answer holds these flags; which, only while losses are doubtful."""
        for key in self._losses.keys() & keys:
            self._forget(key)
        if now - self._doubted_at >= within_s:
            self._there.clear()
        elif len(self._there) < MOST_THERE:
            self._there.update(islice(map(hash, keys), MOST_THERE - len(self._there)))

    def expire(self, before: float) -> None:
        """Forget what was lost before an instant."""
        while self._losses and self._losses[first := next(iter(self._losses))].at <= before:
            self._forget(first)

    def explained(self, missing: Collection[str], held: AbstractSet[str], measure: Measure) -> set[str]:
        """Return those of the missing flags whose loss is nothing new; doubtful ones that are too many explain nothing.

        `held`: the flags that answers lack which are being held on to.
        """
        doubtful = self._doubtful(measure)
        if len(doubtful | held) < measure.flags:
            doubtful = set()
        return {key for key in missing if key in self._losses and key not in doubtful}

    def is_drained(self, missing: AbstractSet[str], held: AbstractSet[str], measure: Measure) -> bool:
        """Tell whether these losses and other doubtful ones, seen one by one, are too many together."""
        lost = self._doubtful(measure) | held | missing
        there = self._there.difference(map(hash, lost))
        return len(lost) >= measure.flags and len(lost) > measure.ratio * (len(lost) + len(there))

    def _doubtful(self, measure: Measure) -> set[str]:
        now, within_s = measure.now, measure.within_s
        return {key for key, loss in self._losses.items() if not loss.is_plain and now - loss.at < within_s}

    def _is_news(self, key: str, *, is_plain: bool, now: float) -> bool:
        known = self._losses.get(key)
        if not is_plain:
            self._doubted_at = now
        if known is None:
            self._losses[key] = Loss(now, is_plain)
            self.bytes += _cost(key)
            return True
        is_news = is_plain and not known.is_plain
        known.is_plain = known.is_plain or is_plain
        return is_news

    def _forget(self, key: str) -> None:
        del self._losses[key]
        self.bytes -= _cost(key)


def _cost(key: str) -> int:
    return sys.getsizeof(key) + FLAG_BYTES
