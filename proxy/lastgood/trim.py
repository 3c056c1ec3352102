"""Gives memory back that forgotten answers leave in the allocator's hands.

A budget in bytes is a promise about the process, not about our own sums: where answers change in size, glibc keeps the holes
between them (measured: 1.8 × the budget after sizes went 0.3, 5, 0.7, 20, 0.4 KB, and 1.04 × after `malloc_trim`, which took
4 ms; decision 0168). Other C libraries have no such call and give back by themselves, or not at all.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Awaitable, Callable
from typing import Any, Final

from .cache import Cache

EVERY_S: Final = 15.0


def allocator_trim() -> Callable[[], object] | None:
    """Return what gives free memory back to the system; None: this C library has nothing of the kind."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return None if trim is None else lambda: trim(0)


class Trimming:
    """Looks four times a minute whether answers were forgotten since, and gives back what they took.

    Attributes:
        done: How often it did.
    """

    def __init__(
        self,
        cache: Cache[Any, Any],
        *,
        trim: Callable[[], object] | None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.done = 0
        self._sleep = sleep
        self._cache = cache
        self._trim = trim
        self._seen = (0, 0)

    async def run(self) -> None:
        """Look for ever; returns at once where there is nothing to call."""
        while self._trim is not None:
            await self._sleep(EVERY_S)
            await self.look()

    async def look(self) -> bool:
        """Give back, in a thread, if something was evicted, or less is remembered than before; tell whether it was done."""
        evicted, held_bytes = self._cache.evicted, self._cache.bytes
        has_holes = evicted != self._seen[0] or held_bytes < self._seen[1]
        self._seen = (evicted, held_bytes)
        if self._trim is None or not has_holes:
            return False
        await asyncio.to_thread(self._trim)  # up to 35 ms at 256 MiB, in which the lock of Python is free: hardly anybody waits
        self.done += 1
        return True
