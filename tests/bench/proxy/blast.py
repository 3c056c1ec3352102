"""The load generator: keep-alive connections that send the next user's request as soon as an answer is whole.

A child process spoken to in JSON lines: `{"port": N, "seconds": S, "stamped": B}` → `{"requests", "failures", "cpu_s",
"label"}`; stamped requests have a `sent_at` of their own, others repeat byte for byte (which nginx needs for a hit). The
users are taken in turn over all connections, so no two requests under way ask the same. After the time is up it waits
for what is under way, so every counted request is a served one. It checks each status and reads `Cache-Status` on a sample.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import uvloop

from tests.bench.lines import say

from .bodies import stream

CONNECTIONS = 32
SAMPLE_EVERY = 50
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
LABEL = re.compile(rb"cache-status: *([^\r]*)", re.IGNORECASE)


class Slice:
    """One stretch of load: what has been sent, answered and refused."""

    def __init__(self) -> None:
        self.running = True
        self.requests = 0
        self.failures: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, stock: Iterator[bytes]) -> None:
        self.stock = stock
        self.held = b""
        self.missing = 0
        self.closed = False
        self.idle = asyncio.Event()
        self.slice = Slice()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def begin(self, current: Slice) -> None:
        """Take part in a slice."""
        self.slice = current
        self.idle.clear()
        self.transport.write(next(self.stock))

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.missing -= len(data)
        else:
            self._read_head(self.held + data)
        if not self.missing and not self.held:
            self._answered()

    def _read_head(self, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self.held = data
            return
        self.held = b""
        length = LENGTH.search(data, 0, end)
        self.missing = end + 4 + (int(length[1]) if length else 0) - len(data)
        if data[9:12] != b"200":
            self.slice.failures[data[:40].decode("latin-1").partition("\r")[0]] += 1
        if self.slice.requests % SAMPLE_EVERY == 0 and (label := LABEL.search(data, 0, end)):
            self.slice.labels[re.sub(r"\d+", "N", label[1].decode("latin-1"))] += 1

    def _answered(self) -> None:
        self.slice.requests += 1
        if self.slice.running:
            self.transport.write(next(self.stock))
        else:
            self.idle.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self.idle.is_set():
            self.slice.failures["connection lost"] += 1
        self.idle.set()


def stay_awake(current: Slice) -> None:
    """Keep the loop turning while the slice lasts, so that it never sleeps in the kernel.

    Who sends to a sleeper on the same machine pays for waking it: a slow server would be charged with that for every answer,
    a fast one, which never lets the generator sleep, for hardly any.
    """
    if current.running:
        asyncio.get_running_loop().call_soon(stay_awake, current)


class Generator:
    """Keeps the connections to each port between slices, as SDKs do."""

    def __init__(self) -> None:
        self.streams = {stamped: stream(stamped=stamped) for stamped in (True, False)}
        self.pools: dict[int, list[Connection]] = {}

    async def blast(self, port: int, seconds: float, *, stamped: bool) -> dict[str, Any]:
        """Load one port for a while and return what came of it."""
        pool = await self._pool(port, self.streams[stamped])
        current = Slice()
        cpu = time.process_time()
        for connection in pool:
            connection.begin(current)
        stay_awake(current)
        await asyncio.sleep(seconds)
        current.running = False
        async with asyncio.timeout(10):
            await asyncio.gather(*(connection.idle.wait() for connection in pool))
        return {
            "requests": current.requests,
            "failures": dict(current.failures),
            "cpu_s": time.process_time() - cpu,
            "label": current.labels.most_common(1)[0][0] if current.labels else "",
        }

    async def _pool(self, port: int, stock: Iterator[bytes]) -> list[Connection]:
        alive = [connection for connection in self.pools.get(port, []) if not connection.closed]
        loop = asyncio.get_running_loop()
        while len(alive) < CONNECTIONS:
            _, connection = await loop.create_connection(lambda: Connection(stock), "127.0.0.1", port)
            alive.append(connection)
        self.pools[port] = alive
        return alive


async def main() -> None:
    """Answer questions until standard input ends."""
    generator = Generator()
    while line := await asyncio.to_thread(sys.stdin.readline):
        say(await generator.blast(**json.loads(line)))


if __name__ == "__main__":
    uvloop.run(main())
