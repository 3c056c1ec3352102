"""Orders of operators: kept by the board, stored, told, obeyed, and over in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from proxy.answer.request import ProjectName
from proxy.answer.switches import NORMAL, Mode, Switches
from proxy.clock import SystemClock
from proxy.process.control.messages import Body, BreakerForced, Orders, SwitchTurned
from proxy.process.switchboard.board import Board
from proxy.process.switchboard.obedience import Forces, Obedience
from proxy.process.switchboard.order import FILE, Forced, Turned, recall
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import Lines

SHOP, BLOG = ProjectName("shop"), ProjectName("blog")


class House:
    """A supervisor's board and one worker that hears what it says, on one clock."""

    def __init__(self, runtime: Path) -> None:
        self.runtime = str(runtime)
        self.file = runtime / FILE
        self.clock = FakeClock()
        self.lines = Lines()
        self.told: list[Body] = []
        self.refusals: dict[int, str] = {0: ""}
        self.start_supervisor()
        self.start_worker()

    def start_supervisor(self) -> None:
        self.board = Board(self.runtime, tell_all=self._tell_all, clock=self.clock, log=self.lines.log)

    def start_worker(self) -> None:
        self.switches = Switches(clock=self.clock)
        self.forces: list[Forces] = []
        self.worker = Obedience(self.switches, force=self.forces.append, clock=self.clock, log=self.lines.log)

    def bypass(self, *, for_s: float | None = 60, project: str | None = "shop", on: bool = True) -> Turned:
        now = self.clock.wall()
        until = None if for_s is None else now + for_s
        return Turned(switch="bypass", on=on, project=project, since=now, until=until, reason="incident 9")

    def forced(self, *, for_s: float | None = 60) -> Forced:
        now = self.clock.wall()
        until = None if for_s is None else now + for_s
        return Forced(upstream="default", state="open", project=None, since=now, until=until, reason="incident 9")

    async def _tell_all(self, body: Body) -> Mapping[int, str]:
        self.told.append(body)
        assert isinstance(body, Orders)
        self.worker.take(body)
        return self.refusals


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_an_order_is_obeyed_before_the_operator_is_answered(house: House) -> None:
    spread = await house.board.give(house.bypass())
    assert spread.changed
    assert spread.obeying == (0,)
    assert spread.missing == {}
    assert house.switches.of(SHOP) == Mode(bypass=True)
    assert house.switches.of(BLOG) is NORMAL


async def test_the_answer_names_who_does_not_obey_yet_and_why(house: House) -> None:
    house.refusals = {0: "", 1: "no reply in time"}
    spread = await house.board.give(house.bypass())
    assert spread.obeying == (0,)
    assert spread.missing == {1: "no reply in time"}


async def test_an_order_taken_back_is_gone_everywhere_and_asking_twice_is_no_fault(house: House) -> None:
    await house.board.give(house.bypass())
    assert (await house.board.take_back(("switch", "bypass", "shop"))).changed
    assert house.switches.of(SHOP) is NORMAL
    assert house.board.report() == []
    again = await house.board.take_back(("switch", "bypass", "shop"))
    assert not again.changed
    assert again.obeying == (0,)


async def test_who_arrives_is_told_everything_that_stands_with_the_seconds_left(house: House) -> None:
    await house.board.give(house.bypass(for_s=60))
    await house.board.give(house.bypass(for_s=None, project=None, on=False))
    house.clock.advance(45)
    assert house.board.told() == Orders(
        switches=(SwitchTurned("bypass", True, "shop", 15.0), SwitchTurned("bypass", False, None, None)), breakers=()
    )


async def test_an_order_outlives_the_supervisor_with_what_is_left_of_its_time(house: House) -> None:
    await house.board.give(house.bypass(for_s=60))
    house.clock.advance(20)
    house.start_supervisor()
    (row,) = house.board.report()
    assert row["left_s"] == 40
    assert row["reason"] == "incident 9"
    house.clock.advance(40)
    assert house.board.report() == []
    assert house.board.told() == Orders()


