"""What observability costs: its share of a hit, and what a collector that is away or slow adds. One interleaved run.

`python -m tests.bench.telemetry [--rounds N] [--seconds S] [--write]` prints the table, `--write` also puts it into
docs/benchmarks.md. It exits 1 when a mark is missed, a request fails, or memory grows. Loopback only; everything it starts is
stopped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench import page
from tests.bench.children import LOOPBACK, Children, Server, cores, free_port
from tests.bench.cpu import memory
from tests.bench.proxy import rows as running
from tests.bench.proxy.__main__ import Sample, take
from tests.bench.proxy.bodies import TOKEN
from tests.bench.proxy.rows import CONFIG, FRESH_S, Row
from tests.bench.quartiles import figure, ratio

SHARE_MARK = 0.08
AWAY_MARK = 1.15
GROWTH_MARK_KB = 12 * 1024
"""What an instance may take more at the end than half way: a queue of 4 MiB, and what allocators keep."""

TELEMETRY = """
[telemetry]
otlp_url = "http://{host}:{port}"
timeout_s = 2.0
push_s = 5.0
"""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One row, what it is compared with, and its mark (a ratio)."""

    row: Row
    base: str | None = None
    mark: float | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that one run measured; `grown_kb`: memory of each instance since half time."""

    samples: Mapping[str, Sequence[Sample]]
    compared: Sequence[Compared]
    grown_kb: Mapping[str, int]

    def cpu_us(self, name: str) -> list[float]:
        return [sample.cpu_us for sample in self.samples[name]]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, optionally write; 0 when every mark holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.telemetry", description=__doc__)
    parser.add_argument("--rounds", type=int, default=41, help="slices of each row (default 41)")
    parser.add_argument("--seconds", type=float, default=0.4, help="length of a slice (default 0.4)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    run = measure(options.rounds, options.seconds)
    text, complaints = report(run, options.rounds, options.seconds), judge(run)
    print("\n".join([text, *complaints]), flush=True)
    if options.write:
        page.write("telemetry", text)
    return 1 if complaints else 0


def measure(rounds: int, seconds: float) -> Run:
    """Start everything, warm it, and take the slices in turn."""
    near, far = cores()
    with Children() as children:
        origin = running.origin(children, core=far)
        compared = [*_lines(children, origin.port, near=near, far=far), *_instances(children, origin.port, near=near, far=far)]
        rows = [each.row for each in compared]
        generator = children.talker(sys.executable, "-m", "tests.bench.proxy.blast", core=far)
        running.warm(rows, generator, doomed=children.start(sys.executable, "-m", "tests.bench.proxy.origin", core=far))
        samples: dict[str, list[Sample]] = {row.name: [] for row in rows}
        half: dict[str, int] = {}
        for turn in range(rounds):
            if turn == rounds // 2:
                half = {row.name: _resident_kb(row.server) for row in rows}
            for row in (*rows[turn % len(rows) :], *rows[: turn % len(rows)]):
                samples[row.name].append(take(row, generator, seconds))
        grown = {row.name: _resident_kb(row.server) - half[row.name] for row in rows}
        return Run(samples=samples, compared=compared, grown_kb=grown)


def _lines(children: Children, origin: int, *, near: int | None, far: int | None) -> list[Compared]:
    """One worker's line in one process, without and with its watch."""
    folder = str(children.folder())
    children.start(sys.executable, "-m", "tests.bench.telemetry.collector", "spans", folder, core=far)
    bare, watched = (
        children.start(sys.executable, "-m", "tests.bench.telemetry.worker", mode, str(origin), folder, core=near)
        for mode in ("bare", "watched")
    )
    return [
        Compared(row=Row(name="line, not watched", server=bare, label="hit")),
        Compared(
            row=Row(name="line, watched", server=watched, label="hit"), base="line, not watched", mark=1 / (1 - SHARE_MARK)
        ),
    ]


def _instances(children: Children, origin: int, *, near: int | None, far: int | None) -> list[Compared]:
    """Whole instances, all alike but for their collector."""
    found = [Compared(row=Row(name="no collector", server=_instance(children, origin, near, ""), label="hit"))]
    for kind in ("live", "dead", "hole", "slow"):
        port = free_port()
        if kind != "dead":
            port = children.start(sys.executable, "-m", "tests.bench.telemetry.collector", kind, core=far).port
        server = _instance(children, origin, near, TELEMETRY.format(host=LOOPBACK, port=port))
        found.append(
            Compared(
                row=Row(name=f"collector: {kind}", server=server, label="hit"),
                base="no collector",
                mark=None if kind == "live" else AWAY_MARK,
            )
        )
    return found


def _instance(children: Children, origin: int, core: int | None, more: str) -> Server:
    config = children.folder() / "proxy.toml"
    config.write_text(CONFIG.format(host=LOOPBACK, upstream=origin, token=TOKEN, fresh_s=FRESH_S) + more)
    return children.start(sys.executable, "-m", "proxy", "serve", "--config", str(config), core=core)


def _resident_kb(server: Server) -> int:
    return sum(each.rss_kb for each in memory(server.pid))


def judge(run: Run) -> list[str]:
    """Return what is wrong with the run."""
    complaints = []
    for each in run.compared:
        name = each.row.name
        if failures := sum(sample.failures for sample in run.samples[name]):
            complaints.append(f"FAILED: {name}: {failures} requests were not answered with 200")
        if strangers := {sample.label for sample in run.samples[name] if each.row.label not in sample.label}:
            complaints.append(f"FAILED: {name}: answers labelled {strangers} are not what this row measures")
        if run.grown_kb[name] > GROWTH_MARK_KB:
            complaints.append(f"MISSED: {name} grew by {run.grown_kb[name]} KB in the second half")
        if each.base is not None and each.mark is not None:
            over = ratio(run.cpu_us(name), run.cpu_us(each.base)).value
            if over > each.mark:
                complaints.append(f"MISSED: {name} costs {over:.3f} x {each.base}, the mark is {each.mark:.3f}")
    return complaints


def report(run: Run, rounds: int, seconds: float) -> str:
    """Return the table as Markdown."""
    head = ("hit", "CPU µs/request", "÷ its base", "mark", "base", "grown MiB")
    body = []
    for each in run.compared:
        own = run.cpu_us(each.row.name)
        body.append((
            each.row.name,
            f"{figure(own):.1f}",
            f"{ratio(own, run.cpu_us(each.base)):.3f}" if each.base else "–",
            f"≤ {each.mark:.3f}" if each.mark else "–",
            each.base or "–",
            f"{run.grown_kb[each.row.name] / 1024:.1f}",
        ))  # fmt: skip
    share = 1 - 1 / ratio(run.cpu_us("line, watched"), run.cpu_us("line, not watched")).value
    return "\n".join([
        f"{rounds} rounds of {seconds:g} s slices, all in one run, taken in turn. Lower quartile (minimum–maximum).",
        f"Machine: {page.machine('aiohttp', 'uvloop')}.",
        "",
        page.table(head, body),
        "",
        f"Observability's share of a hit: {share:.1%} (at most {SHARE_MARK:.0%}).",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
