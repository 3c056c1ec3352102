"""`flags-harness`: find every place where SDKs and servers disagree about a flag."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from .adapter import command as adapter
from .check import command as check
from .expect import command as expect
from .faults.catalogue import listing
from .matrix import command as matrix
from .report import as_json, findings, table
from .run import Result, run
from .search import command
from .strategies import cases
from .subjects.catalogue import UnknownSubject, find
from .subjects.child import Child, Launch, UnusableSubject

AGREE, FINDINGS, USAGE, UNAVAILABLE = range(4)
DEFAULT_SUBJECTS: Final = "reference,posthog-python@7.91.1,posthog-node@5.70.0"
DEFAULT_LANES: Final = Path(".lanes")
EPILOG: Final = """\
examples:
  python -m tools.sdks                           install the SDK lanes once
  flags-harness run --seconds 600                every cause of disagreement, shrunk, against what is known
  flags-harness run --level hostile --html report.html
  flags-harness compare                          reference against the two SDKs, 20 000 pairs of the agreed core
  flags-harness compare --subjects posthog-python@7.42.0,posthog-python@7.91.1 --pairs 5000 --seed 7
  flags-harness check --server https://us.i.posthog.com   a live project's own flags, read-only, within a budget
  flags-harness matrix --check                   what applications meet when the service fails: still as written down?
  flags-harness faults list                      outages and faults by name

A pair is one flag for one person. Subjects answer from generated definitions, each in a child process of its own with limits
on memory and time; an SDK gets the definitions as applications do, by polling. The first subject is the base that the
others are compared with. Declining (asking the service instead of deciding) is counted apart: it is not a disagreement.

exit codes: 0 they agree · 1 findings · 2 usage · 3 a subject is unavailable
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "faults":
        print(listing())
        return AGREE
    if options.command == "adapter":
        return adapter.perform(options)
    if options.command == "check":
        return check.perform(options)
    if options.command == "expect":
        return expect.perform(options)
    if options.command == "matrix":
        return matrix.perform(options)
    return command.perform(options) if options.command == "run" else _compared(options)


def _compared(options: argparse.Namespace) -> int:
    try:
        launches = [find(name.strip(), options.lanes) for name in options.subjects.split(",")]
        results = asyncio.run(_compare(launches, pairs=options.pairs, seed=options.seed, quiet=options.quiet))
    except UnknownSubject as mistake:
        print(f"flags-harness: {mistake}", file=sys.stderr)
        return USAGE
    except UnusableSubject as reason:
        print(f"flags-harness: {reason}", file=sys.stderr)
        return UNAVAILABLE
    print(table(launches[0].name, results))
    if options.json:
        options.json.write_bytes(as_json(launches[0].name, options.seed, results))
    if not any(result.findings for result in results):
        return AGREE
    print(f"\n{findings(results)}\n\nrepeat with --seed {options.seed} --pairs {options.pairs}")
    return FINDINGS


async def _compare(launches: Sequence[Launch], *, pairs: int, seed: int, quiet: bool) -> list[Result]:
    def progress(done: int) -> None:
        if not quiet and sys.stderr.isatty():
            print(f"\r{done} of {pairs} pairs", end="", file=sys.stderr, flush=True)

    async with contextlib.AsyncExitStack() as stack:
        base, *others = [await stack.enter_async_context(Child(launch)) for launch in launches]
        results = await run(base, others, cases(seed), pairs=pairs, progress=progress)
    if not quiet and sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flags-harness", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"flags-harness {version('holdfast')}")
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser(
        "compare",
        help="put the same generated cases to several subjects",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    search = commands.add_parser(
        "run",
        help="look for causes of disagreement, shrunk and told apart",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for parser_of_subjects in (compare, search):
        parser_of_subjects.add_argument(
            "--subjects", type=_subjects, default=DEFAULT_SUBJECTS, help=f"base,other[,other…] (default {DEFAULT_SUBJECTS})"
        )
        parser_of_subjects.add_argument(
            "--lanes", type=Path, default=DEFAULT_LANES, help="where the SDKs are installed (default .lanes)"
        )
    command.add(search)
    compare.add_argument(
        "--pairs", type=_positive, default=20_000, help="how many (flag, person) pairs, at least (default 20000)"
    )
    compare.add_argument("--seed", type=int, default=1, help="the same seed gives the same cases (default 1)")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write everything, all findings included, to FILE")
    compare.add_argument("--quiet", action="store_true", help="no progress")
    adapter.add(commands.add_parser("adapter", help="serve an SDK behind PostHog's sdk-test-harness protocol"), DEFAULT_LANES)
    live = commands.add_parser(
        "check",
        help="a live project's answers against the reference, read-only",
        epilog=check.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add(live, DEFAULT_LANES)
    answers = commands.add_parser(
        "expect",
        help="right answers for a made-up population, as a file for load runs",
        epilog=expect.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    expect.add(answers, DEFAULT_LANES)
    matrix.add(
        commands.add_parser("matrix", help="what SDKs make of a failing service, directly and through the proxy"), DEFAULT_LANES
    )
    faults = commands.add_parser("faults", help="the outages and faults that can be played (python -m harness.faults serve)")
    faults.add_argument("action", choices=["list"], help="name them all")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _subjects(text: str) -> str:
    if len(text.split(",")) < 2:  # noqa: PLR2004 — a comparison needs two
        raise argparse.ArgumentTypeError("name at least two subjects, separated by commas")
    return text


if __name__ == "__main__":
    sys.exit(main())
