"""A process that runs out of file descriptors goes on afterwards, and its connections stay below the limit."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.wire.edge.exhaust import FILES, LOOPS, RESERVED
from tests.wire.edge.rooms import PATIENCE_S, head, read_reply

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def exhaustible(loop: str) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.wire.edge.exhaust", loop, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield int(await process.stdout.readline()), process
            process.stdin.close()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


async def dial(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


async def ask(streams: Streams, target: str) -> str:
    reader, writer = streams
    writer.write(head("GET", target))
    return (await read_reply(reader)).body.decode()


async def ask_anew(port: int) -> str:
    """Ask on fresh connections until one is answered: while descriptors lack they may be closed."""
    while True:
        streams = await dial(port)
        try:
            return await ask(streams, "/")
        except (asyncio.IncompleteReadError, ConnectionError):
            await asyncio.sleep(0)
        finally:
            streams[1].close()


@pytest.mark.parametrize("loop", sorted(LOOPS))
async def test_running_out_of_descriptors_is_survived(loop: str) -> None:
    async with exhaustible(loop) as (port, process):
        held = await dial(port)
        assert (await ask(held, "/take")).startswith("ok")
        waiting = [await dial(port) for _ in range(20)]
        assert (await ask(held, "/")).startswith("ok")
        assert (await ask(held, "/give")).startswith("ok")
        assert (await ask_anew(port)).startswith("ok")
        assert process.returncode is None
        for _, writer in [held, *waiting]:
            writer.close()


@pytest.mark.parametrize("loop", sorted(LOOPS))
async def test_the_limit_is_raised_and_connections_stay_below_it(loop: str) -> None:
    async with exhaustible(loop) as (port, _):
        held = await dial(port)
        assert await ask(held, "/") == f"ok {FILES - RESERVED} {FILES}"
        flood = await asyncio.gather(*(dial(port) for _ in range(300)))
        ends = asyncio.as_completed([reader.read() for reader, _ in flood])
        refused = [await next(ends) for _ in range(300 - (FILES - RESERVED - 1))]
        assert set(refused) == {b""}
        assert await ask(held, "/") == f"ok {FILES - RESERVED} {FILES}"
        for _, writer in [held, *flood]:
            writer.close()
        assert (await ask_anew(port)).startswith("ok")
