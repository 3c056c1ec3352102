"""Mutation testing of the rooms that decide a flag: a seeded sample of mutants, each against the fast tests that reach it.

`python -m tests.mutation [--sample 1500] [--seed 1] [--minutes 35] [--again]`. Exit 1 below 90 % killed, or when the time
was not enough to judge them all. The diffs of the survivors stand in `.lanes/mutation/survivors.diff` afterwards; what
was made of them is in docs/mutation.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import outcome as outcomes
from .workspace import HOME, prepare

MARK = 0.90
HERE = Path(__file__).resolve().parent
GRACE_S = 30


def main(arguments: list[str] | None = None) -> int:
    """Run the sample and report; 0 when enough mutants were killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=1_500, help="mutants to draw (default 1500)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default 1)")
    parser.add_argument("--minutes", type=float, default=35, help="stop after this long (default 35)")
    parser.add_argument("--again", action="store_true", help="judge only the last run's survivors, with today's tests")
    options = parser.parse_args(arguments)
    named = "\n".join(outcomes.read(HOME).survivors) if options.again else ""
    workspace = prepare()
    drawn = json.loads(
        inside(workspace, HERE / "sample.py", str(options.sample), str(options.seed), stdin=named).splitlines()[-1]
    )
    chosen = "survivors of the last run" if named else f"drawn with seed {options.seed}"
    print(f"{drawn['sampled']} of {drawn['mutants']} mutants, {chosen}", flush=True)
    started = time.monotonic()
    run(workspace, options.minutes * 60)
    found = outcomes.read(workspace)
    (workspace / "survivors.diff").write_text(inside(workspace, HERE / "outcome.py", stdin="\n".join(found.survivors)))
    print("\n".join(outcomes.table(found)))
    print(
        f"{found.killed_ratio:.1%} of {found.judged} killed in {(time.monotonic() - started) / 60:.1f} minutes; mark {MARK:.0%}"
    )
    return 0 if found.killed_ratio >= MARK and not found.counts["not judged"] else 1


def inside(workspace: Path, script: Path, *arguments: str, stdin: str = "") -> str:
    """Run one of our scripts in the workspace and return what it printed."""
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(
        command, cwd=workspace, env=environment(), input=stdin, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def run(workspace: Path, seconds: float) -> None:
    """Let mutmut judge the sample on two processes, and interrupt it when the time is up."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    with (workspace / "mutmut.log").open("w") as log:
        process = subprocess.Popen(command, cwd=workspace, env=environment(), stdout=log, stderr=log, start_new_session=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            finish(process)
    if process.returncode != 0:
        print((workspace / "mutmut.log").read_text()[-3000:], flush=True)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Give an interrupted run a moment to write its records, then end its whole group."""
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def environment() -> dict[str, str]:
    """Return the environment of the tests: few, reproducible Hypothesis examples, and skips that stay skips."""
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "PYTEST_ADDOPTS"}}
    return {**kept, "HYPOTHESIS_PROFILE": "mutation", "PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":
    sys.exit(main())
