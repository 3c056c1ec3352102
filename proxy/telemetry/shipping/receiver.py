"""Takes spans in from the workers, one packet each, and hands them on as they are."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

SPAN_BYTES: Final = 256 * 1024
"""Longer than a worker's buffer lets through."""
_AT_ONCE: Final = 64
"""Packets taken before the loop turns."""
_BACKLOG: Final = 512


class Receiver:
    """Listens at a path; `take` gets every packet."""

    def __init__(self, path: str, take: Callable[[bytes], None]) -> None:
        self._path = path
        self._take = take
        self._open: set[socket.socket] = set()

    async def run(self) -> None:
        """Take packets until cancelled, then what has already arrived."""
        loop = asyncio.get_running_loop()
        Path(self._path).unlink(missing_ok=True)  # noqa: ASYNC240 - an earlier supervisor's; once
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.setblocking(False)
            listener.bind(self._path)
            listener.listen(_BACKLOG)
            loop.add_reader(listener, self._accept, listener, loop)
            try:
                await asyncio.Event().wait()
            finally:
                loop.remove_reader(listener)
                for worker in list(self._open):
                    while self._read(worker, loop):
                        """Until it is empty."""
                    self._let_go(worker, loop)

    def _accept(self, listener: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        try:
            worker, _ = listener.accept()
        except OSError:
            return  # it went away while it waited
        worker.setblocking(False)
        self._open.add(worker)
        loop.add_reader(worker, self._read, worker, loop)

    def _read(self, worker: socket.socket, loop: asyncio.AbstractEventLoop) -> bool:
        """Take some packets; tell whether there may be more."""
        for _ in range(_AT_ONCE):
            try:
                packet = worker.recv(SPAN_BYTES)
            except BlockingIOError:
                return False
            except OSError:
                packet = b""
            if not packet:
                self._let_go(worker, loop)
                return False
            self._take(packet)
        return True

    def _let_go(self, worker: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        if worker in self._open:
            self._open.discard(worker)
            loop.remove_reader(worker)
            worker.close()
