"""Who should run and when: one slot a child, with a growing, jittered pause for those that keep dying. Pure: time comes in.

A first death is made good at once; a child that then lives for `SETTLED_S` is forgiven.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SUPERVISOR: Final = "supervisor"
SETTLED_S: Final = 10.0
_FIRST_PAUSE_S: Final = 0.2


class Slot:
    """One place in the family, whoever fills it.

    Attributes:
        role: `supervisor` or `worker-<index>`.
        pid: Who fills it now.
        due_at: From when on it may be filled again.
        deaths: Deaths in a row.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self.pid: int | None = None
        self.due_at = 0.0
        self.deaths = 0
        self._started_at = 0.0

    def filled(self, pid: int, now: float) -> None:
        """Record a start."""
        self.pid, self._started_at = pid, now

    def emptied(self, now: float, *, longest_s: float, draw: Callable[[], float]) -> float:
        """Record a death and return the pause before the next start, in seconds; `draw` gives the jitter in [0, 1)."""
        self.deaths = 1 if now - self._started_at >= SETTLED_S else self.deaths + 1
        self.pid = None
        pause = 0.0 if self.deaths == 1 else min(longest_s, _FIRST_PAUSE_S * 2 ** (self.deaths - 2)) * (0.5 + draw() / 2)
        self.due_at = now + pause
        return pause


def slots(workers: int) -> list[Slot]:
    """Return the slots of an instance. Workers first: they answer."""
    return [*(Slot(f"worker-{index}") for index in range(workers)), Slot(SUPERVISOR)]


def due(family: list[Slot], now: float) -> list[Slot]:
    """Return the empty slots whose pause is over."""
    return [slot for slot in family if slot.pid is None and slot.due_at <= now]


def next_due_s(family: list[Slot], now: float) -> float | None:
    """Return how long until a slot is due, in seconds; None when all are filled."""
    waiting = [slot.due_at - now for slot in family if slot.pid is None]
    return max(0.0, min(waiting)) if waiting else None
