"""CPU per flag of our evaluator against posthog-python's local evaluation: same definitions, same persons, same answers.

`python -m tests.bench.reference [--rounds N] [--seconds S] [--write]`. Every value is compared first; one difference fails
the run before anything is timed. Both sides run as children and take alternating slices of CPU time. Exit 1 when the mark
is missed, when values differ, or when compiling is not linear in the number of flags.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench import page
from tests.bench.children import ROOT, Children, Talker, cores
from tests.bench.quartiles import figure, ratio
from tools.sdks.install import ensure
from tools.sdks.lanes import ALL

from .documents import PERSONS, document, persons
from .straight import Line, fit

SDK = "posthog-python@7.91.1"
MARK = 4.0
SIZES = (20, 200)
MODES = {"partial": False, "complete": True}
FOOTPRINTS = (100, 500, 1_000, 2_000)
STRAIGHT = 0.98
COLUMNS = ("document_kb", "parse_ms", "compile_ms", "rss_kb", "traced_kb")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """CPU µs per flag of both sides on one document, slice by slice."""

    flags: int
    theirs: Sequence[float]
    ours: dict[str, Sequence[float]]


def main(arguments: list[str] | None = None) -> int:
    """Compare, measure, print, optionally write; 0 when values are equal and every mark holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reference", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="slices of each subject (default 11)")
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU seconds of a slice (default 0.5)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    near, _ = cores()
    sdk = ensure(ALL[SDK])
    with Children() as children:
        ours = children.talker(sys.executable, "-m", "tests.bench.reference.ours", core=near)
        theirs = children.talker(str(sdk / "bin" / "python"), "tests/bench/reference/theirs.py", core=near)
        comparisons = [compare(ours, theirs, flags, options.rounds, options.seconds) for flags in SIZES]
    sizes = [footprint(count) for count in FOOTPRINTS]
    text = report(comparisons, sizes, f"{options.rounds} rounds of {options.seconds:g} s of CPU time")
    complaints = [*judge(comparisons), *judge_growth(sizes)]
    print("\n".join([text, *complaints]), flush=True)
    if options.write:
        page.write("reference", text)
    return 1 if complaints else 0


def compare(ours: Talker, theirs: Talker, flags: int, rounds: int, seconds: float) -> Comparison:
    """Check that all values are equal, then let the subjects take slices in turn."""
    question = {"op": "load", "definitions": document(flags), "persons": persons()}
    for side in (ours, theirs):
        side.ask(**question)
    expected = theirs.ask(op="values")["values"]
    for mode, complete in MODES.items():
        must_equal(expected, ours.ask(op="values", complete=complete)["values"], f"{flags} flags, {mode}")
    own: dict[str, list[float]] = {mode: [] for mode in MODES}
    other: list[float] = []
    for turn in range(rounds + 1):  # the first round warms caches and is thrown away
        other.append(per_flag_us(theirs.ask(op="slice", seconds=seconds), flags))
        for mode in sorted(MODES, reverse=turn % 2 == 1):
            own[mode].append(per_flag_us(ours.ask(op="slice", seconds=seconds, complete=MODES[mode]), flags))
    return Comparison(flags=flags, theirs=other[1:], ours={mode: samples[1:] for mode, samples in own.items()})


def must_equal(expected: Sequence[dict[str, Any]], values: Sequence[dict[str, Any]], where: str) -> None:
    """End the run at the first person whose flags differ, naming each difference."""
    for number, (one, other) in enumerate(zip(expected, values, strict=True)):
        if one != other:
            differing = {key: (one.get(key), other.get(key)) for key in {*one, *other} if one.get(key) != other.get(key)}
            raise SystemExit(f"{where}: person {number}: {SDK} and we differ (theirs, ours): {differing}")


def per_flag_us(told: dict[str, Any], flags: int) -> float:
    """Return CPU µs per flag of one slice."""
    cost: float = told["cpu_s"] / (told["calls"] * flags) * 1e6
    return cost


def footprint(count: int) -> dict[str, float]:
    """Measure parsing, compiling and memory of one size in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.reference.footprint", str(count)]
    told: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return told


def judge(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the rows that are not as much cheaper as promised."""
    return [
        f"MISSED: {each.flags} flags, {mode}: {cheaper:.2f} x cheaper, the mark is {MARK:.1f}"
        for each in comparisons
        for mode, samples in each.ours.items()
        if (cheaper := ratio(each.theirs, samples).value) < MARK
    ]


def judge_growth(sizes: Sequence[dict[str, float]]) -> list[str]:
    """Return the figures that do not grow on a straight line."""
    return [
        f"MISSED: {what} is not linear in the number of flags (r² {line.r_squared:.4f} < {STRAIGHT})"
        for what, line in lines(sizes).items()
        if line.r_squared < STRAIGHT
    ]


def lines(sizes: Sequence[dict[str, float]]) -> dict[str, Line]:
    """Return the fitted lines of what must be linear; resident memory is reported but comes in the allocator's steps."""
    counts = [size["flags"] for size in sizes]
    return {what: fit(counts, [size[what] for size in sizes]) for what in ("parse_ms", "compile_ms", "traced_kb")}


def report(comparisons: Sequence[Comparison], sizes: Sequence[dict[str, float]], effort: str) -> str:
    """Return the tables as Markdown."""
    costs = [
        (f"{each.flags} flags, {mode}", f"{figure(each.theirs):.2f}", f"{figure(own):.2f}", f"{ratio(each.theirs, own):.2f}")
        for each in comparisons
        for mode, own in each.ours.items()
    ]
    growth = [(f"{size['flags']:.0f} flags", *(f"{size[what]:.1f}" for what in COLUMNS)) for size in sizes]
    fits = [
        f"{what} {line.slope:.4f} per flag + {line.intercept:.1f}, r² {line.r_squared:.4f}"
        for what, line in lines(sizes).items()
    ]
    return "\n".join([
        f"{effort} each, in turn; {PERSONS} persons, all values equal. Lower quartile (minimum–maximum) of CPU µs per flag.",
        f"Machine: {page.machine('msgspec')}; {SDK}. Mark: at least {MARK:g} × cheaper.",
        "",
        page.table(("definitions", "posthog-python µs/flag", "ours µs/flag", "× cheaper"), costs),
        "",
        "Parsing and compiling one document (best of 5), and what the program keeps; each size in a process of its own.",
        "",
        page.table(("document", *(f"{what.rpartition('_')[0]} {what.rpartition('_')[2]}" for what in COLUMNS)), growth),
        "",
        f"Straight lines: {'; '.join(fits)}.",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
