"""`flags-proxy demo`: an embedded flag service and the proxy in front of it, as two children, and how to play with them.

The service is another program (`python -m reference.service`): the proxy imports nothing of it. SIGUSR1 to the demo stops the
service, and the next one revives it on the same address.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

from proxy.config.environment import CONFIG_VARIABLE
from proxy.process.supervisor.reach import unreachable

from .exits import Exit
from .say import complain, say

_PROXY: Final = ("-m", "proxy", "serve")
_TOKEN: Final = "phc_holdfast_demo"  # noqa: S105  public, and only of the embedded service
_SERVICE: Final = ("-m", "reference.service", "--token", _TOKEN)
_STOP_S: Final = 15.0
_QUIET: Final = frozenset({"debug", "info"})


class Child:
    """One child program that can be stopped and started again."""

    def __init__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self._arguments = arguments
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self, *more: str) -> str:
        """Start it and return its first line; empty when it ended without one (it said why on standard error)."""
        # A group of its own: Ctrl-C is for the demo alone, which then stops its children in order.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            *more,
            stdout=asyncio.subprocess.PIPE,
            env=self._environ,
            process_group=0,
        )
        return await self.line()

    async def line(self) -> str:
        """Return the next line of its output; empty at its end."""
        assert self._process is not None
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def stop(self) -> Exit:
        """Stop it with SIGTERM, by force if it will not; return how it ended."""
        self._signal(signal.SIGTERM)
        return await self.end()

    async def end(self) -> Exit:
        """Wait until it has ended, by force if it will not; return how."""
        if self._process is None:
            return Exit.OK
        try:
            code = await asyncio.wait_for(self._process.wait(), _STOP_S)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            code = await self._process.wait()
        return Exit(code) if code in set(Exit) else Exit.FAILED

    def _signal(self, number: signal.Signals) -> None:
        # Not with the process's own methods: they look first whether it has ended, and so take its exit code from the loop.
        if self._process is not None and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


def run(chosen: argparse.Namespace) -> Exit:
    """Run the demo until Ctrl-C or SIGTERM."""
    return asyncio.run(_Demo(chosen).run())


class _Demo:
    """Both children and what a person is told."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._chosen = chosen
        self._service = Child(*_SERVICE)
        self._service_url: str = chosen.upstream or ""
        self._stopping = asyncio.Event()
        self._toggled = asyncio.Event()

    async def run(self) -> Exit:
        self._listen_to_signals()
        if not await self._find_upstream():
            return Exit.FAILED
        proxy = Child(*_PROXY, environ=self._proxy_environment())
        try:
            return await self._play(proxy)
        finally:
            await proxy.stop()
            await self._service.stop()

    async def _play(self, proxy: Child) -> Exit:
        first = await proxy.start()
        if not first:
            return await proxy.end()
        self._teach(msgspec.json.decode(first)["address"])
        relay, toggle = asyncio.create_task(self._relay(proxy)), asyncio.create_task(self._toggle())
        await self._stopping.wait()
        say("stopping …")
        code = await proxy.stop()
        await relay
        toggle.cancel()
        await asyncio.wait([toggle])
        return code

    async def _find_upstream(self) -> bool:
        if self._chosen.upstream:
            if reason := await unreachable(self._chosen.upstream):
                complain(f"flags-proxy demo: the upstream cannot be reached now ({reason}); starting all the same")
            return True
        self._service_url = (await self._service.start("--port", "0")).removeprefix("listening on ")
        if not self._service_url:
            complain("flags-proxy demo: the embedded flag service did not start")
        return bool(self._service_url)

    def _proxy_environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name != CONFIG_VARIABLE}
        return inherited | {
            "HOLDFAST_UPSTREAMS__DEFAULT__URL": self._service_url,
            "HOLDFAST_LISTEN__PORT": str(self._chosen.port),
            "HOLDFAST_PROCESS__WORKERS": str(self._chosen.workers),
        }

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGUSR1, self._toggled.set)

    async def _relay(self, proxy: Child) -> None:
        """Show what the proxy warns of; its end is ours."""
        while line := await proxy.line():
            event = msgspec.json.decode(line, type=dict)
            if event.get("level") not in _QUIET and event.get("event") != "open_relay":
                say(f"proxy: {line}")
        self._stopping.set()

    async def _toggle(self) -> None:
        while await self._toggled.wait():
            self._toggled.clear()
            if self._chosen.upstream:
                say("the upstream is not ours to stop")
            elif self._service.is_running:
                await self._service.stop()
                say("flag service: stopped; ask again and see who answers. The same command revives it.")
            else:
                await self._service.start("--port", self._service_url.rpartition(":")[2])
                say("flag service: back")

    def _teach(self, address: str) -> None:
        token = "phc_YOUR_PROJECT_TOKEN" if self._chosen.upstream else _TOKEN
        body = f'{{"token":"{token}","distinct_id":"user-1"}}'
        say(f"flag service   {self._service_url}")
        say(f"proxy          {address}")
        say("\ntry (the first answer is remembered):")
        say(f"  curl -si -X POST '{address}/flags/?v=2' -H 'content-type: application/json' -d '{body}'")
        if not self._chosen.upstream:
            say("\nstop the flag service, and revive it, with the same line (look at Cache-Status and Age in the answers):")
            say(f"  kill -USR1 {os.getpid()}")
        say("\nCtrl-C stops everything.")
