"""The supervisor (`python -m proxy.process.supervisor <family> <launcher pid>`): composition root of what exists once.

SIGHUP: reload. SIGTERM: stay until the workers have drained, then exit 0. Later duties (writer, metrics) are added to the
table in `duties`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from functools import partial
from random import Random
from typing import Final

from proxy.admin.app import serve
from proxy.clock import SystemClock
from proxy.config.settings import Settings
from proxy.definitions.upkeep.duty import Upkeep, World
from proxy.definitions.upkeep.fleet.made import Fleet, fleet
from proxy.process.accepted import Accepted, recall
from proxy.process.control.messages import Body, Done, FlagsGone, KeyAccepted, KeyRevoked, Remember, Welcome
from proxy.process.family import Family
from proxy.process.loop import run
from proxy.process.spawn import unblock_signals
from proxy.process.switchboard.board import Board
from proxy.telemetry import logs
from proxy.telemetry.handing import Handing
from proxy.telemetry.instance import Instance
from proxy.telemetry.logs import Logger
from proxy.telemetry.metrics.slate import Ground
from proxy.telemetry.metrics.supervisor_rows import store_rows, supervisor_rows
from proxy.telemetry.shipping.duty import Shipping
from proxy.telemetry.shipping.own import OwnSpans
from proxy.telemetry.standing import POLLS_MISSED, Standing, are_stale

from .care import LauncherCare
from .desk import Desk
from .duties import Duty, Kept
from .hub import Connected, Hub
from .reach import look
from .reload import Reloader
from .remembering import Remembering
from .sample import recent_requests


def main(arguments: list[str]) -> int:
    """Run the supervisor to its end; return the exit code."""
    family, launcher = Family.parsed(arguments[0]), int(arguments[1])
    record = recall(family)
    log = logs.configure(role="supervisor", level=record.settings.log.level)
    return run(lambda: _supervise(family, record, launcher=launcher, log=log), log)


_MARGIN_S: Final = 3.0


async def _supervise(family: Family, record: Accepted, *, launcher: int, log: Logger) -> int:
    settings = record.settings
    care = LauncherCare(family, launcher, log=log)
    hub = Hub(
        workers=len(family.listeners),
        unresponsive_s=settings.process.unresponsive_s,
        welcome=lambda: Welcome(os.getpid(), care.pid),
        log=log,
    )
    care.on_new = lambda: hub.note_all(Welcome(os.getpid(), care.pid))
    reloader = Reloader(family, record, hub=hub, log=log)
    reloader.on_accepted.append(lambda new: _follow(new, hub))
    others = fleet(settings.redis, environ=os.environ, clock=SystemClock(), rng=Random(), log=log)  # noqa: S311  jitter
    own_spans = OwnSpans(settings.telemetry, clock=SystemClock(), rng=Random())  # noqa: S311  ids of spans are no secrets
    reloader.on_accepted.append(own_spans.reconfigure)
    upkeep = Upkeep(settings, family.runtime, world=_world(hub, others, own_spans.handing, log))
    reloader.on_accepted.append(upkeep.reconfigure)
    remembering = Remembering(settings, family.runtime, hub=hub, clock=SystemClock(), environ=os.environ, log=log)
    reloader.on_accepted.append(remembering.reconfigure)
    hub.handlers = {
        KeyAccepted: upkeep.ledger.accepted,
        KeyRevoked: upkeep.ledger.revoked,
        Remember: remembering.take,
        FlagsGone: partial(_passed_on, hub),
    }
    board = Board(family.runtime, tell_all=partial(_told_by_all, hub), clock=SystemClock(), log=log)
    hub.on_arrival = partial(_brought_up_to_date, board=board, reloader=reloader, remembering=remembering, upkeep=upkeep)
    desk = Desk(hub=hub, reloader=reloader, care=care, upkeep=upkeep, board=board, remembering=remembering, log=log)
    stopping, reload_asked = asyncio.Event(), asyncio.Event()

    async def reload_when_asked() -> None:
        while await reload_asked.wait():
            reload_asked.clear()
            await reloader.reload()

    duties: dict[str, Duty] = {
        "control": lambda: hub.serve(family.control),
        "launcher_care": care.run,
        "reload": reload_when_asked,
        "reach": lambda: look(settings.upstreams, log),
        "admin": lambda: serve(desk, family.admin, log=log),
        "definitions": upkeep.run,
        "accepted_keys": upkeep.ledger.run,
        "orders": board.run,
        "store": remembering.run,
    }
    duties |= {} if others is None else {"redis": others.run}
    duties |= _telemetry(family, desk, hub=hub, upkeep=upkeep, reloader=reloader, own_spans=own_spans, log=log)
    desk.duties = [Kept(name, duty, log=log) for name, duty in duties.items()]
    tasks = [asyncio.create_task(kept.run(), name=kept.name) for kept in desk.duties]
    _listen_to_signals(stopping, reload_asked)
    _say_what_stands_out(settings, log)
    await stopping.wait()
    care.is_stopping = True
    process = reloader.current.settings.process
    await _outlast_workers(family, hub, patience_s=process.unready_s + process.drain_s + _MARGIN_S)
    await remembering.settle(patience_s=_MARGIN_S)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return 0


def _telemetry(
    family: Family, desk: Desk, *, hub: Hub, upkeep: Upkeep, reloader: Reloader, own_spans: OwnSpans, log: Logger
) -> dict[str, Duty]:
    """Put what counts and pushes for the whole instance together; return its duties."""
    if family.metrics is None:
        return {}
    settings = reloader.current.settings
    workers = settings.process.workers
    figures = Instance(Ground(family.metrics), workers=workers, clock=SystemClock(), log=log)
    shipping = Shipping(settings.telemetry, runtime=family.runtime, instance=figures, environ=os.environ, log=log)
    reloader.on_accepted.append(shipping.reconfigure)
    figures.collect(supervisor_rows(definitions=upkeep.report, workers=lambda: len(hub.answering()), wanted=lambda: workers))
    figures.collect(store_rows(desk.store))
    figures.collect([*shipping.rows(), *own_spans.rows()])
    own_spans.post.take = shipping.take
    figures.standing = Standing(
        measured=figures.measured,
        stale=lambda: are_stale(upkeep.report(), _limits(reloader.current.settings)),
        missing=lambda: len(hub.answering()) < workers,
        wall=SystemClock().wall,
    )
    figures.collect(figures.standing.rows())
    desk.figures = figures
    return {"figures": figures.collecting.run, "shipping": shipping.run}


def _limits(settings: Settings) -> dict[str, float]:
    """Return after how many seconds each project's definitions are stale: some polls, and the last one's whole time."""
    kept = {name: project.definitions for name, project in settings.projects.items() if project.definitions is not None}
    return {name: rules.poll_s * POLLS_MISSED + rules.timeout_s for name, rules in kept.items()}


def _follow(settings: Settings, hub: Hub) -> None:
    """Take what a reload changed for the supervisor itself."""
    hub.unresponsive_s = settings.process.unresponsive_s
    logs.set_level(settings.log.level)


def _world(hub: Hub, others: Fleet | None, handing: Handing, log: Logger) -> World:
    return World(
        tell_all=hub.note_all,
        sample=partial(recent_requests, hub),
        clock=SystemClock(),
        rng=Random(),  # noqa: S311  jitter is no secret
        environ=os.environ,
        log=log,
        fleet=others,
        handing=handing,
    )


async def _passed_on(hub: Hub, body: Body) -> Done:
    """Say to every worker what one of them found out."""
    hub.note_all(body)
    return Done()


async def _told_by_all(hub: Hub, body: Body) -> dict[int, str]:
    """Tell every worker; return by index why one did not take it, empty where it did."""
    return {worker.hello.index: done.refusal for worker, done in await hub.tell(list(hub.workers.values()), body)}


async def _brought_up_to_date(
    worker: Connected, *, board: Board, reloader: Reloader, remembering: Remembering, upkeep: Upkeep
) -> None:
    worker.channel.note(board.told())
    remembering.tell(worker)
    await reloader.bring_up_to_date(worker)
    upkeep.tell(worker.channel.note)


async def _outlast_workers(family: Family, hub: Hub, *, patience_s: float) -> None:
    """Let go of the public sockets, and stay for status and metrics until the last worker has drained."""
    for descriptor in family.listeners:
        os.close(descriptor)
    deadline = time.monotonic() + patience_s
    while hub.workers and time.monotonic() < deadline:  # noqa: ASYNC110  a stop is rare; the hub need not know of it
        await asyncio.sleep(0.05)


def _listen_to_signals(stopping: asyncio.Event, reload_asked: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, reload_asked.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the launcher turns it into SIGTERM
    unblock_signals()


def _say_what_stands_out(settings: Settings, log: Logger) -> None:
    if not settings.projects:
        log.warning("open_relay", remedy="no projects are configured: any token is served; list projects and their tokens")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
