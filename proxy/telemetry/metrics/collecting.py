"""Brings what others count onto the slate, once a second: their plain integers stay theirs, and the line pays nothing for it.

A counter that starts again from nothing (a new object after a reload) is taken to have started again, as Prometheus takes it.
A kill loses at most the last second of these; what `meter` counts is exact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from proxy.clock import Clock
from proxy.telemetry.logs import Logger

from .instrument import Instrument, Kind
from .slate import Slate
from .table import LOOP_LAG, OVERFLOWS

TICK_S: Final = 0.25
TICKS: Final = 4
"""Ticks between two collections; each tick also tells how late the event loop is."""

Values: TypeAlias = Mapping[tuple[str, ...], float]


class Row(msgspec.Struct, frozen=True):
    """One instrument and where its values are read. Labels are closed vocabularies or configured names."""

    instrument: Instrument
    read: Callable[[], Values]


class Collecting:
    """One process's collecting.

    Attributes:
        rows: What is read; may be replaced.
        lag_s: Longest delay of the event loop since the last collection.
    """

    def __init__(self, slate: Slate, rows: Sequence[Row], *, clock: Clock, log: Logger) -> None:
        self.rows = rows
        self.lag_s = 0.0
        self._slate = slate
        self._clock = clock
        self._log = log
        self._before: dict[tuple[str, tuple[str, ...]], float] = {}
        self._failed: set[str] = set()

    async def run(self) -> None:
        """Collect until cancelled, and once more then."""
        try:
            while True:
                for _ in range(TICKS):
                    await self._tick()
                self.collect()
        finally:
            self.collect()
            self._slate.beat(0.0)

    def collect(self) -> None:
        """Read every row. One that fails is told once and costs only itself."""
        for row in self.rows:
            try:
                self._take(row.instrument, row.read())
            except Exception:  # noqa: BLE001 - one wrong figure must not cost the others
                if row.instrument.name not in self._failed:
                    self._failed.add(row.instrument.name)
                    self._log.exception("not_collected", instrument=row.instrument.name)
        self._slate.show(LOOP_LAG, {(): self.lag_s})
        self._take(OVERFLOWS, {(): float(self._slate.overflows)})
        self._slate.beat(self._clock.monotonic())
        self.lag_s = 0.0

    async def _tick(self) -> None:
        due = self._clock.monotonic() + TICK_S
        await asyncio.sleep(TICK_S)
        self.lag_s = max(self.lag_s, self._clock.monotonic() - due)

    def _take(self, instrument: Instrument, values: Values) -> None:
        if instrument.kind is Kind.GAUGE:
            self._slate.show(instrument, values)
            return
        for labels, value in values.items():
            place = (instrument.name, labels)
            before = self._before.get(place, 0.0)
            step = value - before if value >= before else value
            self._slate.cells[self._slate.place(instrument, labels)] += step  # by 0 too: a rate needs to see where it began
            self._before[place] = value
