"""The definitions a worker holds, one set per project, compiled and ready; replaced as a whole, never edited.

A set takes another's place only when it is newer, and only once it is compiled: in slices, so that requests go on meanwhile.
What cannot be parsed is refused and changes nothing.
"""

from __future__ import annotations

import asyncio

import msgspec

from proxy.clock import Clock
from proxy.pauses import in_slices
from reference.definitions.errors import DefinitionsError
from reference.definitions.model import Definitions
from reference.definitions.parse import parse_in_steps
from reference.evaluate import Program, compile_in_steps
from reference.response import Printed, Shape
from reference.steps import Steps

from .document import DefinitionsSet, Unreadable
from .standing import Standings, standings


class HeldSet(msgspec.Struct, frozen=True):
    """One project's definitions in force.

    Attributes:
        set: The document as upstream sent it, and what is known about it.
        program: The same, compiled.
        standings: Flag key → what is known about that flag, those no longer listed included.
        printed: Writes what the program finds in the shape that most SDKs ask for.
        known_since: When the first set that this process held was fetched, on the monotonic clock: of what was said before
            then, nobody here knows which flags were listed.
    """

    set: DefinitionsSet
    program: Program
    standings: Standings
    printed: Printed
    known_since: float

    @property
    def definitions(self) -> Definitions:
        """The document, parsed."""
        return self.program.definitions

    def age_s(self, clock: Clock) -> float:
        """Return how many seconds ago the document was fetched."""
        return max(0.0, clock.wall() - self.set.fetched_at_wall)

    def __repr__(self) -> str:
        return f"HeldSet({self.set!r})"


class Held:
    """What this worker holds."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._sets: dict[str, HeldSet] = {}
        self._one_at_a_time = asyncio.Lock()

    def get(self, project: str) -> HeldSet | None:
        """Return a project's definitions; None while there are none."""
        return self._sets.get(project)

    def document(self, project: str) -> DefinitionsSet | None:
        """Return a project's document, as upstream sent it."""
        held = self._sets.get(project)
        return None if held is None else held.set

    async def replace(self, kept: DefinitionsSet) -> Unreadable | None:
        """Put a set in force unless it is not newer than the one held; return why it cannot be used, if so."""
        async with self._one_at_a_time:
            before = self._sets.get(kept.project)
            if before is not None and kept.generation <= before.set.generation:
                return None
            try:
                program = await in_slices(_compiled(kept.body))
            except DefinitionsError as error:
                return Unreadable(str(error))
            known = None if before is None else before.standings
            found = await in_slices(standings(program.definitions, known, now=self._clock.monotonic()))
            known_since = self._clock.monotonic() - self._age_s(kept) if before is None else before.known_since
            self._sets[kept.project] = HeldSet(kept, program, found, Printed(Shape.V2), known_since)
            return None

    def _age_s(self, kept: DefinitionsSet) -> float:
        return max(0.0, self._clock.wall() - kept.fetched_at_wall)

    def keep_only(self, projects: frozenset[str]) -> None:
        """Forget the definitions of every other project."""
        for project in self._sets.keys() - projects:
            del self._sets[project]


def _compiled(body: bytes) -> Steps[Program]:
    definitions = yield from parse_in_steps(body)
    return (yield from compile_in_steps(definitions))
