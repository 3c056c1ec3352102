"""How an instance stands: normal, or degraded, why, and since when; and whether what it keeps up to date is fresh.

The supervisor looks once a second at everybody's figures and writes what it finds onto its slate, where workers read it for
their health routes and `/metrics` shows it. Reasons are a closed vocabulary and name nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from .metrics.collecting import Row, Values
from .metrics.slate import Ground
from .metrics.snapshot import SILENT_S, Measured
from .metrics.table import BREAKER, DEGRADED, FRESH, SWITCHED

CLOSED: Final = "closed"
BYPASSES: Final = frozenset({"bypass", "observe"})
"""Switches under which the line does not decide what callers get."""
POLLS_MISSED: Final = 3
EVERY_S: Final = 1.0


class Reason(StrEnum):
    """Why an instance is degraded."""

    BREAKER = "breaker_open"
    DEFINITIONS = "definitions_stale"
    WORKERS = "workers_missing"
    SWITCHED = "switched_off"


class Mode(msgspec.Struct, frozen=True):
    """How an instance stands.

    Attributes:
        since: Reason → Unix seconds; empty: all is normal.
        is_fresh: Everything that is kept up to date is.
    """

    since: Mapping[str, float]
    is_fresh: bool

    @property
    def state(self) -> str:
        """Return `normal` or `degraded`."""
        return "degraded" if self.since else "normal"

    def report(self) -> dict[str, Any]:
        """Return what `/status.json` shows."""
        reasons = [{"reason": reason, "since": round(at, 3)} for reason, at in sorted(self.since.items())]
        return {"state": self.state, "reasons": reasons, "fresh": self.is_fresh}


class Standing:
    """Remembers since when.

    Attributes:
        mode: As of the last look.
    """

    def __init__(
        self,
        *,
        measured: Callable[[], Iterable[Measured]],
        stale: Callable[[], bool],
        missing: Callable[[], bool],
        wall: Callable[[], float],
    ) -> None:
        """Take who knows.

        Args:
            measured: Everybody's figures.
            stale: Whether some definitions have not been confirmed for too long.
            missing: Whether workers are away.
            wall: Unix time.
        """
        self.mode = Mode({}, is_fresh=True)
        self._measured = measured
        self._stale = stale
        self._missing = missing
        self._wall = wall

    def rows(self) -> list[Row]:
        """Return the rows; reading the first one looks."""
        return [Row(DEGRADED, self._looked), Row(FRESH, lambda: {(): float(self.mode.is_fresh)})]

    def _looked(self) -> Values:
        is_stale = self._stale()
        now = dict.fromkeys(self._reasons(is_stale=is_stale), self._wall())
        self.mode = Mode({reason: self.mode.since.get(reason, at) for reason, at in now.items()}, is_fresh=not is_stale)
        return {(reason,): at for reason, at in self.mode.since.items()}

    def _reasons(self, *, is_stale: bool) -> Iterable[Reason]:
        series = {each.instrument.name: each.series for each in self._measured()}
        breakers, switches = series.get(BREAKER.name, {}), series.get(SWITCHED.name, {})
        found = {
            Reason.BREAKER: any(state != CLOSED and values[0] > 0 for (_, state), values in breakers.items()),
            Reason.SWITCHED: any(switch in BYPASSES and values[0] > 0 for (switch,), values in switches.items()),
            Reason.DEFINITIONS: is_stale,
            Reason.WORKERS: self._missing(),
        }
        return [reason for reason, is_so in found.items() if is_so]


def are_stale(reports: Mapping[str, Mapping[str, Any]], limits: Mapping[str, float]) -> bool:
    """Tell whether some project's definitions were not confirmed within its limit, in seconds, though they were asked for."""
    return any(
        (age > limits[project]) if (age := report.get("age_s")) is not None else report.get("failures", 0) > 0
        for project, report in reports.items()
        if project in limits
    )


class Told:
    """How the instance stands, as the supervisor wrote it; looked up at most once in `EVERY_S`, however often it is asked."""

    def __init__(self, ground: Ground, supervisor: int, *, monotonic: Callable[[], float]) -> None:
        self._ground = ground
        self._supervisor = supervisor
        self._monotonic = monotonic
        self._looked_at = -EVERY_S
        self._mode: Mode | None = None

    def __call__(self) -> Mode | None:
        """Return it; None when the supervisor has not been heard of for a while."""
        now = self._monotonic()
        if now - self._looked_at >= EVERY_S:
            self._looked_at, self._mode = now, _read(self._ground, self._supervisor, now)
        return self._mode


def _read(ground: Ground, supervisor: int, now: float) -> Mode | None:
    for _, beat, series in ground.read(only=supervisor):
        if now - beat <= SILENT_S:
            values = {(place.name, place.labels): cells[0] for place, cells in series if not math.isnan(cells[0])}
            since = {labels[0]: value for (name, labels), value in values.items() if name == DEGRADED.name}
            return Mode(since, is_fresh=values.get((FRESH.name, ()), 0.0) == 1.0)
    return None
