"""`flags-harness check`: asks for leave before the first request, then checks, reports, and says with the exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from harness import known
from harness.search.session import today
from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.child import Child, Launch, UnusableSubject

from .asking.budget import DEFINITIONS_COST, Budget, Stopped
from .asking.credentials import KEY_VARIABLE, TOKEN_VARIABLE, credential
from .asking.server import Server, shown
from .report import REPORTS, CheckOutcome, Run, as_text, outcome_of
from .session import Options, Session

AGREE, FINDINGS, USAGE, UNAVAILABLE = range(4)
FEWEST: Final = 3 * DEFINITIONS_COST
EPILOG: Final = f"""\
The project token is read from {TOKEN_VARIABLE} or --token-file, a key that may read definitions from {KEY_VARIABLE} or
--key-file. Nothing is written to the project: people are made up, carry their properties with the request, and have a marked
distinct_id and no anonymous one. Values of the project stay out of the output unless --show-values is given.

exit codes: 0 they agree · 1 findings · 2 usage, or no leave given · 3 the server is unavailable, or nothing could be compared
"""


def add(parser: argparse.ArgumentParser, lanes: Path) -> None:
    """Add the options of `check`."""
    parser.add_argument("--server", type=_address, required=True, metavar="URL", help="the flag service, or a proxy before it")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help=f"instead of {TOKEN_VARIABLE}")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help=f"instead of {KEY_VARIABLE}")
    parser.add_argument("--max-requests", type=_count, default=1000, metavar="N", help="billable ones, at most (default 1000)")
    parser.add_argument("--rate", type=_rate, default=5.0, metavar="N", help="requests a second, at most (default 5)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks about the same people (default 1)")
    parser.add_argument("--sdk", action="append", default=[], metavar="NAME@VERSION", help="also an SDK's local evaluation")
    parser.add_argument("--timezone", type=_zone, metavar="NAME", help="the project's; else dates that hang on it are excused")
    parser.add_argument("--reasons", action="store_true", help="also tell where values agree and reasons differ")
    parser.add_argument("--show-values", action="store_true", help="show the project's values; reproducers then run")
    parser.add_argument("--yes", action="store_true", help="send the requests without asking")
    parser.add_argument("--known", type=Path, default=None, metavar="FILE|FOLDER", help="known divergences, TOML")
    parser.add_argument("--lanes", type=Path, default=lanes, help="where the SDKs are installed (default .lanes)")
    for name in REPORTS:
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"also write the outcome as {name}")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def perform(options: argparse.Namespace) -> int:
    """Carry the command out; return the exit code."""
    try:
        register = known.read(options.known or known.OURS, today())
        launches = [find(name.strip(), options.lanes) for name in options.sdk]
        token = credential(TOKEN_VARIABLE, options.token_file, "--token-file", "project token")
        key = credential(KEY_VARIABLE, options.key_file, "--key-file", "personal or secret key")
        if not _has_leave(options):
            return USAGE
        outcome = asyncio.run(_check(options, launches, register, token, key))
    except (UnknownSubject, known.Mistake) as mistake:
        return _complain(mistake, USAGE)
    except Stopped as reason:
        return _complain(reason, USAGE)
    except UnusableSubject as reason:
        return _complain(reason, UNAVAILABLE)
    print(as_text(outcome))  # noqa: T201 — the command's voice
    for name, render in REPORTS.items():
        if file := getattr(options, name):
            file.write_bytes(render(outcome))
    return _verdict(outcome)


def _verdict(outcome: CheckOutcome) -> int:
    if not outcome.is_good:
        return FINDINGS
    server = outcome.took[1].name
    if outcome.stopped:
        return _complain(outcome.stopped, UNAVAILABLE)
    if not outcome.decided(server):
        return _complain("nothing could be compared; see what was not, above", UNAVAILABLE)
    return AGREE


def _has_leave(options: argparse.Namespace) -> bool:
    minutes = math.ceil(options.max_requests / options.rate / 60)
    plan = (
        f"This sends at most {options.max_requests} billable requests to {shown(options.server)} "
        f"(the definitions count as {DEFINITIONS_COST}), at most {options.rate:g} a second: {minutes} min or less."
    )
    print(plan, file=sys.stderr)  # noqa: T201 — the command's voice
    if options.yes:
        return True
    if not sys.stdin.isatty():
        return bool(_complain("not sent: there is nobody to ask; say --yes", 0))
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 — the command's voice
    return sys.stdin.readline().strip().lower() in {"y", "yes"} or bool(_complain("not sent", 0))


def _complain(reason: object, code: int) -> int:
    print(f"flags-harness: {reason}", file=sys.stderr)  # noqa: T201 — the command's voice
    return code


async def _check(
    options: argparse.Namespace, launches: list[Launch], register: known.Register, token: str, key: str
) -> CheckOutcome:
    started = time.monotonic()
    budget = Budget(options.max_requests, options.rate)
    chosen = Options(seed=options.seed, with_reasons=options.reasons, timezone=options.timezone)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server(options.server, token=token, key=key, budget=budget))
        sdks = [await stack.enter_async_context(Child(launch)) for launch in launches]
        session = Session(server, chosen, sdks, lambda: datetime.now(UTC))
        await _watched(session, quiet=options.quiet)
        took_s = time.monotonic() - started
        run = Run(_command(options, server.name), options.seed, took_s, budget.spent, options.show_values)
        return outcome_of(session, sdks, register, run)


async def _watched(session: Session, *, quiet: bool) -> None:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        await session.run()
        return
    with Progress(TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("fetching definitions", total=None)

        def told(one: Session) -> None:
            bar.update(task, description=f"{one.people} people, {len(one.ledger.differences)} differences")

        await session.run(told)


def _command(options: argparse.Namespace, server: str) -> str:
    sdks = "".join(f" --sdk {name}" for name in options.sdk)
    zone = f" --timezone {options.timezone}" if options.timezone else ""
    return f"flags-harness check --server {server} --seed {options.seed} --max-requests {options.max_requests}{sdks}{zone}"


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError("must be http://HOST:PORT or https://HOST")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError("must be an address only: no user, password, query or fragment")
    return text.rstrip("/")


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, KeyError) as cause:
        raise argparse.ArgumentTypeError("must be an IANA time zone") from cause


def _count(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"must be at least {FEWEST}: looking at the definitions counts as {DEFINITIONS_COST}")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:  # noqa: PLR2004 — more is a mistake, and so is nan
        raise argparse.ArgumentTypeError("must be above 0, at most 1000")
    return number
