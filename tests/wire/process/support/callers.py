"""Callers that ask without pause, over kept and over new connections, and say exactly what failed.

A caller that finds its idle connection closed opens another, as every HTTP client does. What counts is a request that was
sent and not answered with 200.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

LANES = 8
KEPT_FOR = 5


@dataclass(frozen=True)
class Failed:
    """A request without a good answer, and when its connection was opened (loop time)."""

    opened_at: float
    lane: int
    why: str


class Connection:
    """One client connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.opened_at = 0.0

    @property
    def is_usable(self) -> bool:
        return self.opened_at > 0 and not self._reader.at_eof() and not self._writer.is_closing()

    async def open(self) -> None:
        self.opened_at = asyncio.get_running_loop().time()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(
        self, person: str = "p", token: str = "phc_a", *, fields: Mapping[str, Any] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Send one flag request, with more fields if given; return status, head and body."""
        body = json.dumps({"token": token, "distinct_id": person, **(fields or {})}).encode()
        head = f"POST /flags/?v=2 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer_head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer_head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(answer_head.split(b" ", 2)[1]), answer_head, await self._reader.readexactly(length)

    async def close(self) -> None:
        if self.opened_at:
            self._writer.transport.abort()


async def ask(port: int, person: str = "p", token: str = "phc_a") -> tuple[int, bytes, bytes]:
    """Ask once over a connection of its own."""
    connection = Connection(port)
    try:
        await connection.open()
        return await connection.ask(person, token)
    finally:
        await connection.close()


class Callers:
    """`LANES` callers at once, each over connections that it keeps for `KEPT_FOR` requests."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.failed: list[Failed] = []
        self._port = port
        self._is_over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._call(lane)) for lane in range(LANES)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        async with asyncio.timeout(60):
            await asyncio.gather(*self._tasks)

    async def more(self, count: int) -> None:
        """Wait for so many further answers."""
        goal = self.answered + count
        async with asyncio.timeout(60):
            while self.answered < goal:  # noqa: ASYNC110  the callers need not know who waits
                await asyncio.sleep(0.005)

    async def _call(self, lane: int) -> None:
        while not self._is_over:
            connection = Connection(self._port)
            try:
                await self._use(connection, lane)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.failed.append(Failed(connection.opened_at, lane, type(error).__name__))
            finally:
                await connection.close()

    async def _use(self, connection: Connection, lane: int) -> None:
        await connection.open()
        for turn in range(KEPT_FOR):
            if self._is_over or not connection.is_usable:
                return
            status, _, _ = await connection.ask(f"{lane}-{turn}")
            if status == 200:
                self.answered += 1
            else:
                self.failed.append(Failed(connection.opened_at, lane, str(status)))
            await asyncio.sleep(0.002)
