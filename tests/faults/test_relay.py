"""The relay byte by byte: what each fault lets through, what it does to connections that are there, and that it ends clean."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Self

import pytest

from harness.faults.fault import PASS, How, RelayFault
from harness.faults.network.relay import Relay
from tests.wire.proxy_line.house import House

QUESTION = b"GET / HTTP/1.1\r\n\r\n"
HEAD, BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n", b"abcdefghijklmnopqrstuvwxyz"
ANSWER = HEAD + BODY


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that answers every question."""
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


class Caller:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def ask(self) -> bytes:
        self.writer.write(QUESTION)
        return await self.reader.readexactly(len(ANSWER))

    async def is_silent(self) -> bool:
        """Nothing comes, and no end either: a read is still waiting after the relay has had its turns."""
        reading = asyncio.create_task(self.reader.read(1))
        done, _ = await asyncio.wait([reading], timeout=0.1)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return not done


async def relay(house: House) -> Relay:
    made = Relay(await house.raw(answers))
    await made.start()
    house.stack.push_async_callback(made.close)
    return made


async def test_without_a_fault_bytes_pass_and_connections_and_exchanges_are_counted() -> None:
    async with House() as house:
        relayed = await relay(house)
        async with Caller(relayed.port) as first, Caller(relayed.port) as second:
            assert [await first.ask(), await first.ask(), await second.ask()] == [ANSWER] * 3
        assert (relayed.connections, relayed.exchanges) == (2, 3)
        relayed.forget()
        assert (relayed.connections, relayed.exchanges) == (0, 0)


async def test_refused_is_the_kernels_answer_on_a_port_that_stays_ours() -> None:
    async with House() as house:
        relayed = await relay(house)
        async with Caller(relayed.port) as there:
            await there.ask()
            await relayed.switch(RelayFault(how=How.REFUSE))
            with pytest.raises(ConnectionResetError):
                await there.reader.readexactly(1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", relayed.port)
            with socket.socket() as thief, pytest.raises(OSError) as taken:
                thief.bind(("127.0.0.1", relayed.port))
            assert taken.value.errno == errno.EADDRINUSE
            await relayed.switch(PASS)
            async with Caller(relayed.port) as later:
                assert await later.ask() == ANSWER


async def test_a_reset_before_the_answer_lets_no_byte_through() -> None:
    async with House() as house:
        relayed = await relay(house)
        await relayed.switch(RelayFault(how=How.RESET_BEFORE))
        async with Caller(relayed.port) as caller:
            with pytest.raises(ConnectionResetError):
                await caller.ask()


async def test_a_reset_after_the_head_lets_the_head_through() -> None:
    async with House() as house:
        relayed = await relay(house)
        await relayed.switch(RelayFault(how=How.RESET_AFTER))
        async with Caller(relayed.port) as caller:
            caller.writer.write(QUESTION)
            assert await caller.reader.readexactly(len(HEAD)) == HEAD
            with pytest.raises(ConnectionResetError):
                await caller.reader.readexactly(1)


async def test_silence_accepts_and_never_answers_nor_closes() -> None:
    async with House() as house:
        relayed = await relay(house)
        await relayed.switch(RelayFault(how=How.SILENCE))
        async with Caller(relayed.port) as caller:
            caller.writer.write(QUESTION)
            assert await caller.is_silent()
        assert relayed.exchanges == 1


async def test_a_hang_stops_after_its_bytes_and_a_truncation_closes_in_order() -> None:
    async with House() as house:
        relayed = await relay(house)
        await relayed.switch(RelayFault(how=How.HANG, bytes=50))
        async with Caller(relayed.port) as caller:
            caller.writer.write(QUESTION)
            assert await caller.reader.readexactly(50) == ANSWER[:50]
            assert await caller.is_silent()
        await relayed.switch(RelayFault(how=How.TRUNCATE, bytes=50))
        async with Caller(relayed.port) as caller:
            caller.writer.write(QUESTION)
            assert await caller.reader.read() == ANSWER[:50]


async def test_a_drip_brings_every_byte_one_at_a_time() -> None:
    async with House() as house:
        relayed = await relay(house)
        await relayed.switch(RelayFault(how=How.DRIP, interval_s=0.001))
        async with Caller(relayed.port) as caller:
            caller.writer.write(QUESTION)
            first = await caller.reader.read(len(ANSWER))
            assert len(first) < len(ANSWER)
            assert first + await caller.reader.readexactly(len(ANSWER) - len(first)) == ANSWER


async def test_latency_changes_no_byte() -> None:
    async with House() as house:
        relayed = await relay(house)
        await relayed.switch(RelayFault(how=How.LATENCY, delay_s=0.01, jitter_s=0.01))
        async with Caller(relayed.port) as caller:
            assert [await caller.ask(), await caller.ask()] == [ANSWER] * 2


async def test_half_open_silences_connections_that_were_there_and_no_new_ones() -> None:
    async with House() as house:
        relayed = await relay(house)
        async with Caller(relayed.port) as there:
            await there.ask()
            await relayed.switch(RelayFault(how=How.HALF_OPEN))
            there.writer.write(QUESTION)
            assert await there.is_silent()
            async with Caller(relayed.port) as later:
                assert await later.ask() == ANSWER


async def test_a_switch_takes_effect_on_the_next_exchange_of_a_kept_connection() -> None:
    async with House() as house:
        relayed = await relay(house)
        async with Caller(relayed.port) as caller:
            assert await caller.ask() == ANSWER
            await relayed.switch(RelayFault(how=How.RESET_BEFORE))
            with pytest.raises(ConnectionResetError):
                await caller.ask()


async def test_closing_ends_hanging_connections_and_gives_the_port_back() -> None:
    async with House() as house:
        relayed = Relay(await house.raw(answers))
        await relayed.start()
        await relayed.switch(RelayFault(how=How.SILENCE))
        async with Caller(relayed.port) as caller:
            caller.writer.write(QUESTION)
            port = relayed.port
            assert await caller.is_silent()
            await relayed.close()
            assert await caller.reader.read() == b""
        with socket.socket() as next_owner:
            next_owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            next_owner.bind(("127.0.0.1", port))


async def test_a_dead_service_behind_the_relay_is_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    async with Relay(port) as relayed, Caller(relayed.port) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.ask()
