"""The cheapest possible upstream: a bare protocol that answers every request with the same 5.3 KB.

It is no flag service (that is `reference.service`): it exists so that the upstream is never what a row measures.
"""

from __future__ import annotations

import asyncio
import re

import uvloop

from tests.bench.lines import say

from .bodies import answer

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Answering(asyncio.Protocol):
    """Waits for one whole request, answers it, and goes on to the next."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.held, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.held) < whole:
                return
            self.held = self.held[whole:]
            self.transport.write(self.reply)


async def serve() -> None:
    """Answer on a free port of loopback until the process is ended."""
    body = answer()
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    server = await asyncio.get_running_loop().create_server(lambda: Answering(reply), "127.0.0.1", 0)
    say({"event": "listening", "port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
