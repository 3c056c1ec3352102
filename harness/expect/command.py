"""`flags-harness expect`: definitions and a seed in, a file of right answers out."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from harness import known
from harness.aimed.oracle import Oracle
from harness.aimed.population import Population
from harness.case import Person
from harness.search.session import today
from harness.subjects.catalogue import UnknownSubject, find
from harness.subjects.child import Child, Launch, UnusableSubject
from harness.subjects.protocol import Reply, Verdict, evaluate
from reference.service.project.file import DefinitionsFileError
from reference.service.project.project import Project, load_catalogue

from .book import Entry, Head, counted, written
from .vouch import REFERENCE, Vouching, told

AGREE, FINDINGS, USAGE, UNAVAILABLE = range(4)
DEFAULT_VOUCHER: Final = "posthog-python@7.91.1"
MARK: Final = "holdfast-load-"
GOOD_FOR: Final = timedelta(days=1)
EPILOG: Final = """\
example:
  flags-harness expect --definitions flags.json --people 500 --out expected.jsonl
  flags-load run --url http://127.0.0.1:8080 --expect expected.jsonl

Answers are those of a server that has nothing stored about these people. Each names who vouches for it.

exit codes: 0 all who vouch agree, apart from known divergences · 1 disputes (left out of what is expected) · 2 usage
  · 3 an SDK is unavailable
"""


def add(parser: argparse.ArgumentParser, lanes: Path) -> None:
    """Add the options of `expect`."""
    parser.add_argument("--definitions", type=Path, required=True, metavar="FILE", help="what the server serves, JSON")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file of right answers, JSON lines")
    parser.add_argument("--people", type=_count, default=200, metavar="N", help="how many (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same people (default 1)")
    parser.add_argument(
        "--vouchers",
        default=DEFAULT_VOUCHER,
        metavar="NAME@VERSION[,…]",
        help=f"SDKs that compute the answers as well (default {DEFAULT_VOUCHER}); none: the reference alone",
    )
    parser.add_argument("--known", type=Path, metavar="FILE|FOLDER", help="known divergences, TOML")
    parser.add_argument("--lanes", type=Path, default=lanes, help="where the SDKs are installed (default .lanes)")


def perform(options: argparse.Namespace) -> int:
    """Carry the command out; return the exit code."""
    try:
        names = [] if options.vouchers == "none" else [name.strip() for name in options.vouchers.split(",")]
        launches = [find(name, options.lanes) for name in names]
        register = known.read(options.known or known.OURS, today())
        project = load_catalogue(options.definitions.read_bytes()).projects[0]
        head, entries, vouching = asyncio.run(_computed(options, project, launches, register))
        options.out.write_bytes(written(head, entries))
    except (UnknownSubject, known.Mistake, DefinitionsFileError, OSError) as mistake:
        print(f"flags-harness: {mistake}", file=sys.stderr)  # noqa: T201 — the command's voice
        return USAGE
    except UnusableSubject as reason:
        print(f"flags-harness: {reason}", file=sys.stderr)  # noqa: T201 — the command's voice
        return UNAVAILABLE
    lines = [f"{len(entries)} people written to {options.out}, good until {head.good_until}"]
    lines += [f"  {count} × {by}" for by, count in counted(entries).most_common() if count]
    print("\n".join([*lines, *told(vouching)]))  # noqa: T201 — the command's voice
    return FINDINGS if vouching.disputes else AGREE


async def _computed(
    options: argparse.Namespace, project: Project, launches: Sequence[Launch], register: known.Register
) -> tuple[Head, list[Entry], Vouching]:
    now = datetime.now(UTC)
    document = msgspec.json.decode(project.served.body)
    oracle = Oracle(document, clock=lambda: now, timezone=project.section.timezone, leeway=GOOD_FOR)
    aims = [key for key in oracle.keys if key not in oracle.excused]
    population = Population(document, seed=options.seed, mark=MARK, now=now, keys=aims or None)
    people = list(islice(population.people(), options.people))
    vouching = Vouching(document, register, lambda: now)
    others = await _vouched(document, people, launches)
    entries = [
        vouching.entry(person, oracle.ask(person), {name: answers[n] for name, answers in others.items()})
        for n, person in enumerate(people)
    ]
    head = Head(
        seed=options.seed,
        people=len(entries),
        definitions=hashlib.sha256(project.served.body).hexdigest(),
        vouchers=(REFERENCE, *others),
        good_until=(now + GOOD_FOR).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    return head, entries, vouching


async def _vouched(
    document: Mapping[str, object], people: Sequence[Person], launches: Sequence[Launch]
) -> dict[str, list[Mapping[str, Verdict]]]:
    found: dict[str, list[Mapping[str, Verdict]]] = {}
    async with contextlib.AsyncExitStack() as stack:
        for launch in launches:
            child = await stack.enter_async_context(Child(launch))
            loaded = await child.load(document)
            if not (isinstance(loaded, Reply) and loaded.ok):
                raise UnusableSubject(launch.name, "it does not survive these definitions; leave it out of --vouchers")
            outcomes = await child.ask([evaluate(person) for person in people])
            found[launch.name] = [(one.flags or {}) if isinstance(one, Reply) else {} for one in outcomes]
    return found


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
