"""`flags-proxy demo`: both addresses, an answer, and a service that dies and comes back at one command."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys

from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import PATIENCE_S, until


async def test_the_demo_answers_survives_its_service_and_stops_clean() -> None:
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "proxy", "demo", "--port", "0", stdout=-1, stderr=-1, env=_environment()
    )
    said: list[str] = []
    reading = asyncio.create_task(_read(demo, said))
    try:
        await until(lambda: any("Ctrl-C" in line for line in said), "the instructions")
        text = "\n".join(said)
        port = int(_found(r"proxy +http://127\.0\.0\.1:(\d+)", text))
        command = _found(r"(curl -si .*)", text)
        assert b'"new-navigation"' in await _shell(command)
        assert int(_found(r"kill -USR1 (\d+)", text)) == demo.pid
        demo.send_signal(signal.SIGUSR1)
        await until(lambda: any("stopped" in line for line in said), "the service is stopped")
        held = await _shell(command)
        assert b"HTTP/1.1 200" in held
        assert b'"new-navigation"' in held
        assert b"fwd=miss; fwd-status" not in held
        demo.send_signal(signal.SIGUSR1)
        await until(lambda: any("service: back" in line for line in said), "the service is back")
        assert (await ask(port))[0] in {200, 401}
        demo.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await demo.wait() == 0
    finally:
        if demo.returncode is None:
            demo.send_signal(signal.SIGTERM)
            await demo.wait()
        await reading


async def test_a_demo_on_a_taken_port_says_so_and_leaves_nothing_running() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "proxy", "demo", "--port", str(port), stdout=-1, stderr=-1, env=_environment()
        )
        async with asyncio.timeout(PATIENCE_S):
            _, errors = await demo.communicate()
    assert demo.returncode == 3
    assert f"port {port} is taken" in errors.decode()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}


async def _read(demo: asyncio.subprocess.Process, said: list[str]) -> None:
    assert demo.stdout is not None
    async for line in demo.stdout:
        said.append(line.decode().rstrip())  # noqa: PERF401  seen line by line while it runs


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


async def _shell(command: str) -> bytes:
    process = await asyncio.create_subprocess_shell(command, stdout=-1)
    return (await process.communicate())[0]
