"""One connection through the relay: bytes up, bytes down, and what the fault of the present exchange makes of them."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from harness.faults.fault import PASS, How, RelayFault
from harness.faults.schedule import Chance

CHUNK_BYTES: Final = 65_536
HEAD_ENDS: Final = b"\r\n\r\n"
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, no time: close() sends RST


class Wire:
    """A caller's connection and the one that stands behind it.

    Args:
        reader: From the caller.
        writer: To the caller.
        begin: Called at the first bytes of each exchange; says what happens to it.
        seed: Of the jitter.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, begin: Callable[[], RelayFault], seed: int
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._begin = begin
        self._chance = Chance(seed)
        self._fault = PASS
        self._is_asking = False  # the caller has sent bytes and the service has not answered yet
        self._is_dead = False
        self._answered = 0
        self._head = b""

    async def run(self, host: str, port: int) -> None:
        """Carry bytes until either side ends."""
        service: asyncio.StreamWriter | None = None
        try:
            answers, service = await asyncio.open_connection(host, port)
            await _first_of(self._up(service), self._down(answers))
        except OSError:
            self.reset()  # nobody behind us, or one of them went away in the middle
        finally:
            for writer in (self._writer, service):
                if writer is not None:
                    writer.close()

    def deaden(self) -> None:
        """Carry nothing any more, without a word to either side."""
        self._is_dead = True

    def reset(self) -> None:
        """End the caller's connection with RST."""
        sock: socket.socket | None = self._writer.get_extra_info("socket")
        if sock is not None and not self._writer.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()

    async def _up(self, service: asyncio.StreamWriter) -> None:
        while chunk := await self._reader.read(CHUNK_BYTES):
            if self._is_dead:
                continue  # swallowed, as by a peer that is no more
            if not self._is_asking:
                self._is_asking, self._answered, self._head = True, 0, b""
                self._fault = self._begin()
            match self._fault.how:
                case How.RESET_BEFORE | How.REFUSE:
                    self.reset()
                    return
                case How.SILENCE:
                    self._is_dead = True
                case _:
                    service.write(chunk)
                    await service.drain()

    async def _down(self, answers: asyncio.StreamReader) -> None:
        while chunk := await answers.read(CHUNK_BYTES):
            is_first, self._is_asking = self._is_asking, False
            if self._is_dead:
                continue
            if not await self._carry(chunk, is_first=is_first):
                return
        if self._is_dead:
            await _forever()

    async def _carry(self, chunk: bytes, *, is_first: bool) -> bool:
        """Hand a piece of the answer on, or what the fault leaves of it; False ends the connection."""
        fault = self._fault
        match fault.how:
            case How.RESET_AFTER:
                return await self._head_only(chunk)
            case How.HANG | How.TRUNCATE:
                room = fault.bytes - self._answered
                await self._write(chunk[:room])
                if len(chunk) < room:
                    return True
                if fault.how is How.HANG:
                    await _forever()
                return False
            case How.DRIP:
                for byte in chunk:
                    await self._write(bytes((byte,)))
                    await asyncio.sleep(fault.interval_s)
                return True
            case How.LATENCY:
                await asyncio.sleep(self._chance.around(fault.delay_s, fault.jitter_s) if is_first else 0)
        await self._write(chunk)
        return True

    async def _head_only(self, chunk: bytes) -> bool:
        self._head += chunk
        head, end, _ = self._head.partition(HEAD_ENDS)
        if not end:
            return True
        await self._write(head + end)
        # The caller's kernel throws away what it has not read when RST comes: give it a turn to read the head.
        await asyncio.sleep(_TURN_S)
        self.reset()
        return False

    async def _write(self, chunk: bytes) -> None:
        self._answered += len(chunk)
        self._writer.write(chunk)
        await self._writer.drain()


_TURN_S: Final = 0.02


async def _first_of(*carrying: Awaitable[None]) -> None:
    """Run all until the first has ended, then cancel the others; errors of the first go on."""
    tasks = [asyncio.ensure_future(each) for each in carrying]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _forever() -> None:
    """Wait until the connection is ended from outside."""
    await asyncio.get_running_loop().create_future()
