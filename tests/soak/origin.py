"""An upstream whose answers differ in size from user to user: 0.6 to 18 KB, 3 KB in the middle. Says where it listens."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from random import Random
from zlib import crc32

import uvloop

from tests.bench.lines import say
from tests.bench.proxy.bodies import answer

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
SIZES = 257


class Answering(asyncio.Protocol):
    """Waits for one whole request, answers it by its body, and goes on to the next."""

    def __init__(self, replies: list[bytes]) -> None:
        self.replies = replies
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
            self.transport.write(self.replies[crc32(self.held[end:whole]) % SIZES])
            self.held = self.held[whole:]


def replies() -> list[bytes]:
    """Return the answers: the benchmark's 20 flags, cut or padded to a size each."""
    document, rng = json.loads(answer()), Random(5)
    return [_reply(document, int(min(max(rng.lognormvariate(8.0, 0.7), 600), 18_000))) for _ in range(SIZES)]


def _reply(document: dict[str, object], size: int) -> bytes:
    flags = dict(document["flags"])  # type: ignore[call-overload]
    while len(body := json.dumps(document | {"flags": flags}).encode()) > size and len(flags) > 1:
        flags.popitem()
    body = json.dumps(document | {"flags": flags, "padding": "x" * max(0, size - len(body) - 15)}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def serve(port: int) -> None:
    """Answer on loopback until the process is ended."""
    made = replies()
    server = await asyncio.get_running_loop().create_server(lambda: Answering(made), "127.0.0.1", port, reuse_address=True)
    say({"event": "listening", "port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
