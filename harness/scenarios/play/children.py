"""The processes of a scenario: the faulty service and the proxy, each on the core it belongs to, both gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Self

from .documents import TOKEN, document

READY_S: Final = 60.0
STOP_S: Final = 20.0
PR_SET_PDEATHSIG: Final = 1
"""Of Linux's `prctl`; where there is none, children are ended by us alone."""


def cores() -> tuple[set[int], set[int]]:
    """Return the core of the proxy and that of everything else; the same set twice where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return ({usable[0]}, {usable[1]}) if len(usable) > 1 else (set(usable), set(usable))


class Child:
    """A started program in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, *arguments: str, core: set[int], environ: Mapping[str, str] = {}) -> Self:
        """Start `python <arguments>` on a core: children inherit ours, so it is ours for that moment."""
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, core)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                env={**os.environ, **environ},
                stdout=asyncio.subprocess.PIPE,
                limit=1 << 20,
                process_group=0,
                preexec_fn=_end_with_parent,
            )
        finally:
            os.sched_setaffinity(0, own)
        return cls(process)

    async def line(self) -> str:
        """Return the next line that it prints."""
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = (await self._process.stdout.readline()).decode()
        if not line:
            raise RuntimeError(f"it ended with {await self._process.wait()}; its own words are above")
        return line.strip()

    async def drain(self) -> None:
        """Read whatever else it prints, so that it never waits for us."""
        assert self._process.stdout is not None
        async for _ in self._process.stdout:
            pass

    async def stop(self) -> None:
        """End its whole group: politely, then not."""
        for name in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self._process.wait()
                    return


class House:
    """Service and proxy, running.

    Attributes:
        port: The proxy's.
        control: Port of the fault stage's control endpoint.
        file: The definitions file that the service watches.
    """

    def __init__(self, *, workers: int, settings: Mapping[str, str], seed: int) -> None:
        self._workers = workers
        self._settings = settings
        self._seed = seed
        self._stack = AsyncExitStack()
        self.port = self.control = 0
        self.file: Path

    async def __aenter__(self) -> Self:
        near, far = cores()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-scenarios-")))
        self.file = folder / "definitions.json"
        self.serve(0)
        command = ("-m", "harness.faults", "serve", "--definitions", str(self.file), "--seed", str(self._seed))
        service = await self._start(*command, core=far)
        address = (await service.line()).removeprefix("listening on ")
        self.control = int((await service.line()).rpartition(":")[2])
        proxy = await self._start("-m", "proxy", "serve", core=near, environ=self._environ(address, folder))
        self.port = await _port_of(proxy)
        for child in (service, proxy):
            self._stack.push_async_callback(_cancelled, asyncio.create_task(child.drain()))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def serve(self, version: int) -> None:
        """Put another version of the definitions in front of the service, whole."""
        beside = self.file.with_suffix(".new")
        beside.write_bytes(document(version))
        beside.replace(self.file)

    async def _start(self, *arguments: str, core: set[int], environ: Mapping[str, str] = {}) -> Child:
        child = await Child.start(*arguments, core=core, environ=environ)
        self._stack.push_async_callback(child.stop)
        return child

    def _environ(self, upstream: str, folder: Path) -> dict[str, str]:
        settings = {
            "UPSTREAMS__DEFAULT__URL": upstream,
            "PROJECTS__WEB__TOKENS": f'["{TOKEN}"]',
            "PROCESS__WORKERS": str(self._workers),
            "PROCESS__RUNTIME_DIR": str(folder / "run"),
            "LISTEN__PORT": "0",
            **self._settings,
        }
        return {f"HOLDFAST_{name}": value for name, value in settings.items()}


def _end_with_parent() -> None:
    """Ask the kernel to end us politely when whoever started us is gone, even killed: a lane that takes too long is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def _port_of(proxy: Child) -> int:
    """Wait until every worker answers."""
    port, waiting = 0, 0
    while not port or waiting:
        event: dict[str, Any] = json.loads(await proxy.line())
        if event["event"] == "listening":
            port = int(event["address"].rpartition(":")[2])
            waiting += int(event["workers"])
        waiting -= event["event"] == "answering"
    return port


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
