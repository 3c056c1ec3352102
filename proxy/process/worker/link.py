"""The worker's line to the supervisor: kept up for ever, never needed to answer a request.

While the supervisor is away the worker serves on and tries again. Only when the launcher is gone as well, and nobody has
come back within `ORPHAN_S`, is the worker an orphan: it would hold the port and never be told anything again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from proxy.process.control.channel import GONE, Channel, Handler
from proxy.process.control.messages import Body, Done, Hello, Welcome
from proxy.process.watch import Watched
from proxy.telemetry.logs import Logger

ORPHAN_S: Final = 5.0  # a launcher that was just re-created needs one or two to bring a supervisor up
_RETRY_S: Final = (0.05, 0.25)


class Link:
    """Connects, says hello and whatever is owed, serves the supervisor's calls, and connects again."""

    def __init__(
        self,
        path: str,
        *,
        hello: Callable[[], Hello],
        owed: Callable[[], Iterable[Body]],
        handlers: Mapping[type[Any], Handler],
        launcher: int,
        log: Logger,
    ) -> None:
        self._path = path
        self._hello = hello
        self._owed = owed
        self._handlers: dict[type[Any], Handler] = {**handlers, Welcome: self._welcomed}
        self._launcher = Watched(launcher)
        self._log = log
        self._channel: Channel | None = None

    def note(self, body: Body) -> bool:
        """Tell the supervisor something that wants no reply; False while it is away."""
        return self._channel is not None and self._channel.note(body)

    async def call(self, body: Body, *, timeout_s: float) -> Done:
        """Ask the supervisor something; `GONE` while it is away."""
        return GONE if self._channel is None else await self._channel.call(body, timeout_s=timeout_s)

    async def run(self) -> None:
        """Return only when this worker is an orphan."""
        loop = asyncio.get_running_loop()
        alone_since = loop.time()
        while not self._is_orphan(loop.time() - alone_since):
            if await self._converse():
                alone_since = loop.time()
                self._log.info("supervisor_away")
            await asyncio.sleep(random.uniform(*_RETRY_S))  # noqa: S311  jitter
        self._log.warning("orphaned")

    def _is_orphan(self, alone_s: float) -> bool:
        return alone_s > ORPHAN_S and self._launcher.has_ended()

    async def _converse(self) -> bool:
        """Hold one conversation to its end; False when there was nobody to talk to."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            return False
        channel = Channel(reader, writer, self._handlers, log=self._log)
        for body in (self._hello(), *self._owed()):
            channel.note(body)
        self._channel = channel
        await channel.run()
        return True

    async def _welcomed(self, welcome: Welcome) -> Done:
        if welcome.launcher != self._launcher.pid:
            self._launcher.close()
            self._launcher = Watched(welcome.launcher)
        self._log.info("supervisor_found", supervisor=welcome.supervisor)
        return Done()
