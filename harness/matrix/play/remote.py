"""Applications that ask the service, by a fresh client each time: one flag, all flags, and somebody whom the proxy never saw.

The proxy's breaker trips on ten failures in a row: a trial stays below that, so that no application meets what another caused.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from harness.matrix.cells import Cell, Routes
from harness.matrix.trials import Trial
from harness.matrix.world import ASKED, TOKEN, person

from .application import Application, Said
from .house import Door, House, together
from .outcome import ALL, of_all, of_one

DIRECT: Final = "direct"
PROXY: Final = "proxy"
TRIES: Final = 5
ONE_FLAG: Final = "one flag"
ALL_FLAGS: Final = "all flags"
STRANGER_ONE: Final = "stranger, one flag"
STRANGER_ALL: Final = "stranger, all flags"

Rows = dict[str, dict[str, Routes]]
"""By table, then subject."""


class Doors(NamedTuple):
    """One application's ways."""

    direct: Door
    known: Door
    stranger: Door


async def play(trial: Trial, applications: Mapping[str, Application]) -> Rows:
    """Play a trial; return the rows of four tables."""
    if not trial.is_played_alone:
        return await _play(trial, applications)
    rows: Rows = {}
    for name, app in applications.items():
        for table, row in (await _play(trial, {name: app})).items():
            rows.setdefault(table, {}).update(row)
    return rows


async def _play(trial: Trial, applications: Mapping[str, Application]) -> Rows:
    async with House() as house:
        plain, keeping = await house.service(), await house.service()
        forgetful, keeper = await asyncio.gather(house.proxy(plain, keeps=False), house.proxy(keeping, keeps=True))
        doors = {
            name: Doors(await house.direct(), await house.door(forgetful), await house.door(keeper)) for name in applications
        }
        await together(_warm(app, doors[name], name) for name, app in applications.items())
        rows: Rows = {}
        for question in QUESTIONS:
            await house.put_on(trial.phase, edition=int(trial.is_outdated))
            for table in question.tables:
                rows[table] = {name: {} for name in applications}
            await together(
                _perform(question, app, doors[name], name, rows, edition=int(trial.is_outdated))
                for name, app in applications.items()
            )
        return rows


async def _warm(app: Application, doors: Doors, name: str) -> None:
    """Let the proxy learn both questions of somebody; a machine that stalls may take more than one try."""
    for question in QUESTIONS:
        for tries_left in reversed(range(TRIES)):
            cell = await question.ask(app, doors.known, _known(name), edition=0)
            if cell.got in {"value", ALL}:
                break
            if not tries_left:
                raise RuntimeError(f"{name} got {cell.got} while nothing was wrong")


async def _perform(question: Question, app: Application, doors: Doors, name: str, rows: Rows, *, edition: int) -> None:
    known, strange = question.tables
    rows[known][name][DIRECT] = await question.ask(app, doors.direct, _known(name), edition=edition)
    rows[known][name][PROXY] = await question.ask(app, doors.known, _known(name), edition=edition)
    rows[strange][name][PROXY] = await question.ask(app, doors.stranger, f"stranger of {name}", edition=edition)


async def one_flag(app: Application, door: Door, distinct_id: str, *, edition: int) -> Cell:
    """Ask a fresh client for one flag."""
    name = await fresh(app, door)
    said = await app.do("one", name=name, person=person(distinct_id), flag=ASKED)
    return of_one(said, edition=edition, requests=door.requests)


async def all_flags(app: Application, door: Door, distinct_id: str, *, edition: int) -> Cell:
    """Ask a fresh client for all flags."""
    name = await fresh(app, door)
    said = await app.do("all", name=name, person=person(distinct_id))
    return of_all(said, edition=edition, requests=door.requests)


async def fresh(app: Application, door: Door, *, key: str | None = None) -> str:
    """Construct a client behind a door, and count its requests from here; return its name."""
    name = f"client-{next(_numbers)}"
    door.forget()
    require(await app.do("start", name=name, host=door.url, token=TOKEN, key=key))
    return name


def require(said: Said) -> Said:
    """Insist that nothing was raised where no fault explains it."""
    if said.raised:
        raise RuntimeError(f"an application raised {said.raised} while it was prepared")
    return said


def _known(name: str) -> str:
    return f"user of {name}"


_numbers = itertools.count()


class Ask(Protocol):
    """Asks a fresh client."""

    async def __call__(self, app: Application, door: Door, distinct_id: str, *, edition: int) -> Cell: ...


class Question(NamedTuple):
    """A question, and the tables of its answers: to who is known, and to strangers."""

    ask: Ask
    tables: tuple[str, str]


QUESTIONS: Final = (Question(one_flag, (ONE_FLAG, STRANGER_ONE)), Question(all_flags, (ALL_FLAGS, STRANGER_ALL)))
