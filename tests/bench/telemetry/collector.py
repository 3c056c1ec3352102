"""Collectors that a proxy may meet: `python -m tests.bench.telemetry.collector (live|slow|hole)`.

`spans FOLDER` takes what workers send, as the supervisor does, and throws it away.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web

from proxy.telemetry.shipping.receiver import Receiver
from proxy.telemetry.traces.post import socket_path
from tests.bench.lines import say

SLOW_S = 2.0


async def swallow(folder: str) -> None:
    """Take spans until the process is ended."""
    receiving = asyncio.create_task(Receiver(socket_path(folder), lambda _: None).run())
    await asyncio.sleep(0)
    say({"event": "listening", "port": 1})
    await receiving


async def serve(kind: str) -> None:
    """Take pushes on a free port of loopback until the process is ended."""

    async def take(request: web.BaseRequest) -> web.Response:
        await request.read()
        await asyncio.sleep({"live": 0.0, "slow": SLOW_S, "hole": 1e9}[kind])
        return web.Response(content_type="application/x-protobuf")

    runner = web.ServerRunner(web.Server(take, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say({"event": "listening", "port": runner.addresses[0][1]})
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(swallow(sys.argv[2]) if sys.argv[1] == "spans" else serve(sys.argv[1]))
