"""The test lanes: what `make test`, `make slow`, `make bench` and `make lint` run, and how long each may take.

One table. A lane that outlives its budget, or what is left of its suite's, is killed and counts as failed: so the whole of
`make test` ends within 25 minutes, whichever lane is slow today. The last line adds up what the test runners said.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COUNTED = re.compile(r"\b(\d+) (passed|failed|skipped)\b")


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One command with a budget in minutes and the suites it belongs to."""

    name: str
    command: tuple[str, ...]
    minutes: float
    suites: tuple[str, ...] = ("test",)


@dataclass
class Tally:
    """What one lane came to."""

    lane: Lane
    exit_code: int
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command of an installed tool."""
    return (str(BIN / name), *arguments)


def pytest(*arguments: str, workers: int = 0) -> tuple[str, ...]:
    """Return a pytest command, spread over workers where tests are pure enough to share two cores."""
    return (sys.executable, "-m", "pytest", "-q", *(("-n", str(workers)) if workers else ()), *arguments)


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs one of our own modules."""
    return (sys.executable, "-m", name, *arguments)


SUITE_MINUTES = {"test": 24.5}
"""All lanes of a suite together; their own budgets, which leave room for a busy machine, may add up to more."""

LANES = (
    Lane(name="format", command=tool("ruff", "format", "--check", "."), minutes=0.2, suites=("lint", "test")),
    Lane(name="lint", command=tool("ruff", "check", "."), minutes=0.2, suites=("lint", "test")),
    Lane(name="mypy", command=tool("mypy"), minutes=1.5, suites=("lint", "test")),
    Lane(name="pyright", command=tool("pyright"), minutes=2, suites=("lint", "test")),
    Lane(name="arrows", command=tool("lint-imports"), minutes=0.2, suites=("lint", "test")),
    Lane(name="unit", command=pytest("tests/unit", workers=2), minutes=3),
    Lane(name="properties", command=pytest("tests/properties", workers=2), minutes=6),
    Lane(name="conformance", command=pytest("tests/conformance", workers=2), minutes=0.7),
    Lane(name="docs", command=pytest("tests/docs"), minutes=1),
    Lane(name="wire", command=pytest("tests/wire"), minutes=12),
    Lane(name="faults", command=pytest("tests/faults"), minutes=4),
    Lane(name="servers", command=module("tools.servers"), minutes=1),
    Lane(name="telemetry", command=pytest("tests/telemetry"), minutes=3.5),
    Lane(name="prometheus", command=pytest("tests/prometheus", "-k", "not a_minute"), minutes=2),
    Lane(name="fleet", command=pytest("tests/fleet"), minutes=3.5),
    Lane(name="sdk-setup", command=module("tools.sdks"), minutes=2.5),
    Lane(name="sdks", command=pytest("tests/sdks"), minutes=7),
    Lane(name="languages", command=pytest("-s", "tests/languages"), minutes=30, suites=("slow",)),
    Lane(name="matrix", command=pytest("-s", "tests/matrix"), minutes=30, suites=("slow",)),
    Lane(name="causes", command=pytest("-s", "tests/causes"), minutes=14, suites=("slow",)),
    Lane(name="sensitivity", command=module("tests.sensitivity"), minutes=30, suites=("slow",)),
    Lane(name="random-mutants", command=module("tests.random_mutants"), minutes=45, suites=("slow",)),
    Lane(name="harness-memory", command=module("tests.bench.harness.memory"), minutes=19, suites=("slow",)),
    Lane(name="scenarios", command=module("harness.scenarios", "play"), minutes=50, suites=("slow",)),
    Lane(name="mutation", command=module("tests.mutation"), minutes=40, suites=("slow",)),
    Lane(
        name="store-kills",
        command=pytest("-s", "tests/wire/store/test_store_crashes.py", "--kills", "200", "--timeout", "1500"),
        minutes=20,
        suites=("slow",),
    ),
    Lane(name="prometheus-long", command=pytest("tests/prometheus", "-k", "a_minute"), minutes=5, suites=("slow",)),
    Lane(name="collector-build", command=module("tools.collector"), minutes=15, suites=("slow",)),
    Lane(name="collector", command=pytest("tests/collector"), minutes=2, suites=("slow",)),
    Lane(name="soak", command=pytest("tests/soak"), minutes=20, suites=("slow",)),
    Lane(name="bench-reference", command=module("tests.bench.reference"), minutes=3, suites=("bench",)),
    Lane(name="bench-harness", command=module("tests.bench.harness"), minutes=5, suites=("bench",)),
    Lane(name="bench-proxy", command=module("tests.bench.proxy"), minutes=4, suites=("bench",)),
    Lane(name="bench-shared", command=module("tests.bench.shared"), minutes=4, suites=("bench",)),
    Lane(name="bench-telemetry", command=module("tests.bench.telemetry"), minutes=4, suites=("bench",)),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the lanes of one suite; 0 when all passed, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tools.lanes", description=__doc__)
    parser.add_argument("suite", choices=sorted({suite for lane in LANES for suite in lane.suites}))
    parser.add_argument("lanes", nargs="*", help="only these lanes of the suite")
    options = parser.parse_args(arguments)
    chosen = [lane for lane in LANES if options.suite in lane.suites and (not options.lanes or lane.name in options.lanes)]
    ends = time.monotonic() + 60 * SUITE_MINUTES.get(options.suite, sum(lane.minutes for lane in chosen))
    tallies = [run(lane, ends=ends) for lane in chosen]
    print(summary(tallies), flush=True)
    return 0 if tallies and all(tally.exit_code == 0 for tally in tallies) else 1


def run(lane: Lane, *, ends: float) -> Tally:
    """Run one lane in its own process group, echoing its output as it comes; `ends`: of the suite, on the monotonic clock."""
    started = time.monotonic()
    seconds_left = max(0.0, min(lane.minutes * 60, ends - started))
    print(f"\n── {lane.name} (at most {seconds_left / 60:.1f} min) ── {' '.join(lane.command[-3:])}", flush=True)
    process = subprocess.Popen(
        lane.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    stop = f"import time,os,signal; time.sleep({seconds_left}); os.killpg({process.pid}, signal.SIGKILL)"
    watchdog = subprocess.Popen([sys.executable, "-c", stop])
    counts: dict[str, int] = {}
    try:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if found := COUNTED.findall(line):
                counts = {word: int(number) for number, word in found}
        exit_code = process.wait()
    finally:
        watchdog.kill()
        watchdog.wait()
    seconds = time.monotonic() - started
    if seconds >= seconds_left:
        print(f"lane {lane.name} took longer than the {seconds_left / 60:.1f} minutes it had, and was stopped", flush=True)
    return Tally(lane=lane, exit_code=exit_code, seconds=seconds, counts=counts)


def summary(tallies: list[Tally]) -> str:
    """Return the closing table and the plain totals line."""
    lines = ["", "lane             result     seconds  tests"]
    for tally in tallies:
        result = "ok" if tally.exit_code == 0 else f"exit {tally.exit_code}"
        tests = ", ".join(f"{number} {word}" for word, number in tally.counts.items()) or "–"
        lines.append(f"{tally.lane.name:<16} {result:<10} {tally.seconds:7.1f}  {tests}")
    total = {word: sum(tally.counts.get(word, 0) for tally in tallies) for word in ("passed", "failed", "skipped")}
    broken = sum(1 for tally in tallies if tally.exit_code != 0 and not tally.counts.get("failed"))
    lines.append(f"{total['passed']} passed, {total['failed'] + broken} failed, {total['skipped']} skipped")
    return "\n".join(lines)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ.setdefault("PYTHONUTF8", "1")
    sys.exit(main())
