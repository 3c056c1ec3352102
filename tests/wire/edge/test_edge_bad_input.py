"""Must show 6: bad input is an error, the worker stays up, upstream sees only what was sent, and logs stay silent."""

from __future__ import annotations

import asyncio
import logging
import socket
import tracemalloc
from collections.abc import Callable

import pytest
from aiohttp import web

from proxy.config.settings import Limits
from proxy.edge.server import EdgeServer
from tests.wire.edge.malformed import BODIES, CANARY, FRAMING, GOOD, PIPELINES, Row
from tests.wire.edge.rooms import Caller, rooms, settings_for
from tests.wire.edge.service import service

Run = Callable[..., None]
ROWS = [*BODIES, *FRAMING, *PIPELINES]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_bad_input_is_answered_survived_and_not_passed_on(
    run: Run, row: Row, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url)) as proxy:
            replies = await proxy.hear(row.raw, len(row.statuses))
            assert len(replies) == len(row.statuses), [reply.status for reply in replies]
            assert all(reply.status in allowed for reply, allowed in zip(replies, row.statuses, strict=True)), replies
            assert all("Origin" in (reply.value("Vary") or "") for reply in replies)
            assert upstream.targets == row.upstream
            assert await proxy.is_well()
            assert (await proxy.ask(GOOD)).status == 401

    run(scenario())
    output = capfd.readouterr()
    assert CANARY not in caplog.text + output.out + output.err
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert "Traceback" not in caplog.text + output.out + output.err


@pytest.mark.parametrize("row", [row for row in BODIES if row.upstream], ids=lambda row: row.name)
def test_refusals_are_in_the_services_own_words(run: Run, row: Row) -> None:
    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url)) as proxy:
            here = await proxy.ask(row.raw)
            there = await Caller(int(upstream.url.rpartition(":")[2])).ask(row.raw)
            assert (here.status, here.value("content-type"), here.body) == (
                there.status,
                there.value("content-type"),
                there.body,
            )

    run(scenario())


def test_bombs_are_not_inflated(run: Run) -> None:
    bombs = [row for row in BODIES if "bomb" in row.name]

    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url)) as proxy:
            await proxy.ask(GOOD)
            tracemalloc.start()
            try:
                replies = await asyncio.gather(*(proxy.ask(row.raw) for row in bombs * 4))
                _, peak_bytes = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert {reply.status for reply in replies} == {400, 413}
            assert peak_bytes < 64 * 1024 * 1024

    run(scenario())


def test_a_fault_of_ours_is_told_by_type_and_place_only(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: web.BaseRequest) -> web.StreamResponse:
        raise LookupError(f"no {CANARY}: {request.headers}")

    async def scenario() -> None:
        edge = EdgeServer(web.Server(fail), limits=Limits(), reserved_files=64)
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        await edge.start([sock])
        reply = await Caller(sock.getsockname()[1]).get("/e/", f"Origin: https://{CANARY}.example")
        await edge.stop()
        assert (reply.status, reply.body) == (500, b"Internal Server Error")
        assert reply.value("access-control-allow-origin") == f"https://{CANARY}.example"

    run(scenario())
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "LookupError at" in record.getMessage()
    assert "fail" in record.getMessage()
    assert record.exc_info is None
    assert CANARY not in caplog.text


def test_every_cut_of_a_good_request_is_survived(run: Run) -> None:
    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url)) as proxy:
            for at in range(1, len(GOOD)):
                assert await proxy.hear(GOOD[:at], 0) == []
            assert upstream.targets == []
            assert (await proxy.ask(GOOD)).status == 401

    run(scenario())


def test_a_request_in_single_bytes_is_one_request(run: Run) -> None:
    async def scenario() -> None:
        async with service() as upstream, rooms(settings_for(upstream.url)) as proxy, proxy.dial() as (reader, writer):
            for byte in GOOD:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            assert b" 401 " in await reader.readline()
            assert upstream.targets == [("POST", "/flags/?v=2")]

    run(scenario())
