"""An upstream that writes down what it was sent, byte for byte, and answers by script.

It reads HTTP with a reader of its own, so that the proxy's library cannot hide a fault from itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

JSON_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"Ok"}'


@dataclass
class Seen:
    """One whole request as it arrived: `lines` are the header lines in order, `raw` the body before de-chunking."""

    method: str
    target: str
    lines: list[tuple[str, str]]
    body: bytes = b""
    is_chunked: bool = False

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key.lower() == name.lower()]


Script = Callable[[Seen, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def say_ok(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(JSON_OK)


def saying(raw: bytes, *, close: bool = False) -> Script:
    """Return a script that answers with these bytes."""

    async def script(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        if close:
            await writer.drain()
            writer.close()

    return script


@dataclass
class Recorder:
    """The upstream.

    Attributes:
        seen: Whole requests, in order.
        partial: How many connections ended in the middle of a request.
        connections: How many were opened.
        heads: How many heads arrived.
        script: Writes the answer.
        head_script: If set, called once the head is there, instead of reading the body.
    """

    seen: list[Seen] = field(default_factory=list)
    partial: int = 0
    connections: int = 0
    heads: int = 0
    script: Script = say_ok
    head_script: Script | None = None
    port: int = 0
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (seen := await read_head(reader)) is not None:
                self.heads += 1
                if self.head_script is not None:
                    await self.head_script(seen, reader, writer)
                    break
                await read_body(seen, reader)
                self.seen.append(seen)
                await self.script(seen, reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.partial += 1
        finally:
            self.is_over.set()
            writer.close()


async def read_head(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *rest = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    return Seen(method, target, [(name, value.strip(" ")) for name, _, value in (line.partition(":") for line in rest)])


async def read_body(seen: Seen, reader: asyncio.StreamReader) -> None:
    if [value.lower() for value in seen.values("Transfer-Encoding")] == ["chunked"]:
        seen.is_chunked = True
        while size := int(await reader.readuntil(b"\r\n"), 16):
            seen.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    elif lengths := seen.values("Content-Length"):
        assert len(lengths) == 1
        seen.body = await reader.readexactly(int(lengths[0]))


@asynccontextmanager
async def recorder(script: Script = say_ok) -> AsyncIterator[Recorder]:
    """Run a recorder on a free port."""
    upstream = Recorder(script=script)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
