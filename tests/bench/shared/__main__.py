"""CPU per hit of an instance with Redis configured ÷ one without, in every state a Redis can be in, in one interleaved run.

`python -m tests.bench.shared [--rounds N] [--seconds S] [--write]` prints the table, `--write` also puts it into
docs/benchmarks.md. It exits 1 when a mark is missed or a request was not answered by a hit. Without a Redis to be had it says
why and exits 0, on CI 1.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench import page
from tests.bench.children import Children, Talker, cores
from tests.bench.cpu import cpu_s
from tests.bench.proxy import rows as running
from tests.bench.quartiles import figure, ratio
from tools.sdks.install import required_here
from tools.sdks.unavailable import Unavailable
from tools.servers.redis import Installed, ensure

from .states import MARK, Row, rows, warm


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, optionally write; 0 when every mark holds."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.shared", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31, help="slices of each row (default 31)")
    parser.add_argument("--seconds", type=float, default=0.7, help="length of a slice (default 0.7)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    try:
        installed = ensure()
    except Unavailable as reason:
        print(f"skipped: {reason}")
        return int(required_here())
    samples, complaints = measure(installed, options.rounds, options.seconds)
    text = report(samples, options.rounds, options.seconds)
    complaints += judge(samples)
    print("\n".join([text, *complaints]), flush=True)
    if options.write:
        page.write("shared", text)
    return 1 if complaints else 0


def measure(installed: Installed, rounds: int, seconds: float) -> tuple[dict[str, list[float]], list[str]]:
    """Start everything, warm it, and take the slices in turn; return µs per request, and what was no hit."""
    near, far = cores()
    with Children() as children:
        origin = running.origin(children, core=far)
        found = rows(children, installed, origin=origin.port, near=near, far=far)
        generator = children.talker(sys.executable, "-m", "tests.bench.proxy.blast", core=far)
        warm(found, generator)
        samples: dict[str, list[float]] = {row.name: [] for row in found}
        complaints: list[str] = []
        for turn in range(rounds):
            for row in (*found[turn % len(found) :], *found[: turn % len(found)]):
                samples[row.name].append(take(row, generator, seconds, complaints))
        return samples, complaints


def take(row: Row, generator: Talker, seconds: float, complaints: list[str]) -> float:
    """Load one row for one slice; return its CPU µs per request."""
    row.before_slice()
    row.greet_strangers()
    before = cpu_s(row.server.pid)
    told = generator.ask(port=row.server.port, seconds=seconds, stamped=True)
    if told["failures"] or "hit" not in told["label"]:
        complaints.append(f"FAILED: {row.name}: {told['failures']} {told['label']}")
    return (cpu_s(row.server.pid) - before) / told["requests"] * 1e6


def judge(samples: dict[str, list[float]]) -> list[str]:
    """Return which rows missed the mark."""
    base, *others = samples
    over = {name: ratio(samples[name], samples[base]).value for name in others}
    return [f"MISSED: {name} costs {value:.2f} x, the mark is {MARK}" for name, value in over.items() if value > MARK]


def report(samples: dict[str, list[float]], rounds: int, seconds: float) -> str:
    """Return the table as Markdown."""
    base = next(iter(samples))
    body = [
        (name, f"{figure(own):.1f}", f"{ratio(own, samples[base]):.2f}", "–" if name == base else f"≤ {MARK}")
        for name, own in samples.items()
    ]
    return "\n".join([
        f"{rounds} rounds of {seconds:g} s slices, all instances in one run, taken in turn. Lower quartile (minimum–maximum).",
        f"Machine: {page.machine('aiohttp', 'uvloop', 'redis')}.",
        "",
        page.table(("Redis", "CPU µs/hit", "÷ without", "mark"), body),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
