"""Care for the launcher: when it is killed, the supervisor starts another, which adopts everybody from the roster.

No request depends on it: until then the workers answer, but nobody restarts them and nobody hears the operator's signals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.process.family import Family
from proxy.process.spawn import spawn
from proxy.process.watch import Watched
from proxy.telemetry.logs import Logger

_LOOK_EVERY_S: Final = 0.25
_PAUSE_S: Final = 1.0


class LauncherCare:
    """Watches one launcher after the other.

    Attributes:
        pid: The launcher now.
        is_stopping: Its end is expected.
        on_new: Called when `pid` has changed.
    """

    def __init__(self, family: Family, pid: int, *, log: Logger) -> None:
        self.pid = pid
        self.is_stopping = False
        self.on_new: Callable[[], None] | None = None
        self._family = family
        self._log = log

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await self._ended(Watched(self.pid))
            if self.is_stopping:
                return
            self._log.warning("launcher_died", launcher=self.pid)
            self.pid = spawn("proxy.process.launcher", self._family)
            if self.on_new is not None:
                self.on_new()
            await asyncio.sleep(_PAUSE_S)

    async def _ended(self, launcher: Watched) -> None:
        try:
            while not launcher.has_ended():  # noqa: ASYNC110  works without pidfd too, and nobody waits for it
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            launcher.close()
