"""What operators decide: a set that waits or was refused is taken, an earlier one comes back, and that decision lasts."""

from __future__ import annotations

from pathlib import Path

from proxy.definitions.upkeep.source import Fetched, Trouble
from tests.fakes.definitions import FakeSource, Polled, fetched, flag, flags

FIRST, SECOND = fetched(flags(20), etag='"1"'), fetched([*flags(20), flag("new")], etag='"2"')


async def accept(polled: Polled, digest: str = "") -> str:
    async with polled.keeper.turn:
        return await polled.keeper.accept(digest)


async def roll_back(polled: Polled, generation: int | None = None) -> str:
    async with polled.keeper.turn:
        return await polled.keeper.rollback(generation)


async def test_a_refused_set_can_be_accepted_and_polling_goes_on_from_it(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = fetched(flags(2))
        await polled.time.spend(60)
        assert await accept(polled) == ""
        assert polled.held() == {"f000", "f001"}
        assert polled.handed_on[-1] == polled.keeper.current
        assert polled.keeper.turned == []
        await polled.time.spend(300)
        assert polled.poller.report()["age_s"] <= 30
        assert len(polled.handed_on) == 2


async def test_a_set_that_waits_can_be_accepted_at_once(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = fetched(flags(20, active=False))
        await polled.time.spend(45)
        assert await accept(polled) == ""
        assert polled.held() == set()


async def test_the_set_to_accept_can_be_named_and_must_be_there(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        assert await accept(polled) == "no such set waits or was refused"
        for count in (1, 2):
            source.say = fetched(flags(count))
            await polled.time.spend(45)
        older = polled.poller.report()["refused"][1]["digest"]
        assert await accept(polled, "nothing-like-it") == "no such set waits or was refused"
        assert await accept(polled, older) == ""
        assert polled.held() == {"f000"}


async def test_what_is_no_document_cannot_be_accepted(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = Fetched(b"<html>", None)
        await polled.time.spend(45)
        assert await accept(polled) == "it is no definitions document"
        assert len(polled.held()) == 20


async def test_a_rollback_brings_the_previous_set_back_and_what_it_left_stays_out(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = SECOND
        await polled.time.spend(60)
        assert "new" in polled.held()
        assert await roll_back(polled) == ""
        assert "new" not in polled.held()
        numbers = [current.kept.generation for current in polled.handed_on]
        assert numbers == sorted(set(numbers))
        source.say = Fetched(SECOND.body, '"other"')
        await polled.time.spend(300)
        assert "new" not in polled.held()
        assert polled.poller.report()["refused"][0]["reason"] == "rolled_back"
        source.say = fetched([*flags(20, version=6), flag("newer")])
        await polled.time.spend(60)
        assert "newer" in polled.held()


async def test_a_rollback_lasts_through_a_restart_until_the_set_is_accepted(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = SECOND
        await polled.time.spend(60)
        await roll_back(polled)
    async with Polled(tmp_path, FakeSource(SECOND)) as polled:
        await polled.time.spend(100)
        assert "new" not in polled.held()
        assert await accept(polled) == ""
        assert "new" in polled.held()
        await polled.time.spend(100)
    async with Polled(tmp_path, FakeSource(SECOND)) as polled:
        await polled.time.spend(100)
        assert "new" in polled.held()


async def test_a_set_that_was_accepted_again_may_come_and_go_as_any_other(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = SECOND
        await polled.time.spend(60)
        await roll_back(polled)
        assert "new" not in polled.held()
        assert await accept(polled) == ""
        assert "new" in polled.held()
        for say, is_there in ((FIRST, False), (SECOND, True)):
            source.say = say
            await polled.time.spend(60)
            assert ("new" in polled.held()) is is_there


async def test_a_rollback_never_brings_back_the_very_same_document(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        source.say = SECOND
        await polled.time.spend(60)
        await roll_back(polled)
        first, second, third = reversed(polled.shelf.numbers())
        assert first < second < third
        polled.shelf.path(second).write_bytes(b"damaged")
        assert await roll_back(polled) == "there is no such earlier generation on disk that can be read"


async def test_a_rollback_can_name_its_generation(tmp_path: Path) -> None:
    source = FakeSource(FIRST)
    async with Polled(tmp_path, source) as polled:
        for number in range(3):
            source.say = fetched([*flags(20), flag(f"n{number}")])
            await polled.time.spend(60)
        first = polled.handed_on[0].kept.generation
        assert await roll_back(polled, first) == ""
        assert polled.held() == {each["key"] for each in flags(20)}
        assert await roll_back(polled, 12345) == "there is no such earlier generation on disk that can be read"


async def test_with_nothing_to_go_back_to_nothing_happens(tmp_path: Path) -> None:
    source = FakeSource(Trouble("timeout"))
    async with Polled(tmp_path, source) as polled:
        assert await roll_back(polled) == "nothing is held"
        source.say = FIRST
        await polled.time.spend(60)
        assert await roll_back(polled) == "there is no such earlier generation on disk that can be read"
        assert len(polled.handed_on) == 1
