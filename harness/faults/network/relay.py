"""The network between a caller and the service, as a TCP relay on loopback that can be told what to do at run time.

It knows of HTTP/1.1 only that callers and service take turns: bytes from the caller after an answer begin the next exchange,
and an exchange meets the fault that is on when it begins. It counts connections and exchanges, and reserves its port for its
whole life, so that "refused" is the kernel's own answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final, Self

from harness.faults.fault import PASS, How, RelayFault

from .wire import Wire

BACKLOG: Final = 512


class Relay:
    """A relay in front of one port.

    Attributes:
        connections: How many were accepted.
        exchanges: How many requests began, those that a fault swallowed included.
    """

    def __init__(self, target_port: int, *, host: str = "127.0.0.1", seed: int = 0) -> None:
        self.connections = 0
        self.exchanges = 0
        self._target = (host, target_port)
        self._host = host
        self._seed = seed
        self._fault = PASS
        self._wires: dict[asyncio.Task[None], Wire] = {}
        self._server: asyncio.Server | None = None
        self._reserved: socket.socket

    @property
    def port(self) -> int:
        """Where callers connect."""
        return int(self._reserved.getsockname()[1])

    @property
    def fault(self) -> RelayFault:
        """What happens to exchanges that begin now."""
        return self._fault

    async def start(self, port: int = 0) -> None:
        """Reserve the port (0: a free one) and listen."""
        # Bound and never listening: the port stays ours, and is refused by the kernel, while the other socket is closed.
        self._reserved = _bound(self._host, port)
        await self._listen()

    async def switch(self, fault: RelayFault) -> None:
        """Change what happens from now on; connections that are there are reset by `refuse` and go silent by `half_open`."""
        self._fault = fault
        if fault.how is How.REFUSE:
            await self._stop_listening()
            self._reset_all()
        elif self._server is None:
            await self._listen()
        if fault.how is How.HALF_OPEN:
            for wire in self._wires.values():
                wire.deaden()

    def forget(self) -> None:
        """Begin counting afresh."""
        self.connections = self.exchanges = 0

    async def close(self) -> None:
        """Stop listening, end every connection, and give the port back."""
        await self._stop_listening()
        tasks = list(self._wires)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._reserved.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=_bound(self._host, self.port), backlog=BACKLOG)

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()  # waiting for it would wait for connections, too

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault.how is How.REFUSE:  # it came between the switch and the socket's end
            writer.transport.abort()
            return
        self.connections += 1
        wire = Wire(reader, writer, begin=self._begin, seed=self._seed + self.connections)
        task = asyncio.get_running_loop().create_task(wire.run(*self._target))
        self._wires[task] = wire
        task.add_done_callback(self._ended)

    def _begin(self) -> RelayFault:
        self.exchanges += 1
        return PASS if self._fault.how is How.HALF_OPEN else self._fault

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._wires.pop(task, None)
        with contextlib.suppress(asyncio.CancelledError):
            task.result()  # a bug in a wire is heard of, not lost

    def _reset_all(self) -> None:
        for wire in list(self._wires.values()):
            wire.reset()


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    sock.setblocking(False)
    return sock
