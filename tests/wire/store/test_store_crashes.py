"""Must show 4: whoever is killed at whatever moment while answers are written, no answer is ever torn, foreign or misdated."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Self

from tests.wire.process.support.instance import Instance, until
from tests.wire.store.checks import asked, serving, written
from tests.wire.store.upstream import Telling

PEOPLE = [f"person-{number}" for number in range(24)]
VICTIMS = ("supervisor", "worker-0", "supervisor", "worker-1")
"""In any order, and then everybody at once. The supervisor is the writer."""


class Asking:
    """Four callers who ask for random people without pause; a lost connection is no finding, an untrue answer is.

    Attributes:
        answered: Answers of the upstream, each of which is to be written.
    """

    def __init__(self, instance: Instance, upstream: Telling, random: Random) -> None:
        self.answered = 0
        self._instance = instance
        self._upstream = upstream
        self._random = random
        self._is_over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(4)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        async with asyncio.timeout(60):
            await asyncio.gather(*self._tasks)

    async def more(self, count: int) -> None:
        goal = self.answered + count
        async with asyncio.timeout(60):
            while self.answered < goal:  # noqa: ASYNC110  the callers need not know who waits
                await asyncio.sleep(0.002)

    async def _ask(self) -> None:
        while not self._is_over:
            with suppress(OSError, asyncio.IncompleteReadError):
                given = await asked(self._instance.port, self._upstream, self._random.choice(PEOPLE))
                self.answered += given.serial is not None and not given.is_stale
            await asyncio.sleep(0.001)


async def test_kills_at_random_moments_leave_no_torn_and_no_foreign_answer(
    upstream: Telling, tmp_path: Path, kills: int
) -> None:
    random, done, remembered = Random(20), 0, 0
    began = time.monotonic()
    while done < kills:
        async with serving(upstream, tmp_path) as instance:
            await instance.ready(2)
            upstream.is_down = True
            given = [await asked(instance.port, upstream, person) for person in PEOPLE]
            remembered += sum(each.is_stale for each in given)
            upstream.is_down = False
            done += await killed(instance, upstream, tmp_path, random, most=kills - done)
            assert not instance.events("store_set_aside"), "a kill damages nothing"
            assert not instance.events("duty_failed")
    assert remembered, "something survives the kills: the newest second may be missing, not everything"
    print(f"\n{done} kills, {remembered} remembered answers checked, {time.monotonic() - began:.0f} s")  # noqa: T201  the figure of the slow lane


async def killed(instance: Instance, upstream: Telling, store: Path, random: Random, *, most: int) -> int:
    """Kill one after the other while callers ask, and everybody once something is written; return how many kills that were."""
    victims = random.sample(VICTIMS, len(VICTIMS))[: most - 1]
    async with Asking(instance, upstream, random) as asking:
        for victim in victims:
            await asking.more(random.randrange(20, 80))
            dead = instance.signal(signal.SIGKILL, victim)
            await until(lambda victim=victim, dead=dead: instance.roster().get(victim, dead) != dead, f"{victim} comes back")
        await asking.more(random.randrange(20, 80))
        await until(lambda: written(store), "something is written")
        os.killpg(os.getpgid(instance.roster()["launcher"]), signal.SIGKILL)
    return len(victims) + 1
