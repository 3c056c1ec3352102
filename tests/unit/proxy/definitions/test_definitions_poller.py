"""The poller in virtual time: outages of every kind cost no flag, single changes pass in one poll, nothing stops it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from proxy.config.settings import SecretSource
from proxy.definitions.canary import Asked
from proxy.definitions.document import definitions_set
from proxy.definitions.upkeep.pace import offset_s
from proxy.definitions.upkeep.source import Fetched, NotModified, Trouble
from tests.fakes.definitions import KEY, FakeSource, Polled, fetched, flag, flags

ALL = {f"f{number:03}" for number in range(20)}

OUTAGES: list[tuple[str, Any]] = [
    ("401 for everybody", Trouble("status_401", is_about_key=True)),
    ("402", Trouble("status_402")),
    ("403", Trouble("status_403", is_about_key=True)),
    ("429 with Retry-After", Trouble("status_429", retry_after_s=60)),
    ("500", Trouble("status_500")),
    ("nobody there", Trouble("connection_refused")),
    ("an empty list", fetched([], etag='"e"')),
    ("garbage", Fetched(b"<html>no</html>", '"g"')),
    ("an empty object", Fetched(b"{}", None)),
    ("a frozen set", fetched(flags(20, version=1), etag='"old"')),
    ("frozen at what is held", NotModified()),
    ("half of it", fetched(flags(10), etag='"h"')),
    ("an exception nobody thought of", RuntimeError("canary")),
]


@pytest.mark.parametrize("outage", [each for _, each in OUTAGES], ids=[name for name, _ in OUTAGES])
async def test_ten_minutes_of_an_outage_cost_no_flag_and_end_by_themselves(outage: Any, tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(20)))
    async with Polled(tmp_path, source) as polled:
        assert polled.held() == ALL
        source.say = outage
        await polled.time.spend(600)
        assert polled.held() == ALL
        assert len(polled.handed_on) == 1
        # One poll an interval at most, 120 s and jitter apart at least.
        assert 3 <= len(source.asked) - 1 <= 21
        source.say = fetched([*flags(19), flag("f019", rollout=0), flag("new")])
        await polled.time.spend(300)
        assert polled.held() == ALL | {"new"}
        assert polled.poller.failures == 0


async def test_a_restart_in_the_middle_of_an_outage_starts_from_the_disk(tmp_path: Path) -> None:
    async with Polled(tmp_path, FakeSource(fetched(flags(20)))):
        pass
    async with Polled(tmp_path, FakeSource(Trouble("status_500"))) as polled:
        assert polled.held() == ALL
        assert polled.source.asked == []
        await polled.time.spend(600)
        assert polled.held() == ALL
        assert polled.boots == 0
        assert polled.poller.report()["age_s"] >= 600


SWITCHES = [
    (flag("f000", rollout=0), ALL),
    (flag("f000", active=False), ALL - {"f000"}),
    (flag("f000", deleted=True), ALL - {"f000"}),
    (None, ALL - {"f000"}),
]


@pytest.mark.parametrize(("entry", "live"), SWITCHES)
async def test_one_flag_off_deactivated_or_deleted_is_in_use_after_one_poll(
    entry: dict[str, Any] | None, live: set[str], tmp_path: Path
) -> None:
    source = FakeSource(fetched(flags(20)))
    sample = [Asked(distinct_id=f"p{number}") for number in range(40)]
    async with Polled(tmp_path, source, sample=sample, canary_ratio=0.3, canary_flags=5) as polled:
        await polled.time.spend(100)
        source.say = changed = fetched([*([entry] if entry else []), *flags(20)[1:]])
        polls = len(source.asked)
        while len(source.asked) == polls:
            await polled.time.spend(1)
        assert polled.keeper.current is not None
        assert polled.keeper.current.kept.body == changed.body
        assert polled.held() == live
        assert polled.handed_on[-1] == polled.keeper.current


async def test_a_set_that_changes_much_waits_two_polls_and_is_then_taken_and_said(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(20)))
    async with Polled(tmp_path, source) as polled:
        source.say = fetched(flags(20, active=False), etag='"much"')
        seen = []
        for _ in range(4):
            polls = len(source.asked)
            while len(source.asked) == polls:
                await polled.time.spend(1)
            seen.append((polled.keeper.waiting.polls if polled.keeper.waiting else 0, len(polled.held())))
        assert seen == [(1, 20), (2, 20), (0, 0), (0, 0)]
        # It was sent once, and asked about conditionally from then on.
        assert [etag for _, etag in source.asked[2:]] == ['"much"'] * (len(source.asked) - 2)
        events = polled.lines.events()
        assert events.count("definitions_held") == 2
        assert events.count("definitions_accepted_after_hold") == 1


async def test_a_set_that_is_taken_back_while_it_waits_is_forgotten(tmp_path: Path) -> None:
    source = FakeSource(good := fetched(flags(20)))
    async with Polled(tmp_path, source) as polled:
        source.say = fetched(flags(20, active=False))
        await polled.time.spend(45)
        assert polled.keeper.waiting is not None
        source.say = good
        await polled.time.spend(300)
        assert polled.keeper.waiting is None
        assert polled.held() == ALL
        assert len(polled.handed_on) == 1


async def test_a_set_that_keeps_changing_much_is_not_held_for_ever(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(20)))
    async with Polled(tmp_path, source) as polled:
        for number in range(6):
            source.say = fetched([*flags(20, active=False), flag(f"n{number}")])
            await polled.time.spend(30)
        assert len(polled.held() & ALL) == 0


async def test_polls_stand_on_the_projects_grid(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(2)))
    async with Polled(tmp_path, source) as polled:
        start = polled.time.now
        await polled.time.spend(600)
        times = [at - start for at, _ in source.asked]
        assert times[0] == 0
        assert [round((at - offset_s("shop", 30)) % 30, 6) % 30 for at in times[1:]] == [0.0] * (len(times) - 1)
        assert len(times) in {20, 21}


async def test_what_is_unchanged_is_asked_for_by_its_etag_and_stays_fresh(tmp_path: Path) -> None:
    source = FakeSource(good := fetched(flags(2)))
    async with Polled(tmp_path, source) as polled:
        await polled.time.spend(600)
        assert [etag for _, etag in source.asked] == [None, *[good.etag] * (len(source.asked) - 1)]
        age = polled.poller.report()["age_s"]
        assert age is not None
        assert age <= 30
        source.say = Trouble("timeout")
        await polled.time.spend(100)
        assert polled.poller.report()["age_s"] == pytest.approx(age + 100)


async def test_the_same_document_under_another_etag_is_no_new_generation(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(2), etag='"1"'))
    async with Polled(tmp_path, source) as polled:
        source.say = fetched(flags(2), etag='"2"')
        await polled.time.spend(100)
        assert polled.shelf.numbers() == [polled.handed_on[0].kept.generation]
        assert source.asked[-1][1] == '"2"'


async def test_with_nothing_held_it_asks_more_often_and_tries_the_boot_source_again(tmp_path: Path) -> None:
    source = FakeSource(Trouble("connection_refused"))
    async with Polled(tmp_path, source) as polled:
        await polled.time.spend(30)
        assert 4 <= len(source.asked) <= 6
        assert polled.boots == len(source.asked)
        source.say = fetched(flags(20))
        await polled.time.spend(50)
        assert polled.held() == ALL


async def test_a_rotated_key_is_tried_at_once_when_the_old_one_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.write_text("old-key\n")
    source = FakeSource(fetched(flags(2)))
    async with Polled(tmp_path / "d", source, key=SecretSource(file=str(place))) as polled:
        source.say = Trouble("status_401", is_about_key=True)
        await polled.time.spend(300)
        polls = len(source.asked)
        place.write_text("new-key\n")
        source.say = NotModified()
        await polled.time.spend(5)
        assert source.keys[polls:] == ["new-key"]
        assert set(source.keys[:polls]) == {"old-key"}
        assert polled.poller.report()["polling"] == "ok"


async def test_a_key_that_becomes_unreadable_leaves_the_last_good_one(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.write_text("old-key")
    source = FakeSource(fetched(flags(2)))
    async with Polled(tmp_path / "d", source, key=SecretSource(file=str(place))) as polled:
        place.unlink()
        await polled.time.spend(100)
        assert source.keys == ["old-key"] * len(source.asked)
        assert len(source.asked) > 2


async def test_without_any_key_it_says_so_and_asks_nobody(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(2)))
    async with Polled(tmp_path, source, key=SecretSource(env="GONE")) as polled:
        await polled.time.spend(30)
        assert source.asked == []
        assert polled.poller.report()["polling"] == "key_unreadable"
        polled.environ["GONE"] = "here"
        await polled.time.spend(5)
        assert source.keys == ["here"]


async def test_no_line_of_the_log_holds_the_key_a_person_or_a_document(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(20)))
    sample = [Asked(distinct_id="canary-person")]
    async with Polled(tmp_path, source, sample=sample) as polled:
        for outage in (Fetched(b'{"canary": 1}', None), Trouble("status_401", is_about_key=True), RuntimeError(KEY)):
            source.say = outage
            await polled.time.spend(200)
        source.say = fetched(flags(20, active=False))
        await polled.time.spend(500)
        assert {"definitions_refused", "definitions_unreachable", "definitions_held", "poll_failed"} <= set(
            polled.lines.events()
        )
        assert "canary" not in str([{**line, "exc_info": None} for line in polled.lines.lines])


async def test_a_disk_that_fails_costs_nothing_but_the_snapshot_and_is_used_again_later(tmp_path: Path) -> None:
    (tmp_path / "shop").write_bytes(b"in the way of the folder")
    source = FakeSource(fetched(flags(20)))
    async with Polled(tmp_path, source) as polled:
        assert polled.held() == ALL
        assert polled.handed_on[0].path is None
        await polled.time.spend(100)
        assert polled.lines.events().count("definitions_not_written") == 1
        (tmp_path / "shop").unlink()
        await polled.time.spend(50)
        assert polled.shelf.newest() == polled.handed_on[0].kept
        assert len(polled.handed_on) == 1
        assert "definitions_written_again" in polled.lines.events()


async def test_a_large_set_is_judged_beside_the_event_loop(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(3000)))
    async with Polled(tmp_path, source) as polled:
        # One that will wait: nothing of it is written, so that judging is all that takes time.
        source.say = fetched(flags(3000, active=False))
        turns = 0

        async def count() -> None:
            nonlocal turns
            while polled.keeper.waiting is None:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await polled.time.spend(46)
        await counting
        assert turns > 100


async def test_what_upstream_asks_to_be_left_alone_for_is_granted(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(2)))
    async with Polled(tmp_path, source) as polled:
        source.say = Trouble("status_429", retry_after_s=400)
        await polled.time.spend(45)
        polls = len(source.asked)
        await polled.time.spend(350)
        assert len(source.asked) == polls
        await polled.time.spend(260)
        assert len(source.asked) == polls + 1


async def test_a_refused_set_that_comes_again_and_again_is_said_once(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(2)))
    async with Polled(tmp_path, source) as polled:
        source.say = Fetched(b"{}", None)
        await polled.time.spend(300)
        assert len(source.asked) > 5
        assert polled.lines.events().count("definitions_refused") == 1


async def test_refused_sets_are_kept_for_inspection_a_few_of_them(tmp_path: Path) -> None:
    source = FakeSource(fetched(flags(20)))
    async with Polled(tmp_path, source) as polled:
        sets = []
        for number in range(5):
            source.say = bad = fetched(flags(number))
            sets.append(definitions_set("shop", bad.body, etag=None, fetched_at_wall=0).digest[:12])
            await polled.time.spend(45)
        report = polled.poller.report()
        assert [each["digest"] for each in report["refused"]] == sets[:1:-1]
        assert {path.name for path in (tmp_path / "shop").glob("refused-*")} == {f"refused-{each}.hfd" for each in sets[2:]}
        assert polled.lines.events().count("definitions_refused") == 5
