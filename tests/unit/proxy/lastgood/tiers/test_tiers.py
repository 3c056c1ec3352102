from __future__ import annotations

import asyncio

import pytest

from proxy.answer.request import ProjectName
from proxy.config.settings import Policy
from proxy.lastgood.memory import Memory
from proxy.lastgood.tiers.person import meant_by
from proxy.lastgood.tiers.purged import MOST
from proxy.lastgood.tiers.record import Purge, SealedPurge
from proxy.lastgood.tiers.tiers import SLICE_BYTES, Tiers
from reference.steps import finish
from tests.fakes.clock import FakeClock
from tests.fakes.requests import PROJECT, key
from tests.fakes.requests import flags_request as asked
from tests.fakes.tier import FakeTier, whole

POLICY = Policy(fresh_s=10, stale_if_error_s=100)


class Clock(FakeClock):
    """A clock whose wall can be stepped."""

    step = 0.0

    def wall(self) -> float:
        return super().wall() + self.step


def offer(tiers: Tiers, distinct_id: str = "user-1", text: str = "good") -> None:
    tiers.offer(key(distinct_id), whole(text), project=PROJECT, policy=POLICY)


class Life:
    """One worker's memory and tiers; a later life has the same tiers and nothing else."""

    def __init__(self, *tiers: FakeTier, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.memory = Memory(max_bytes=1 << 20, clock=self.clock)
        self.tiers = Tiers(self.memory, tiers, clock=self.clock)

    async def says(self, distinct_id: str = "user-1", text: str = "good") -> None:
        offer(self.tiers, distinct_id, text)
        await self.tiers.flush()

    async def recalls(self, distinct_id: str = "user-1", policy: Policy = POLICY) -> tuple[str, float] | None:
        entry = await self.tiers.recall(asked(distinct_id, policy=policy))
        if entry is None:
            return None
        return entry.value.whole.body.split(b'"')[3].decode(), self.clock.now - entry.stored_at


async def test_another_life_recalls_what_one_was_told_with_its_age() -> None:
    disk = FakeTier()
    life = Life(disk)
    await life.says()
    life.clock.advance(42)
    later = Life(disk, clock=life.clock)
    assert await later.recalls() == ("good", 42)
    assert later.memory.get(key()) is not None
    assert await later.recalls("user-2") is None


async def test_without_tiers_nothing_is_recalled_and_nothing_waits() -> None:
    life = Life()
    await life.says()
    assert not life.tiers.has_any
    assert await life.recalls() is None
    assert len(life.tiers.outbox) == 0


async def test_a_request_without_a_key_is_not_looked_for() -> None:
    disk = FakeTier()
    life = Life(disk)
    assert await life.tiers.recall(asked(key=None)) is None
    assert disk.asked == 0


async def test_what_is_past_the_policys_window_is_not_recalled() -> None:
    life = Life(FakeTier())
    await life.says()
    life.clock.advance(99)
    assert await life.recalls() is not None
    life.clock.advance(1)
    assert await life.recalls() is None


async def test_a_window_that_was_shortened_meanwhile_holds() -> None:
    life = Life(FakeTier())
    await life.says()
    life.clock.advance(50)
    assert await life.recalls(policy=Policy(stale_if_error_s=49)) is None


async def test_a_wall_clock_that_stepped_back_makes_no_answer_younger() -> None:
    life = Life(FakeTier())
    await life.says()
    life.clock.advance(30)
    life.clock.step = -25
    assert await life.recalls() == ("good", 30)
    life.clock.advance(10)
    assert await life.recalls() == ("good", 40)


async def test_an_answer_from_the_future_is_not_used_because_its_age_is_unknown() -> None:
    disk = FakeTier()
    life = Life(disk)
    await life.says()
    life.clock.step = -25
    later = Life(disk, clock=life.clock)
    assert await later.recalls() is None
    assert later.tiers.undated == 1


async def test_a_wall_clock_that_stepped_ahead_makes_answers_older() -> None:
    life = Life(FakeTier())
    await life.says()
    life.clock.step = 60
    assert await life.recalls() == ("good", 60)


async def test_of_two_tiers_the_newest_answer_counts() -> None:
    disk, shared = FakeTier("disk"), FakeTier("redis", secret=b"the fleet's")
    clock = Clock()
    await Life(shared, clock=clock).says(text="old")
    clock.advance(5)
    await Life(disk, clock=clock).says(text="new")
    assert await Life(shared, disk, clock=clock).recalls() == ("new", 0)
    assert await Life(disk, shared, clock=clock).recalls() == ("new", 0)


async def test_each_tier_gets_records_in_its_own_seals() -> None:
    disk, shared = FakeTier("disk"), FakeTier("redis", secret=b"the fleet's")
    await Life(disk, shared).says()
    assert disk.offered[0].key != shared.offered[0].key
    assert await Life(disk).recalls() == await Life(shared).recalls() == ("good", 0)


async def test_a_recalled_answer_never_replaces_a_younger_one_in_memory() -> None:
    life = Life(FakeTier())
    await life.says(text="old")
    life.clock.advance(5)
    life.memory.remember(key(), whole("young"), project=ProjectName("default"), policy=POLICY)
    life.clock.advance(5)
    assert await life.recalls() == ("young", 5)


async def test_a_damaged_value_is_a_miss_and_counted() -> None:
    disk = FakeTier()
    life = Life(disk)
    await life.says()
    (place,) = disk.held
    record = disk.held[place]
    disk.offer([type(record)(*(getattr(record, name) for name in record.__struct_fields__[:-1]), record.value[:-1] + b"?")])
    assert await life.recalls() is None
    assert life.tiers.unauthentic == 1


async def test_what_the_previous_secret_sealed_is_recalled() -> None:
    old = FakeTier(secret=b"old")
    life = Life(old)
    await life.says()
    new = FakeTier(secret=b"new", previous=b"old")
    new.held = old.held
    assert await Life(new, clock=life.clock).recalls() == ("good", 0)


async def test_a_purge_reaches_tiers_and_what_waits_for_them() -> None:
    disk = FakeTier()
    life = Life(disk)
    await life.says("user-1")
    await life.says("user-2")
    offer(life.tiers, "user-1", "again")
    purge = Purge(None, "user-1")
    assert finish(life.memory.purging(meant_by(purge))) == 0
    await life.tiers.purge(purge, ("default",))
    await life.tiers.flush()
    assert await life.recalls("user-1") is None
    assert await life.recalls("user-2") == ("good", 0)


async def test_what_memory_has_is_not_looked_for_beside_anything() -> None:
    disk = FakeTier()
    life = Life(disk)
    life.memory.remember(key(), whole(), project=PROJECT, policy=POLICY)
    assert life.tiers.beside(asked()) is None
    assert life.tiers.beside(asked(key=None)) is None
    assert Life().tiers.beside(asked()) is None
    looking = life.tiers.beside(asked("user-2"))
    assert looking is not None
    assert await looking is None
    assert disk.asked == 1


async def test_a_tier_across_a_network_is_not_asked_beside_an_exchange() -> None:
    disk, shared = FakeTier(), FakeTier("redis", is_near=False)
    life = Life(shared, disk)
    looking = life.tiers.beside(asked())
    assert looking is not None
    await looking
    assert (disk.asked, shared.asked) == (1, 0)
    assert Life(shared).tiers.beside(asked()) is None
    await life.recalls()
    assert (disk.asked, shared.asked) == (2, 1)


async def test_what_was_recalled_is_never_fresh() -> None:
    life = Life(FakeTier())
    await life.says()
    entry = await life.tiers.recall(asked(policy=POLICY))
    assert entry is not None
    assert entry.fresh_until <= life.clock.now


async def test_what_was_being_looked_for_when_it_was_purged_stays_forgotten() -> None:
    disk = FakeTier()
    life = Life(disk)
    await life.says()
    disk.gate.clear()
    looking = asyncio.create_task(life.recalls())
    while not disk.asked:  # noqa: ASYNC110  the tier need not know who waits
        await asyncio.sleep(0)
    await life.tiers.purge(Purge(), ())
    disk.gate.set()
    assert await looking is None
    assert life.memory.get(key()) is None


class Deaf(FakeTier):
    """A tier that has yet to hear of purges: the disk until every worker has forgotten, or for as long as it is in trouble."""

    async def purge(self, purge: SealedPurge) -> None:
        """Owe it."""


@pytest.mark.parametrize("purge", [Purge(), Purge("default"), Purge("default", "user-1"), Purge(None, "user-1")])
async def test_what_was_purged_is_not_recalled_from_a_tier_that_has_yet_to_hear_of_it(purge: Purge) -> None:
    life = Life(Deaf())
    await life.says("user-1")
    await life.says("user-2")
    life.clock.advance(1)
    await life.tiers.purge(purge, ("default",))
    assert await life.recalls("user-1") is None
    assert life.memory.get(key("user-1")) is None
    assert (await life.recalls("user-2") is None) is (purge.distinct_id is None)
    life.clock.advance(1)
    await life.says("user-1", "said since")
    assert await life.recalls("user-1") == ("said since", 0)


async def test_the_purge_of_another_project_bars_nothing() -> None:
    life = Life(Deaf())
    await life.says()
    await life.tiers.purge(Purge("another"), ("default",))
    await life.tiers.purge(Purge("another", "user-1"), ("default",))
    assert await life.recalls() == ("good", 0)


async def test_of_very_many_purges_the_earliest_bar_everything_from_before_them() -> None:
    life = Life(Deaf())
    await life.says("user-1")
    life.clock.advance(1)
    for number in range(MOST + 1):
        await life.tiers.purge(Purge(None, f"nobody-{number}"), ("default",))
    assert await life.recalls("user-1") is None
    life.clock.advance(1)
    await life.says("user-2")
    assert await life.recalls("user-2") == ("good", 0)


async def test_what_memory_remembers_is_written_behind_even_when_it_has_no_room() -> None:
    disk, clock = FakeTier(), Clock()
    memory = Memory(max_bytes=1, clock=clock)
    tiers = Tiers(memory, [disk], clock=clock)
    assert not memory.remember(key(), whole(), project=PROJECT, policy=POLICY)
    await tiers.flush()
    assert len(disk.offered) == 1


async def test_tiers_are_written_behind_and_what_waits_is_written_at_the_end() -> None:
    disk, pauses = FakeTier(), asyncio.Event()
    clock = Clock()

    async def sleep(_: float) -> None:
        await pauses.wait()

    tiers = Tiers(Memory(max_bytes=1 << 20, clock=clock), [disk], clock=clock, sleep=sleep)
    await tiers.start()
    offer(tiers, "user-1")
    await asyncio.sleep(0)
    assert disk.offered == []
    pauses.set()
    while not disk.offered:  # noqa: ASYNC110  likewise
        await asyncio.sleep(0)
    pauses.clear()
    offer(tiers, "user-2")
    await tiers.close()
    assert len(disk.offered) == 2
    assert disk.life == ["started", "closed"]


async def test_many_answers_are_sealed_in_slices_with_others_in_between() -> None:
    disk, clock = FakeTier(), Clock()
    tiers = Tiers(Memory(max_bytes=1 << 20, clock=clock), [disk], clock=clock)
    for number in range(50):
        offer(tiers, f"user-{number}")
    flushing = asyncio.create_task(tiers.flush())
    await asyncio.sleep(0)
    assert 0 < len(disk.offered) < 50
    await flushing
    assert len(disk.offered) == 50
    assert tiers.report()["disk"] == {"held": 50}


async def test_large_answers_are_sealed_a_few_at_a_time() -> None:
    disk, clock = FakeTier(), Clock()
    tiers = Tiers(Memory(max_bytes=1 << 20, clock=clock), [disk], clock=clock)
    for number in range(6):
        offer(tiers, f"user-{number}", "x" * (SLICE_BYTES // 2))
    flushing = asyncio.create_task(tiers.flush())
    await asyncio.sleep(0)
    assert len(disk.offered) == 2
    await flushing
    assert len(disk.offered) == 6
