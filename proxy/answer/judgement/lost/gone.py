"""The flags of one project that were believed to be gone: to whoever still remembers one of them its loss is nothing new.

So kill switches pressed one after the other never add up to a suspicion. A flag that is seen again is not gone, and none is
remembered longer than answers that hold it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

FLAG_BYTES: Final = 208
"""Of one flag beside its key: the record, its time, its place in the table (measured)."""
MOST_BYTES: Final = 256 * 1024
"""Of one project, about a thousand flags; the earliest are forgotten first."""


class Loss(msgspec.Struct, gc=False):
    """How one flag was lost.

    Attributes:
        at: When that was first believed, on the monotonic clock.
        is_plain: It was one of few that an answer lost. The loss of most of what a question asks for says less: in an outage
            that empties answers, each question for a single flag looks like that.
    """

    at: float
    is_plain: bool


class Gone:
    """The flags of one project that are gone."""

    def __init__(self) -> None:
        self._losses: dict[str, Loss] = {}
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

    def see(self, keys: AbstractSet[str]) -> None:
        """Note that an answer holds these flags."""
        for key in self._losses.keys() & keys:
            self._forget(key)

    def expire(self, before: float) -> None:
        """Forget what was lost before an instant."""
        while self._losses and self._losses[first := next(iter(self._losses))].at <= before:
            self._forget(first)

    def explained(self, missing: Collection[str], *, within_s: float, fewer_than: int, now: float) -> set[str]:
        """Return those of the missing flags whose loss is nothing new.

        Flags lost within the last `within_s` seconds, all of them by answers that lost most of what they had, explain nothing
        unless they are `fewer_than` so many: that is what an outage looks like to those who ask for single flags.
        """
        recent = {key for key, loss in self._losses.items() if not loss.is_plain and now - loss.at < within_s}
        doubtful = recent if len(recent) >= fewer_than else frozenset[str]()
        return {key for key in missing if key in self._losses and key not in doubtful}

    def _is_news(self, key: str, *, is_plain: bool, now: float) -> bool:
        known = self._losses.get(key)
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
