"""The main of a worker process: `python -m proxy.process.worker <family> <launcher pid> <index>`.

It answers as soon as it can, with the last accepted configuration; the supervisor is looked for meanwhile. SIGTERM:
readiness red, `unready_s` more of accepting, then stop accepting, finish what is in flight within `drain_s`, exit 0.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from aiohttp import http_parser

from proxy.process.accepted import Accepted, recall
from proxy.process.control.messages import FlagsGone, Hello
from proxy.process.family import Family
from proxy.process.loop import run
from proxy.process.spawn import unblock_signals
from proxy.telemetry import logs
from proxy.telemetry.logs import Logger
from proxy.telemetry.metrics.slate import Ground
from proxy.telemetry.standing import Told

from .beyond import to_supervisor
from .commands import Commands
from .link import Link
from .service import Service

YOUNG_OBJECTS: Final = 10_000
"""So many more tracked objects made than freed start a collection of the youngest: about 2 MB."""


def main(arguments: list[str]) -> int:
    """Run one worker to its end; return the exit code."""
    family, launcher, index = Family.parsed(arguments[0]), int(arguments[1]), int(arguments[2])
    record = recall(family)
    log = logs.configure(role="worker", level=record.settings.log.level).bind(worker=index)
    return run(lambda: _serve(family, record, launcher=launcher, index=index, log=log), log)


async def _serve(family: Family, record: Accepted, *, launcher: int, index: int, log: Logger) -> int:
    born = time.monotonic()
    ground = None if family.metrics is None else Ground(family.metrics)
    slate = None if ground is None else ground.claim(index)
    service = Service(record.settings, family.listeners, runtime=family.runtime, log=log, slate=slate)
    if ground is not None:
        service.health.mode = Told(ground, len(family.listeners), monotonic=time.monotonic)
    me = Hello(os.getpid(), index, record.version, (), born)
    commands = Commands(service, me=me, log=log)
    _listen_to_signals(commands.leaving.set)
    await service.start(index)
    _spare_the_collector()
    log.info("answering", config=str(record.version), **_build_facts())
    owed, handlers = service.keyring.owed, commands.handlers()
    link = Link(family.control, hello=commands.hello, owed=owed, handlers=handlers, launcher=launcher, log=log)
    service.keyring.say = link.note
    service.judge.tell = partial(_tell_siblings, link)
    if service.disk is not None:
        service.disk.send = to_supervisor(link)
    conversation = asyncio.create_task(link.run())
    beside = [asyncio.create_task(each.run()) for each in (service.collecting, service.trimming)]
    conversation.add_done_callback(lambda _: commands.leaving.set())
    await commands.leaving.wait()
    service.not_ready()
    log.info("draining")
    await asyncio.sleep(service.settings.process.unready_s)
    _close(family)
    await service.stop()
    for task in (conversation, *beside):
        task.cancel()
    await asyncio.wait([conversation, *beside])
    log.info("drained")
    return 0


def _spare_the_collector() -> None:
    """Have garbage be looked for among what requests make only, and less often: modules and compiled definitions stay.

    A request makes some fifty objects that are tracked, nearly all of them freed by their counts; at Python's threshold the
    collector ran every fifteenth request and walked through whatever else there was.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def _listen_to_signals(leave: Callable[[], None]) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave)
    for number in (signal.SIGINT, signal.SIGHUP):
        # A terminal's Ctrl-C or hang-up reaches the whole group; what follows is for the launcher to say.
        signal.signal(number, signal.SIG_IGN)
    unblock_signals()


def _tell_siblings(link: Link, project: str, flags: tuple[str, ...], is_plain: bool) -> None:  # noqa: FBT001 - a port's shape
    link.note(FlagsGone(project, flags, is_plain))


def _close(family: Family) -> None:
    """Let go of the sockets themselves: once every member has, the kernel refuses callers instead of queueing them."""
    for descriptor in family.listeners:
        os.close(descriptor)


def _build_facts() -> dict[str, bool]:
    """Say what the speed depends on: 1.1–1.6 × for uvloop, 1.4–1.7 × for the C parser (performance.md)."""
    has_c_parser = http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy
    return {"uvloop": "uvloop" in sys.modules, "c_parser": has_c_parser}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
