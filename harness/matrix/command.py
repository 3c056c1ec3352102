"""`flags-harness matrix`: play the error-handling matrix, write it down, or hold what is written down to a new play.

Exit codes: 0 done, or nothing differs · 1 something differs · 2 usage · 3 an SDK is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from .cells import Measured, Table, load, save
from .document.page import page
from .play.programme import play, still_different
from .subjects import HERE, SUBJECTS, Unusable, command, fingerprint
from .trials import ON_DEFINITIONS, ON_FLAGS

DATA: Final = HERE / "measured.json"
DONE, DIFFERENT, USAGE, UNAVAILABLE = range(4)


def add(parser: argparse.ArgumentParser, lanes: Path) -> None:
    """Describe the options; `lanes` is where SDKs are installed by default."""
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the document, and the data it is rendered from")
    parser.add_argument("--render", action="store_true", help="play nothing: render what was played last")
    parser.add_argument("--check", action="store_true", help="compare with what was played last; exit 1 where it differs")
    parser.add_argument("--subjects", default=",".join(SUBJECTS), help="which SDKs (default: %(default)s)")
    parser.add_argument("--faults", default="", metavar="NAMES", help="only these rows, separated by commas")
    parser.add_argument("--lanes", type=Path, default=lanes, help="the installed SDKs (default: %(default)s)")


def perform(options: argparse.Namespace) -> int:
    """Do what the options ask for."""
    if options.render:
        return _written(load(DATA), options.write)
    chosen, subjects = set(filter(None, options.faults.split(","))), options.subjects.split(",")
    rows = [[trial for trial in trials if not chosen or trial.id in chosen] for trials in (ON_FLAGS, ON_DEFINITIONS)]
    if unknown := (chosen - {trial.id for trials in rows for trial in trials}) | (set(subjects) - set(SUBJECTS)):
        _tell(f"flags-harness: unknown: {', '.join(sorted(unknown))}")
        return USAGE
    try:
        commands = {name: command(name, options.lanes) for name in subjects}
    except Unusable as reason:
        _tell(f"flags-harness: {reason}")
        return UNAVAILABLE
    if options.check:
        return _checked(asyncio.run(still_different(load(DATA).tables, commands, *rows, progress=_tell)))
    return _written(_joined(asyncio.run(play(commands, *rows, progress=_tell))), options.write)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 — the command's voice


def _say(text: str) -> None:
    print(text)  # noqa: T201 — the command's voice


def _joined(tables: dict[str, Table]) -> Measured:
    """Put what was played over what was played before: a part of the matrix may be played alone."""
    joined = load(DATA).tables if DATA.exists() else {}
    for name, table in tables.items():
        for trial, row in table.items():
            joined.setdefault(name, {}).setdefault(trial, {}).update(row)
    return Measured(fingerprint=fingerprint(), tables=joined)


def _checked(found: list[str]) -> int:
    _say("\n".join(found) or "as written down")
    return DIFFERENT if found else DONE


def _written(measured: Measured, file: Path | None) -> int:
    if file is None:
        _say(page(measured))
        return DONE
    save(DATA, measured)
    file.write_text(page(measured), encoding="utf-8")
    return DONE
