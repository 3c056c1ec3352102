"""The whole line with a tier beyond its memory: what an earlier life was told, and what a purge leaves of it."""

from __future__ import annotations

import asyncio
import json

import pytest

from proxy.answer.answer import Answer, Failure, Source, Trouble
from proxy.config.settings import Policy, Project
from proxy.lastgood.tiers.record import Purge
from tests.fakes.keeping import record, said, values
from tests.fakes.line import FakeLine
from tests.fakes.tier import FakeTier
from tests.fakes.transport import FakeTransport, good

DOWN = Failure(trouble=Trouble.REFUSED, no_byte_received=True)
PROJECTS = {"shop": Project(tokens=("phc_shop",)), "blog": Project(tokens=("phc_blog",))}


def ask(distinct_id: str = "ada", token: str = "phc_shop") -> dict[str, str]:
    return {"token": token, "distinct_id": distinct_id}


def saying(*records: dict[str, object]) -> FakeTransport:
    answer = {"errorsWhileComputingFlags": False, "flags": {each["key"]: each for each in records}, "requestId": "r"}
    return FakeTransport(good(json.dumps(answer).encode()))


class Lives:
    """One life after the other, over one tier and one clock."""

    def __init__(self, **policy: float) -> None:
        self.tier = FakeTier()
        self.policy = Policy(**policy)
        self.now = self.begun(FakeTransport())

    def begun(self, transport: FakeTransport) -> FakeLine:
        self.now = FakeLine(policy=self.policy, transport=transport, projects=PROJECTS, tiers=[self.tier], **self._clock())
        return self.now

    def _clock(self) -> dict[str, object]:
        return {"clock": self.now.clock} if hasattr(self, "now") else {}

    async def told(self, *bodies: dict[str, str]) -> list[Answer]:
        answers = [await self.now.ask(body) for body in bodies]
        await self.now.line.tiers.flush()
        return answers


async def test_in_an_outage_a_new_life_gives_what_the_last_one_was_told() -> None:
    lives = Lives()
    await lives.told(ask())
    lives.now.clock.advance(100)
    later = lives.begun(FakeTransport(DOWN))
    answer = await later.ask(ask())
    assert (answer.source, answer.age_s) == (Source.STALE, 100)
    assert said(answer)["errorsWhileComputingFlags"] is True
    assert (await later.ask(ask("stranger"))).source is Source.NONE


async def test_what_was_recalled_is_never_given_without_asking() -> None:
    lives = Lives(fresh_s=60)
    await lives.told(ask())
    later = lives.begun(FakeTransport())
    assert (await later.ask(ask())).source is Source.UPSTREAM
    assert (await later.ask(ask())).source is Source.FRESH


async def test_after_a_restart_the_judge_still_knows_what_was_said_last() -> None:
    lives = Lives()
    full = [record(f"flag-{number}") for number in range(12)]
    lives.begun(saying(*full))
    await lives.told(ask())
    later = lives.begun(saying())
    answer = await later.ask(ask())
    assert answer.failure is not None
    assert answer.failure.trouble is Trouble.SUSPECT
    assert len(values(answer)) == 12


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        (Purge(), []),
        (Purge("shop"), [ask("ada", "phc_blog")]),
        (Purge("shop", "ada"), [ask("bob"), ask("ada", "phc_blog")]),
        (Purge(None, "ada"), [ask("bob")]),
    ],
)
async def test_a_purge_leaves_nothing_of_what_is_meant_and_everything_else(purge: Purge, left: list[dict[str, str]]) -> None:
    lives = Lives()
    everybody = [ask("ada"), ask("bob"), ask("ada", "phc_blog")]
    await lives.told(*everybody)
    await lives.told(ask("ada"))
    assert await lives.now.line.purge(purge) == 3 - len(left)
    await lives.now.line.tiers.flush()
    lives.now.transport.say = DOWN
    here = [body for body in everybody if (await lives.now.ask(body)).source is Source.STALE]
    later = lives.begun(FakeTransport(DOWN))
    there = [body for body in everybody if (await later.ask(body)).source is Source.STALE]
    assert here == there == left


async def test_a_purge_forgets_every_body_that_was_understood() -> None:
    lives = Lives()
    await lives.told(ask())
    assert len(lives.now.line._flags._decoder._recent._understood) == 1
    await lives.now.line.purge(Purge(None, "ada"))
    assert len(lives.now.line._flags._decoder._recent._understood) == 0


async def test_what_was_in_the_air_when_it_was_purged_is_not_remembered() -> None:
    lives = Lives()
    lives.now.transport.hold()
    asking = asyncio.create_task(lives.told(ask()))
    while not lives.now.transport.asked:  # noqa: ASYNC110  the transport need not know who waits
        await asyncio.sleep(0)
    await lives.now.line.purge(Purge())
    lives.now.transport.release()
    assert (await asking)[0].source is Source.UPSTREAM
    lives.now.transport.say = DOWN
    assert (await lives.now.ask(ask())).source is Source.NONE
    assert lives.tier.offered == []


async def test_a_tier_that_says_nothing_costs_no_answer() -> None:
    lives = Lives()
    lives.tier.gate.clear()
    asking = asyncio.create_task(lives.now.ask(ask()))
    while not lives.tier.asked:  # noqa: ASYNC110  the tier need not know who waits
        await asyncio.sleep(0)
    lives.tier.gate.set()
    assert (await asking).source is Source.UPSTREAM
