"""The real flag service of this repository on a free port, and every call that reached it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from reference.service.__main__ import SAMPLE
from reference.service.app import build
from reference.service.files import Grants, load_path
from reference.service.project.memory import Memory

TOKEN = "phc_holdfast_sample"
PERSONAL_KEY = "phx_holdfast_sample"


@dataclass
class Service:
    """A running service."""

    url: str
    memory: Memory

    @property
    def targets(self) -> list[tuple[str, str]]:
        return [(call.method, call.target) for call in self.memory.calls]


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    """Run the service on its sample file."""
    memory = Memory()
    runner = web.AppRunner(build(load_path(SAMPLE, Grants()), memory=memory, has_test_face=True))
    await runner.setup()
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    try:
        yield Service(f"http://127.0.0.1:{sock.getsockname()[1]}", memory)
    finally:
        await runner.cleanup()
