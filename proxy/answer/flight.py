"""Single flight: requests with one key that arrive together share one exchange.

The exchange runs in a task of its own, so a caller that goes away, the first one too, takes nobody else's answer with it.
A result is shared only while the flight is in the air: what comes later asks anew, so failures are never remembered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from .request import Key

T = TypeVar("T")


class Flight(Generic[T]):
    """The flights in the air, one per key."""

    def __init__(self) -> None:
        self._aloft: dict[Key, asyncio.Task[T]] = {}
        self.joined = 0

    def __len__(self) -> int:
        return len(self._aloft)

    async def join(self, key: Key, fly: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Return the result of the flight for `key`, starting it with `fly` if there is none; and whether it was joined."""
        task = self._aloft.get(key)
        is_joined = task is not None
        if task is None:
            task = asyncio.get_running_loop().create_task(fly())
            self._aloft[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        else:
            self.joined += 1
        return await asyncio.shield(task), is_joined

    async def close(self) -> None:
        """Cancel what is still in the air and wait for it."""
        tasks = list(self._aloft.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: Key, task: asyncio.Task[T]) -> None:
        if self._aloft.get(key) is task:
            del self._aloft[key]
