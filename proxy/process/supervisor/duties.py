"""What must exist once and runs beside the workers. A duty is a coroutine function; this keeps it running.

A duty that raises is logged and started again after a pause; one that returns is finished (a check at start, for instance).
Its age since the last start, and how often it failed, are part of the status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from proxy.telemetry.logs import Logger

Duty: TypeAlias = Callable[[], Awaitable[None]]
_PAUSE_S: Final = (0.1, 30.0)


class Kept:
    """One duty and how it fares."""

    def __init__(self, name: str, duty: Duty, *, log: Logger) -> None:
        self.name = name
        self.failures = 0
        self._duty = duty
        self._log = log
        self._started = time.monotonic()
        self._state = "waiting"

    async def run(self) -> None:
        """Run the duty until it returns; start it again when it raises."""
        while True:
            self._started, self._state = time.monotonic(), "running"
            try:
                await self._duty()
            except Exception:  # noqa: BLE001  the owner of the task: it logs and starts again
                self.failures += 1
                self._state = "failed"
                self._log.exception("duty_failed", duty=self.name, failures=self.failures)
                await asyncio.sleep(min(_PAUSE_S[1], _PAUSE_S[0] * 2 ** min(self.failures, 10)))
            else:
                self._state = "finished"
                return

    def report(self) -> dict[str, Any]:
        """Return what is shown of it."""
        age = round(time.monotonic() - self._started, 3)
        return {"duty": self.name, "state": self._state, "age_s": age, "failures": self.failures}
