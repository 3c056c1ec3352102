"""The supervisor's table of orders: stored first, then told to every worker, then answered for.

It says of each change which workers obey already; one that is away is told on arrival, and one that starts reads the file. An
order whose time is over is forgotten here for the report and the file: each worker ends it by itself, to the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from proxy.clock import Clock
from proxy.process.control.messages import Body, Orders
from proxy.telemetry.logs import Logger

from .order import Order, Place, as_told, left_s, recall, store

TellAll: TypeAlias = Callable[[Body], Awaitable[Mapping[int, str]]]
"""Tells every worker and returns, by worker, why it did not take it (empty: it did)."""
_LOOK_EVERY_S: Final = 60.0


class Standing(Struct, frozen=True):
    """An order and its end on the monotonic clock (None: without end)."""

    order: Order
    ends_at: float | None


class Spread(Struct, frozen=True):
    """How far a change has come.

    Attributes:
        changed: There was something to change.
        obeying: Workers that work under it from their next request on.
        missing: Workers that do not, and why; they are told again on arrival.
        stored: It is on disk, for whoever starts next.
    """

    changed: bool
    obeying: tuple[int, ...] = ()
    missing: Mapping[int, str] = {}
    stored: bool = True


class Board:
    """Owner of what operators ordered."""

    def __init__(self, runtime: str, *, tell_all: TellAll, clock: Clock, log: Logger) -> None:
        self._runtime = runtime
        self._tell_all = tell_all
        self._clock = clock
        self._log = log
        self._standing: dict[Place, Standing] = {}
        self._changed = asyncio.Event()
        self._recall()

    def now(self) -> float:
        """Return the Unix second, for an order's record."""
        return self._clock.wall()

    async def give(self, order: Order) -> Spread:
        """Put an order in force, instead of what was ordered about the same thing."""
        self._standing[order.place] = self._timed(order)
        return await self._spread()

    async def take_back(self, place: Place) -> Spread:
        """Take an order back. Workers are told even when there was none: whoever asks wants to be sure."""
        was_there = self._standing.pop(place, None) is not None
        return msgspec.structs.replace(await self._spread(), changed=was_there)

    def told(self) -> Orders:
        """Return what a worker that arrives is told: everything that stands, and so nothing else."""
        self._settle()
        now = self._clock.monotonic()
        return as_told((each.order, None if each.ends_at is None else each.ends_at - now) for each in self._standing.values())

    def report(self) -> list[dict[str, Any]]:
        """Return what stands, for people: every order with its end as Unix second and the seconds left."""
        self._settle()
        now = self._clock.monotonic()
        return [
            {**msgspec.to_builtins(each.order), "left_s": None if each.ends_at is None else round(each.ends_at - now, 3)}
            for _, each in sorted(self._standing.items(), key=lambda item: (item[0][:2], item[0][2] or ""))
        ]

    async def run(self) -> None:
        """Say in the log when an order's time is over. A duty: it never returns."""
        while True:
            self._changed.clear()
            self._settle()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._changed.wait()

    async def tell(self, body: Body) -> Spread:
        """Tell every worker something that is over once it is done, and so is kept nowhere."""
        replies = await self._tell_all(body)
        missing = {index: refusal for index, refusal in replies.items() if refusal}
        return Spread(changed=True, obeying=tuple(sorted(replies.keys() - missing.keys())), missing=missing)

    async def _spread(self) -> Spread:
        self._changed.set()
        is_stored = self._store()
        return msgspec.structs.replace(await self.tell(self.told()), stored=is_stored)

    def _timed(self, order: Order) -> Standing:
        left = left_s(order, now=self._clock.wall())
        return Standing(order, None if left is None else self._clock.monotonic() + left)

    def _settle(self) -> None:
        now = self._clock.monotonic()
        over = [each.order for each in self._standing.values() if each.ends_at is not None and each.ends_at <= now]
        for order in over:
            del self._standing[order.place]
            kind, name, project = order.place
            self._log.info("order_over", order=kind, subject=name, project=project)
        if over:
            self._store()

    def _pause_s(self) -> float:
        """Return how long nothing ends; bounded, because loop time and our clock need not agree."""
        ends = [each.ends_at for each in self._standing.values() if each.ends_at is not None]
        return min(_LOOK_EVERY_S, *(end - self._clock.monotonic() for end in ends)) if ends else _LOOK_EVERY_S

    def _store(self) -> bool:
        """Write the file; a disk that takes nothing does not keep an order from being obeyed."""
        try:
            store(self._runtime, (each.order for each in self._standing.values()))
        except OSError as error:
            self._log.error("orders_not_stored", reason=error.strerror)
            return False
        return True

    def _recall(self) -> None:
        found = recall(self._runtime, now=self._clock.wall())
        if isinstance(found, str):
            self._log.error("orders_unreadable", reason=found)
            return
        for order in found:
            self._standing[order.place] = self._timed(order)
            kind, name, project = order.place
            self._log.warning(
                "order_in_force", order=kind, subject=name, project=project, until=order.until, reason=order.reason
            )
