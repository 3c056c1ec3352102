"""Records that wait to be written: bounded by bytes, one for each key, the oldest dropped first, and counted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from .record import Sealed, SealedPurge


class Backlog:
    """What waits.

    Attributes:
        bytes: What it takes.
        dropped: Records given up because too much waited.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.bytes = 0
        self.dropped = 0
        self._max_bytes = max_bytes
        self._waiting: OrderedDict[bytes, Sealed] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, records: Iterable[Sealed]) -> None:
        """Take records; of each key the one that was said last stays, whoever it came from and whenever."""
        for record in records:
            waiting = self._waiting.get(record.key)
            if waiting is not None and waiting.stored_at > record.stored_at:
                continue
            self._remove(record.key)
            self._waiting[record.key] = record
            self.bytes += record.cost_bytes
        self._make_room()

    def put_back(self, records: Iterable[Sealed]) -> None:
        """Take records back that could not be written, as the oldest; one whose key has a newer one is done with."""
        for record in reversed(list(records)):
            if record.key not in self._waiting:
                self._waiting[record.key] = record
                self._waiting.move_to_end(record.key, last=False)
                self.bytes += record.cost_bytes
        self._make_room()

    def take(self, *, max_bytes: int) -> list[Sealed]:
        """Remove and return the oldest records that together take at most so much; at least one, when there is one."""
        taken: list[Sealed] = []
        taken_bytes = 0
        while self._waiting:
            cost = next(iter(self._waiting.values())).cost_bytes
            if taken and taken_bytes + cost > max_bytes:
                break
            _, record = self._waiting.popitem(last=False)
            self.bytes -= cost
            taken_bytes += cost
            taken.append(record)
        return taken

    def purge(self, purge: SealedPurge) -> int:
        """Forget what is meant; return how many those were."""
        meant = [key for key, record in self._waiting.items() if purge.is_meant(record)]
        for key in meant:
            self._remove(key)
        return len(meant)

    def _remove(self, key: bytes) -> None:
        record = self._waiting.pop(key, None)
        if record is not None:
            self.bytes -= record.cost_bytes

    def _make_room(self) -> None:
        while self.bytes > self._max_bytes:
            _, record = self._waiting.popitem(last=False)
            self.bytes -= record.cost_bytes
            self.dropped += 1
