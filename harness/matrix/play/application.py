"""An application with an SDK in it, as a child process that does what it is told, one JSON line at a time.

It may crash or never come back: then that is the answer, the process is ended, and the next order starts another.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec

PATIENCE_S: Final = 25.0
"""Longer than two tries for definitions and two for flags."""
QUIET: Final = {"NO_PROXY": "*", "no_proxy": "*", "TZ": "UTC"}


class Said(msgspec.Struct, frozen=True):
    """What an application got; `raised` also when it crashed or never came back.

    Attributes:
        seconds: How long the SDK's call took.
        value: Of the one flag asked for.
        flags: All flags.
        told: What the SDK's event says went wrong.
        raised: What application code has to catch; "" for nothing.
        version: Of the SDK.
    """

    seconds: float
    value: Any = None
    flags: dict[str, Any] | None = None
    told: str | None = None
    raised: str = ""
    version: str = ""


class Application:
    """`await application.do("one", name=…, person=…, flag=…)`."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def do(self, operation: str, **arguments: Any) -> Said:
        """Carry out one operation."""
        process = self._process or await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(PATIENCE_S):
                process.stdin.write(msgspec.json.encode({"op": operation, **arguments}) + b"\n")
                line = await process.stdout.readline()
        except TimeoutError:
            await self.stop()
            return Said(asyncio.get_running_loop().time() - began, raised="hangs")
        if not line:
            await self.stop()
            return Said(asyncio.get_running_loop().time() - began, raised="crashes")
        return msgspec.json.decode(line, type=Said)

    async def stop(self) -> None:
        """End the process, and whatever it started."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 20,
            env={**os.environ, **QUIET},
            start_new_session=True,
        )
        return self._process
