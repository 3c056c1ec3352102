"""A fleet in virtual time: one poll an interval, taken over within one, and no instance ever goes back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from proxy.definitions.upkeep.fleet.member import Role
from proxy.definitions.upkeep.fleet.turns import FORGOTTEN_S
from proxy.definitions.upkeep.source import Trouble
from tests.fakes.definitions import fetched, flag, flags
from tests.fakes.fleet import FakeFleet

ALL = {f"f{number:03}" for number in range(20)}


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


@pytest.mark.parametrize("poll_s", [1.0, 30.0, 300.0])
async def test_a_fleet_asks_upstream_once_an_interval_and_everybody_holds_what_it_says(poll_s: float, tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path, poll_s=poll_s)
    for _ in range(4):
        fleet.join(fetched(flags(20)))
    await fleet.spend(20 * poll_s)
    assert [each.held() for each in fleet.instances] == [ALL] * 4
    assert 18 <= len(fleet.polls()) <= 22
    assert min(gaps(fleet.polls())[1:]) >= 0.99 * poll_s  # the second poll is the first on the grid
    assert len({each.keeper.current.kept.generation for each in fleet.instances if each.keeper.current}) == 1
    assert sum(1 for each in fleet.instances if each.polls) == 1
    ages = [each.turns.report()["age_s"] for each in fleet.instances]
    assert max(ages) <= poll_s + min(5.0, poll_s / 4)


@pytest.mark.parametrize("poll_s", [1.0, 30.0, 300.0])
async def test_when_the_leader_dies_another_asks_within_one_interval_of_when_it_would_have(
    poll_s: float, tmp_path: Path
) -> None:
    for seed in range(5):
        fleet = FakeFleet(tmp_path / str(seed), poll_s=poll_s)
        for _ in range(3):
            fleet.join(fetched(flags(20)))
        await fleet.spend(5 * poll_s + Random(seed).random() * poll_s)
        (leader,) = fleet.leaders()
        due_at = fleet.polls()[-1] + poll_s
        fleet.instances[leader].is_frozen = True
        await fleet.spend(3 * poll_s)
        after = [at for at in fleet.polls() if at > due_at - poll_s]
        assert after[0] <= due_at + poll_s
        assert len(fleet.leaders()) == 2  # the dead one does not know
        assert 2 <= len(after) <= 3


async def test_a_change_reaches_everybody_within_a_look(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(3):
        fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    for each in fleet.instances:
        each.source.say = fetched([flag("f000", active=False, version=6), *flags(20)[1:]], etag='"new"')
    polls = len(fleet.polls())
    while len(fleet.polls()) == polls:
        await fleet.spend(0.1)
    await fleet.spend(5)
    assert [each.held() for each in fleet.instances] == [ALL - {"f000"}] * 3


async def test_a_machine_without_a_disk_boots_from_redis_before_it_asks_anybody(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    newcomer = fleet.join(Trouble("connection_refused"))
    assert await newcomer.turns.boot()
    assert newcomer.held() == ALL
    assert newcomer.polls == []
    assert newcomer.turns.report()["held"]["is_provisional"] is False
    assert newcomer.turns.report()["age_s"] == pytest.approx(100, abs=1)  # what it knows, not what it hopes


async def test_without_redis_everybody_asks_for_itself_and_with_it_again_one_does(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(3):
        fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    fleet.redis(is_up=False)
    start = fleet.clock.now
    await fleet.spend(300)
    alone = [[at for at in each.polls if at > start] for each in fleet.instances]
    assert all(8 <= len(times) <= 11 for times in alone)
    assert all(min(gaps(times)) >= 15 for times in alone)
    assert [each.role for each in fleet.instances] == [Role.ALONE] * 3
    fleet.redis(is_up=True)
    await fleet.spend(60)
    before = len(fleet.polls())
    await fleet.spend(300)
    assert 9 <= len(fleet.polls()) - before <= 11
    assert len(fleet.leaders()) == 1


async def test_a_flushed_redis_is_filled_again_by_the_next_poll(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(3):
        fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    fleet.board.flush()
    await fleet.spend(60)
    newcomer = fleet.join(Trouble("connection_refused"))
    assert await newcomer.turns.boot()
    assert newcomer.held() == ALL
    assert all(len(each.used) == 1 for each in fleet.instances[:3])


async def test_when_upstream_fails_the_fleet_together_asks_no_more_often_than_one_would(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(4):
        fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    for each in fleet.instances:
        each.source.say = Trouble("status_500")
    start = fleet.clock.now
    await fleet.spend(600)
    assert 5 <= sum(1 for at in fleet.polls() if at > start) <= 21
    assert [each.held() for each in fleet.instances] == [ALL] * 4


async def test_a_whole_fleet_heeds_what_upstream_asked_one_of_them(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(4):
        fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    for each in fleet.instances:
        each.source.say = Trouble("status_429", retry_after_s=300)
    polls = len(fleet.polls())
    while len(fleet.polls()) == polls:
        await fleet.spend(0.1)
    await fleet.spend(290)
    assert len(fleet.polls()) == polls + 1


async def test_a_leader_that_cannot_reach_upstream_gives_way_to_one_that_can(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    cut_off = fleet.join(Trouble("connection_refused"))
    well = fleet.join(fetched(flags(20)))
    await fleet.spend(60)
    assert [cut_off.held(), well.held()] == [ALL, ALL]
    cut_off_polls = len(cut_off.polls)
    await fleet.spend(600)
    assert len(cut_off.polls) <= cut_off_polls + 1
    assert fleet.leaders() == [1]


async def test_an_exception_nobody_thought_of_is_a_failed_poll_and_no_reason_to_ask_more_often(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(2):
        fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    for each in fleet.instances:
        each.source.say = RuntimeError("canary")
    polls = len(fleet.polls())
    await fleet.spend(600)
    assert 3 <= len(fleet.polls()) - polls <= 21
    assert [each.held() for each in fleet.instances] == [ALL] * 2
    for each in fleet.instances:
        each.source.say = fetched(flags(21))
    await fleet.spend(300)
    assert [len(each.held()) for each in fleet.instances] == [21, 21]


async def test_a_refused_key_is_replaced_at_once_although_the_fleet_rests(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    only = fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    only.source.say = Trouble("status_401", is_about_key=True)
    while not only.poller.failures:
        await fleet.spend(0.1)
    only.environ["KEY"] = "phx_new"
    only.source.say = fetched(flags(21))
    await fleet.spend(6)
    assert only.source.keys[-1] == "phx_new"
    assert len(only.held()) == 21


async def test_a_leader_that_was_stopped_in_a_poll_and_wakes_up_later_posts_nothing(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    old, new = fleet.join(fetched(flags(20))), fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    assert fleet.leaders() == [0]
    real, late = old.source.fetch, fetched([*flags(20), flag("late")], etag='"late"')

    async def asleep(**how: Any) -> Any:
        """The process is stopped between asking and hearing; the other polls and posts meanwhile."""
        await real(**how)
        old.is_frozen = True
        new.source.say = fetched([*flags(20), flag("newer")], etag='"newer"')
        await fleet.spend(90)
        old.is_frozen = False
        old.source.fetch = real
        return late

    old.source.fetch = asleep  # type: ignore[method-assign]
    old.source.say = new.source.say = fetched([*flags(20), flag("newer")], etag='"newer"')
    await fleet.spend(60)
    assert new.held() == ALL | {"newer"}
    await fleet.spend(60)
    assert [each.held() for each in fleet.instances] == [ALL | {"newer"}] * 2
    assert "late" not in new.held()
    assert fleet.leaders() == [1]


async def test_what_was_posted_before_redis_was_away_does_not_replace_what_was_accepted_since(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    one, other = fleet.join(fetched(flags(20))), fleet.join(fetched(flags(20)))
    await fleet.spend(100)
    fleet.redis(is_up=False)
    for each in (one, other):
        each.source.say = fetched([*flags(20), flag("since")], etag='"since"')
    await fleet.spend(100)
    assert [each.held() for each in fleet.instances] == [ALL | {"since"}] * 2
    fleet.redis(is_up=True)
    await fleet.spend(5)
    assert [each.held() for each in fleet.instances] == [ALL | {"since"}] * 2
    await fleet.spend(60)
    newcomer = fleet.join(Trouble("connection_refused"))
    await newcomer.turns.boot()
    assert newcomer.held() == ALL | {"since"}


async def test_an_instance_that_starts_with_a_later_set_than_the_one_posted_keeps_it(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    early = fleet.join(fetched(flags(20)))
    await fleet.spend(40)
    early.is_frozen = True
    fleet.redis(is_up=False)
    later = fleet.join(fetched(flags(19)))
    await fleet.spend(10)
    restarted = fleet.join(Trouble("connection_refused"))
    async with restarted.keeper.turn:
        assert later.keeper.current is not None
        await restarted.keeper.adopt(later.keeper.current.kept, ())
    later.is_frozen = True
    fleet.redis(is_up=True)
    await fleet.spend(10)
    assert restarted.role is not Role.ALONE
    assert len(restarted.held()) == 19


async def test_a_leader_whose_clock_is_behind_still_posts_later_generations(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    ahead = fleet.join(fetched(flags(20)), ahead_s=3600)
    behind = fleet.join(fetched(flags(20)))
    await fleet.spend(40)
    ahead.is_frozen = True
    behind.source.say = fetched(flags(21))
    await fleet.spend(100)
    ahead.is_frozen = False
    await fleet.spend(10)
    assert [len(each.held()) for each in fleet.instances] == [21, 21]
    assert ahead.generations() == behind.generations()


async def test_a_set_with_fewer_flags_than_held_is_refused_from_redis_as_it_is_from_upstream(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    follower_first = fleet.join(fetched(flags(20)))
    fleet.redis(is_up=False)
    await fleet.spend(40)
    fleet.redis(is_up=True)
    follower_first.is_frozen = True
    small = fleet.join(fetched(flags(8, version=6)), ahead_s=3600)
    await fleet.spend(40)
    follower_first.is_frozen = False
    await fleet.spend(20)
    assert follower_first.role is Role.FOLLOWER
    assert follower_first.held() == ALL
    assert [turned.reason.code for turned in follower_first.keeper.turned] == ["shrunk"]
    assert small.held() == {f"f{number:03}" for number in range(8)}
    small.is_frozen = True
    follower_first.source.say = fetched(flags(21))
    await fleet.spend(60)
    newcomer = fleet.join(Trouble("connection_refused"))
    await newcomer.turns.boot()
    assert len(newcomer.held()) == 21  # posted over a set that it refused, accepted by a clock that is ahead


async def test_what_was_not_sealed_by_the_fleet_is_not_used_and_said(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    fleet.join(fetched(flags(20)))
    await fleet.spend(40)
    stranger = fleet.join(Trouble("connection_refused"), secret=b"t" * 32)
    await fleet.spend(100)
    assert stranger.held() == set()
    assert "shared_definitions_unusable" in stranger.lines.events()
    assert stranger.turns.member.unusable <= 5  # once for each thing posted, not for each look


async def test_an_operators_decision_at_one_instance_is_followed_by_all_and_lasts(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    for _ in range(3):
        fleet.join(fetched(flags(20)))
    await fleet.spend(40)
    for each in fleet.instances:
        each.source.say = fetched(flags(20, version=6, active=False), etag='"bad"')
    await fleet.spend(400)
    assert [each.held() for each in fleet.instances] == [set()] * 3
    operated = fleet.instances[2]
    assert operated.role is Role.FOLLOWER
    async with operated.keeper.turn:
        assert await operated.keeper.rollback(None) == ""
    assert await operated.turns.decided()
    await fleet.spend(10)
    assert [each.held() for each in fleet.instances] == [ALL] * 3
    await fleet.spend(300)
    assert [each.held() for each in fleet.instances] == [ALL] * 3
    leader = fleet.instances[fleet.leaders()[0]]
    leader.is_frozen = True
    await fleet.spend(300)
    assert [each.held() for each in fleet.instances] == [ALL] * 3


async def test_a_lease_whose_holder_asks_nobody_is_not_respected_for_ever(tmp_path: Path) -> None:
    fleet = FakeFleet(tmp_path)
    only = fleet.join(fetched(flags(20)))
    lease = "holdfast:definitions:{shop}:lease"
    fleet.board._put(lease, b"a ghost", b"999999999")
    await fleet.spend(FORGOTTEN_S - 10)
    assert only.held() == set()
    await fleet.spend(20)
    assert only.held() == ALL


def upset(fleet: FakeFleet, rng: Random) -> None:
    """Do something to the fleet: stop an instance, wake all, turn Redis off or on, or empty it; or nothing."""
    match rng.randrange(6):
        case 0:
            rng.choice(fleet.instances).is_frozen = True
        case 1:
            for each in fleet.instances:
                each.is_frozen = False
        case 2:
            fleet.redis(is_up=rng.random() < 0.5)
        case 3:
            fleet.board.flush()


def live(off: int) -> Any:
    """The upstream's document when the first `off` flags are switched off for good."""
    return fetched([flag(f"f{number:03}", active=number >= off, version=5 + (number < off)) for number in range(20)])


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_generations_grow_and_nothing_off_comes_back(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    fleet = FakeFleet(tmp_path, poll_s=10.0)
    for _ in range(3):
        fleet.join(live(0))
    for off in range(20):
        for _ in range(2):
            upset(fleet, rng)
            for each in fleet.instances:
                each.source.say = live(off) if rng.random() < 0.8 else Trouble("status_500")
            await fleet.spend(rng.random() * 30)
        for each in fleet.instances:
            assert each.generations() == sorted(set(each.generations()))
            alive = [{flag.key for flag in used.definitions.flags if flag.active} for used in each.used]
            assert all(later <= earlier for earlier, later in pairwise(alive))
    fleet.redis(is_up=True)
    for each in fleet.instances:
        each.is_frozen, each.source.say = False, live(19)
    await fleet.spend(300)
    assert [each.held() for each in fleet.instances] == [{"f019"}] * 3
