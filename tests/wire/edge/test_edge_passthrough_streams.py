"""Bodies in motion: both ways, at the slower side's pace, never twice, and never made to look whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from proxy.config.settings import Passthrough
from tests.wire.edge.recorder import JSON_OK, Seen, read_head, recorder, saying
from tests.wire.edge.rooms import PATIENCE_S, head, read_reply, rooms, settings_for, until

Run = Callable[..., None]


def test_the_first_bytes_of_an_answer_are_there_before_its_last(run: Run) -> None:
    async def scenario() -> None:
        is_read = asyncio.Event()

        async def in_two(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            await is_read.wait()
            writer.write(b"after")

        async with (
            asyncio.timeout(PATIENCE_S),
            recorder(in_two) as upstream,
            rooms(settings_for(upstream.url)) as proxy,
            proxy.dial() as (reader, writer),
        ):
            writer.write(head("GET", "/static/array.js"))
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(5) == b"first"
            is_read.set()
            assert await reader.readexactly(5) == b"after"

    run(scenario())


def test_the_first_bytes_of_a_body_are_upstream_before_its_last(run: Run) -> None:
    async def scenario() -> None:
        got = asyncio.Queue[bytes]()

        async def listen(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.put_nowait(await reader.readexactly(5))
            got.put_nowait(await reader.readexactly(5))
            writer.write(JSON_OK)
            await writer.drain()

        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            upstream.head_script = listen
            async with asyncio.timeout(PATIENCE_S), proxy.dial() as (reader, writer):
                writer.write(head("POST", "/e/", "Content-Length: 10") + b"first")
                assert await got.get() == b"first"
                writer.write(b"after")
                assert await got.get() == b"after"
                assert (await read_reply(reader)).status == 200

    run(scenario())


def test_an_upstream_that_does_not_read_stops_the_client_and_fills_no_memory(run: Run) -> None:
    async def scenario() -> None:
        may_read = asyncio.Event()

        async def wait(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await may_read.wait()

        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            upstream.head_script = wait
            async with asyncio.timeout(PATIENCE_S), proxy.dial() as (_, writer):
                size = 60 * 1024 * 1024
                writer.write(head("POST", "/e/", f"Content-Length: {size}") + bytes(size))
                await until(lambda: proxy.edge._open)
                (connection,) = proxy.edge._open
                await until(lambda: connection._reading_paused)
                held = writer.transport.get_write_buffer_size()
                # What left the client sits in socket buffers and bounded queues, not in our memory.
                assert held > size - 24 * 1024 * 1024
                may_read.set()

    run(scenario())


@pytest.mark.parametrize(
    ("raw", "begun"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", True),
        (b"", False),
        (b"garbage\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
    ],
    ids=["cut short", "cut chunks", "nothing", "garbage", "half a head"],
)
def test_an_answer_that_breaks_off_is_never_made_to_look_whole(run: Run, raw: bytes, begun: bool) -> None:
    async def scenario() -> None:
        async with recorder(saying(raw, close=True)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            if begun:
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await proxy.get("/static/array.js")
            else:
                reply = await proxy.get("/static/array.js", "Origin: https://app.example")
                assert reply.status == 503
                assert reply.value("retry-after") == "5"
                assert json.loads(reply.body)["code"] == "service_unavailable"
                assert reply.value("access-control-allow-origin") == "https://app.example"
            assert len(upstream.seen) == 1
            assert await proxy.is_well()

    run(scenario())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_nothing_is_sent_twice_when_a_pooled_connection_dies(run: Run, method: str) -> None:
    async def scenario() -> None:
        async with (
            recorder(saying(JSON_OK if method != "HEAD" else JSON_OK[:-15])) as upstream,
            rooms(settings_for(upstream.url)) as proxy,
        ):
            assert (await proxy.get("/e/", "Content-Length: 0", method=method)).status == 200
            upstream.script = saying(b"", close=True)
            assert (await proxy.get("/e/", "Content-Length: 0", method=method)).status == 503
            assert len(upstream.seen) == 2

    run(scenario())


def test_upstream_never_sees_a_whole_request_of_a_client_that_left(run: Run) -> None:
    async def scenario() -> None:
        for framing in ("Transfer-Encoding: chunked", "Content-Length: 1000"):
            async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
                async with asyncio.timeout(PATIENCE_S):
                    async with proxy.dial() as (_, writer):
                        writer.write(head("POST", "/e/", framing) + b"5\r\nhello\r\n")
                        await until(lambda: upstream.heads)
                    await upstream.is_over.wait()
                assert (upstream.seen, upstream.partial) == ([], 1)

    run(scenario())


@pytest.mark.parametrize("framing", ["Content-Length: 2000", "Transfer-Encoding: chunked"])
def test_a_body_past_the_limit_is_refused_and_never_whole_upstream(run: Run, framing: str) -> None:
    async def scenario() -> None:
        settings = Passthrough(body_bytes=1000)
        async with recorder() as upstream, rooms(settings_for(upstream.url, passthrough=settings)) as proxy:
            body = b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n" if "chunked" in framing else b"x" * 2000
            reply = await proxy.ask(head("POST", "/e/", framing, "Origin: https://app.example") + body)
            assert reply.status == 413
            assert reply.value("access-control-allow-origin") == "https://app.example"
            assert upstream.seen == []
            assert await proxy.is_well()

    run(scenario())


@pytest.mark.parametrize("target", ["/e/", "/flags/?v=2", "/flags/definitions"])
def test_websockets_are_refused(run: Run, target: str) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: a")
            replies = await proxy.hear(head("GET", target, *lines) + head("GET", "/e/"), 1)
            assert [reply.status for reply in replies] == [400]
            assert upstream.connections == 0

    run(scenario())


def test_an_upgrade_nobody_needs_is_ignored(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy:
            lines = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
            assert (await proxy.get("/e/", *lines)).status == 200
            assert [name for name, _ in upstream.seen[0].lines] == ["Host", "X-Forwarded-For"]

    run(scenario())


def test_a_flood_of_events_leaves_other_requests_their_connections(run: Run) -> None:
    async def scenario() -> None:
        may_answer = asyncio.Event()

        async def hold_events(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if seen.target == "/e/":
                await may_answer.wait()
            writer.write(JSON_OK)

        narrow = Passthrough(connections=2)
        async with recorder(hold_events) as upstream, rooms(settings_for(upstream.url, passthrough=narrow)) as proxy:
            flood = [asyncio.create_task(proxy.get("/e/")) for _ in range(8)]
            await until(lambda: len(upstream.seen) == 2)
            assert (await proxy.get("/flags/definitions?token=phc_a")).status == 200
            assert [seen.target for seen in upstream.seen].count("/e/") == 2
            may_answer.set()
            assert [(await reply).status for reply in flood] == [200] * 8

    run(scenario())


def test_new_settings_cut_no_upload_and_leave_no_connection_behind(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as before, recorder() as after, rooms(settings_for(before.url)) as proxy:
            async with asyncio.timeout(PATIENCE_S), proxy.dial() as (reader, writer):
                writer.write(head("POST", "/e/", "Content-Length: 10") + b"first")
                await until(lambda: before.heads)
                proxy.through.reconfigure(settings_for(after.url))
                assert (await proxy.get("/e/?new")).status == 200
                writer.write(b"after")
                assert (await read_reply(reader)).status == 200
            assert [seen.body for seen in before.seen] == [b"firstafter"]
            assert [seen.target for seen in after.seen] == ["/e/?new"]
            async with asyncio.timeout(PATIENCE_S):
                await before.is_over.wait()

    run(scenario())


def test_the_recorder_tells_half_a_head_from_none(run: Run) -> None:
    async def scenario() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"GET / HTTP/1.1\r\n")
        reader.feed_eof()
        with pytest.raises(asyncio.IncompleteReadError):
            await read_head(reader)

    run(scenario())
