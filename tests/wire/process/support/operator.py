"""An operator at the admin face of a running instance."""

from __future__ import annotations

import asyncio
from typing import Any, Self

import aiohttp

from tests.wire.process.support.instance import PATIENCE_S, Instance


class Operator:
    """Sends orders and reads the status; `token` where the face wants one."""

    def __init__(self, instance: Instance, token: str = "") -> None:
        self._instance = instance
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send one call; return status and the parsed answer."""
        async with self._session.request(method, f"{self._instance.admin}{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def put(self, path: str, **body: object) -> Any:
        """Give an order, with a reason if none is named; it must be taken by every worker."""
        status, said = await self.call("PUT", path, {"project": None, "reason": "a test"} | body)
        assert status == 200, said
        assert said["workers"]["missing"] == {}, said
        return said

    async def nothing_turned(self) -> None:
        """Wait until no worker has anything turned: each of them counts an order's seconds for itself."""
        async with asyncio.timeout(PATIENCE_S):
            while any(worker["switches"] for worker in (await self.status())["workers"]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def status(self) -> Any:
        """Return `/status.json`."""
        return (await self.call("GET", "/status.json"))[1]
