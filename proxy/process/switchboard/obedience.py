"""The worker's end of orders: read from the disk before the first caller is answered, then taken from the supervisor.

Switches end by themselves, on the line's clock. A forced breaker is let go by a timer of ours, because a gate that is never
asked cannot notice. Both end without the supervisor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

from proxy.answer.request import ProjectName
from proxy.answer.switches import NAMES, Switches, Turn
from proxy.clock import Clock
from proxy.process.control.messages import Orders, SwitchTurned
from proxy.telemetry.logs import Logger

from .order import as_told, left_s, recall

Forces: TypeAlias = Mapping[tuple[str, str | None], str]
"""Which breakers are held, by upstream and project (None: the upstream's own), and how: `open` or `closed`."""


class Obedience:
    """One worker's.

    Attributes:
        force: Holds exactly these breakers and lets every other go.
    """

    def __init__(self, switches: Switches, *, force: Callable[[Forces], None], clock: Clock, log: Logger) -> None:
        self.force = force
        self._switches = switches
        self._clock = clock
        self._log = log
        self._forced: dict[tuple[str, str | None], tuple[str, float | None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def recall(self, runtime: str) -> None:
        """Obey what an earlier life was ordered; a file that cannot be read orders nothing, and the log says so."""
        now = self._clock.wall()
        found = await asyncio.to_thread(recall, runtime, now=now)
        if isinstance(found, str):
            self._log.error("orders_unreadable", reason=found)
            return
        self.take(as_told((order, left_s(order, now=now)) for order in found))

    def take(self, orders: Orders) -> None:
        """Obey exactly these orders from the next request on. A switch of another release's is left alone."""
        known = [turned for turned in orders.switches if turned.switch in NAMES]
        self._switches.replace(self._turn(turned) for turned in known)
        self._forced = {(each.upstream, each.project): (each.state, self._end(each.left_s)) for each in orders.breakers}
        self.hold()

    def hold(self) -> None:
        """Hold the breakers that are to be held now: after an order, at the end of one, when settings made other breakers."""
        now = self._clock.monotonic()
        self._forced = {place: (state, end) for place, (state, end) in self._forced.items() if end is None or end > now}
        self.force({place: state for place, (state, _) in self._forced.items()})
        self._wake_up(now)

    def close(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake_up(self, now: float) -> None:
        self.close()
        ends = [end for _, end in self._forced.values() if end is not None]
        if ends:
            self._timer = asyncio.get_running_loop().call_later(min(ends) - now, self.hold)

    def _turn(self, turned: SwitchTurned) -> Turn:
        project = None if turned.project is None else ProjectName(turned.project)
        return Turn(switch=turned.switch, on=turned.on, project=project, ends_at=self._end(turned.left_s))

    def _end(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._clock.monotonic() + seconds
