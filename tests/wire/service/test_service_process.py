"""The command as a child process: ready line, reload, signals, and messages for what goes wrong."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def document(*keys: str) -> str:
    return json.dumps({"flags": [{"key": key, "active": True, "filters": {"groups": [{}]}} for key in keys]})


def replace(path: Path, text: str) -> None:
    """Change a file in one step, so that nobody reads half of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def fetch(address: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[asyncio.subprocess.Process]]]:
    """Start the command; whatever still runs at the end is killed."""
    children: list[asyncio.subprocess.Process] = []

    async def starting(*arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "reference.service", *arguments, cwd=ROOT, stdout=pipe, stderr=pipe
        )
        children.append(child)
        return child

    yield starting
    for child in children:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def ready(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    line = (await child.stdout.readline()).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    return line.removeprefix("listening on ").strip()


async def flags(address: str) -> set[str]:
    body = {"token": "phc_holdfast_sample", "distinct_id": "a"}
    return set((await asyncio.to_thread(fetch, f"{address}/flags?v=2", body))["flags"])


async def test_it_serves_the_sample_and_ends_cleanly_on_sigterm(start):
    child = await start("--port", "0")
    address = await ready(child)
    assert "new-navigation" in await flags(address)
    child.send_signal(signal.SIGTERM)
    assert await child.wait() == 0


async def test_it_takes_up_a_changed_file_and_keeps_the_earlier_one_when_the_new_one_is_broken(start, tmp_path):
    path = tmp_path / "flags.json"
    path.write_text(document("first"))
    child = await start("--definitions", str(path), "--port", "0", "--poll-s", "0.02")
    address = await ready(child)
    assert await flags(address) == {"first"}
    replace(path, document("first", "second"))
    assert b"reloaded" in await child.stderr.readline()
    assert await flags(address) == {"first", "second"}
    replace(path, '{"flags": 3}')
    assert b"kept the earlier definitions: $.flags" in await child.stderr.readline()
    assert await flags(address) == {"first", "second"}
    path.unlink()
    replace(path, document("third"))
    assert b"reloaded" in await child.stderr.readline()
    assert await flags(address) == {"third"}


async def test_missing_file_is_said_clearly(start, tmp_path):
    child = await start("--definitions", str(tmp_path / "none.json"), "--port", "0")
    _, said = await child.communicate()
    assert child.returncode == 2
    assert b"no such file" in said
    assert b"Traceback" not in said


async def test_unusable_file_is_said_with_its_place(start, tmp_path):
    path = tmp_path / "flags.json"
    path.write_text('{"flags": [], "service": {"tokenz": []}}')
    child = await start("--definitions", str(path), "--port", "0")
    _, said = await child.communicate()
    assert child.returncode == 2
    assert b"$.service: Object contains unknown field `tokenz`" in said
    assert b"Traceback" not in said


async def test_taken_port_is_said_clearly(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        child = await start("--port", str(taken.getsockname()[1]))
        _, said = await child.communicate()
    assert child.returncode == 2
    assert b"cannot listen on 127.0.0.1" in said
    assert b"choose another --port" in said
    assert b"Traceback" not in said


async def test_help_teaches(start):
    child = await start("--help")
    said, _ = await child.communicate()
    assert child.returncode == 0
    for option in (b"--definitions", b"--token", b"--personal-key", b"--test-face"):
        assert option in said
