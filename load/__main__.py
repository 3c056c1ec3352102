"""`flags-load`: send flag requests at a steady rate and say how long the answers took."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from .expected import unreadable
from .outcome import Outcome, text
from .plan import PLAN_VARIABLE, Plan

OK, FAILURES, USAGE, UNAVAILABLE = range(4)
GRACE_S: Final = 60
EPILOG: Final = """\
examples:
  flags-load run --url http://127.0.0.1:8080 --rate 200 --duration 30 --users 50
  flags-load run --url http://127.0.0.1:8080 --rate 100 --expect expected.jsonl
  flags-load run --url https://flags.example.com --rate 50 --duration 60 --users 500 --token phc_…

Requests are started at the intended instants whatever the server does (open loop), and a latency counts from there: a server
that freezes cannot look fast. Locust does the sending, in a process of its own.

exit codes: 0 every request answered with 200, and rightly if --expect is given · 1 some were not · 2 usage
  · 3 Locust is not installed, or did not run
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.expect and (mistake := unreadable(options.expect)):
        print(f"flags-load: {mistake}", file=sys.stderr)
        return USAGE
    if importlib.util.find_spec("locust") is None:
        print("flags-load: Locust is not installed; install holdfast[load]", file=sys.stderr)
        return UNAVAILABLE
    with tempfile.TemporaryDirectory(prefix="flags-load-") as folder:
        plan = Plan(
            url=options.url.rstrip("/"),
            rate=options.rate,
            duration_s=options.duration,
            users=options.users,
            token=options.token,
            seed=options.seed,
            outcome=str(Path(folder) / "outcome.json"),
            expect=str(options.expect.resolve()) if options.expect else "",
        )
        said = _run_locust(plan)
        if not Path(plan.outcome).exists():
            print(f"flags-load: Locust did not run: {said[-2000:]}", file=sys.stderr)
            return UNAVAILABLE
        outcome = msgspec.json.decode(Path(plan.outcome).read_bytes(), type=Outcome)
    print(text(outcome))
    return FAILURES if outcome.failed else OK


def _run_locust(plan: Plan) -> str:
    """Run Locust to its end; return what it said. It leads a session of its own, so that none of it outlives us."""
    command = [sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("locustfile.py")), "--headless"]
    command += ["--host", plan.url, "-u", str(plan.users), "-r", str(plan.users), "--only-summary", "--exit-code-on-error", "0"]
    environment = {**os.environ, PLAN_VARIABLE: msgspec.json.encode(plan).decode(), "PYTHONPATH": _import_path()}
    with subprocess.Popen(  # noqa: S603 — our own interpreter and file
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as child:
        try:
            return child.communicate(timeout=plan.duration_s + GRACE_S)[0]
        except subprocess.TimeoutExpired:
            return f"it did not end within {GRACE_S} s after the run"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _import_path() -> str:
    """Return a search path on which the child finds this folder as `load`, before anything else of that name."""
    return os.pathsep.join(filter(None, (str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH"))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flags-load", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"flags-load {version('holdfast')}")
    run = parser.add_subparsers(dest="command", required=True).add_parser("run", help="one run against one server")
    run.add_argument("--url", required=True, help="the server, http:// or https://")
    run.add_argument("--rate", type=_positive, default=50.0, help="requests a second, of all users together (default 50)")
    run.add_argument("--duration", type=_positive, default=10.0, metavar="SECONDS", help="how long (default 10)")
    run.add_argument(
        "--users", type=_count, default=20, help="distinct people, each with connections of their own (default 20)"
    )
    run.add_argument("--token", default="phc_holdfast_sample", help="the project token (default: the sample project's)")
    run.add_argument("--seed", type=int, default=1, help="the same seed gives the same arrivals (default 1)")
    run.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="right answers of `flags-harness expect`: its people ask, values must be right",
    )
    return parser


def _positive(text_: str) -> float:
    number = float(text_)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return number


def _count(text_: str) -> int:
    number = int(text_)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
