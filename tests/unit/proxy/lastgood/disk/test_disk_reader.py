from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.lastgood.disk.reader import MOST_WAITING, Reader
from proxy.lastgood.disk.schema import FILE
from proxy.lastgood.disk.tier import BATCH_BYTES, DiskTier
from proxy.lastgood.tiers.record import Sealed, SealedPurge
from proxy.lastgood.tiers.sealing import Seals
from tests.fakes.store import Store, record
from tests.fakes.tier import SECRET


def removed(folder: Path) -> None:
    for path in folder.glob(FILE + "*"):
        path.unlink()


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    reader = Reader(tmp_path, timeout_s=10)
    reader.start()
    yield reader
    reader.close()


async def test_a_file_that_comes_later_is_found(tmp_path: Path, reader: Reader) -> None:
    assert await reader.get(record("a").key) is None
    async with Store(tmp_path) as store:
        await store.write(record("a"))
        assert await reader.get(record("a").key) == record("a").value
    assert reader.failures == 0


async def test_a_file_that_was_replaced_is_noticed(tmp_path: Path, reader: Reader) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"))
        assert await reader.get(record("a").key) is not None
    removed(tmp_path)
    async with Store(tmp_path) as store:
        await store.write(record("b"))
        assert await reader.get(record("a").key) is None
        assert await reader.get(record("b").key) == record("b").value


async def test_what_is_no_database_has_nothing_to_say_and_is_counted(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1_000)
    assert await reader.get(record("a").key) is None
    assert reader.failures == 1


async def test_many_questions_at_once_get_their_own_answers(tmp_path: Path, reader: Reader) -> None:
    async with Store(tmp_path) as store:
        await store.write(*(record(f"{n}") for n in range(100)))
    found = await asyncio.gather(*(reader.get(record(f"{n}").key) for n in range(110)))
    assert found == [record(f"{n}").value if n < 100 else None for n in range(110)]
    assert reader.read == 110


class Hung(Reader):
    """A disk that does not answer until the test lets it."""

    def __init__(self, folder: Path, **how: float) -> None:
        super().__init__(folder, **how)
        self.gate = threading.Event()
        self.reached = threading.Event()

    def _look(self, place: bytes) -> bytes | None:
        self.reached.set()
        self.gate.wait(20)
        return super()._look(place)


async def test_a_disk_that_hangs_is_given_up_at_the_deadline_and_then_not_asked(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"))
    reader = Hung(tmp_path, timeout_s=0.001)
    reader.start()
    assert await reader.get(record("a").key) is None
    assert reader.late == 1
    reader.timeout_s = 60.0
    asking = asyncio.create_task(reader.get(record("a").key))
    await asyncio.to_thread(reader.reached.wait, 20)
    reader.timeout_s = 0.0
    assert await reader.get(record("a").key) is None
    assert reader.shed == 1
    reader.timeout_s = 60.0
    reader.gate.set()
    assert await asking == record("a").value
    assert await reader.get(record("a").key) == record("a").value
    reader.close()


async def test_no_more_than_so_many_questions_wait(tmp_path: Path) -> None:
    reader = Hung(tmp_path, timeout_s=10)
    reader.start()
    asking = [asyncio.create_task(reader.get(b"x")) for _ in range(2 * MOST_WAITING)]
    await asyncio.to_thread(reader.reached.wait, 10)
    assert reader.shed > 0
    reader.gate.set()
    await asyncio.gather(*asking)
    reader.close()


async def test_a_caller_who_goes_away_is_not_told(tmp_path: Path) -> None:
    reader = Hung(tmp_path, timeout_s=10)
    reader.start()
    asking = asyncio.create_task(reader.get(b"x"))
    await asyncio.to_thread(reader.reached.wait, 10)
    asking.cancel()
    await asyncio.wait([asking])
    reader.gate.set()
    assert await reader.get(b"y") is None
    reader.close()


async def test_a_reader_that_was_not_started_says_nothing(tmp_path: Path) -> None:
    reader = Reader(tmp_path, timeout_s=10)
    assert await reader.get(b"x") is None
    reader.close()


async def test_a_value_that_is_no_bytes_is_none(tmp_path: Path, reader: Reader) -> None:
    async with Store(tmp_path) as store:
        await store.write(record("a"))
    connection = sqlite3.connect(tmp_path / FILE)
    with connection:
        connection.execute("UPDATE answers SET value = 17")
    connection.close()
    assert await reader.get(record("a").key) is None


class Supervisor:
    """Takes batches, or does not."""

    def __init__(self) -> None:
        self.batches: list[list[Sealed]] = []
        self.is_there = True
        self.refused = 0

    async def send(self, batch: list[Sealed]) -> bool:
        if not self.is_there:
            self.refused += 1
            return False
        self.batches.append(list(batch))
        return True

    @property
    def names(self) -> list[str]:
        return [each.key.decode().rstrip(".") for batch in self.batches for each in batch]


def tier(folder: Path, supervisor: Supervisor) -> DiskTier:
    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    made = DiskTier(Seals(SECRET), Reader(folder, timeout_s=1), sleep=sleep)
    made.send = supervisor.send  # type: ignore[assignment]
    return made


async def until(claim: object) -> None:
    async with asyncio.timeout(10):
        while not claim():  # type: ignore[operator]  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_records_go_to_the_supervisor_in_batches_in_order(tmp_path: Path) -> None:
    supervisor = Supervisor()
    disk = tier(tmp_path, supervisor)
    await disk.start()
    disk.offer([record(f"{n}", size=BATCH_BYTES // 3) for n in range(7)])
    await until(lambda: len(supervisor.names) == 7)
    assert supervisor.names == [f"{n}" for n in range(7)]
    assert all(len(batch) <= 3 for batch in supervisor.batches)
    await disk.close()


async def test_what_a_missing_supervisor_did_not_take_goes_to_its_successor(tmp_path: Path) -> None:
    supervisor = Supervisor()
    supervisor.is_there = False
    disk = tier(tmp_path, supervisor)
    await disk.start()
    disk.offer([record("a"), record("b")])
    await until(lambda: supervisor.refused > 2)
    disk.offer([record("c")])
    supervisor.is_there = True
    await until(lambda: len(supervisor.names) == 3)
    assert supervisor.names == ["a", "b", "c"]
    assert disk.report()["sent"] == 3
    await disk.close()


async def test_what_waits_at_the_end_is_sent(tmp_path: Path) -> None:
    supervisor = Supervisor()
    disk = tier(tmp_path, supervisor)
    await disk.start()
    disk.offer([record("a")])
    await disk.close()
    assert supervisor.names == ["a"]


async def test_what_is_purged_is_not_sent(tmp_path: Path) -> None:
    supervisor = Supervisor()
    disk = tier(tmp_path, supervisor)
    disk.offer([record("a"), record("b", project="other")])
    await disk.purge(SealedPurge("other"))
    await disk.start()
    await disk.close()
    assert supervisor.names == ["a"]
