"""Applications that evaluate locally: one that runs and polls when the fault comes, and one that starts during it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from harness.faults.fault import How
from harness.matrix.cells import Cell, Routes
from harness.matrix.trials import Trial
from harness.matrix.world import ASKED, KEY, person

from .application import Application
from .house import POLL_S, Door, House, Service, together, until
from .outcome import KEPT, of_held, of_one
from .remote import DIRECT, PROXY, fresh, require

RUNNING: Final = "local, running"
STARTING: Final = "local, starting"
TABLES: Final = frozenset({RUNNING, STARTING})
SOMEBODY: Final = person("somebody")


async def play(trial: Trial, applications: Mapping[str, Application]) -> dict[str, dict[str, Routes]]:
    """Play a trial; return the rows of two tables."""
    async with House() as house:
        keeping = await house.service()
        keeper = await house.proxy(keeping, keeps=True)
        doors = {name: {DIRECT: await house.direct(), PROXY: await house.door(keeper)} for name in applications}
        runs = {name: _Run(app, doors[name]) for name, app in applications.items()}
        await together(run.begin() for run in runs.values())
        await house.put_on(trial.phase)
        await _meet(keeping, trial)
        await together(run.suffer() for run in runs.values())
        await house.calm()
        await _asked_again(keeping)
        await together(run.recover() for run in runs.values())
        return {
            RUNNING: {name: run.running for name, run in runs.items()},
            STARTING: {name: run.starting for name, run in runs.items()},
        }


class _Run:
    """One SDK, by each way."""

    def __init__(self, app: Application, doors: Mapping[str, Door]) -> None:
        self.running: Routes = {}
        self.starting: Routes = {}
        self._app = app
        self._doors = doors
        self._names: dict[str, str] = {}

    async def begin(self) -> None:
        """Start applications and let them load good definitions."""
        for route, door in self._doors.items():
            self._names[route] = await fresh(self._app, door, key=KEY)
            require(await self._app.do("poll", name=self._names[route]))
            held = await self._held(route)
            if held != KEPT:
                raise RuntimeError(f"an application held {held} while nothing was wrong")

    async def suffer(self) -> None:
        """Poll during the fault, and start another application."""
        for route, door in self._doors.items():
            door.forget()
            polled = await self._app.do("poll", name=self._names[route])
            requests = door.requests or None
            self.running[route] = Cell(got=polled.raised or await self._held(route), requests=requests)
        for route, door in self._doors.items():
            name = await fresh(self._app, door, key=KEY)
            said = await self._app.do("one", name=name, person=SOMEBODY, flag=ASKED)
            if said.raised not in {"hangs", "crashes"}:
                await self._app.do("one", name=name, person=person("somebody else"), flag=ASKED)
            self.starting[route] = of_one(said, edition=0, requests=door.requests)

    async def recover(self) -> None:
        """Poll once more, with nothing wrong any more."""
        for route, cell in self.running.items():
            if cell.got not in {"hangs", "crashes"}:
                await self._app.do("poll", name=self._names[route])
                later = await self._held(route)
                self.running[route] = Cell(got=cell.got, lost=cell.lost, requests=cell.requests, later=later)

    async def _held(self, route: str) -> str:
        return of_held(await self._app.do("all", name=self._names[route], person=SOMEBODY, local=True))


async def _meet(service: Service, trial: Trial) -> None:
    """Wait until the proxy has asked for definitions and met the fault."""
    if trial.phase.relay.how is How.REFUSE:
        await asyncio.sleep(2 * POLL_S)  # nobody sees whoever is refused
    else:
        await _asked_again(service)


async def _asked_again(service: Service) -> None:
    """Wait until the proxy has asked for definitions twice: the second time it has made something of the first answer."""
    before = service.stage.seen().exchanges
    await until(lambda: service.stage.seen().exchanges >= before + 2)
