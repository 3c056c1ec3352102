"""One worker's rooms on a real socket, and a client that writes bytes and reads answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from proxy.config.settings import Limits, Passthrough, Project, Settings, Upstream
from proxy.edge.health import Health
from proxy.edge.server import EdgeServer
from proxy.edge.through.assembly import Through
from proxy.worker import build

PATIENCE_S = 20.0
"""Only how long a broken proxy can hold up a test; no test waits for it."""

LAST = b"GET /_holdfast/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

QUICK = Limits(header_timeout_s=0.2, body_timeout_s=0.2, write_timeout_s=0.3)
"""Deadlines short enough to watch pass; tests wait for the event, not for the time."""


@dataclass
class Reply:
    """One answer as it arrived."""

    status: int
    lines: list[tuple[str, str]]
    body: bytes
    version: str = "1.1"

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.lines if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        values = self.values(name)
        assert len(values) <= 1, f"{name} stands twice"
        return values[0] if values else None


@dataclass
class Caller:
    """Whoever listens on a port, from the outside."""

    port: int

    @asynccontextmanager
    async def dial(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def ask(self, raw: bytes, *, method: str = "GET") -> Reply:
        """Send bytes on a fresh connection and return the one answer."""
        async with asyncio.timeout(PATIENCE_S), self.dial() as (reader, writer):
            writer.write(raw)
            return await read_reply(reader, method=method)

    async def hear(self, raw: bytes, count: int) -> list[Reply]:
        """Send bytes and return `count` answers, and any that come unasked before the connection is of further use or over."""
        replies: list[Reply] = []
        async with asyncio.timeout(PATIENCE_S), self.dial() as (reader, writer):
            try:
                writer.write(raw)
                while len(replies) < count:
                    replies.append(await read_reply(reader))
                if count:
                    writer.write(LAST)
                    while (reply := await read_reply(reader)).body != b"live":
                        replies.append(reply)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass  # the proxy has closed: that is all it had to say
        return replies

    async def get(self, target: str, *lines: str, method: str = "GET") -> Reply:
        return await self.ask(head(method, target, *lines), method=method)

    async def post(self, target: str, body: bytes, *lines: str) -> Reply:
        return await self.ask(head("POST", target, f"Content-Length: {len(body)}", *lines) + body, method="POST")

    async def is_well(self) -> bool:
        return (await self.get("/_holdfast/live")).status == 200


async def until(claim: Callable[[], object]) -> None:
    """Let the loop turn until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not claim():  # noqa: ASYNC110 - watches what has no event, in code that is not ours to change for a test
            await asyncio.sleep(0)


@dataclass
class Rooms(Caller):
    """A running worker."""

    edge: EdgeServer
    through: Through


def head(method: str, target: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: proxy.example", *lines, "", ""]).encode()


async def read_reply(reader: asyncio.StreamReader, *, method: str = "GET") -> Reply:
    """Read one answer with a reader of our own; 1xx are skipped."""
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *rest = raw.decode("latin-1").split("\r\n")[:-2]
    version, status = first.removeprefix("HTTP/").split(" ")[:2]
    lines = [(name, value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    reply = Reply(int(status), lines, b"", version)
    if reply.status < 200:
        return await read_reply(reader, method=method)
    if method == "HEAD" or reply.status in {204, 304}:
        return reply
    if reply.value("Transfer-Encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            reply.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    elif (length := reply.value("Content-Length")) is not None:
        reply.body = await reader.readexactly(int(length))
    else:
        reply.body = await reader.read()
    return reply


def settings_for(
    url: str,
    *,
    limits: Limits | None = None,
    passthrough: Passthrough | None = None,
    assets_url: str | None = None,
    projects: dict[str, Project] | None = None,
    trusted: tuple[str, ...] = (),
) -> Settings:
    return Settings(
        upstreams={"default": Upstream(url=url, assets_url=assets_url, connect_timeout_s=1.0)},
        projects=projects or {},
        limits=limits or Limits(),
        passthrough=passthrough or Passthrough(),
        trusted_proxies=trusted,
    )


@asynccontextmanager
async def rooms(settings: Settings, *, relay_deadline_s: float = 9.0, reserved_files: int = 64) -> AsyncIterator[Rooms]:
    """Run a worker's rooms on a free port."""
    health = Health(is_ready=True)
    through = Through(settings, health=health, relay_deadline_s=relay_deadline_s)
    line = build(settings, elsewhere=through.handle)
    edge = EdgeServer(line.app, limits=settings.limits, drain_s=0.2, reserved_files=reserved_files)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await edge.start([sock])
    try:
        yield Rooms(sock.getsockname()[1], edge, through)
    finally:
        await edge.stop()
        await line.close()
        await through.close()
