"""One instance of the proxy as an operator starts it: `python -m proxy serve`, with its log lines, its roster and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 45.0


async def until(claim: Callable[[], Any], what: str = "") -> Any:
    """Wait for a condition, with a deadline far beyond what a slow machine needs."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not (found := claim()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"never happened: {what or claim}")
        await asyncio.sleep(0.01)
    return found


class Instance:
    """A running `serve`, or one that refused to.

    Attributes:
        lines: Its log so far, as objects.
        code: How the process that was started ended; None while it runs.
    """

    def __init__(self, *, config: Path | None = None, **settings: object) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hf-"))
        self.lines: list[dict[str, Any]] = []
        self.stderr = ""
        self._settings = {"LISTEN__PORT": 0, "PROCESS__RUNTIME_DIR": self.folder / "run", **settings}
        self._config = config
        self._tasks: list[asyncio.Task[None]] = []
        self._process: asyncio.subprocess.Process

    @property
    def code(self) -> int | None:
        return self._process.returncode

    @property
    def port(self) -> int:
        return int(self.event("listening")["address"].rpartition(":")[2])

    @property
    def admin(self) -> str:
        return str(self.event("listening")["admin"])

    async def __aenter__(self) -> Self:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        environ |= {f"HOLDFAST_{name}": str(value) for name, value in self._settings.items() if value is not None}
        arguments = ["--config", str(self._config)] if self._config else []
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "proxy",
            "serve",
            *arguments,
            env=environ,
            stdout=-1,
            stderr=-1,
            limit=1 << 20,
            process_group=0,
        )
        self._tasks = [asyncio.create_task(self._read_log()), asyncio.create_task(self._read_errors())]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            print(*self.lines, sep="\n")  # noqa: T201  pytest shows it beside the failure
        # The whole group at once: one by one, a supervisor could start another launcher in between.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await asyncio.gather(*self._tasks)
        if kind is not None:
            print(self.stderr)  # noqa: T201  likewise
        shutil.rmtree(self.folder, ignore_errors=True)

    def roster(self) -> dict[str, int]:
        """Who lives, as the launcher wrote it."""
        try:
            return dict(json.loads((self.folder / "run" / "roster.json").read_bytes()))
        except FileNotFoundError:
            return {}

    def events(self, name: str, **fields: object) -> list[dict[str, Any]]:
        """Every line of an event with these fields so far."""
        return [line for line in self.lines if line["event"] == name and line.items() >= fields.items()]

    def event(self, name: str, **fields: object) -> dict[str, Any]:
        """The latest such line."""
        return self.events(name, **fields)[-1]

    async def ready(self, workers: int) -> None:
        """Wait until the supervisor has heard of every worker."""
        await until(lambda: len(self.present()) == workers, f"{workers} workers in the roster and at the supervisor")

    def present(self) -> set[int]:
        """Pids of the workers that live and that the present supervisor has heard of."""
        roster = self.roster()
        heard = {line["worker_pid"] for line in self.events("worker_arrived", pid=roster.get("supervisor"))}
        return heard & {pid for role, pid in roster.items() if role.startswith("worker")}

    def signal(self, number: int, role: str = "launcher") -> int:
        """Send a signal to a member; return its pid."""
        pid = self.roster()[role]
        os.kill(pid, number)
        return pid

    async def ended(self) -> int:
        """Wait for the end of the process that was started; return its exit code."""
        async with asyncio.timeout(PATIENCE_S):
            code = await self._process.wait()
            await asyncio.gather(*self._tasks)
        return code

    async def _read_log(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(json.loads(line))

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.stderr = (await self._process.stderr.read()).decode()
