"""The supervisor's half of metrics: its own slate, and everybody's figures as one."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.clock import Clock

from .logs import Logger
from .metrics.collecting import Collecting, Row
from .metrics.prometheus import text
from .metrics.slate import Ground
from .metrics.snapshot import Measured, snapshot
from .standing import Standing

SUPERVISOR = "supervisor"


class Instance:
    """One instance's figures.

    Attributes:
        collecting: Brings the supervisor's own onto its slate.
        standing: How the instance stands; set by whoever knows what it should be.
    """

    standing: Standing

    def __init__(self, ground: Ground, *, workers: int, clock: Clock, log: Logger) -> None:
        self._ground = ground
        self._workers = workers
        self._clock = clock
        self.collecting = Collecting(ground.claim(workers), (), clock=clock, log=log)

    def collect(self, rows: Sequence[Row]) -> None:
        """Take some more of the supervisor's own rows."""
        self.collecting.rows = (*self.collecting.rows, *rows)

    def started_at(self) -> float:
        """Return since when totals are counted, in Unix seconds."""
        return self._ground.since()

    def measured(self) -> list[Measured]:
        """Return what all processes measured until now."""
        return snapshot(self._ground, now=self._clock.monotonic(), process=self._name)

    def prometheus(self) -> str:
        """Return the same in Prometheus' text format."""
        return text(self.measured())

    def _name(self, index: int) -> str:
        return SUPERVISOR if index == self._workers else f"worker-{index}"
