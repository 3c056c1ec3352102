"""Stopping: what is in flight finishes, nothing is left behind, and a second wish is obeyed at once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.wire.process.support.callers import Connection, ask
from tests.wire.process.support.instance import Instance, until
from tests.wire.process.support.upstream import BODY, Upstream


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_lets_the_request_in_flight_finish_and_exits_0(upstream: Upstream, number: int) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__WORKERS=2) as instance:
        await instance.ready(2)
        upstream.open.clear()
        asked = asyncio.create_task(ask(instance.port))
        await upstream.holding.wait()
        instance.signal(number)
        await until(lambda: len(instance.events("draining", role="worker")) == 2, "both workers drain")
        assert not asked.done()
        upstream.open.set()
        status, _, body = await asked
        assert (status, body) == (200, BODY)
        members = instance.roster()
        assert await instance.ended() == 0
        assert instance.event("stopped")["is_forced"] is False
        assert not [pid for pid in members.values() if _is_alive(pid)]


async def test_a_draining_instance_refuses_new_connections(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url) as instance:
        await instance.ready(1)
        upstream.open.clear()
        asked = asyncio.create_task(ask(instance.port))
        await upstream.holding.wait()
        instance.signal(signal.SIGTERM)
        await until(lambda: instance.events("draining", role="worker"), "the worker drains")

        async def is_refused() -> bool:
            connection = Connection(instance.port)
            try:
                await connection.open()
            except ConnectionRefusedError:
                return True
            await connection.close()
            return False

        async with asyncio.timeout(30):
            while not await is_refused():  # noqa: ASYNC110  the kernel tells nobody
                await asyncio.sleep(0.02)
        upstream.open.set()
        assert (await asked)[0] == 200
        assert await instance.ended() == 0


async def test_while_unready_s_lasts_a_stopping_instance_says_so_and_still_answers(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__UNREADY_S=60) as instance:
        await instance.ready(1)
        instance.signal(signal.SIGTERM)
        await until(lambda: instance.events("draining", role="worker"), "the worker drains")
        assert (await ask(instance.port))[0] == 200
        assert await _readiness(instance.port) == 503


async def test_a_second_signal_stops_at_once_with_1(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__UNREADY_S=60) as instance:
        await instance.ready(1)
        instance.signal(signal.SIGTERM)
        await until(lambda: instance.events("draining", role="worker"), "the worker drains")
        ended = asyncio.create_task(instance.ended())
        while not ended.done():
            instance.signal(signal.SIGTERM)  # repeated: one that comes with the first is taken for the same wish
            await asyncio.wait([ended], timeout=0.2)
        assert await ended == 1


async def test_a_temporary_runtime_folder_goes_with_the_instance(upstream: Upstream) -> None:
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, PROCESS__RUNTIME_DIR=None) as instance:
        await until(lambda: instance.events("worker_arrived"), "it runs")
        folder = Path(instance.event("listening")["runtime_dir"])
        assert _mode(folder) == 0o700
        os.kill(instance.event("listening")["pid"], signal.SIGTERM)
        assert await instance.ended() == 0
        assert _mode(folder) is None


def _mode(folder: Path) -> int | None:
    return folder.stat().st_mode & 0o777 if folder.exists() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _readiness(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /_holdfast/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    status = int((await reader.readline()).split()[1])
    writer.transport.abort()
    return status
