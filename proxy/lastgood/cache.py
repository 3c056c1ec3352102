"""Remembered answers in memory: least recently used first out, bounded by bytes with Python's own overhead counted.

Each entry has two deadlines on the injected clock: until the first it may stand in for asking, until the second it may answer
when asking fails; after that it is gone. Keys are compared in full. What does not fit into the budget at all is not kept.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from typing import Final, Generic, TypeVar

import msgspec

from proxy.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Entry(msgspec.Struct, Generic[V], gc=False):
    """One remembered value; times in seconds on the proxy's monotonic clock."""

    value: V
    stored_at: float
    fresh_until: float
    usable_until: float
    cost_bytes: int


def _slot_bytes() -> int:
    """Return what an `OrderedDict` costs per entry, growth of its table included (measured: 64 links + up to 100 of table)."""
    return 64 + 104


FLOAT_BYTES: Final = sys.getsizeof(1.0)
ENTRY_BYTES: Final = sys.getsizeof(Entry(None, 0.0, 0.0, 0.0, 0)) + 3 * FLOAT_BYTES + sys.getsizeof(1 << 31) + _slot_bytes()
"""What an entry costs beside its key and its value."""

LOOKED_AT_ONCE: Final = 64
"""Entries that a purge looks at between two pauses: 0.1 ms."""


class Cache(Generic[K, V]):
    """A two-deadline LRU."""

    def __init__(self, *, max_bytes: int, clock: Clock) -> None:
        self._entries: OrderedDict[K, Entry[V]] = OrderedDict()
        self._max_bytes = max_bytes
        self._clock = clock
        self.bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> Entry[V] | None:
        """Return the entry if it is still usable, and count it as used."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.usable_until <= self._clock.monotonic():
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: K, value: V, *, cost_bytes: int, fresh_s: float, usable_s: float, age_s: float = 0.0) -> bool:
        """Remember a value, replacing what was there; tell whether it was kept.

        Args:
            key: Under which.
            value: What.
            cost_bytes: What key and value take.
            fresh_s: Until its first deadline, counted from when it was said.
            usable_s: Until its second.
            age_s: How long ago it was said.
        """
        self.drop(key)
        cost = cost_bytes + ENTRY_BYTES
        if cost > self._max_bytes or usable_s <= age_s:
            return False
        said_at = self._clock.monotonic() - age_s
        self._entries[key] = Entry(value, said_at, said_at + min(fresh_s, usable_s), said_at + usable_s, cost)
        self.bytes += cost
        self._make_room()
        return True

    def grow(self, key: K, entry: Entry[V], by_bytes: int) -> None:
        """Say that an entry's value now takes more; does nothing when the entry is no longer the one remembered."""
        if self._entries.get(key) is entry:
            entry.cost_bytes += by_bytes
            self.bytes += by_bytes
            self._make_room()

    def drop(self, key: K) -> bool:
        """Forget one key; tell whether it was there."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self.bytes -= entry.cost_bytes
        return True

    def resize(self, max_bytes: int) -> None:
        """Work within another budget from now on."""
        self._max_bytes = max_bytes
        self._make_room()

    def purging(self, is_meant: Callable[[K, V], bool]) -> Generator[None, None, int]:
        """Forget every entry that `is_meant` says yes to, in steps; return how many. What is said after its begin may stay."""
        began, gone = self._clock.monotonic(), 0
        # In the dictionary's own order: the ordered one's would hash every key again, 20 ms for a hundred thousand.
        for number, key in enumerate(list(dict.__iter__(self._entries))):
            entry = self._entries.get(key)
            if entry is not None and entry.stored_at <= began and is_meant(key, entry.value):
                gone += self.drop(key)
            if number % LOOKED_AT_ONCE == LOOKED_AT_ONCE - 1:
                yield
        return gone

    def _make_room(self) -> None:
        while self.bytes > self._max_bytes:
            _, entry = self._entries.popitem(last=False)
            self.bytes -= entry.cost_bytes
            self.evicted += 1
