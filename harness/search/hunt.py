"""The search: batch after batch, themes weighted by what they yielded lately; each new cause is shrunk and confirmed alone.

Batch n of a seed depends on the seed, on n and on what earlier batches found, so a run is repeatable against the same
versions and can be resumed from its state. Time is asked of the caller's clock between batches and between shrinkings only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

import msgspec

from harness.subjects.child import TroubleKind

from .cause import Cause, Specimen, features
from .keeping import Room
from .panel import Divergence, Panel
from .portions import differences
from .shrink import TRIALS, shrunk
from .state import Finding, State
from .write import PARTICULAR, THEMES, batch

YIELD_WEIGHT: Final = 4.0
FADING: Final = 0.6
DEADLY_TRIALS: Final = 200
"""Where a subject dies or hangs, each trial that succeeds costs a start: some thirty of them make a document small."""
HURRY_S: Final = 1.5
"""How long a hang is waited for while it is shrunk; an answer of one person takes milliseconds. The smallest hang is then given
the full time."""


class Hunt:
    """One search over one panel."""

    def __init__(self, panel: Panel, state: State, claimant: Callable[[Cause], str | None] = lambda _: None) -> None:
        self.panel = panel
        self.state = state
        self._claimant = claimant
        self._room = Room(state)
        able = {theme: panel.of_those_who(needs) for theme, needs in PARTICULAR.items()}
        self._able = {theme: part for theme, part in able.items() if part is not None}
        self._themes = (*THEMES, *self._able)
        self.found = {self._label(finding.cause): finding for finding in state.findings}

    async def run(self, has_time: Callable[[], bool], progress: Callable[[State], Any] = lambda _: None) -> None:
        """Search until the time is up."""
        while has_time():
            theme = self._theme()
            case = batch(theme, self.state.level, f"{self.state.seed}:{self.state.batches}")
            before = len(self.found)
            found = await differences(self._panel(theme), case.definitions, case.people)
            await self.keep(
                ((one, Specimen(document, case.people[one.person], one.flag_key)) for document, one in found), has_time
            )
            past = self.state.yields.get(theme, YIELD_WEIGHT)
            self.state.yields[theme] = past * FADING + (len(self.found) - before)
            self.state.batches += 1
            progress(self.state)

    async def keep(self, differences: Iterable[tuple[Divergence, Specimen]], has_time: Callable[[], bool]) -> None:
        """Take differences in: count the known, shrink the new."""
        for found, specimen in differences:
            rough = rough_cause(found, specimen)
            label = self._label(self.state.rough.get(str(rough), rough))
            if label in self.found:
                self.found[label].count += 1
            elif has_time() or not self.found:  # A run that is out of time must not end as if it had met nothing.
                await self._new(str(rough), found, specimen, has_time)

    def remember(self, finding: Finding) -> None:
        """Take in a finding that a replay met again."""
        label = self._label(finding.cause)
        if label not in self.found and self._room.keep(finding):
            self.found[label] = finding

    async def _new(self, rough: str, found: Divergence, specimen: Specimen, has_time: Callable[[], bool]) -> None:
        alone = self.panel.only(found.subject)
        trials = DEADLY_TRIALS if found.flag_key is None else TRIALS
        hurry = alone.hurried(HURRY_S) if found.kind == TroubleKind.HANG else contextlib.nullcontext()
        with hurry:
            smallest = await shrunk(specimen, lambda candidate: self._differs(alone, found, candidate), trials, has_time)
        again = await self._met(alone, found, smallest)
        if again is None:  # It does not repeat alone: the whole batch belongs to it.
            again = found
        cause = _cause(again, smallest)
        self._room.remember_rough(rough, cause)
        label = self._label(cause)
        if label in self.found:
            self.found[label].count += 1
            return
        finding = Finding(cause, smallest, again.base_answer, again.subject_answer, again.detail)
        if self._room.keep(finding):
            self.found[label] = finding

    def _label(self, cause: Cause) -> str:
        """One divergence that is known may show in several shapes: they are one."""
        known = self._claimant(cause)
        return str(cause) if known is None else f"{known} {cause.subject}"

    async def _differs(self, panel: Panel, found: Divergence, specimen: Specimen) -> bool:
        return await self._met(panel, found, specimen) is not None

    @staticmethod
    async def _met(panel: Panel, found: Divergence, specimen: Specimen) -> Divergence | None:
        differences = await panel.differences(specimen.definitions, [specimen.person])
        return next((one for one in differences if (one.kind, one.flag_key) == (found.kind, found.flag_key)), None)

    def _theme(self) -> str:
        random = Random(f"{self.state.seed}:theme:{self.state.batches}")  # noqa: S311 — repeatable by design
        if self.state.batches < len(self._themes):
            return self._themes[self.state.batches]
        weights = [0.5 + self.state.yields.get(theme, YIELD_WEIGHT) for theme in self._themes]
        return random.choices(self._themes, weights)[0]

    def _panel(self, theme: str) -> Panel:
        return self._able.get(theme, self.panel)


def rough_cause(found: Divergence, specimen: Specimen) -> Cause:
    """Return the cause as it looks before anything is shrunk."""
    return _cause(found, _lone(specimen))


def _cause(found: Divergence, specimen: Specimen) -> Cause:
    return Cause(found.base, found.subject, found.kind, *features(specimen))


def _lone(specimen: Specimen) -> Specimen:
    """Return the specimen without the flags that the one in question cannot depend on."""
    text = msgspec.json.encode([flag for flag in specimen.definitions["flags"] if flag["key"] == specimen.flag_key])
    if specimen.flag_key is None or b'"flag_evaluates_to"' in text:
        return specimen
    asked = [flag for flag in specimen.definitions["flags"] if flag["key"] == specimen.flag_key]
    named = {
        str(leaf.get("value")) for flag in asked for one in flag["filters"]["groups"] for leaf in one.get("properties") or ()
    }
    cohorts = {key: tree for key, tree in specimen.definitions["cohorts"].items() if key in named}
    return Specimen({**specimen.definitions, "flags": asked, "cohorts": cohorts}, specimen.person, specimen.flag_key)
