"""Spans that wait for the collector: a queue between a loop and a thread, bounded in bytes.

What is too much is dropped, the newest first: the oldest tell how trouble began.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

PACKET_BYTES: Final = 120
"""What a packet costs beside its content: the object, and its place in the queue."""


class Queue:
    """Packets in order.

    Attributes:
        dropped: Packets that found no room.
        bytes: What waits, overhead counted.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.dropped = 0
        self.bytes = 0
        self._packets: deque[bytes] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._packets)

    def put(self, packet: bytes) -> None:
        """Add a packet, if it fits."""
        cost = len(packet) + PACKET_BYTES
        with self._lock:
            if self.bytes + cost > self.max_bytes:
                self.dropped += 1
                return
            self._packets.append(packet)
            self.bytes += cost

    def take(self, most: int) -> list[bytes]:
        """Return the oldest packets, at most so many."""
        with self._lock:
            taken = [self._packets.popleft() for _ in range(min(most, len(self._packets)))]
            self.bytes -= sum(len(packet) + PACKET_BYTES for packet in taken)
            return taken
