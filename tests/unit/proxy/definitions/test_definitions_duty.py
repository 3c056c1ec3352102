"""The supervisor's duty: pollers come and go with the settings, disks and boot sources come first, workers are told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from proxy.config.settings import Definitions as Rules
from proxy.config.settings import DefinitionsStore, Project, SecretSource, Settings, Upstream
from proxy.definitions.acceptance import Acceptances, Kept, load_acceptances, store_acceptances
from proxy.definitions.document import DefinitionsSet, encode_set
from proxy.definitions.snapshot import keep, told
from proxy.definitions.upkeep.duty import Upkeep, World
from proxy.definitions.upkeep.source import Answer, Trouble
from proxy.process.control.messages import Body, DefinitionsChanged, KeyAccepted, KeyRevoked
from tests.fakes.clock import FakeClock
from tests.fakes.definitions import FakeSource, Lines, body, fetched, flags, kept

UPSTREAMS = {"default": Upstream(url="http://upstream.invalid"), "eu": Upstream(url="http://eu.invalid")}


class House:
    """A duty with fakes around it. Pollers poll once and then sleep for ever, until `wake`."""

    def __init__(self, say: Answer, **store: Any) -> None:
        self.said: list[Body] = []
        self.sources: list[FakeSource] = []
        self.lines = Lines()
        self.clock = FakeClock()
        self.say = say
        self.store = store
        self.asked_when_told: list[int] = []
        self.longest_nap_s = 2.0

    def settings(self, *projects: str, upstream: str = "default", **rules: Any) -> Settings:
        kept_how = Rules(**{"key": SecretSource(env="KEY"), **rules})
        found = {name: Project(tokens=("phc_shop",), upstream=upstream, definitions=kept_how) for name in projects}
        found["bare"] = Project(tokens=("phc_bare",))
        return Settings(upstreams=UPSTREAMS, projects=found, definitions=DefinitionsStore(**self.store))

    @asynccontextmanager
    async def running(self, settings: Settings, runtime: Path) -> AsyncIterator[Upkeep]:
        upkeep = Upkeep(settings, str(runtime), world=self._world())
        tasks = [asyncio.create_task(upkeep.run()), asyncio.create_task(upkeep.ledger.run())]
        try:
            yield upkeep
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _world(self) -> World:
        async def sample(_: str) -> list[Any]:
            return []

        async def sleep(seconds: float) -> None:
            if seconds > self.longest_nap_s:
                await asyncio.Event().wait()
            await asyncio.sleep(0)

        return World(
            tell_all=self._tell,
            sample=sample,
            source=self._source,
            clock=self.clock,
            rng=Random(1),
            environ={"KEY": "k"},
            log=self.lines.log,
            sleep=sleep,
        )

    def _source(self, _: Upstream) -> FakeSource:
        self.sources.append(FakeSource(self.say))
        return self.sources[-1]

    def _tell(self, said: Body) -> None:
        self.asked_when_told.append(sum(len(source.asked) for source in self.sources))
        self.said.append(said)

    def sets(self) -> list[DefinitionsSet]:
        found = [told(each) for each in self.said if isinstance(each, DefinitionsChanged)]
        return [each for each in found if isinstance(each, DefinitionsSet)]


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not claim():  # noqa: ASYNC110  the claim is about files and threads
            await asyncio.sleep(0.001)


async def test_every_project_with_definitions_is_polled_and_its_set_told_by_file(tmp_path: Path) -> None:
    house = House(fetched(flags(3)))
    async with house.running(house.settings("shop", "blog"), tmp_path) as upkeep:
        await until(lambda: len(house.said) == 2)
        assert {each.project for each in house.sets()} == {"shop", "blog"}
        assert all(each.path.startswith(str(tmp_path / "definitions")) for each in house.said)
        assert set(upkeep.report()) == {"shop", "blog"}
    assert all(source.closed for source in house.sources)


async def test_the_disk_is_read_before_anybody_is_asked(tmp_path: Path) -> None:
    keep(tmp_path, kept(flags(3), generation=7), generations=5)
    house = House(Trouble("status_500"), directory=str(tmp_path))
    async with house.running(house.settings("shop"), tmp_path):
        await until(lambda: house.sources and house.sources[0].asked)
        assert house.said == [DefinitionsChanged("shop", 7, str(tmp_path / "shop" / "set-0000000007.hfd"))]
        assert house.asked_when_told == [0]
        assert house.sources[0].asked[0][1] == 'W/"1"'


async def test_a_worker_that_arrives_is_told_every_set_and_every_key(tmp_path: Path) -> None:
    house = House(fetched(flags(3)))
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        await until(lambda: house.said)
        record = KeyAccepted("k", "shop", "t", "definitions", house.clock.wall())
        await upkeep.ledger.accepted(record)
        told_to_one: list[Body] = []
        upkeep.tell(told_to_one.append)
        assert told_to_one == house.said == [house.said[0], record]


BOOTS = [
    ("a plain document", body(flags(3))),
    ("a file of ours", encode_set(kept(flags(3), generation=99))),
]


async def test_with_nothing_on_disk_the_boot_file_is_used_until_upstream_answers(tmp_path: Path) -> None:
    for name, content in BOOTS:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shop.json").write_bytes(content)
        os.utime(folder / "shop.json", (5.0, 5.0))
        house = House(Trouble("status_500"), boot=str(folder / "{project}.json"), directory=str(folder / "none"))
        async with house.running(house.settings("shop"), folder) as upkeep:
            await until(lambda: house.said)  # noqa: B023  awaited here
            assert house.asked_when_told == [0]
            (booted,) = house.sets()
            assert (booted.generation, booted.body) == (1, body(flags(3)))
            assert upkeep.report()["shop"]["held"]["is_provisional"] is True
            assert not (folder / "none").exists()
        house = House(fetched(flags(2, version=1)), boot=str(folder / "{project}.json"), directory=str(folder / "none"))
        async with house.running(house.settings("shop"), folder):
            await until(lambda: len(house.said) == 2)  # noqa: B023  awaited here
            assert house.sets()[1].body == body(flags(2, version=1))
            assert house.sets()[1].generation > 1


async def test_a_boot_file_of_another_project_or_none_at_all_is_said_and_polling_goes_on(tmp_path: Path) -> None:
    (tmp_path / "boot").write_bytes(encode_set(kept(flags(3), project="other", generation=9)))
    for place, reason in (("boot", "it is another project's"), ("gone", "cannot be read: No such file or directory")):
        house = House(fetched(flags(2)), boot=str(tmp_path / place))
        async with house.running(house.settings("shop"), tmp_path / place.upper()):
            await until(house.sets)
            assert house.sets()[0].body == body(flags(2))
        assert [line["reason"] for line in house.lines.lines if line["event"] == "boot_source_unusable"] == [reason]


async def test_a_reload_starts_stops_and_replaces_pollers_and_keeps_what_is_held(tmp_path: Path) -> None:
    house = House(fetched(flags(3)))
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        await until(lambda: house.said)
        upkeep.reconfigure(house.settings("shop", "blog"))
        await until(lambda: len(house.said) == 2)
        assert [source.closed for source in house.sources] == [False, False]
        upkeep.reconfigure(house.settings("shop", "blog", upstream="eu", poll_s=7))
        await until(lambda: len(house.sources) == 4 and all(source.asked for source in house.sources))
        assert [source.closed for source in house.sources] == [True, True, False, False]
        assert house.sources[2].asked[0][1] is not None
        assert len({each.generation for each in house.said if isinstance(each, DefinitionsChanged)}) <= 2
        assert set(house.said[2:]) == set(house.said[:2])
        upkeep.reconfigure(house.settings("blog"))
        await until(lambda: set(upkeep.report()) == {"blog"})
        assert await upkeep.accept("shop", "") is None
        assert await upkeep.rollback("shop", None) is None
        assert await upkeep.accept("blog", "") == "no such set waits or was refused"


async def test_the_duty_can_be_started_again_and_still_holds_what_it_held(tmp_path: Path) -> None:
    house = House(fetched(flags(3)))
    upkeep = Upkeep(house.settings("shop"), str(tmp_path), world=house._world())
    for life in (1, 2):
        task = asyncio.create_task(upkeep.run())
        await until(lambda: len(house.said) == life and house.sources[-1].asked)  # noqa: B023  awaited here
        task.cancel()
        await asyncio.wait([task])
    assert house.said == [house.said[0]] * 2
    assert [etag for _, etag in house.sources[1].asked] == [house.sets()[0].etag]


async def test_accepted_keys_are_passed_on_written_and_there_after_a_restart(tmp_path: Path) -> None:
    house = House(Trouble("status_500"))
    record = KeyAccepted("k", "shop", "t", "definitions", house.clock.wall())
    other = KeyAccepted("gone", "shop", "t", "definitions", house.clock.wall())
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        for each in (record, record, other):
            await upkeep.ledger.accepted(each)
        await upkeep.ledger.revoked(revoked := KeyRevoked("gone", "shop", "t", "definitions", 8))
        assert house.said == [record, other, revoked]
        await until((tmp_path / "definitions" / "keys.hfk").exists)
    again = House(Trouble("status_500"))
    async with again.running(again.settings("shop"), tmp_path) as upkeep:
        await until(lambda: len(upkeep.ledger) == 1)
        assert again.said == [KeyRevoked("-", "shop", "", "", 8), record]
        told_to_one: list[Body] = []
        upkeep.tell(told_to_one.append)
        assert told_to_one == again.said


async def test_a_key_that_nobody_confirmed_for_long_is_not_believed_after_a_restart(tmp_path: Path) -> None:
    house = House(Trouble("status_500"), auth_stale_s=100.0)
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        await upkeep.ledger.accepted(KeyAccepted("k", "shop", "t", "definitions", house.clock.wall()))
        await until((tmp_path / "definitions" / "keys.hfk").exists)
    again = House(Trouble("status_500"), auth_stale_s=100.0)
    again.clock.advance(101)
    async with again.running(again.settings("shop"), tmp_path) as upkeep:
        await until(lambda: again.sources and again.sources[0].asked)
        await upkeep.ledger.load()
        assert len(upkeep.ledger) == 0


async def test_what_is_not_written_yet_is_written_at_the_end(tmp_path: Path) -> None:
    records = [KeyAccepted(key, "shop", "t", "definitions", FakeClock().wall()) for key in ("a", "b")]
    store_acceptances(tmp_path / "definitions", Acceptances(Kept((records[0],))))
    house = House(Trouble("status_500"))
    house.longest_nap_s = 0.5
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        await until(lambda: len(upkeep.ledger) == 1)
        await upkeep.ledger.accepted(records[1])
    found = load_acceptances(tmp_path / "definitions")
    assert isinstance(found, Acceptances)
    assert list(found) == records


async def test_a_new_set_gets_a_number_above_whatever_is_on_disk(tmp_path: Path) -> None:
    keep(tmp_path, kept(flags(1), generation=1_900_000_000), generations=5).write_bytes(b"damaged")
    house = House(fetched(flags(2)), directory=str(tmp_path))
    async with house.running(house.settings("shop"), tmp_path):
        await until(house.sets)
        assert [each.generation for each in house.sets()] == [1_900_000_001]


async def test_upstream_confirming_the_boot_set_makes_it_one_of_its_own(tmp_path: Path) -> None:
    say = fetched(flags(2))
    (tmp_path / "boot").write_bytes(say.body)
    house = House(say, boot=str(tmp_path / "boot"))
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        await until(lambda: len(house.said) == 2)
        assert [each.generation > 1 for each in house.sets()] == [False, True]
        assert upkeep.report()["shop"]["held"]["is_on_disk"] is True


async def test_damaged_records_are_not_believed_and_new_ones_replace_them(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    place = tmp_path / "definitions" / "keys.hfk"
    place.write_bytes(b"holdfast keys 1\n?")
    house = House(Trouble("status_500"))
    async with house.running(house.settings("shop"), tmp_path) as upkeep:
        await until(lambda: "accepted_keys_unreadable" in house.lines.events())
        await upkeep.ledger.accepted(KeyAccepted("k", "shop", "t", "definitions", house.clock.wall()))
        await until(lambda: b"shop" in place.read_bytes())
