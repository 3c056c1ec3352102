"""The definitions a worker holds: newer ones take the place of older ones, whole and in slices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Generator

import msgspec
import pytest

from proxy.definitions import standing
from proxy.definitions.document import DefinitionsSet, Unreadable, definitions_set
from proxy.definitions.held import Held
from proxy.definitions.standing import off_flags, standings
from proxy.pauses import in_slices
from reference import parse_definitions
from reference.steps import finish
from tests.bench.reference.documents import document
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import body, flag, kept


async def test_nothing_is_held_until_a_set_came() -> None:
    assert Held(clock=FakeClock()).get("shop") is None


async def test_a_newer_set_takes_the_place_of_an_older_one_never_the_other_way() -> None:
    held = Held(clock=FakeClock())
    for generation in (2, 3, 1, 3):
        assert await held.replace(kept([flag(f"g{generation}")], generation=generation)) is None
    found = held.get("shop")
    assert found is not None
    assert (found.set.generation, [each.key for each in found.definitions.flags]) == (3, ["g3"])


async def test_of_two_sets_that_arrive_together_the_newer_one_stays() -> None:
    held = Held(clock=FakeClock())
    slow = msgspec.structs.replace(_large(60), generation=5)
    sets = [slow, *(kept([flag(f"g{generation}")], generation=generation) for generation in (4, 6, 1))]
    await asyncio.gather(*(held.replace(each) for each in sets))
    found = held.get("shop")
    assert found is not None
    assert found.set.generation == 6


async def test_what_cannot_be_parsed_changes_nothing() -> None:
    held = Held(clock=FakeClock())
    await held.replace(kept([flag("a")], generation=1))
    refused = await held.replace(definitions_set("shop", b'{"flags": 1}', etag=None, fetched_at_wall=1.0, generation=2))
    assert refused == Unreadable("$.flags: must be a list")
    found = held.get("shop")
    assert found is not None
    assert found.set.generation == 1


async def test_projects_do_not_see_each_others_definitions() -> None:
    held = Held(clock=FakeClock())
    await held.replace(kept([flag("a")], project="shop", generation=1))
    assert held.get("web") is None
    await held.replace(kept([flag("b")], project="web", generation=1))
    held.keep_only(frozenset({"web"}))
    assert (held.get("shop") is None, held.get("web") is None) == (True, False)


async def test_the_age_counts_from_the_fetch_and_is_never_negative() -> None:
    clock = FakeClock()
    held = Held(clock=clock)
    await held.replace(_made(clock.wall() - 10))
    found = held.get("shop")
    assert found is not None
    clock.advance(5)
    assert found.age_s(clock) == 15
    clock.advance(-100)
    assert found.age_s(clock) == 0


async def test_nothing_sent_shows_in_a_repr() -> None:
    held = Held(clock=FakeClock())
    await held.replace(kept([flag("flag-name")], generation=1))
    assert "flag-name" not in repr(held.get("shop"))


async def test_a_large_set_is_made_ready_in_many_slices() -> None:
    """Others get their turn while 300 flags (a tenth of a second) are read and compiled."""
    held = Held(clock=FakeClock())
    turns = 0
    made = asyncio.create_task(held.replace(_large(300)))
    while not made.done():
        await asyncio.sleep(0)
        turns += 1
    assert held.get("shop") is not None
    assert turns > 20


async def test_work_pauses_each_time_a_slice_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pauses = FakeClock(), 0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock.monotonic, raising=False)

    async def others() -> None:
        nonlocal pauses
        while True:
            await asyncio.sleep(0)
            pauses += 1

    def work() -> Generator[None, None, str]:
        for _ in range(100):
            clock.advance(0.0004)
            yield
        return "done"

    other = asyncio.create_task(others())
    assert await in_slices(work()) == "done"
    other.cancel()
    assert 30 <= pauses <= 35  # every third piece ends a slice


def test_a_flag_keeps_the_time_since_when_it_is_as_it_is() -> None:
    first = finish(standings(_parsed(flag("a"), flag("b")), None, now=1.0))
    second = finish(standings(_parsed(flag("a"), flag("b", rollout=10), flag("c")), first, now=2.0))
    third = finish(standings(_parsed(flag("a"), flag("c")), second, now=3.0))
    back = finish(standings(_parsed(flag("b", rollout=10)), third, now=4.0))
    assert {key: each.since for key, each in second.items()} == {"a": standing.AT_FIRST, "b": 2.0, "c": 2.0}
    assert {key: (each.since, each.is_listed) for key, each in third.items()} == {
        "a": (standing.AT_FIRST, True), "b": (3.0, False), "c": (2.0, True)
    }  # fmt: skip
    assert (back["b"].since, back["b"].is_on, back["a"].since, back["a"].is_on) == (4.0, True, 4.0, False)


def test_only_so_many_deleted_flags_are_remembered_the_latest_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "GONE_KEPT", 2)
    known = finish(standings(_parsed(*(flag(f"f{n}") for n in range(4))), None, now=0.0))
    for now in (1.0, 2.0, 3.0):
        known = finish(standings(_parsed(flag(f"f{int(now)}")), known, now=now))
    assert [each.key for each in off_flags(known)] == ["f1", "f2"]


def _parsed(*flags: dict[str, object]):
    return parse_definitions(body(list(flags)))


def _made(fetched_at_wall: float) -> DefinitionsSet:
    return definitions_set("shop", body([flag("a")]), etag=None, fetched_at_wall=fetched_at_wall, generation=1)


def _large(count: int) -> DefinitionsSet:
    content = json.dumps(document(count)).encode()
    return definitions_set("shop", content, etag=None, fetched_at_wall=1.0, generation=1)
