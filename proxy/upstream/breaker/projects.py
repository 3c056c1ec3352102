"""The breakers of projects: one for each that upstream has refused lately. A healthy project has none and costs nothing.

A refusal of one project (429; 401, 402 and 403 that turned out to be no real ones) says nothing about the others. It is held
against the upstream only when it is general: several projects are refused within the window, and they are at least half of
those that ask.
"""

from __future__ import annotations

import math
from random import Random
from typing import Final

import msgspec

from proxy.answer.request import ProjectName
from proxy.clock import Clock
from proxy.config.settings import Breaker

from .gate import Gate

SEVERAL: Final = 2
"""Refused projects that can make a refusal general."""

MOST: Final = 1_000
"""Project breakers held at a time; more than a configuration is expected to name."""


class ProjectGates:
    """The project breakers of one upstream."""

    def __init__(self, settings: Breaker, *, clock: Clock, rng: Random, most: int = MOST) -> None:
        # How long a call takes is the upstream's affair, not the project's.
        self._settings = msgspec.structs.replace(settings, slow_s=math.inf)
        self._clock = clock
        self._rng = rng
        self._most = most
        self._gates: dict[ProjectName, Gate] = {}

    def __len__(self) -> int:
        return len(self._gates)

    def items(self) -> list[tuple[ProjectName, Gate]]:
        """Return those that there are, for a report."""
        return list(self._gates.items())

    def get(self, project: ProjectName) -> Gate | None:
        """Return a project's breaker; None: it has none, so it may ask."""
        return self._gates.get(project)

    def of(self, project: ProjectName) -> Gate:
        """Return a project's breaker, made if need be."""
        gate = self._gates.get(project)
        if gate is None:
            self._make_room()
            gate = self._gates[project] = Gate(self._settings, clock=self._clock, rng=self._rng)
        return gate

    def tidy(self, project: ProjectName) -> None:
        """Drop a project's breaker once it has nothing left to say."""
        gate = self._gates.get(project)
        if gate is not None and gate.is_idle:
            del self._gates[project]

    def _make_room(self) -> None:
        """Drop the oldest while there are too many, those that an operator holds last."""
        while len(self._gates) >= self._most:
            del self._gates[next((name for name, gate in self._gates.items() if gate.forced is None), next(iter(self._gates)))]


class Spread:
    """Which projects were served, and which refused, within the window. Bounded by the projects that are configured."""

    def __init__(self, *, window_s: float) -> None:
        self._window_s = window_s
        self._served: dict[ProjectName, float] = {}
        self._refused: dict[ProjectName, float] = {}

    def served(self, project: ProjectName, now: float) -> None:
        """Note that upstream answered a project."""
        self._served[project] = now

    def refused(self, project: ProjectName, now: float) -> bool:
        """Note that upstream refused a project; tell whether such refusals are general."""
        self._refused[project] = now
        since = now - self._window_s
        refused = {name for name, at in self._refused.items() if at > since}
        if len(refused) < SEVERAL:
            return False
        asking = refused.union(name for name, at in self._served.items() if at > since)
        return 2 * len(refused) >= len(asking)
