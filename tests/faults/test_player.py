"""The player walks a scenario's phases in order, in time that the test owns, and ends calm."""

from __future__ import annotations

import asyncio

from harness.faults.catalogue import SCENARIOS
from harness.faults.play.player import Player
from harness.faults.play.stage import Stage
from tests.faults.scene import Scene


class Time:
    """Sleeps that end when the test says so."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._asleep: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.Event()
        self._asleep.put_nowait(woken)
        await woken.wait()

    async def pass_on(self) -> None:
        """End the sleep that is (or is about to be) on."""
        (await self._asleep.get()).set()


async def test_phases_follow_each_other_compressed_and_the_last_ends_in_calm() -> None:
    async with Scene() as scene:
        time, scenario = Time(), SCENARIOS["partial-errors-2"]
        player = Player(scene.stage, sleep=time.sleep)
        await player.play(scenario, factor=60)
        assert scene.stage.phase.rules == scenario.phases[0].rules
        await time.pass_on()
        await time.pass_on()
        await time.pass_on()
        await player.ended()
        assert time.slept == [50, 13, 60]
        assert scene.stage.is_calm
        assert player.scenario is None


async def test_a_new_scenario_replaces_the_one_that_is_on_and_calm_ends_it() -> None:
    async with Scene() as scene:
        player = Player(scene.stage, sleep=Time().sleep)
        await player.play(SCENARIOS["slow"])
        await player.play(SCENARIOS["connection-refused"])
        assert (player.scenario, _rules(scene.stage)) == ("connection-refused", 0)
        await player.calm()
        assert (player.scenario, scene.stage.is_calm) == (None, True)
        await player.close()


def _rules(stage: Stage) -> int:
    return len(stage.layer.rules)
