"""The supervisor's end of every worker's connection: who is there, who answers, and how all of them are told the same thing."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from proxy.process.control.channel import SILENT, Channel, Handler
from proxy.process.control.messages import Accept, Body, Done, Drain, Hello, Ping, Version, Welcome
from proxy.telemetry.logs import Logger

from .assignment import assigned

CALL_S: Final = 5.0
_PING_EVERY_S: Final = 0.5
_PING_S: Final = 2.0


class Connected:
    """One worker that said hello.

    Attributes:
        hello: Who it is; its `version` and `accepting` are as of the hello.
        version: The configuration it runs.
        accepting: The listeners it was last told to accept from.
        is_away: It is connected but its event loop does not answer.
    """

    def __init__(self, hello: Hello, channel: Channel) -> None:
        self.hello = hello
        self.channel = channel
        self.version: Version = hello.version
        self.accepting = hello.accepting
        self.is_away = False
        self.answered_at = time.monotonic()


class Hub:
    """All workers. `on_arrival` is told of each that came, or came back to its senses, to bring it up to date.

    `handlers` answer what workers say of their own accord, besides `Hello`.
    """

    def __init__(self, *, workers: int, unresponsive_s: float, welcome: Callable[[], Welcome], log: Logger) -> None:
        self.workers: dict[int, Connected] = {}
        self.unresponsive_s = unresponsive_s
        self.on_arrival: Callable[[Connected], Awaitable[None]] | None = None
        self.handlers: dict[type[Any], Handler] = {}
        self._count = workers
        self._welcome = welcome
        self._log = log
        self._conversations: set[asyncio.Task[None]] = set()

    async def serve(self, path: str) -> None:
        """Take connections until cancelled."""
        server = await asyncio.start_unix_server(self._converse, path)
        async with server:
            await server.serve_forever()

    def answering(self) -> list[Connected]:
        """Return the workers whose event loops turn."""
        return [worker for worker in self.workers.values() if not worker.is_away]

    async def tell(
        self, workers: Sequence[Connected], body: Body, *, timeout_s: float = CALL_S
    ) -> list[tuple[Connected, Done]]:
        """Call some workers at once; return what each said (`GONE` and `SILENT` among it)."""
        replies = await asyncio.gather(*(worker.channel.call(body, timeout_s=timeout_s) for worker in workers))
        return list(zip(workers, replies, strict=True))

    def note_all(self, body: Body) -> None:
        """Tell every worker, without waiting."""
        for each in self.workers.values():
            each.channel.note(body)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one worker's conversation, with a watch over its event loop beside it."""
        arrived: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()

        async def take_hello(hello: Hello) -> Done:
            arrived.set_result(hello)
            return Done()

        channel = Channel(reader, writer, {**self.handlers, Hello: take_hello}, log=self._log)
        watch = asyncio.create_task(self._accompany(arrived, channel))
        # A worker that nobody accompanies any more would never be told anything again: it is to connect anew.
        watch.add_done_callback(lambda _: channel.close())
        try:
            await channel.run()
        finally:
            watch.cancel()
            await asyncio.wait([watch])
            if not watch.cancelled() and (error := watch.exception()) is not None:
                self._log.error("worker_lost", exc_info=error)

    async def _accompany(self, arrived: asyncio.Future[Hello], channel: Channel) -> None:
        worker = Connected(await arrived, channel)
        self._enter(worker)
        try:
            await self._arrived(worker)
            while True:
                await self._check_pulse(worker)
                await asyncio.sleep(_PING_EVERY_S)
        finally:
            self._leave(worker)

    def _enter(self, worker: Connected) -> None:
        before = self.workers.get(worker.hello.index)
        self.workers[worker.hello.index] = worker
        if before is not None:
            # Two launchers may have started the same worker, when the first died in the act. The newcomer stays.
            before.channel.note(Drain())
        worker.channel.note(self._welcome())
        self._log.info("worker_arrived", worker=worker.hello.index, worker_pid=worker.hello.pid, config=str(worker.version))
        self._assign()

    async def _arrived(self, worker: Connected) -> None:
        if self.on_arrival is not None and not worker.is_away:
            await self.on_arrival(worker)

    def _leave(self, worker: Connected) -> None:
        if self.workers.get(worker.hello.index) is worker:
            del self.workers[worker.hello.index]
            self._log.info("worker_left", worker=worker.hello.index, worker_pid=worker.hello.pid)
            self._assign()

    def _assign(self) -> None:
        present = [index for index, worker in self.workers.items() if not worker.is_away]
        for index, listeners in assigned(present, workers=self._count).items():
            worker = self.workers[index]
            if worker.accepting != listeners:
                worker.accepting = listeners
                worker.channel.note(Accept(listeners))

    async def _check_pulse(self, worker: Connected) -> None:
        done = await worker.channel.call(Ping(), timeout_s=_PING_S)
        is_away = done is SILENT
        if not is_away:
            worker.answered_at = time.monotonic()
        if is_away is not worker.is_away:
            worker.is_away = is_away
            self._log.warning("worker_unresponsive" if is_away else "worker_responsive", worker=worker.hello.index)
            self._assign()
            await self._arrived(worker)
        if time.monotonic() - worker.answered_at > self.unresponsive_s:
            self._log.warning("worker_killed", worker=worker.hello.index, worker_pid=worker.hello.pid)
            _kill(worker.hello.pid)


def report_of(worker: Connected, done: Done) -> dict[str, Any]:
    """Return what is shown of one worker."""
    state = "unresponsive" if worker.is_away else "unknown"
    known = {"index": worker.hello.index, "pid": worker.hello.pid, "state": state, "config": str(worker.version)}
    return known | done.detail


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has just died by itself
