"""The event loop of a member: uvloop where it is installed, asyncio's own elsewhere, with our logging at its last resort."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from proxy.telemetry.logs import Logger, watch_loop


def run(member: Callable[[], Coroutine[None, None, int]], log: Logger) -> int:
    """Run a member to its end and return its exit code; what it raises is logged and is 1."""
    with asyncio.Runner(loop_factory=_factory()) as runner:
        watch_loop(runner.get_loop(), log)
        try:
            return runner.run(member())
        except Exception:
            log.exception("failed")
            return 1


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  optional: the proxy starts without it and says so
    except ImportError:
        return None
    return uvloop.new_event_loop
