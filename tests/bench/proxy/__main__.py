"""CPU per request of the proxy ÷ a bare aiohttp echo and ÷ nginx's cache, all measured in one interleaved run.

`python -m tests.bench.proxy [--rounds N] [--seconds S] [--write]` prints the tables, `--write` also puts them into
docs/benchmarks.md. It exits 1 when a mark is missed or a row was not what it claims to be. Loopback only; everything it
starts is stopped. The figure is utime + stime of all processes of a server ÷ requests it answered.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import page
from tests.bench.children import Children, Talker, cores
from tests.bench.cpu import Memory, cpu_s, idle_memory, memory
from tests.bench.quartiles import figure, ratio

from . import rows as running
from .rows import Row

BASE, CACHE = "echo", "nginx hit"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One slice of one row."""

    cpu_us: float
    busy_ratio: float
    per_s: float
    failures: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that one run measured."""

    samples: dict[str, list[Sample]]
    rows: Sequence[Row]
    idle: Sequence[Memory]
    loaded: Sequence[Memory]
    notice: str

    def cpu_us(self, name: str) -> list[float]:
        return [sample.cpu_us for sample in self.samples[name]]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, optionally write; 0 when every mark holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=101, help="slices of each row (default 101)")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a slice (default 0.2)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    run = measure(options.rounds, options.seconds)
    text = report(run, options.rounds, options.seconds)
    complaints = judge(run)
    print("\n".join([text, *complaints]), flush=True)
    if options.write:
        page.write("proxy", text)
    return 1 if complaints else 0


def measure(rounds: int, seconds: float) -> Run:
    """Start everything, warm it, and take the slices in turn."""
    near, far = cores()
    with Children() as children:
        origin, doomed = running.origin(children, core=far), running.origin(children, core=far)
        rows, notice = running.bases(children, origin=origin.port, core=near)
        rows += running.proxies(children, origin=origin.port, doomed=doomed.port, core=near)
        hit = next(row for row in rows if row.name == "hit")
        idle = idle_memory(hit.server.pid)
        generator = children.talker(sys.executable, "-m", "tests.bench.proxy.blast", core=far)
        running.warm(rows, generator, doomed=doomed)
        samples: dict[str, list[Sample]] = {row.name: [] for row in rows}
        for turn in range(rounds):
            for row in (*rows[turn % len(rows) :], *rows[: turn % len(rows)]):
                samples[row.name].append(take(row, generator, seconds))
        return Run(samples=samples, rows=rows, idle=idle, loaded=memory(hit.server.pid), notice=notice)


def take(row: Row, generator: Talker, seconds: float) -> Sample:
    """Load one row for one slice."""
    before, started = cpu_s(row.server.pid), time.monotonic()
    told = row.load(generator, seconds)
    spent, elapsed = cpu_s(row.server.pid) - before, time.monotonic() - started
    return Sample(
        cpu_us=spent / told["requests"] * 1e6,
        busy_ratio=spent / elapsed,
        per_s=told["requests"] / elapsed,
        failures=sum(told["failures"].values()),
        label=told["label"],
    )


def judge(run: Run) -> list[str]:
    """Return what is wrong with the run: refused requests, rows that did other work than theirs, missed marks."""
    complaints = []
    for row in run.rows:
        if failures := sum(sample.failures for sample in run.samples[row.name]):
            complaints.append(f"FAILED: {row.name}: {failures} requests were not answered with 200")
        if strangers := {sample.label for sample in run.samples[row.name] if row.label not in sample.label}:
            complaints.append(f"FAILED: {row.name}: answers labelled {strangers} are not what this row measures")
        over = ratio(run.cpu_us(row.name), run.cpu_us(BASE)).value
        if row.mark is not None and over > row.mark:
            complaints.append(f"MISSED: {row.name} costs {over:.2f} x {BASE}, the mark is {row.mark:.2f}")
    return complaints


def report(run: Run, rounds: int, seconds: float) -> str:
    """Return the tables as Markdown."""
    head = ("server", "CPU µs/request", "÷ echo", "÷ nginx hit", "mark ÷ echo", "busy", "requests/s", "Cache-Status")
    body = [line(run, row) for row in run.rows]
    loaded = {entry.pid: entry for entry in run.loaded}
    resident = [
        (entry.name, *(f"{size / 1024:.1f}" for size in (entry.rss_kb, entry.pss_kb, after.rss_kb, after.pss_kb)))
        for entry, after in ((entry, loaded.get(entry.pid, entry)) for entry in run.idle)
    ]
    sizes = ("process", "idle RSS MiB", "idle PSS MiB", "loaded RSS MiB", "loaded PSS MiB")
    return "\n".join([
        f"{rounds} rounds of {seconds:g} s slices, all servers in one run, taken in turn. Lower quartile (minimum–maximum).",
        f"Machine: {page.machine('aiohttp', 'uvloop')}.",
        "",
        page.table(head, body),
        run.notice,
        "Memory of the instance of the row `hit`; loaded: after the run, with 1 000 answers remembered.",
        "",
        page.table(sizes, resident),
    ])  # fmt: skip


def line(run: Run, row: Row) -> tuple[str, ...]:
    """Return one row of the first table."""
    own, samples = run.cpu_us(row.name), run.samples[row.name]
    return (
        row.name,
        f"{figure(own):.1f}",
        f"{ratio(own, run.cpu_us(BASE)):.2f}",
        f"{ratio(own, run.cpu_us(CACHE)):.2f}" if CACHE in run.samples else "–",
        f"≤ {row.mark:.1f}" if row.mark is not None else "–",
        f"{figure([sample.busy_ratio for sample in samples]).value:.0%}",
        f"{figure([sample.per_s for sample in samples]).high:.0f}",
        f"`{samples[-1].label}`" if samples[-1].label else "–",
    )


if __name__ == "__main__":
    sys.exit(main())
