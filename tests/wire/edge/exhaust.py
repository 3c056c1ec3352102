"""A server in a process of its own that can be made to run out of file descriptors: `python -m tests.wire.edge.exhaust LOOP`.

Prints its port. `GET /take` opens files until there are no descriptors left, `GET /give` closes them; anything else says `ok`.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys

import uvloop
from aiohttp import web

from proxy.config.settings import Limits
from proxy.edge.server import EdgeServer

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
FILES = 256
RESERVED = 192


async def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES // 2, FILES))
    taken: list[int] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/take":
            try:
                while True:
                    taken.append(os.dup(0))
            except OSError:
                pass  # none left
        while request.path == "/give" and taken:
            os.close(taken.pop())
        return web.Response(text=f"ok {edge.capacity} {resource.getrlimit(resource.RLIMIT_NOFILE)[0]}")

    edge = EdgeServer(web.Server(answer), limits=Limits(), reserved_files=RESERVED)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await edge.start([sock])
    print(sock.getsockname()[1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await edge.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=LOOPS[sys.argv[1]]) as runner:
        runner.run(main())
