"""Single flight: requests with one key that arrive together share one exchange.

The exchange runs in a task of its own, so a caller that goes away, the first one too, takes nobody else's answer with it, and
an exchange that outlives its callers' patience still lands. A result is shared only while the flight is in the air: what
comes later asks anew, so failures are never remembered here. Nobody joins a flight that callers have given up on.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from proxy.answer.request import Key
from proxy.clock import Clock

T = TypeVar("T")


class Aloft(Generic[T]):
    """One flight in the air. `started_at`: second of the proxy's clock; `is_late`: a caller was answered without it."""

    __slots__ = ("is_late", "started_at", "task")

    def __init__(self, task: asyncio.Task[T], started_at: float) -> None:
        self.task = task
        self.started_at = started_at
        self.is_late = False


class Flight(Generic[T]):
    """The flights in the air, at most one per key that can be joined.

    Attributes:
        joined: How many callers took a seat in another one's flight.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._by_key: dict[Key, Aloft[T]] = {}
        self._tasks: set[asyncio.Task[T]] = set()
        self.joined = 0

    def __len__(self) -> int:
        return len(self._tasks)

    def has(self, key: Key) -> bool:
        """Tell whether a flight for `key` is in the air."""
        return key in self._by_key

    async def join(
        self, key: Key, fly: Callable[[], Coroutine[Any, Any, T]], *, patience_s: float = math.inf
    ) -> tuple[T, bool]:
        """Board a flight and wait for its end; return its result, and whether it was joined."""
        aloft, is_joined = self.board(key, fly, patience_s=patience_s)
        return await asyncio.shield(aloft.task), is_joined

    def board(self, key: Key | None, fly: Callable[[], Coroutine[Any, Any, T]], *, patience_s: float) -> tuple[Aloft[T], bool]:
        """Return the flight for `key`, started with `fly` where there is none to join; and whether it was joined.

        Args:
            key: None: nobody may share this flight.
            fly: Makes the exchange; called at most once, at once.
            patience_s: A flight older than this is not joined: it may never land.
        """
        aloft = None if key is None else self._by_key.get(key)
        now = self._clock.monotonic()
        if aloft is not None and not aloft.task.done() and now - aloft.started_at < patience_s:
            self.joined += 1
            return aloft, True
        task = asyncio.get_running_loop().create_task(fly())
        aloft = Aloft(task, now)
        self._tasks.add(task)
        if key is not None:
            self._by_key[key] = aloft
        task.add_done_callback(lambda done: self._land(key, done))
        return aloft, False

    async def close(self) -> None:
        """Cancel what is still in the air and wait for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: Key | None, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if key is not None and (aloft := self._by_key.get(key)) is not None and aloft.task is task:
            del self._by_key[key]
