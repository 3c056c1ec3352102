"""An upstream without sockets: it says what the script says, or waits until the test lets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.answer.answer import Failure, Whole
from proxy.answer.request import FlagsRequest

GOOD = b'{"errorsWhileComputingFlags":false,"flags":{"a":{"key":"a","enabled":true,"variant":null}},"requestId":"r"}'


def good(body: bytes = GOOD) -> Whole:
    return Whole(200, "application/json", body)


class FakeTransport:
    """`say` is a value, or a function of the request; `hold()` makes exchanges wait for `release()`."""

    def __init__(self, say: Whole | Failure | Callable[[FlagsRequest], Whole | Failure] | None = None) -> None:
        self.say = say or good()
        self.asked: list[FlagsRequest] = []
        self.closed = False
        self._gate = asyncio.Event()
        self._gate.set()

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    async def exchange(self, request: FlagsRequest) -> Whole | Failure:
        self.asked.append(request)
        await self._gate.wait()
        return self.say(request) if callable(self.say) else self.say

    async def close(self) -> None:
        self.closed = True
