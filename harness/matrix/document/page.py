"""Writes docs/error-handling.md from what was played. Nothing on the page is typed by hand but the words around the tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from harness.matrix.cells import AT_ONCE, Cell, Measured, Routes
from harness.matrix.play.local import RUNNING, STARTING
from harness.matrix.play.outcome import ALL, KEPT, WIPED
from harness.matrix.play.remote import ALL_FLAGS, DIRECT, ONE_FLAG, PROXY, STRANGER_ALL, STRANGER_ONE
from harness.matrix.subjects import SUBJECTS
from harness.matrix.trials import ON_DEFINITIONS, ON_FLAGS, Trial

from .findings import FINDINGS, Finding

COMMAND: Final = "flags-harness matrix --write docs/error-handling.md"
WIDTH: Final = 128
GOOD: Final = frozenset({"value", ALL, KEPT})

INTRODUCTION: Final = f"""\
# Errors, as application code meets them

<!-- Written by `{COMMAND}` from harness/matrix; edit there. -->

What an application gets from its SDK when the flag service fails: directly, and with Holdfast in between. Each cell was played
with the real SDK in a program of its own, on real sockets, in front of a service that fails on purpose; the proxy is a
`flags-proxy serve` with default settings. {", ".join(f"`{name}`" for name in SUBJECTS)}.

A cell reads *directly* → *through the proxy*. **Bold** is what should be there. What is not said is as it should be: the call
took less than a second and one request. *nothing*: `None`, `undefined` or `nil`, so that the application's own default applies.
*error*: Go's second return value. *hangs*: the SDK was still waiting after 25 s. Times are classes; requests are those that the
SDK sent, except to an address where nobody listens.
"""

ONE_TEXT: Final = """\
A fresh client asks for one flag, a variant for this person. The proxy has answered the same question before the fault."""
ALL_TEXT: Final = """\
A fresh client asks for all twelve flags. The proxy has answered the same question before. *6 of 12, 6 wrong*: the other six are
there and say something else than the truth."""
STRANGER_TEXT: Final = """\
Through a proxy that has never seen this person but keeps the project's definitions: one flag, and all flags. Directly it is as
in the tables above."""
RUNNING_TEXT: Final = """\
An application that evaluates locally polls the definitions while the fault is on: are its flags still there, and after a good
poll? The proxy keeps the project's definitions, and has met the fault itself before the application polls. *11 of 12*: the
flag that was made undecidable is left to the service, the others are decided."""
STARTING_TEXT: Final = """\
An application that evaluates locally starts during the fault, and asks for one flag twice, for two people. Where only
definitions fail the service still answers for single people; the time is the first call's, the requests are those of both, for
definitions and flags."""


def page(measured: Measured) -> str:
    """Return the document."""
    parts = (
        (INTRODUCTION,),
        ("## Worth knowing\n", *map(_point, FINDINGS), ""),
        _section("Asking the service: one flag", ONE_TEXT, _rows(measured, ON_FLAGS, ONE_FLAG)),
        _section("Asking the service: all flags", ALL_TEXT, _rows(measured, ON_FLAGS, ALL_FLAGS)),
        _section("People the proxy never saw", STRANGER_TEXT, _stranger_rows(measured)),
        _section("Evaluating locally: an application that runs", RUNNING_TEXT, _rows(measured, ON_DEFINITIONS, RUNNING)),
        _section("Evaluating locally: an application that starts", STARTING_TEXT, _rows(measured, ON_DEFINITIONS, STARTING)),
    )
    return "\n".join(line for part in parts for line in part)


def _section(title: str, text: str, rows: Iterable[Sequence[str]]) -> list[str]:
    heads = ("the service …", *(name.partition("@")[0] for name in SUBJECTS))
    return [f"## {title}\n", f"{text}\n", _row(heads), _row("---" for _ in heads), *map(_row, rows), ""]


def _point(finding: Finding) -> str:
    return textwrap.fill(finding.says, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _rows(measured: Measured, trials: Iterable[Trial], table: str) -> Iterable[Sequence[str]]:
    for trial in trials:
        row = measured.tables[table][trial.id]
        yield (trial.does, *(_pair(row[name]) for name in SUBJECTS))


def _stranger_rows(measured: Measured) -> Iterable[Sequence[str]]:
    for trial in ON_FLAGS:
        one, all_ = (measured.tables[table][trial.id] for table in (STRANGER_ONE, STRANGER_ALL))
        yield (trial.does, *(f"{_cell(one[name][PROXY])} · {_cell(all_[name][PROXY])}" for name in SUBJECTS))


def _pair(routes: Routes) -> str:
    return f"{_cell(routes[DIRECT])} → {_cell(routes[PROXY])}"


def _cell(cell: Cell) -> str:
    parts = [f"**{cell.got}**" if cell.got in GOOD else cell.got]
    if cell.lost != AT_ONCE:
        parts.append(cell.lost)
    if cell.requests not in {None, 1}:
        parts.append(f"{cell.requests} requests")
    if cell.later and cell.later != cell.got:
        parts.append("then back" if cell.later == KEPT else f"then {cell.later}")
    elif cell.later == WIPED:
        parts.append("for good")
    return ", ".join(parts)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
