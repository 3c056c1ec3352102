"""An upstream that never says the same twice and remembers what it said to whom, so that every answer can be traced to it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Said:
    """One answer: what, and when it was sent and (where a caller told us) received; Unix seconds."""

    flags: dict[str, Any]
    sent_at: float
    received_at: float | None = None


@dataclass
class Telling:
    """One flag service on a free port.

    Attributes:
        said: Person → serial → what was said.
        is_down: Connections are reset.
        size: Bytes of an answer, about.
    """

    said: dict[str, dict[int, Said]] = field(default_factory=dict)
    is_down: bool = False
    size: int = 3_000

    def __post_init__(self) -> None:
        self._serial = 0
        self._random = Random(11)
        app = web.Application()
        app.router.add_post("/{path:.*}", self._flags)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    async def _flags(self, request: web.Request) -> web.Response:
        person = (await request.json())["distinct_id"]
        if self.is_down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self._serial += 1
        answer = self._answer(person, self._serial)
        self.said.setdefault(person, {})[self._serial] = Said(answer["flags"], time.time())
        return web.json_response(answer)

    def _answer(self, person: str, serial: int) -> dict[str, Any]:
        padding = "".join(self._random.choices("0123456789abcdef", k=self._random.randrange(self.size // 2, self.size * 2)))
        flag = {"key": "who", "enabled": True, "variant": f"{person}#{serial}", "metadata": {"payload": json.dumps(padding)}}
        return {"flags": {"who": flag}, "errorsWhileComputingFlags": False, "requestId": f"r{serial}"}
