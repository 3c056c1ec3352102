"""How many evaluations a second the consistency suite compares, and what comparing costs beside evaluating.

`python -m tests.bench.harness [--rounds N] [--write]`. The same batches of every theme go to the bare evaluator (the baseline,
in this process) and through the suite with two subjects at a time, in turn, in one run. A compared evaluation is one flag for
one person, answered by both sides and compared. Exit 1 below 2 000 a second with two subjects of ours.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.case import Case
from harness.search.panel import Panel
from harness.search.pools import Level
from harness.search.write import THEMES, batch
from harness.subjects.catalogue import find
from harness.subjects.child import Child
from tests.bench import page
from tests.bench.cpu import cpu_s
from tests.bench.quartiles import figure, lower_quartile, ratio
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL, LANES

from .alone import evaluate_all

MARK_PER_S = 2_000
ALONE = "evaluator alone"
OURS = ("reference", "service")
SDKS = ("posthog-python@7.91.1", "posthog-node@5.70.0")


@dataclass(kw_only=True)
class Row:
    """One way of working a round's batches off, and what each round took, per compared evaluation."""

    name: str
    work: Callable[[Sequence[Case]], Awaitable[int]]
    must_be_fast: bool = False
    cpu_us: list[float] = field(default_factory=list)
    wall_us: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return 1e6 / lower_quartile(self.wall_us)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, optionally write; 0 when the mark holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.harness", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="rounds, each of one batch of every theme (default 11)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    for sdk in SDKS:
        ensure(ALL[sdk])
    rows = asyncio.run(measured(options.rounds))
    complaints = [
        f"MISSED: {row.name}: {row.per_s:.0f} a second, the mark is {MARK_PER_S}"
        for row in rows
        if row.must_be_fast and row.per_s < MARK_PER_S
    ]
    text = report(rows, options.rounds)
    print("\n".join([text, *complaints]), flush=True)
    if options.write:
        page.write("harness", text)
    return 1 if complaints else 0


async def measured(rounds: int) -> list[Row]:
    """Let all rows work off the same batches, round after round, in an order that rotates."""
    async with contextlib.AsyncExitStack() as stack:
        rows = [Row(name=ALONE, work=_alone)]
        for name in (*OURS, *SDKS):
            pair = [await stack.enter_async_context(Child(find(one, Path(LANES)))) for one in ("reference", name)]
            rows.append(Row(name=f"reference and {name}", work=_compared(pair), must_be_fast=name in OURS))
        for number in range(rounds + 1):  # the first round warms caches and is thrown away
            cases = [batch(theme, Level.PLAUSIBLE, f"bench:{number}") for theme in THEMES]
            for row in (*rows[number % len(rows) :], *rows[: number % len(rows)]):
                await _measure(row, cases)
    for row in rows:
        del row.cpu_us[0], row.wall_us[0]
    return rows


async def _measure(row: Row, cases: Sequence[Case]) -> None:
    cpu, wall = cpu_s(os.getpid()), time.monotonic()
    compared = await row.work(cases)
    row.wall_us.append((time.monotonic() - wall) / compared * 1e6)
    row.cpu_us.append((cpu_s(os.getpid()) - cpu) / compared * 1e6)


async def _alone(cases: Sequence[Case]) -> int:
    return sum(map(evaluate_all, cases))


def _compared(pair: Sequence[Child]) -> Callable[[Sequence[Case]], Awaitable[int]]:
    panel = Panel(pair[0], pair[1:])

    async def work(cases: Sequence[Case]) -> int:
        before = panel.tally.pairs
        for case in cases:
            await panel.differences(case.definitions, case.people)
        return panel.tally.pairs - before

    return work


def report(rows: Sequence[Row], rounds: int) -> str:
    """Return the table as Markdown."""
    base = rows[0]
    lines = [
        (
            row.name,
            f"{figure(row.cpu_us):.0f}",
            f"{ratio(row.cpu_us, base.cpu_us):.1f}",
            f"{row.per_s:.0f}",
            f"≥ {MARK_PER_S}" if row.must_be_fast else "–",
        )
        for row in rows
    ]
    return "\n".join([
        f"{rounds} rounds of a batch of each of {len(THEMES)} themes, in turn, in one run. Lower quartile (minimum–maximum).",
        f"Machine: {page.machine('msgspec')}; {', '.join(SDKS)}.",
        "",
        page.table(("subjects", "CPU µs/evaluation", "÷ alone", "compared a second", "mark"), lines),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
