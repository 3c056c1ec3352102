"""`flags-harness run`: options in, reports and an exit code out."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from harness import known
from harness.reports.outcome import Outcome
from harness.reports.page import page
from harness.reports.texts import as_json, junit, markdown, terminal
from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.child import Launch, UnusableSubject

from .corpus import FOLDER, keep
from .hunt import State
from .pools import Level
from .session import Plan, search, today

AGREE, FINDINGS, USAGE, UNAVAILABLE = range(4)
ANSWER_S: Final = 8.0
"""A batch of people takes a tenth of a second; one that takes this long hangs."""
_REPORTS: Final[dict[str, Callable[[Outcome], bytes]]] = {
    "json": as_json,
    "junit": junit,
    "markdown": lambda outcome: markdown(outcome).encode(),
    "html": lambda outcome: page(outcome).encode(),
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="for replay and search together (default 60)")
    parser.add_argument("--batches", type=int, metavar="N", help="stop after N batches: the same questions on every machine")
    parser.add_argument("--seed", type=int, default=1, help="the same seed asks the same questions (default 1)")
    parser.add_argument(
        "--level",
        type=Level,
        choices=list(Level),
        default=Level.PLAUSIBLE,
        help="plausible: what PostHog's editor writes (default); hostile: whatever JSON allows",
    )
    parser.add_argument("--zone", default="UTC", help="host time zone of all subjects, IANA name (default UTC)")
    parser.add_argument(
        "--known", type=Path, metavar="FILE|FOLDER", help="known divergences, TOML (default: all that are kept here)"
    )
    parser.add_argument("--corpus", type=Path, default=FOLDER, metavar="FOLDER", help="reproducers to replay first")
    parser.add_argument("--save", action="store_true", help="write what was found into the corpus folder")
    parser.add_argument("--state", type=Path, metavar="FILE", help="go on from here, and leave the state here")
    for name in _REPORTS:
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"also write the outcome as {name}")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def perform(options: argparse.Namespace) -> int:
    """Carry the command out; return the exit code."""
    try:
        plan = _plan(options)
        outcome = asyncio.run(_search(plan, quiet=options.quiet))
    except (UnknownSubject, known.Mistake, msgspec.DecodeError) as mistake:
        print(f"flags-harness: {mistake}", file=sys.stderr)  # noqa: T201 — the command's voice
        return USAGE
    except UnusableSubject as reason:
        print(f"flags-harness: {reason}", file=sys.stderr)  # noqa: T201 — the command's voice
        return UNAVAILABLE
    _leave(options, plan, outcome)
    return AGREE if outcome.is_good else FINDINGS


def _plan(options: argparse.Namespace) -> Plan:
    launches = [find(name.strip(), options.lanes) for name in options.subjects.split(",")]
    state = State(seed=options.seed, level=options.level)
    if options.state and options.state.exists():
        state = msgspec.json.decode(options.state.read_bytes(), type=State)
    return Plan(
        launches=tuple(_placed(launch, options.zone) for launch in launches),
        seconds=options.seconds,
        state=state,
        corpus=options.corpus,
        register=known.read(options.known or known.OURS, today()),
        zone=options.zone,
        batches=options.batches,
    )


def _placed(launch: Launch, zone: str) -> Launch:
    return msgspec.structs.replace(launch, zone=zone, answer_s=ANSWER_S)


async def _search(plan: Plan, *, quiet: bool) -> Outcome:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return await search(plan, time.monotonic)
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        return await search(
            plan,
            time.monotonic,
            lambda state: bar.update(task, description=f"{state.batches} batches, {len(state.findings)} causes"),
        )


def _leave(options: argparse.Namespace, plan: Plan, outcome: Outcome) -> None:
    print(terminal(outcome))  # noqa: T201 — the command's voice
    for name, render in _REPORTS.items():
        if file := getattr(options, name):
            file.write_bytes(render(outcome))
    if options.state:
        options.state.write_bytes(msgspec.json.encode(plan.state))
    if options.save:
        keep(options.corpus, plan.state.findings)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 7 * 86_400:  # a week is a mistake, and so is nan
        raise argparse.ArgumentTypeError("must be more than 0")
    return seconds
