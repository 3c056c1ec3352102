"""The last few requests of each project that keeps definitions: what a new set is tried on before it is put in force.

Held in memory only, never logged, stored or shown.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from proxy.answer.request import FlagsRequest, ProjectName

KEPT: Final = 64
LONGEST_BYTES: Final = 16_384
"""Of a body; at most 1 MiB a project."""


class Sample:
    """Recent requests. `projects`: those that are of interest."""

    def __init__(self) -> None:
        self.projects: frozenset[ProjectName] = frozenset()
        self._recent: dict[ProjectName, deque[FlagsRequest]] = {}

    def note(self, request: FlagsRequest) -> None:
        """Take a request into the sample, in place of the oldest."""
        if request.project not in self.projects or len(request.body) > LONGEST_BYTES:
            return
        recent = self._recent.get(request.project)
        if recent is None:
            recent = self._recent[request.project] = deque(maxlen=KEPT)
        recent.append(request)

    def forget(self, project: ProjectName | None) -> None:
        """Forget a project's sample, or all (None)."""
        if project is None:
            self._recent.clear()
        else:
            self._recent.pop(project, None)

    def of(self, project: ProjectName) -> tuple[FlagsRequest, ...]:
        """Return a project's sample, oldest first."""
        return tuple(self._recent.get(project, ()))
