"""The breakers of one worker as operators see them: held open or closed, let go again, and shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proxy.answer.request import ProjectName, UpstreamName
from proxy.upstream.breaker.gate import Gate
from proxy.upstream.breaker.state import State
from proxy.upstream.origin import Origin

from .obedience import Forces


class Breakers:
    """Every upstream's and every project's; `origins` are those of now, for settings may replace them."""

    def __init__(self, origins: Callable[[], Mapping[UpstreamName, Origin]]) -> None:
        self._origins = origins

    def hold(self, forces: Forces) -> None:
        """Hold exactly these and let every other go. An upstream that settings no longer name is passed over."""
        for name, origin in self._origins().items():
            origin.gate.force(_wanted(forces, name, None))
            meant = {ProjectName(project) for upstream, project in forces if upstream == name and project is not None}
            for project, gate in origin.guard.projects.items():
                if project not in meant:
                    gate.force(None)
            for project in meant:
                origin.project_gate(project).force(_wanted(forces, name, project))

    def afresh(self, project: str) -> None:
        """Let what refusals of a project's keys have opened ask again at once; what an operator holds stays held."""
        for origin in self._origins().values():
            for gate in (origin.gate, origin.guard.projects.get(ProjectName(project))):
                if gate is not None and gate.forced is None and gate.state is not State.CLOSED:
                    gate.force(State.CLOSED)
                    gate.force(None)

    def report(self) -> dict[str, Any]:
        """Return how each stands: state, why it last opened, what an operator holds it at."""
        return {
            str(name): {**_shown(origin.gate), "projects": {str(p): _shown(gate) for p, gate in origin.guard.projects.items()}}
            for name, origin in self._origins().items()
        }


def _wanted(forces: Forces, upstream: str, project: str | None) -> State | None:
    word = forces.get((upstream, project))
    return None if word is None else State(word)


def _shown(gate: Gate) -> dict[str, Any]:
    return {"state": gate.state, "cause": gate.cause, "forced": gate.forced, "trips": gate.trips}
