from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from random import Random

import pytest

from proxy.lastgood.disk.place import ASIDE, Lock
from proxy.lastgood.disk.schema import FILE
from proxy.lastgood.disk.trouble import Trouble
from proxy.lastgood.disk.writer import BACKLOG_BYTES, TIDY_S, Forgotten
from proxy.lastgood.tiers.record import Purge
from tests.fakes.requests import PROJECT, key
from tests.fakes.store import Store, record
from tests.fakes.tier import whole


def removed(folder: Path) -> None:
    for path in folder.glob(FILE + "*"):
        path.unlink()


async def test_what_is_taken_is_read_by_workers(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"), record("b"))
        assert await store.read("a") == record("a").value
        assert await store.read("c") is None
        assert store.writer.report()["written"] == 2
    assert store.lines.events() == ["store_open"]


@pytest.mark.parametrize("how", ["garbage", "cut", "flipped"])
async def test_a_damaged_file_is_set_aside_said_and_a_new_one_begun(tmp_path: Path, how: str) -> None:
    async with Store(tmp_path) as store:
        await store.write(*(record(f"{n}", size=6_000) for n in range(40)))
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    if how == "garbage":
        content = bytearray(Random(3).randbytes(5_000))
    elif how == "cut":
        content = content[: len(content) // 2]
    else:
        for position in range(4096, 4096 * 12, 7):
            content[position] ^= 0xFF
    path.write_bytes(content)
    async with Store(tmp_path) as store:
        await store.write(record("new"))
        assert await store.read("new") == record("new").value
        assert await store.read("1") is None
        assert store.writer.report()["set_aside"] == 1
    assert store.lines.events() == ["store_set_aside", "store_open"]
    assert (tmp_path / ASIDE).read_bytes() == content


async def test_damage_that_shows_while_writing_loses_no_new_record(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(*(record(f"{n}", size=6_000) for n in range(40)))
        connection = store.writer._book._connection
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute("PRAGMA cache_size = 0")  # so that it looks at the file again
        with (tmp_path / FILE).open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096 * 30)
        for n in range(40):
            await store.write(record(f"new-{n}", size=6_000))
        assert await store.read("new-0") == record("new-0", size=6_000).value
        assert store.writer.set_aside == 1


async def test_a_full_disk_is_said_once_and_the_newest_records_wait_for_room(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"))
        store.go_on.clear()
        store.writer._book._connection.execute("PRAGMA max_page_count = 12")
        store.writer.take([record("b", size=400_000)])
        await store.until(lambda: store.pauses)
        assert store.writer.trouble is Trouble.FULL
        store.go_on.set()
        await store.idle()
        assert await store.read("b") == record("b", size=400_000).value
    assert store.lines.events() == ["store_open", "store_unusable", "store_works_again"]
    assert store.lines.lines[1]["trouble"] == "disk_full"
    assert "room" in store.lines.lines[1]["remedy"]


async def test_what_waits_too_long_is_dropped_and_counted(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    async with Store(tmp_path) as store:
        await store.until(lambda: store.writer.trouble)
        assert store.writer.trouble is Trouble.IN_USE
        store.go_on.clear()
        for n in range(20):
            store.writer.take([record(f"{n}", size=1_000_000)])
        assert store.writer.report()["waiting_bytes"] <= BACKLOG_BYTES
        assert store.writer.report()["dropped"] > 0
        held.release()
        store.go_on.set()
        await store.idle()
        assert await store.read("19") is not None
        assert await store.read("0") is None


async def test_two_writers_never_share_a_folder(tmp_path: Path) -> None:
    async with Store(tmp_path) as first:
        await first.write(record("a"))
        async with Store(tmp_path) as second:
            second.go_on.clear()
            await second.until(lambda: second.pauses)
            assert second.writer.trouble is Trouble.IN_USE
            assert "store_unusable" in second.lines.events()


async def test_a_folder_that_cannot_be_made_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"a file where the folder should be")
    async with Store(tmp_path / "store") as store:
        store.go_on.clear()
        await store.until(lambda: store.pauses)
        assert store.writer.trouble is Trouble.UNAVAILABLE
        (tmp_path / "store").unlink()
        store.go_on.set()
        await store.write(record("a"))
        assert await store.read("a") is not None


async def test_tries_come_further_and_further_apart(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    async with Store(tmp_path) as store:
        while len(store.pauses) < 9:
            store.go_on.set()
            count = len(store.pauses)
            await store.until(lambda count=count: len(store.pauses) > count)
        assert store.pauses[:9] == [1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
        assert store.lines.events() == ["store_unusable"]
    held.release()


async def test_a_purge_is_done_before_it_is_answered(tmp_path: Path) -> None:
    async with Store(tmp_path, projects=("default", "other")) as store:
        await store.write(record("a"), record("b", project="other"))
        assert await store.writer.purge(Purge("other")) == Forgotten(1)
        assert await store.read("b") is None
        assert await store.read("a") is not None
        assert await store.writer.purge(Purge()) == Forgotten(1)
        assert await store.read("a") is None


async def test_a_person_is_forgotten_in_every_project(tmp_path: Path) -> None:
    async with Store(tmp_path, projects=("default",)) as store:
        sealed = [
            store.seals.seal(key(name), whole(), project=PROJECT, stored_at=1.0, expires_at=1e12) for name in ("ada", "bob")
        ]
        await store.write(*sealed)
        assert await store.writer.purge(Purge(None, "ada")) == Forgotten(1)
        await store.idle()
        await store.writer.purge(Purge(None, "nobody"))
        assert store.writer._book.count() == 1


async def test_a_record_said_before_a_purge_and_sent_after_it_is_not_written(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.writer.purge(Purge("default"))
        at = store.clock.wall()
        await store.write(record("late", stored_at=at), record("new", stored_at=at + 0.1))
        assert await store.read("late") is None
        assert await store.read("new") is not None


async def test_what_waited_to_be_written_when_it_was_purged_is_not_written(tmp_path: Path) -> None:
    held = Lock(tmp_path)
    async with Store(tmp_path, projects=("default", "other")) as store:
        await store.until(lambda: store.writer.trouble)
        store.writer.take([record("a"), record("b", project="other")])
        purging = asyncio.create_task(store.writer.purge(Purge("other")))
        held.release()
        store.go_on.set()
        assert await purging == Forgotten(0)
        await store.idle()
        assert await store.read("a") is not None
        assert await store.read("b") is None


async def test_a_purge_removes_what_was_set_aside_because_it_cannot_be_searched(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    async with Store(tmp_path) as store:
        await store.idle()
        assert (tmp_path / ASIDE).exists()
        await store.writer.purge(Purge(None, "ada"))
        assert not (tmp_path / ASIDE).exists()


async def test_a_purge_that_a_full_disk_does_not_take_removes_the_whole_file(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(*(record(f"{n}", size=5_000) for n in range(50)))
        store.writer._book._connection.execute("PRAGMA query_only = ON")  # it can no longer be written
        assert await store.writer.purge(Purge(None, "ada")) == Forgotten(None)
        await store.write(record("new"))
        assert await store.read("1") is None
        assert await store.read("new") is not None
    assert "store_removed" in store.lines.events()


async def test_a_purge_of_a_store_that_another_instance_writes_stays_owed_and_is_not_forgotten(tmp_path: Path) -> None:
    async with Store(tmp_path) as first:
        await first.write(record("a"))
    held = Lock(tmp_path)
    async with Store(tmp_path) as store:
        await store.until(lambda: store.writer.trouble)
        store.go_on.clear()
        purging = store.writer.purge(Purge())
        task = asyncio.create_task(purging)
        await store.until(lambda: store.writer.report()["purges_owed"] == 1)
        assert (tmp_path / FILE).exists()
        held.release()
        store.go_on.set()
        assert await task == Forgotten(1)
        assert await store.read("a") is None


async def test_ended_answers_and_other_projects_are_forgotten_in_time(tmp_path: Path) -> None:
    async with Store(tmp_path, projects=("default", "gone")) as store:
        soon = store.clock.wall() + 5
        await store.write(record("ended", expires_at=soon), record("kept"), record("gone", project="gone"))
        store.clock.advance(TIDY_S)
        store.writer.reconfigure(max_bytes=1 << 24, projects=["default"])
        await store.idle()
        assert await store.read("ended") is None
        assert await store.read("gone") is None
        assert await store.read("kept") is not None


async def test_a_lowered_limit_is_kept_from_then_on(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(*(record(f"{n}", size=10_000) for n in range(400)))
        assert (tmp_path / FILE).stat().st_size > 2 << 20
        store.writer.reconfigure(max_bytes=1 << 20, projects=["default"])
        await store.idle()
        assert store.writer.bytes <= 1 << 20
        assert await store.read("0") is None
        assert await store.read("399") is not None


async def test_a_file_that_somebody_removed_is_made_anew(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"))
        removed(tmp_path)
        store.writer.reconfigure(max_bytes=1 << 24, projects=["default"])  # as every half minute
        await store.idle()
        await store.write(record("b"))
        assert await store.read("b") is not None


async def test_a_newer_releases_file_is_left_alone_and_said(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"))
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("PRAGMA user_version = 200")
    connection.close()
    async with Store(tmp_path) as store:
        await store.until(lambda: store.writer.trouble)
        assert store.writer.trouble is Trouble.NEWER
        line = store.lines.lines[0]
        assert (line["event"], line["reason"]) == ("store_unusable", "format 200, this release reads up to 199")
        assert "newer release" in line["remedy"]
    assert await store.read("a") is not None
