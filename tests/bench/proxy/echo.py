"""The base of every ratio: `web.Server` under uvloop that reads the request and answers prebuilt bytes, and nothing else."""

from __future__ import annotations

import asyncio

import uvloop
from aiohttp import web

from tests.bench.lines import say

from .bodies import answer


async def serve() -> None:
    """Answer on a free port of loopback until the process is ended."""
    body = answer()

    async def handle(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(body=body, content_type="application/json")

    runner = web.ServerRunner(web.Server(handle, access_log=None, keepalive_timeout=300))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say({"event": "listening", "port": runner.addresses[0][1]})
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
