"""`flags-harness run`: options in, reports and an exit code out."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from harness import known
from harness.reports.junit import junit
from harness.reports.outcome import USUAL_ZONE, Outcome
from harness.reports.page import page
from harness.reports.texts import as_json, markdown, terminal
from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.child import Launch, UnusableSubject

from .corpus import FOLDER, keep
from .keeping import Journal
from .pools import Level
from .session import Plan, search, today
from .state import State

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
    parser.add_argument(
        "--zone",
        type=_zones,
        default=USUAL_ZONE,
        metavar="ZONE[,ZONE…]",
        help="host time zone of all subjects (default UTC); in further ones each also runs, held against itself",
    )
    parser.add_argument(
        "--known", type=Path, metavar="FILE|FOLDER", help="known divergences, TOML (default: all that are kept here)"
    )
    parser.add_argument("--corpus", type=Path, default=FOLDER, metavar="FOLDER", help="reproducers to replay first")
    parser.add_argument(
        "--strict", action="store_true", help="declining where another decides is a difference: for versions of one SDK"
    )
    parser.add_argument("--save", action="store_true", help="write what was found into the corpus folder")
    parser.add_argument("--state", type=Path, metavar="FILE", help="go on from here, and leave the state here")
    for name in _REPORTS:
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"also write the outcome as {name}")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def perform(options: argparse.Namespace) -> int:
    """Carry the command out; return the exit code."""
    try:
        plan = _plan(options)
        journal = Journal(options.state, time.monotonic) if options.state else None
        outcome = asyncio.run(_search(plan, journal, quiet=options.quiet))
    except (UnknownSubject, known.Mistake, msgspec.DecodeError) as mistake:
        print(f"flags-harness: {mistake}", file=sys.stderr)  # noqa: T201 — the command's voice
        return USAGE
    except UnusableSubject as reason:
        print(f"flags-harness: {reason}", file=sys.stderr)  # noqa: T201 — the command's voice
        return UNAVAILABLE
    _leave(options, plan, outcome)
    if not (outcome.batches or outcome.replayed) and options.batches != 0:
        print("flags-harness: nothing was compared; give it more --seconds", file=sys.stderr)  # noqa: T201 — the command's voice
        return UNAVAILABLE
    return AGREE if outcome.is_good else FINDINGS


def _plan(options: argparse.Namespace) -> Plan:
    launches = [find(name.strip(), options.lanes) for name in options.subjects.split(",")]
    first, *further = options.zone.split(",")
    state = State(seed=options.seed, level=options.level)
    if options.state and options.state.exists():
        state = msgspec.json.decode(options.state.read_bytes(), type=State)
    return Plan(
        launches=tuple(_placed(launch, first) for launch in launches),
        twins=tuple((n, _twin(launch, zone)) for zone in further for n, launch in enumerate(launches)),
        seconds=options.seconds,
        state=state,
        corpus=options.corpus,
        register=known.read(options.known or known.OURS, today()),
        zone=options.zone,
        strict=options.strict,
        batches=options.batches,
    )


def _placed(launch: Launch, zone: str) -> Launch:
    return msgspec.structs.replace(launch, zone=zone, answer_s=ANSWER_S)


def _twin(launch: Launch, zone: str) -> Launch:
    """Return the same subject in another zone; the zone is part of its name, and so of its causes' keys."""
    return msgspec.structs.replace(_placed(launch, zone), name=f"{launch.name} in {zone}")


async def _search(plan: Plan, journal: Journal | None, *, quiet: bool) -> Outcome:
    console = Console(stderr=True)
    note = journal.note if journal else _unnoted
    if quiet or not console.is_terminal:
        return await search(plan, time.monotonic, note)
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def progress(state: State) -> None:
            bar.update(task, description=f"{state.batches} batches, {len(state.findings)} causes")
            note(state)

        return await search(plan, time.monotonic, progress)


def _unnoted(_: State) -> None:
    """Leave no state behind."""


def _leave(options: argparse.Namespace, plan: Plan, outcome: Outcome) -> None:
    print(terminal(outcome))  # noqa: T201 — the command's voice
    for name, render in _REPORTS.items():
        if file := getattr(options, name):
            file.write_bytes(render(outcome))
    if options.state:
        Journal(options.state, time.monotonic).write(plan.state)
    if options.save:
        keep(options.corpus, plan.state.findings)


def _zones(text: str) -> str:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if not _is_zone(name)]
    if unknown or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"must be IANA names, each once; not {', '.join(unknown) or text}")
    return ",".join(names)


def _is_zone(name: str) -> bool:
    try:
        return bool(name) and ZoneInfo(name).key == name
    except (ValueError, OSError, KeyError):
        return False


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 7 * 86_400:  # a week is a mistake, and so is nan
        raise argparse.ArgumentTypeError("must be more than 0")
    return seconds