async def test_a_worker_that_starts_without_a_supervisor_obeys_from_its_first_request_on(house: House) -> None:
    await house.board.give(house.bypass(for_s=60))
    await house.board.give(house.forced(for_s=60))
    house.clock.advance(20)
    house.start_worker()
    await house.worker.recall(house.runtime)
    assert house.switches.of(SHOP).bypass
    assert house.forces == [{("default", None): "open"}]
    house.worker.close()
    house.clock.advance(39.9)
    assert house.switches.of(SHOP).bypass
    house.clock.advance(0.1)
    assert house.switches.of(SHOP) is NORMAL


async def test_what_was_over_before_a_start_is_not_obeyed(house: House) -> None:
    await house.board.give(house.bypass(for_s=60))
    house.clock.advance(61)
    house.start_worker()
    await house.worker.recall(house.runtime)
    assert house.switches.of(SHOP) is NORMAL
    house.start_supervisor()
    assert house.board.report() == []
    assert house.board.told() == Orders()
    assert house.lines.events() == [], "it is not said to be in force, nor over a second time"


async def test_a_wall_clock_set_back_while_nobody_ran_lengthens_nothing(house: House) -> None:
    order = house.bypass(for_s=60)
    await house.board.give(order)
    (found,) = recall(house.runtime, now=order.since - 1e6)
    assert found == order
    house.clock.advance(-1e6)
    house.start_supervisor()
    assert house.board.report()[0]["left_s"] == 60


async def test_a_wall_clock_that_steps_while_all_live_changes_nothing(house: House) -> None:
    await house.board.give(house.bypass(for_s=60))
    said = house.clock.wall
    house.clock.wall = lambda: said() + 1e6  # type: ignore[method-assign]
    assert house.board.report()[0]["left_s"] == 60
    assert house.switches.of(SHOP).bypass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"orders":[{"order":"other"}]}', b"\xff"])
async def test_a_file_that_cannot_be_read_orders_nothing_and_is_said(house: House, content: bytes) -> None:
    house.file.write_bytes(content)
    house.start_supervisor()
    await house.worker.recall(house.runtime)
    assert house.board.report() == []
    assert house.switches.of(SHOP) is NORMAL
    assert house.lines.events() == ["orders_unreadable"] * 2


async def test_a_disk_that_takes_nothing_does_not_keep_an_order_from_being_obeyed(house: House) -> None:
    house.board._runtime = f"{house.runtime}/is-not-there"
    spread = await house.board.give(house.bypass())
    assert not spread.stored
    assert house.switches.of(SHOP).bypass


async def test_the_file_is_for_its_owner_alone(house: House) -> None:
    await house.board.give(house.bypass())
    assert house.file.stat().st_mode & 0o777 == 0o600


async def test_the_end_of_an_order_is_said_once_and_leaves_the_file(house: House) -> None:
    await house.board.give(house.bypass(for_s=60))
    house.clock.advance(60)
    assert house.board.report() == []
    assert house.board.report() == []
    assert house.lines.events().count("order_over") == 1
    assert recall(house.runtime, now=0) == []


async def test_a_breaker_is_held_by_one_order_and_let_go_by_its_end(house: House) -> None:
    await house.board.give(house.forced(for_s=60))
    assert house.forces[-1] == {("default", None): "open"}
    house.clock.advance(60)
    house.worker.hold()
    assert house.forces[-1] == {}
    house.worker.close()


async def test_a_breaker_is_let_go_by_the_worker_alone_when_its_time_is_over() -> None:
    over = asyncio.Event()
    seen: list[Forces] = []

    def force(forces: Forces) -> None:
        seen.append(forces)
        if len(seen) > 1 and not forces:
            over.set()

    worker = Obedience(Switches(clock=SystemClock()), force=force, clock=SystemClock(), log=Lines().log)
    worker.take(Orders(breakers=(BreakerForced("default", "open", None, 0.05),)))
    async with asyncio.timeout(20):
        await over.wait()
    assert seen[0] == {("default", None): "open"}


async def test_a_switch_of_another_release_is_left_alone(house: House) -> None:
    house.worker.take(Orders(switches=(SwitchTurned("levitate", True, None, None), SwitchTurned("judge", False, None, None))))
    assert house.switches.of(SHOP) == Mode(judge=False)
