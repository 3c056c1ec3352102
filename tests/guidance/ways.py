"""Three ways to choose the next batch, all without shrinking, so that nothing but the choice is compared.

`in turn`: one theme after another. `by yield`: as the search does it, themes that yielded new causes lately more often.
`target()`: every choice that a batch is made of is Hypothesis's, which climbs towards batches that show more new causes.
"""

import asyncio
import contextlib
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

import hypothesis
from hypothesis import strategies as st

from harness import known
from harness.search.cause import Specimen
from harness.search.hunt import Hunt, rough_cause
from harness.search.panel import Panel
from harness.search.state import State
from harness.search.write import drawn
from harness.subjects.catalogue import find
from harness.subjects.child import Child

MANY = 40
SUBJECTS = ("reference", "posthog-python@7.91.1", "posthog-node@5.70.0")


class Met(NamedTuple):
    """What a search met: divergences on file, when the fortieth of them, other rough causes, and what it took."""

    on_file: int
    fortieth_s: float | None
    others: int
    batches: int
    pairs: int


class Unshrunk(Hunt):
    """A hunt that takes a difference's rough cause for its cause."""

    async def _new(self, rough, found, specimen, has_time):
        del rough, has_time
        self.found[self._label(rough_cause(found, specimen))] = time.monotonic()

    async def keep(self, differences, has_time):
        for found, specimen in differences:
            if self._label(rough_cause(found, specimen)) not in self.found:
                await self._new("", found, specimen, has_time)


class InTurn(Unshrunk):
    """One theme after another."""

    def _theme(self):
        return self._themes[self.state.batches % len(self._themes)]


async def hunted(way, panel, claimant, seed, seconds):
    """Search with a hunt of this kind."""
    hunt = way(panel, State(seed), claimant)
    end = time.monotonic() + seconds
    await hunt.run(lambda: time.monotonic() < end)
    return hunt.found, hunt.state.batches


def targeted(panel, claimant, seed, seconds, loop):
    """Search with Hypothesis's choices, aimed at batches that show what was not seen before."""
    hunt = Unshrunk(panel, State(seed), claimant)
    end = time.monotonic() + seconds
    batches = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=1_000_000,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.target],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.sampled_from(hunt._themes), st.randoms(use_true_random=False))
    def search(theme, random):
        nonlocal batches
        case = drawn(theme, hunt.state.level, random)
        if time.monotonic() > end:  # after the drawing: what stops earlier than last time is flaky to Hypothesis
            raise Over
        part = hunt._panel(theme)
        differences = loop.run_until_complete(part.differences(case.definitions, case.people))
        before = len(hunt.found)
        specimens = ((one, Specimen(case.definitions, case.people[one.person], one.flag_key)) for one in differences)
        loop.run_until_complete(hunt.keep(specimens, lambda: True))
        batches += 1
        hypothesis.target(float(len(hunt.found) - before), label="causes not seen before")

    with contextlib.suppress(Over):
        search()
    return hunt.found, batches


class Over(BaseException):
    """The time is up; not an Exception, which Hypothesis would want to shrink."""


def compared(way, seed, seconds):
    """Search one way with fresh subjects; return what was met."""
    register = known.read(known.OURS, date(2026, 11, 23))

    def claimant(cause):
        entry = register.claimant(cause)
        return None if entry is None else entry.id

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        stack = contextlib.AsyncExitStack()
        children = [loop.run_until_complete(stack.enter_async_context(Child(find(name, Path(".lanes"))))) for name in SUBJECTS]
        try:
            panel = Panel(children[0], children[1:])
            started = time.monotonic()
            if way == "target()":
                found, batches = targeted(panel, claimant, seed, seconds, loop)
            else:
                found, batches = loop.run_until_complete(hunted(WAYS[way], panel, claimant, seed, seconds))
        finally:
            loop.run_until_complete(stack.aclose())
    ids = {entry.id for entry in register.entries}
    met_s = sorted(at - started for label, at in found.items() if label.split(" ")[0] in ids)
    fortieth_s = met_s[MANY - 1] if len(met_s) >= MANY else None
    return Met(len(met_s), fortieth_s, len(found) - len(met_s), batches, panel.tally.pairs)


WAYS = {"in turn": InTurn, "by yield": Unshrunk, "target()": None}
