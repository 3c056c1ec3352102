"""Plays one scenario: warm up, the fault, its end; a steady rate of requests all the while, and definitions that change.

A scenario's phases are compressed to the length given; what its faults do to a single request is not, because callers'
patience is not either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from harness.faults.fault import Slow
from harness.faults.scenario import Scenario

from .children import House
from .documents import KEY, body
from .shot import Contents, Shot
from .truth import Change
from .wire.http import call
from .wire.pool import Pool, request_of

KNOWN: Final = 200
STRANGERS: Final = 0.1
SAMPLE_S: Final = 0.5
QUIET_S: Final = 3.0
"""So long without an answer that shows trouble, and it is over."""

SETTINGS: Final[Mapping[str, str]] = {"POLICY__FRESH_S": "2"}
HOLDING: Final[Mapping[str, str]] = {
    "PROJECTS__WEB__DEFINITIONS__KEY__ENV": "HOLDFAST_SCENARIOS_KEY",
    "PROJECTS__WEB__DEFINITIONS__POLL_S": "2",
    "SCENARIOS_KEY": KEY,
}


class Plan(msgspec.Struct, frozen=True):
    """How a scenario is played.

    Attributes:
        rate: Requests per second.
        warm_s: Before the fault; long enough for every worker to have met everybody.
        fault_s: How long the whole scenario is made to last.
        after_s: How long at most is waited for normal answers.
        holds_definitions: The proxy keeps the project's definitions, polled every two seconds.
        workers: Of the proxy.
        seed: Of every draw.
    """

    rate: float = 300.0
    warm_s: float = 14.0
    fault_s: float = 24.0
    after_s: float = 45.0
    holds_definitions: bool = False
    workers: int = 2
    seed: int = 1


class Sample(msgspec.Struct, frozen=True):
    """What had come to the service by a time: exchanges at its relay."""

    at: float
    exchanges: int


class History(msgspec.Struct, frozen=True):
    """All that happened."""

    scenario: Scenario
    plan: Plan
    shots: list[Shot]
    contents: Contents
    samples: list[Sample]
    changes: list[Change]
    fault_at: float
    ended_at: float

    @property
    def late_s(self) -> float:
        """How late the service's own answers may be."""
        slow = [
            rule.fault.seconds + rule.fault.jitter_s
            for phase in self.scenario.phases
            for rule in phase.rules
            if isinstance(rule.fault, Slow)
        ]
        return max([phase.relay.delay_s + phase.relay.jitter_s for phase in self.scenario.phases] + slow)


class Script:
    """One performance."""

    def __init__(self, scenario: Scenario, plan: Plan, *, settings: Mapping[str, str] = SETTINGS) -> None:
        self._scenario = scenario
        self._plan = plan
        self._settings = settings
        self._rng = Random(plan.seed)  # noqa: S311 - repeatable on purpose
        self._requests = {user: request_of(body(user)) for user in (f"known-{number:03}" for number in range(KNOWN))}
        self._users = tuple(self._requests)
        self._strangers = 0
        self._shots: list[Shot] = []
        self._samples: list[Sample] = []
        self._changes: list[Change] = []
        self._contents = Contents()

    async def play(self) -> History:
        """Play it from beginning to end."""
        plan = self._plan
        settings = {**self._settings, **(HOLDING if plan.holds_definitions else {})}
        async with House(workers=plan.workers, settings=settings, seed=plan.seed) as house:
            pool = Pool(house.port, self._contents)
            await pool.open()
            self._house, self._now = house, asyncio.get_running_loop().time
            self._changes.append(Change(0, self._now()))
            tasks = [asyncio.create_task(self._fire(pool)), asyncio.create_task(self._sample())]
            try:
                fault_at, ended_at = await self._acts()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await self._answered()
            await pool.close()
        _tell_known(self._shots)
        return History(self._scenario, plan, self._shots, self._contents, self._samples, self._changes, fault_at, ended_at)

    async def _acts(self) -> tuple[float, float]:
        plan, scenario = self._plan, self._scenario
        await asyncio.sleep(plan.warm_s / 2)
        self._change()
        await asyncio.sleep(plan.warm_s / 2)
        factor = scenario.duration_s / plan.fault_s
        await self._told("PUT", "/scenario", {"id": scenario.id, "factor": factor})
        fault_at = self._now()
        for share in (0.3, 0.35):
            await asyncio.sleep(share * plan.fault_s)
            self._change()
        await self._over()
        ended_at = self._now()
        await asyncio.sleep(2.0)
        self._change()
        await self._quiet(ended_at)
        return fault_at, ended_at

    def _change(self) -> None:
        version = self._changes[-1].version + 1
        at = self._now()
        self._house.serve(version)
        self._changes.append(Change(version, at))

    async def _over(self) -> None:
        """Wait for the end of the scenario: the stage ends it by itself."""
        while (await self._told("GET", "/"))["scenario"] is not None:  # noqa: ASYNC110 - a condition of another process
            await asyncio.sleep(0.02)

    async def _quiet(self, ended_at: float) -> None:
        """Go on until nothing has been wrong for a while, or for as long as the plan says."""
        while self._now() < ended_at + self._plan.after_s:
            await asyncio.sleep(0.25)
            recent = [shot for shot in self._shots[-int(self._plan.rate * QUIET_S) :] if shot.received_at]
            if self._now() > ended_at + 2 * QUIET_S and all(shot.is_normal for shot in recent):
                return

    async def _fire(self, pool: Pool) -> None:
        """Send requests when they are due, late or not."""
        started, number = self._now(), 0
        while True:
            due_at = started + number / self._plan.rate
            pause_s = due_at - self._now()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._send(pool, due_at)
            number += 1

    def _send(self, pool: Pool, due_at: float) -> None:
        if self._rng.random() < STRANGERS:
            self._strangers += 1
            user = f"stranger-{self._strangers:06}"
            request = request_of(body(user))
        else:
            user = self._rng.choice(self._users)
            request = self._requests[user]
        shot = Shot(user, is_known=False, due_at=due_at)
        self._shots.append(shot)
        pool.fire(shot, request)

    async def _sample(self) -> None:
        while True:
            seen = (await self._told("GET", "/"))["seen"]
            self._samples.append(Sample(self._now(), seen["exchanges"]))
            await asyncio.sleep(SAMPLE_S)

    async def _answered(self) -> None:
        """Wait for what is under way; each request ends by itself in a few seconds."""
        while not all(shot.received_at for shot in self._shots):  # noqa: ASYNC110 - until the last one's timer
            await asyncio.sleep(0.05)

    async def _told(self, method: str, path: str, told: Any = None) -> Any:
        return await call(self._house.control, method, path, told)


def _tell_known(shots: Sequence[Shot]) -> None:
    """Mark every request whose very question upstream had answered before it was sent."""
    answered_at: dict[str, float] = {}
    for shot in sorted((shot for shot in shots if shot.is_normal and shot.content is not None), key=lambda s: s.received_at):
        answered_at.setdefault(shot.user, shot.received_at)
    for shot in shots:
        shot.is_known = answered_at.get(shot.user, float("inf")) < shot.sent_at


async def perform(scenario: Scenario, plan: Plan) -> History:
    """Play a scenario."""
    return await Script(scenario, plan).play()
