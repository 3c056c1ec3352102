"""Callers for a long time: kept connections that send the next user's question as soon as an answer is whole."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator

from tests.bench.proxy.blast import Connection, Slice

CONNECTIONS = 24


def question(user: int) -> bytes:
    """Return the bytes of one user's request, of about 400 bytes."""
    properties = {"plan": "pro", "seats": user % 40, "email": f"user-{user}@example.com"}
    body = json.dumps({"distinct_id": f"user-{user:06}", "person_properties": properties, "api_key": "phc_soak"}).encode()
    head = (
        "POST /flags/?v=2 HTTP/1.1\r\nHost: flags.example.com\r\nUser-Agent: posthog-python/7.91.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(
    port: int, users: Iterator[int], *, until: Callable[[int], bool], every_s: float, look: Callable[[], None]
) -> Slice:
    """Ask for these users until `until` says so of the number asked; `look` is called every so many seconds.

    Returns how it went. A `Slice` counts what was not a 200.
    """
    current, loop = Slice(), asyncio.get_running_loop()
    stock = map(question, users)
    connections = []
    for _ in range(CONNECTIONS):
        _, connection = await loop.create_connection(lambda: Connection(stock), "127.0.0.1", port)
        connections.append(connection)
    for connection in connections:
        connection.begin(current)
    looked = time.monotonic()
    while not until(current.requests):
        await asyncio.sleep(0.05)
        if time.monotonic() - looked >= every_s:
            looked = time.monotonic()
            look()
    current.running = False
    async with asyncio.timeout(30):
        await asyncio.gather(*(connection.idle.wait() for connection in connections))
    for connection in connections:
        connection.transport.abort()
    return current
