"""What an operator has switched off, or to pure relay, for a project right now; one look a request, every default on.

A turn of a switch holds for one project, or for all of them where a project has no turn of its own; it ends on the injected
clock and everything is then as if it had never been. The effective modes are made when a turn comes or ends, so that a
request costs one comparison and one look into a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from proxy.clock import Clock

from .request import ProjectName


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """The switches in force for one request.

    Attributes:
        bypass: Pure relay: nothing of the line is asked.
        observe: Decide and record as ever, but give what a pure relay would give.
        merge: Fill failed records of a partial answer.
        judge: Hold back a 200 that is not believable.
        hysteresis: Hold back a surprising 401, 402 or 403.
        race: Answer from another source when upstream is late.
        retry: Send a second try where the budget allows it.
    """

    bypass: bool = False
    observe: bool = False
    merge: bool = True
    judge: bool = True
    hysteresis: bool = True
    race: bool = True
    retry: bool = True


NORMAL: Final = Mode()
NAMES: Final = Mode.__struct_fields__
"""Every switch there is."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One switch that somebody turned.

    Attributes:
        switch: One of `NAMES`.
        on: Its position; a turn to the normal position matters for a project where the switch is turned for all.
        project: For whom; None: for every project without a turn of its own.
        ends_at: Second of the proxy's monotonic clock at which it is over; None: when it is cleared.
    """

    switch: str
    on: bool
    project: ProjectName | None = None
    ends_at: float | None = None


class Switches:
    """The mode of every project; a project that nobody switched runs as normal.

    Attributes:
        on_change: Called after turns were replaced, set, cleared or had ended; for what is told instead of asking.
    """

    def __init__(self, *, clock: Clock) -> None:
        self.on_change: Callable[[], None] = _nobody_cares
        self._clock = clock
        self._turns: dict[tuple[str, ProjectName | None], Turn] = {}
        self._modes: dict[ProjectName, Mode] = {}
        self._everywhere = NORMAL
        self._next_end: float | None = None

    def of(self, project: ProjectName) -> Mode:
        """Return the mode in force."""
        if self._next_end is not None and self._next_end <= self._clock.monotonic():
            self._settle()
        return self._modes.get(project, self._everywhere)

    def is_pure(self, project: ProjectName) -> bool:
        """Tell whether a project's callers get what a pure relay gives: on `bypass` and on `observe`."""
        mode = self.of(project)
        return mode.bypass or mode.observe

    def set(self, turn: Turn) -> None:
        """Turn one switch, whatever its position was. An unknown name is the caller's mistake: `ValueError`."""
        self._take(turn)
        self._settle()

    def clear(self, switch: str, *, project: ProjectName | None = None) -> bool:
        """Put one switch back; tell whether it was turned. `project` None: the turn for all, not those of single projects."""
        was_turned = self._turns.pop((switch, project), None) is not None
        self._settle()
        return was_turned

    def replace(self, turns: Iterable[Turn]) -> None:
        """Have these switches turned and no others."""
        self._turns.clear()
        for turn in turns:
            self._take(turn)
        self._settle()

    def report(self) -> list[dict[str, Any]]:
        """Return what is turned, with the seconds left (None: until cleared), in a fixed order."""
        self._settle()
        now = self._clock.monotonic()
        rows = sorted(self._turns.values(), key=lambda turn: (NAMES.index(turn.switch), turn.project or ""))
        return [
            {"switch": turn.switch, "project": turn.project, "on": turn.on, "left_s": _left(turn.ends_at, now)} for turn in rows
        ]

    def _take(self, turn: Turn) -> None:
        if turn.switch not in NAMES:
            raise ValueError(f"there is no switch of this name; there are {', '.join(NAMES)}")
        self._turns[turn.switch, turn.project] = turn

    def _settle(self) -> None:
        """Forget turns that are over and make the modes anew."""
        now = self._clock.monotonic()
        self._turns = {place: turn for place, turn in self._turns.items() if turn.ends_at is None or turn.ends_at > now}
        self._everywhere = self._mode(None, NORMAL)
        projects = {turn.project for turn in self._turns.values() if turn.project is not None}
        self._modes = {project: self._mode(project, self._everywhere) for project in projects}
        self._next_end = min((turn.ends_at for turn in self._turns.values() if turn.ends_at is not None), default=None)
        self.on_change()

    def _mode(self, project: ProjectName | None, under: Mode) -> Mode:
        turned = {turn.switch: turn.on for turn in self._turns.values() if turn.project == project}
        return msgspec.structs.replace(under, **turned) if turned else under


def _left(ends_at: float | None, now: float) -> float | None:
    return None if ends_at is None else round(ends_at - now, 3)


def _nobody_cares() -> None:
    """Stand in where nobody asked to be told."""
