"""Each switch on real sockets and two workers: its mechanism is off from the next request on, and on again when it is over.

Every case has an upstream that misbehaves so that the mechanism shows. The breakers never trip here: one that is open answers
before any of these is asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.wire.process.support.callers import ask
from tests.wire.process.support.instance import Instance
from tests.wire.process.support.operator import Operator
from tests.wire.process.support.upstream import Upstream

AT_ONCE = 16
"""Connections that the kernel spreads over two workers: nearly always both have some, and each must do as it is told."""
AT_HAND_S = 0.05
LATE_S = 6 * AT_HAND_S
FLAGS = [f"flag-{number}" for number in range(8)]


def body_of(**records: dict[str, Any]) -> bytes:
    flags = {key: {"key": key, "enabled": True, "variant": None} | records.get(key, {}) for key in FLAGS}
    return json.dumps({"flags": flags, "errorsWhileComputingFlags": bool(records), "requestId": "r"}).encode()


GOOD = body_of()
PARTIAL = body_of(**{"flag-3": {"enabled": False, "failed": True}})
EMPTY = json.dumps({"flags": {}, "errorsWhileComputingFlags": False, "requestId": "r"}).encode()


@dataclass(frozen=True)
class Seen:
    """What came of one round of questions: status, head and body of each, and how many calls upstream got for them."""

    replies: list[tuple[int, bytes, bytes]]
    calls: int

    def statuses(self) -> set[int]:
        return {status for status, _, _ in self.replies}

    def bodies(self) -> set[bytes]:
        return {body for _, _, body in self.replies}

    def flags(self) -> list[int]:
        """How many flags each answer says are on."""
        return [sum(flag["enabled"] for flag in json.loads(body)["flags"].values()) for _, _, body in self.replies]

    def stale(self) -> int:
        return sum(b"detail=stale" in head for _, head, _ in self.replies)


@dataclass(frozen=True)
class Case:
    """One mechanism.

    Attributes:
        upset: Makes the upstream misbehave.
        works: The mechanism was at work in this round.
        rests: It was not, in any answer.
        off: The position in which it is off.
        is_late: The upstream holds its answers back, longer than a caller waits who has something at hand.
    """

    upset: Callable[[Upstream], None]
    works: Callable[[Seen], bool]
    rests: Callable[[Seen], bool]
    off: bool = False
    is_late: bool = False


def says(status: int = 200, body: bytes = GOOD) -> Callable[[Upstream], None]:
    def upset(upstream: Upstream) -> None:
        upstream.say = lambda _: (status, body)

    return upset


def fails_every_other_time(upstream: Upstream) -> None:
    upstream.say = lambda call: (502, b"") if call % 2 else (200, GOOD)


def all_stale(seen: Seen) -> bool:
    return seen.statuses() == {200} and seen.stale() == AT_ONCE


CASES = {
    "merge": Case(says(body=PARTIAL), lambda seen: set(seen.flags()) == {8}, lambda seen: seen.bodies() == {PARTIAL}),
    "judge": Case(says(body=EMPTY), lambda seen: set(seen.flags()) == {8}, lambda seen: seen.bodies() == {EMPTY}),
    "hysteresis": Case(says(401), all_stale, lambda seen: seen.statuses() == {401}),
    "race": Case(says(), all_stale, lambda seen: seen.bodies() == {GOOD} and seen.stale() == 0, is_late=True),
    "retry": Case(fails_every_other_time, lambda seen: seen.calls > AT_ONCE, lambda seen: seen.calls == AT_ONCE),
    "bypass": Case(says(500), all_stale, lambda seen: seen.statuses() == {500}, off=True),
    "observe": Case(says(500), all_stale, lambda seen: seen.statuses() == {500}, off=True),
}


@dataclass
class Play:
    """One instance and its upstream."""

    instance: Instance
    operator: Operator
    upstream: Upstream
    case: Case = field(init=False)

    async def calm(self) -> None:
        """Have both workers remember a good answer."""
        says()(self.upstream)
        await self._round()

    async def upset(self) -> Seen:
        """Ask while the upstream misbehaves."""
        self.case.upset(self.upstream)
        return await (self._late_round() if self.case.is_late else self._round())

    async def _round(self) -> Seen:
        before = self.upstream.calls
        replies = [await ask(self.instance.port) for _ in range(AT_ONCE)]
        return Seen(replies, self.upstream.calls - before)

    async def _late_round(self) -> Seen:
        before, replies = self.upstream.calls, []
        for _ in range(AT_ONCE):
            self.upstream.open.clear()
            asked = asyncio.create_task(ask(self.instance.port))
            await asyncio.wait([asked], timeout=LATE_S)  # who races has its answer long before
            self.upstream.open.set()
            replies.append(await asked)
        return Seen(replies, self.upstream.calls - before)


@pytest.fixture
async def play(upstream: Upstream) -> AsyncIterator[Play]:
    settings = {
        "PROJECTS__SHOP__TOKENS": '["phc_a"]', "PROJECTS__BLOG__TOKENS": '["phc_b"]',
        "POLICY__DEADLINE_AT_HAND_S": AT_HAND_S, "BREAKER__CONSECUTIVE": 10**6, "BREAKER__MINIMUM_CALLS": 10**6,
    }  # fmt: skip
    async with Instance(UPSTREAMS__DEFAULT__URL=upstream.url, ADMIN__PORT=0, PROCESS__WORKERS=2, **settings) as instance:
        await instance.ready(2)
        async with Operator(instance) as operator:
            yield Play(instance, operator, upstream)


@pytest.mark.parametrize("switch", CASES)
async def test_a_mechanism_is_off_on_all_workers_from_the_next_request_on_and_on_again_by_itself(
    play: Play, switch: str
) -> None:
    case = play.case = CASES[switch]
    path, project = f"/switches/{switch}", {"project": "shop"}
    await play.calm()
    assert case.works(await play.upset())

    await play.calm()
    await play.operator.put(path, on=case.off, for_s=600, **project)
    assert case.rests(await play.upset())

    await play.calm()
    await play.operator.put(path, on=case.off, for_s=0.05, **project)
    await play.operator.nothing_turned()
    await play.calm()
    assert case.works(await play.upset())


async def test_a_switch_of_another_project_changes_nothing(play: Play) -> None:
    play.case = CASES["hysteresis"]
    await play.operator.put("/switches/hysteresis", on=False, project="blog")
    await play.calm()
    assert play.case.works(await play.upset())
