"""What a client may cost: its time, its bytes, its connections. Time passes by sweeping with a later clock, not by waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from proxy.config.settings import Limits
from proxy.edge.guard.connection import Connection
from tests.wire.edge.recorder import Seen, recorder, saying
from tests.wire.edge.rooms import PATIENCE_S, QUICK, Rooms, head, read_reply, rooms, settings_for, until

Run = Callable[..., None]

NOWHERE = settings_for("http://127.0.0.1:9")
LIMITS = NOWHERE.limits
LIVE = head("GET", "/_holdfast/live")


async def only(proxy: Rooms) -> Connection:
    await until(lambda: len(proxy.edge._open) == 1)
    (connection,) = proxy.edge._open
    return connection


def later(connection: Connection, seconds: float) -> None:
    """Sweep as if so many seconds had passed."""
    connection.sweep(connection._loop.time() + seconds)


@pytest.mark.parametrize("sent", [b"G", b"GET /flags HTTP/1.1\r\nHost: a\r\n", b"\r\n", LIVE[:-1]])
def test_half_a_head_has_a_deadline(run: Run, sent: bytes) -> None:
    async def scenario() -> None:
        async with rooms(NOWHERE) as proxy, proxy.dial() as (reader, writer):
            writer.write(sent)
            connection = await only(proxy)
            await until(lambda: connection._head_since)
            later(connection, LIMITS.header_timeout_s - 0.5)
            assert proxy.edge.connections == 1
            later(connection, LIMITS.header_timeout_s + 0.1)
            assert (await read_reply(reader)).status == 408
            assert await reader.read() == b""
            await until(lambda: proxy.edge.connections == 0)

    run(scenario())


def test_dripping_a_head_wins_no_time(run: Run) -> None:
    async def scenario() -> None:
        async with rooms(NOWHERE) as proxy, proxy.dial() as (reader, writer):
            connection = await only(proxy)
            for sent, byte in enumerate(LIVE[:-1], start=1):
                writer.write(bytes([byte]))
                await until(lambda sent=sent: connection._head_bytes == sent)
                later(connection, LIMITS.header_timeout_s - 1)
            later(connection, LIMITS.header_timeout_s + 0.1)
            assert (await read_reply(reader)).status == 408

    run(scenario())


def test_a_head_in_two_parts_is_whole_and_the_next_has_its_own_time(run: Run) -> None:
    async def scenario() -> None:
        async with rooms(NOWHERE) as proxy, proxy.dial() as (reader, writer):
            connection = await only(proxy)
            for _ in range(3):
                writer.write(LIVE[:10])
                await until(lambda: connection._head_since)
                writer.write(LIVE[10:])
                assert (await read_reply(reader)).status == 200
                later(connection, LIMITS.header_timeout_s + 1)
            assert proxy.edge.connections == 1

    run(scenario())


def test_an_idle_connection_is_kept_as_long_as_sdks_need(run: Run) -> None:
    async def scenario() -> None:
        async with rooms(NOWHERE) as proxy, proxy.dial() as (reader, writer):
            writer.write(LIVE)
            await read_reply(reader)
            connection = await only(proxy)
            assert connection.keepalive_timeout == LIMITS.keepalive_s >= 75
            later(connection, 75)
            writer.write(LIVE)
            assert (await read_reply(reader)).status == 200

    run(scenario())


@pytest.mark.parametrize("size", [0, 3, 100, 20_000])
def test_a_large_body_behind_a_small_head_is_no_long_head(run: Run, size: int) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy, proxy.dial() as (reader, writer):
            raw = head("POST", "/e/", "X-Pad: " + "a" * (LIMITS.header_bytes - 100), "Content-Length: 40000")
            writer.write(raw[: len(raw) - 2])
            await until(lambda: proxy.edge._open)
            writer.write(raw[len(raw) - 2 :] + bytes(size))
            writer.write(bytes(40_000 - size))
            assert (await read_reply(reader)).status == 200
            assert len(upstream.seen[0].body) == 40_000

    run(scenario())


@pytest.mark.parametrize("parts", [1, 7, 400])
def test_a_head_past_the_limit_is_refused_however_it_comes(run: Run, parts: int) -> None:
    async def scenario() -> None:
        async with rooms(NOWHERE) as proxy, proxy.dial() as (reader, writer):
            raw = head("GET", "/e/", *["X-A: " + "a" * 1000] * 40)
            connection = await only(proxy)
            for at in range(0, len(raw), len(raw) // parts + 1):
                if writer.is_closing():
                    break
                writer.write(raw[at : at + len(raw) // parts + 1])
                await asyncio.sleep(0)
            # A client that goes on sending may see a reset instead of the refusal.
            with suppress(ConnectionError):
                assert (await read_reply(reader)).status == 431
            await until(lambda: proxy.edge.connections == 0)
            assert connection._head_bytes <= LIMITS.header_bytes
            assert await proxy.is_well()

    run(scenario())


@pytest.mark.parametrize("framing", ["Content-Length: 50", "Transfer-Encoding: chunked"])
def test_a_flag_request_has_one_deadline_for_its_body(run: Run, framing: str) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy, proxy.dial() as (reader, writer):
            writer.write(head("POST", "/flags/?v=2", framing) + b"5\r\nhello\r\n")
            connection = await only(proxy)
            await until(lambda: connection._current_request)
            later(connection, 0)
            later(connection, LIMITS.body_timeout_s - 1)
            assert proxy.edge.connections == 1
            later(connection, LIMITS.body_timeout_s + 1)
            assert (await read_reply(reader)).status == 408
            await until(lambda: proxy.edge.connections == 0)
            assert upstream.seen == []

    run(scenario())


def test_a_streamed_body_may_take_long_but_not_stop(run: Run) -> None:
    async def scenario() -> None:
        async with recorder() as upstream, rooms(settings_for(upstream.url)) as proxy, proxy.dial() as (_, writer):
            writer.write(head("POST", "/e/", "Content-Length: 100000"))
            connection = await only(proxy)
            await until(lambda: connection._current_request)
            request = connection._current_request
            for turn in range(6):
                writer.write(bytes(16_000))
                await until(lambda fed=(turn + 1) * 16_000: request.content.total_bytes == fed)
                later(connection, turn * (LIMITS.body_timeout_s - 1))
                assert proxy.edge.connections == 1
            await until(lambda: upstream.heads == 1)  # cut before, there would be no half of a request to see
            later(connection, 6 * LIMITS.body_timeout_s)
            await until(lambda: proxy.edge.connections == 0)
            await upstream.is_over.wait()
            assert (upstream.seen, upstream.partial) == ([], 1)

    run(scenario())


def test_a_client_that_takes_nothing_is_dropped_and_upstream_let_go(run: Run) -> None:
    async def scenario() -> None:
        is_let_go = asyncio.Event()

        async def endless(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                while True:
                    writer.write(bytes(65_536))
                    await writer.drain()
            finally:
                is_let_go.set()

        async with recorder(endless) as upstream, rooms(settings_for(upstream.url)) as proxy, proxy.dial() as (reader, writer):
            writer.write(head("GET", "/static/array.js"))
            connection = await only(proxy)
            await reader.readexactly(10)
            writer.transport.pause_reading()
            await until(lambda: connection.writing_paused)
            later(connection, 0)
            later(connection, LIMITS.write_timeout_s - 1)
            assert proxy.edge.connections == 1
            later(connection, LIMITS.write_timeout_s + 1)
            await until(lambda: proxy.edge.connections == 0)
            async with asyncio.timeout(PATIENCE_S):
                await is_let_go.wait()

    run(scenario())


def test_connections_past_the_limit_are_closed_at_once(run: Run) -> None:
    async def scenario() -> None:
        async with rooms(settings_for("http://127.0.0.1:9", limits=Limits(connections=20))) as proxy:
            assert proxy.edge.capacity == 20
            held = [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(20)]
            await until(lambda: proxy.edge.connections == 20)
            burst = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(50)))
            async with asyncio.timeout(PATIENCE_S):
                assert [await reader.read() for reader, _ in burst] == [b""] * 50
            assert (proxy.edge.connections, proxy.edge.refused) == (20, 50)
            for reader, writer in held:
                writer.write(LIVE)
                assert (await read_reply(reader)).status == 200
            held.pop()[1].close()
            await until(lambda: proxy.edge.connections < 20)
            assert await proxy.is_well()
            for _, writer in [*held, *burst]:
                writer.close()

    run(scenario())


def test_a_burst_is_bounded_before_any_of_it_is_open(run: Run) -> None:
    async def scenario() -> None:
        async with rooms(settings_for("http://127.0.0.1:9", limits=Limits(connections=20))) as proxy:
            burst = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(100)))
            await until(lambda: proxy.edge.connections + proxy.edge.refused == 100)
            assert (proxy.edge.connections, proxy.edge.refused) == (20, 80)
            for _, writer in burst:
                writer.close()

    run(scenario())


def test_two_thousand_slow_clients_cost_nothing(run: Run) -> None:
    async def scenario() -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        async with recorder(saying(answer)) as upstream, rooms(settings_for(upstream.url)) as proxy:
            clients = []
            for _ in range(20):
                dialled = (asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(100))
                clients += await asyncio.gather(*dialled)
            for _, writer in clients:
                writer.write(b"POST /flags/ HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            await until(lambda: sum(bool(connection._head_since) for connection in proxy.edge._open) == 2000)
            for _ in range(20):
                assert (await proxy.get("/e/")).body == b"ok"
            await until(lambda: proxy.edge.connections == 2000)
            proxy.edge.limits = Limits(header_timeout_s=0.01)
            async with asyncio.timeout(PATIENCE_S):
                ends = await asyncio.gather(*(reader.read() for reader, _ in clients))
            assert all(end.startswith(b"HTTP/1.1 408 ") for end in ends)
            await until(lambda: proxy.edge.connections == 0)
            for _, writer in clients:
                writer.close()

    run(scenario())


def test_the_sweep_runs_by_itself(run: Run) -> None:
    async def scenario() -> None:
        async with rooms(settings_for("http://127.0.0.1:9", limits=QUICK)) as proxy:
            half_a_head, half_a_body = LIVE[:-1], head("POST", "/flags/", "Content-Length: 9") + b"a"
            replies = await asyncio.gather(proxy.ask(half_a_head), proxy.ask(half_a_body))
            assert [reply.status for reply in replies] == [408, 408]
            assert await proxy.is_well()

    run(scenario())


async def until_refused(proxy: Rooms) -> None:
    while True:
        await proxy.is_well()


def test_requests_in_flight_end_before_the_server_does(run: Run) -> None:
    async def scenario() -> None:
        may_answer = asyncio.Event()

        async def hold(seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await may_answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        async with recorder(hold) as upstream, rooms(settings_for(upstream.url)) as proxy:
            proxy.edge.drain_s = PATIENCE_S
            asked = asyncio.create_task(proxy.get("/e/"))
            await until(lambda: upstream.seen)
            stopping = asyncio.create_task(proxy.edge.stop())
            await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                await until_refused(proxy)
            may_answer.set()
            assert (await asked).body == b"ok"
            await stopping
            assert proxy.edge.connections == 0

    run(scenario())
