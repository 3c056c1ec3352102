"""`python -m harness.scenarios`: writes what is known about the named scenarios, and plays them in full.

`play` starts the service behind its fault stage, the proxy and a load of its own, on loopback and on two cores; it exits 1 when
a mark is missed. It takes a minute a scenario.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from harness.faults.catalogue import SCENARIOS
from harness.faults.incidents import INCIDENTS

from .page import page
from .play.children import cores
from .play.figures import complaints as missed
from .play.figures import figures
from .play.script import Plan, perform
from .play.table import Row, measured_in, section, with_measured
from .play.truth import truth_for

PLAYABLE = [name for name, each in SCENARIOS.items() if each.is_resolvable]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when done and no mark is missed."""
    options = _parser().parse_args(arguments)
    if options.command == "table":
        return _table(options.write)
    return asyncio.run(_play(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.scenarios", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    table = commands.add_parser("table", help="the page about outages: every scenario, what is owed, what holds today")
    table.add_argument("--write", type=Path, metavar="FILE", help="into this file, whose measured section stays")
    play = commands.add_parser("play", help="play scenarios at a fixed rate and hold every answer to the truth")
    play.add_argument("ids", nargs="*", metavar="NAME", help="which (default: all that a relay can play)")
    play.add_argument("--rate", type=float, default=Plan().rate, help="requests per second (default: %(default)g)")
    play.add_argument("--seconds", type=float, default=Plan().fault_s, help="length of the fault (default: %(default)g)")
    play.add_argument("--seed", type=int, default=Plan().seed, help="of every draw (default: %(default)d)")
    play.add_argument("--write", type=Path, metavar="FILE", help="put the table into the measured section of this page")
    return parser


def _table(file: Path | None) -> int:
    if file is None:
        print(page(), end="")
        return 0
    measured = measured_in(file.read_text(encoding="utf-8")) if file.exists() else ""
    file.write_text(page(measured), encoding="utf-8")
    return 0


async def _play(options: argparse.Namespace) -> int:
    unknown = set(options.ids) - set(PLAYABLE)
    if unknown:
        print(f"no such scenarios: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, task.cancel
    )  # so that no child outlives a lane that is stopped
    os.sched_setaffinity(0, cores()[1])
    plan = Plan(rate=options.rate, fault_s=options.seconds, seed=options.seed)
    rows: list[Row] = []
    for name, each in _programme(options.ids, plan):
        rows.append(await _row(name, each))
        print(_told(rows[-1]), flush=True)
        if options.write is not None:
            text = options.write.read_text(encoding="utf-8")
            options.write.write_text(with_measured(text, section(rows, plan)), encoding="utf-8")
    print(section(rows, plan))
    return 1 if any(row.complaints for row in rows) else 0


def _programme(ids: Sequence[str], plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Name what is played: everything asked for, and the eight outages once more with definitions held."""
    for name in ids or PLAYABLE:
        yield name, plan
        if name in {incident.id for incident in INCIDENTS}:
            yield name, msgspec.structs.replace(plan, holds_definitions=True)


async def _row(name: str, plan: Plan) -> Row:
    history = await perform(SCENARIOS[name], plan)
    found = figures(history, await truth_for(sorted({shot.user for shot in history.shots})))
    return Row(f"{name}, definitions held" if plan.holds_definitions else name, found, missed(history, found))


def _told(row: Row) -> str:
    kinds = ", ".join(f"{count} {label}" for label, count in row.figures.labels.items())
    wrong = [
        f"    wrong: {each.why} [{each.shot.cache}] [{each.shot.proxy}] age {each.shot.age_s}"
        for each in row.figures.wrong_known[:3]
    ]
    return "\n".join([f"{row.id}: {'; '.join(row.complaints) or 'every mark holds'} ({kinds})", *wrong])


if __name__ == "__main__":
    sys.exit(main())
