"""One session of `flags-harness run`: the corpus replayed, the search, and its outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from harness.known import Register
from harness.reports.outcome import Outcome, Seen, Took
from harness.subjects.child import Child, Launch, TroubleKind

from .cause import Cause
from .corpus import read
from .hunt import HURRY_S, Hunt
from .panel import Panel
from .state import Finding, State


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to search, with whom, for how long.

    Attributes:
        launches: The base first.
        twins: (place among the launches, the same in another host zone), for every zone after the first.
        seconds: For replay and search together; the batch under way is finished.
        state: Where to go on from.
        corpus: The folder whose reproducers are replayed first.
        zone: The host zone of all subjects; the twins' after it, separated by commas.
        strict: Declining where another decides is a difference.
        batches: Stop after this many, time or not: a search that asks the same on every machine.
    """

    launches: tuple[Launch, ...]
    twins: tuple[tuple[int, Launch], ...] = ()
    seconds: float
    state: State
    corpus: Path
    register: Register
    zone: str = "UTC"
    strict: bool = False
    batches: int | None = None


async def search(plan: Plan, clock: Callable[[], float], progress: Callable[[State], Any] = lambda _: None) -> Outcome:
    """Carry a plan out.

    Args:
        plan: What to do.
        clock: Monotonic seconds.
        progress: Told after every batch.

    Raises:
        UnusableSubject: a subject cannot be started.
    """
    async with contextlib.AsyncExitStack() as stack:
        children = [await stack.enter_async_context(Child(launch)) for launch in plan.launches]
        twins = [(children[first], await stack.enter_async_context(Child(launch))) for first, launch in plan.twins]
        panel = Panel(children[0], children[1:], twins, strict=plan.strict)
        end = clock() + plan.seconds

        def has_time() -> bool:
            return clock() < end and (plan.batches is None or plan.state.batches < plan.batches)

        hunt = Hunt(panel, plan.state, lambda cause: known.id if (known := plan.register.claimant(cause)) else None)
        replayed, met = await _replayed(panel, read(plan.corpus))
        for finding in met:
            hunt.remember(finding)
        await hunt.run(has_time, progress)
        took = [Took(child.launch.name, child.version, child is children[0], child.restarts) for child in children]
        took += [Took(twin.launch.name, twin.version, False, twin.restarts, is_twin=True) for _, twin in twins]
        return _outcome(plan, hunt, took, replayed)


async def _replayed(panel: Panel, kept: Sequence[Finding]) -> tuple[list[Cause], list[Finding]]:
    """Put every reproducer of the subjects at hand to them; return the causes asked about, and the findings met again."""
    asked: list[Cause] = []
    met: list[Finding] = []
    for finding in kept:
        if not panel.compares(finding.cause.base, finding.cause.subject):
            continue
        asked.append(finding.cause)
        alone = panel.only(finding.cause.subject)
        hurry = alone.hurried(HURRY_S) if finding.cause.kind == TroubleKind.HANG else contextlib.nullcontext()
        with hurry:
            differences = await alone.differences(finding.specimen.definitions, [finding.specimen.person])
        again = next((one for one in differences if one.kind == finding.cause.kind), None)
        if again is not None:
            met.append(Finding(finding.cause, finding.specimen, again.base_answer, again.subject_answer, again.detail))
    return asked, met


def _outcome(plan: Plan, hunt: Hunt, took: list[Took], replayed: list[Cause]) -> Outcome:
    register, state = plan.register, hunt.state
    names = {one.name for one in took}
    claimed = [(register.claimant(finding.cause), finding) for finding in state.findings]
    vanished = register.vanished(names, (finding.cause for finding in state.findings), replayed)
    return Outcome(
        took=took,
        seed=state.seed,
        level=state.level.value,
        seconds=plan.seconds,
        zone=plan.zone,
        strict=plan.strict,
        batches=state.batches,
        pairs=hunt.panel.tally.pairs,
        kinds={subject: dict(counts) for subject, counts in hunt.panel.tally.kinds.items()},
        replayed=len(replayed),
        crowded_out=state.crowded_out,
        new=[finding for known, finding in claimed if known is None],
        seen=[Seen(known, finding) for known, finding in claimed if known is not None],
        vanished=[(known.id, subject) for known, subject in vanished],
        expired=[known for known in register.expired() if names.intersection(known.subjects)],
        expiring=[known for known in register.expiring() if names.intersection(known.subjects)],
    )


def today() -> date:
    """Return the day that expiries are held against."""
    return date.today()  # noqa: DTZ011 — an expiry is a calendar day where the run happens
