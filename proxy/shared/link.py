"""One process's line to Redis: bounded in time and in places, out of the way at once while Redis fails, back by itself.

Three failures in a row and Redis is *away*: nobody asks it any more, so nobody waits for it. A task of ours tries it then, with
growing pauses, and only when it answers within the time that requests have is it *there* again. So no request ever is a probe,
and none pays for the first connection. Expected trouble is a value.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from proxy.clock import Clock
from proxy.telemetry.logs import Logger

from .connecting import PLACES, SOCKET_S, Client

T = TypeVar("T")
Command: TypeAlias = Callable[[Client], Awaitable[T]]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

TRIP: Final = 3
"""So many failures in a row and Redis is away."""

PAUSES_S: Final = (0.2, 5.0)
"""Between tries of one that is away: the first, and the longest; doubled in between, jittered by a half."""

CALM_S: Final = 10.0
"""Away again within this after it came back: the pauses go on growing from where they were."""

_WORDS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str, bool], ...]] = (
    ((TimeoutError, RedisTimeoutError), "timeout", True),
    (AuthenticationError, "login_refused", True),
    (BusyLoadingError, "loading", True),
    ((RedisConnectionError, OSError), "connection", True),
    (ReadOnlyError, "read_only", True),
    ((ClusterDownError, RedisClusterException), "cluster_down", True),
    (OutOfMemoryError, "out_of_memory", False),
    (NoPermissionError, "no_permission", False),
    (ResponseError, "refused", False),
    (RedisError, "malformed", True),
)
"""Error → its word, and whether Redis itself failed; one that answers "no" is there. First match counts."""


class Trouble(msgspec.Struct, frozen=True):
    """No answer, and why: `away`, or a word of the table above."""

    why: str


class Link:
    """One process's.

    Attributes:
        is_there: Commands are sent.
        asked: Commands sent.
        troubles: Failed commands by word, `away` among them.
        trips: How often it went away.
    """

    def __init__(
        self,
        client: Client,
        *,
        timeout_s: float,
        clock: Clock,
        rng: Random,
        log: Logger,
        sleep: Sleep = asyncio.sleep,
        is_there: bool = False,
    ) -> None:
        self.is_there = is_there
        self.asked = 0
        self.trips = 0
        self.troubles: Counter[str] = Counter()
        self._client = client
        self._timeout_s = timeout_s
        self._clock = clock
        self._rng = rng
        self._log = log
        self._sleep = sleep
        self._places = asyncio.Semaphore(PLACES)
        self._failed_in_row = 0
        self._tries = 0
        self._back_at: float | None = clock.monotonic() if is_there else None
        self._went = asyncio.Event()
        self._came = asyncio.Event()
        (self._came if is_there else self._went).set()

    async def ask(self, command: Command[T], *, timeout_s: float | None = None) -> T | Trouble:
        """Send a command, unless Redis is away; `timeout_s` for one that no request waits for."""
        if not self.is_there:
            self.troubles["away"] += 1
            return Trouble("away")
        self.asked += 1
        sent_at = self._clock.monotonic()
        result = await self._attempt(command, timeout_s or self._timeout_s)
        if isinstance(result, _Failed):
            self._failed(result)
            return Trouble(result.why)
        if self._clock.monotonic() - sent_at <= self._timeout_s:  # writes that succeed slowly are no comfort to requests
            self._failed_in_row = 0
        return result

    async def there(self) -> None:
        """Wait until it is there."""
        await self._came.wait()

    async def run(self) -> None:
        """Bring it back whenever it went away, until cancelled."""
        while await self._went.wait():
            if self._back_at is not None and self._clock.monotonic() - self._back_at > CALM_S:
                self._tries = 0
            while not await self._greeted():
                continue
            self._returned()

    async def close(self) -> None:
        """Close every connection."""
        await self._attempt(_closed, SOCKET_S)

    def report(self) -> dict[str, Any]:
        """Return what is shown."""
        return {"is_there": self.is_there, "asked": self.asked, "trips": self.trips, "troubles": dict(self.troubles)}

    async def _attempt(self, command: Command[T], timeout_s: float) -> T | _Failed:
        try:
            async with asyncio.timeout(timeout_s), self._places:
                return await command(self._client)
        except Exception as error:  # noqa: BLE001  mapped, counted, and logged below where nobody thought of it
            return self._judged(error)

    def _judged(self, error: Exception) -> _Failed:
        for kinds, why, is_its_fault in _WORDS:
            if isinstance(error, kinds):
                return _Failed(why, is_its_fault=is_its_fault)
        self._log.exception("redis_unexpected")
        return _Failed("unexpected", is_its_fault=True)

    def _failed(self, failed: _Failed) -> None:
        self.troubles[failed.why] += 1
        if not failed.is_its_fault:
            self._failed_in_row = 0
            return
        self._failed_in_row += 1
        if self._failed_in_row >= TRIP and self.is_there:
            self.is_there = False
            self.trips += 1
            self._came.clear()
            self._went.set()
            self._log.warning("redis_away", reason=failed.why)

    async def _greeted(self) -> bool:
        """Pause, then try twice: once with time to connect, once with the time that requests have."""
        is_first = self._back_at is None and not self._tries
        if not is_first:
            first, longest = PAUSES_S
            pause = min(longest, first * 2.0 ** min(self._tries, 10))
            await self._sleep(pause * (1 + self._rng.random() / 2))
        self._tries += 1
        for command, timeout_s in ((_forget_idle, SOCKET_S), (_ping, SOCKET_S), (_ping, self._timeout_s)):
            found = await self._attempt(command, timeout_s)
            if isinstance(found, _Failed):
                if is_first:
                    self._log.warning("redis_away", reason=found.why)
                return False
        return True

    def _returned(self) -> None:
        self._back_at = self._clock.monotonic()
        self._failed_in_row = 0
        self._went.clear()
        self.is_there = True
        self._came.set()
        self._log.info("redis_back", tries=self._tries)


class _Failed(msgspec.Struct, frozen=True):
    why: str
    is_its_fault: bool = True


async def _forget_idle(client: Client) -> None:
    """Close connections from before, which lead nowhere; those in use end by their own time."""
    if isinstance(client, Redis):
        await client.connection_pool.disconnect(inuse_connections=False)
    else:
        await client.aclose()


async def _ping(client: Client) -> None:
    await client.ping()


async def _closed(client: Client) -> None:
    await client.aclose()
