from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from random import Random

import pytest

from proxy.lastgood.disk.book import Book
from proxy.lastgood.disk.schema import FILE, VERSION
from proxy.lastgood.disk.trouble import StoreError, Trouble
from proxy.lastgood.tiers.record import SealedPurge
from tests.fakes.store import record

NOW = 1_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE


def opened(path: Path, max_bytes: int = 1 << 24) -> Book:
    return Book(path, max_bytes=max_bytes)


def names(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT key FROM answers ORDER BY id").fetchall()
    connection.close()
    return [row[0].decode().rstrip(".") for row in rows]


def value(path: Path, name: str) -> bytes | None:
    with sqlite3.connect(path) as connection:
        row = connection.execute("SELECT value FROM answers WHERE key = ?", (record(name).key,)).fetchone()
    connection.close()
    return None if row is None else row[0]


def test_what_is_written_is_there_for_the_next_one_who_opens_it(path: Path) -> None:
    book = opened(path)
    book.write([record("a"), record("b")], now=NOW)
    book.close()
    again = opened(path)
    assert again.count() == 2
    again.close()
    assert value(path, "a") == record("a").value


def test_the_file_its_log_and_its_index_are_ours_alone(path: Path) -> None:
    book = opened(path)
    book.write([record("a")], now=NOW)
    files = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    book.close()
    assert files == {FILE: 0o600, f"{FILE}-wal": 0o600, f"{FILE}-shm": 0o600}


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    opened(path).close()
    path.chmod(0o644)
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_older_answer_never_replaces_a_newer_one(path: Path) -> None:
    book = opened(path)
    book.write([record("a", size=10, stored_at=200)], now=NOW)
    book.write([record("a", size=500, stored_at=199)], now=NOW)
    book.close()
    assert value(path, "a") == record("a", size=10).value


def test_an_answer_from_the_future_is_replaced_by_whatever_comes(path: Path) -> None:
    book = opened(path)
    book.write([record("a", size=10, stored_at=NOW + 1)], now=NOW)
    book.write([record("a", size=500, stored_at=NOW)], now=NOW)
    book.close()
    assert value(path, "a") == record("a", size=500).value


def test_the_file_keeps_its_bytes_and_forgets_what_was_written_longest_ago(path: Path) -> None:
    limit, random = 1 << 20, Random(5)
    book = opened(path, limit)
    for batch in range(120):
        book.write([record(f"{batch}-{n}", size=random.choice([50, 700, 5_000, 12_000])) for n in range(8)], now=NOW)
        assert book.bytes <= limit
        assert path.stat().st_size <= limit
    kept = book.count()
    assert book.forgotten > 0
    book.close()
    left = names(path)
    assert left[-8:] == [f"119-{n}" for n in range(8)]
    numbers = [int(name.partition("-")[0]) for name in left]
    assert numbers == sorted(numbers)
    assert len(left) == kept > 50


def test_an_answer_written_again_is_the_last_to_be_forgotten(path: Path) -> None:
    book = opened(path)
    book.write([record("a"), record("b"), record("c")], now=NOW)
    book.write([record("a")], now=NOW)
    book.close()
    assert names(path) == ["b", "c", "a"]


def test_a_batch_that_does_not_fit_at_all_leaves_an_empty_and_sound_file(path: Path) -> None:
    book = opened(path, 1 << 20)
    book.write([record(f"small-{n}") for n in range(20)], now=NOW)
    book.write([record("large", size=900_000)], now=NOW)
    assert path.stat().st_size <= (1 << 20) + 64 * 1024
    book.close()
    opened(path).close()


def test_ended_answers_are_forgotten_and_their_pages_go_back_to_the_disk(path: Path) -> None:
    book = opened(path)
    book.write([record(f"old-{n}", size=8_000, expires_at=50.0) for n in range(600)], now=NOW)
    book.write([record("young", expires_at=NOW + 1)], now=NOW)
    book.give_back()
    full = path.stat().st_size
    while book.forget_ended(now=NOW):
        pass
    book.give_back(everything=True)
    assert book.count() == 1
    assert path.stat().st_size < full / 10
    book.close()


def test_a_purge_forgets_a_person_a_project_or_all(path: Path) -> None:
    book = opened(path)
    of_person = record("a", person="ada")
    book.write([of_person, record("b", person="bob"), record("c", project="other"), record("d", project="third")], now=NOW)
    assert book.purge(SealedPurge("default", frozenset({of_person.person, b"x" * 32}))) == 1
    assert book.purge(SealedPurge("other")) == 1
    assert book.projects() == ["default", "third"]
    assert book.keep_only(["default"]) == 1
    assert book.purge(SealedPurge()) == 1
    assert book.count() == 0
    book.close()


def test_what_is_purged_is_nowhere_in_the_files_any_more(path: Path) -> None:
    book = opened(path)
    book.write([record("secret-answer", size=9_000), record("other", size=9_000)], now=NOW)
    book.purge(SealedPurge("default"))
    found = {each.name: b"secret-answer" in each.read_bytes() for each in path.parent.iterdir()}
    book.close()
    assert not any(found.values()), found


def test_what_is_replaced_or_purged_is_overwritten_where_it_lay(path: Path) -> None:
    book = opened(path)
    book.write([record("first-value", size=40), record("other", size=40), record("ada-s", size=40, person="ada")], now=NOW)
    book.give_back()
    book.write([record("first-value", size=1, stored_at=101)], now=NOW)
    book.purge(SealedPurge("default", frozenset({record("x", person="ada").person})))
    content = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert content.count(b"ada-s-ada-s") == content.count(b"first-value-first-value") == 0
    assert content.count(b"other-other") > 0
    book.close()


def damaged(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "garbage":
        content = bytearray(Random(1).randbytes(len(content)))
    elif how == "cut":
        content = content[: len(content) // 2]
    elif how == "head":
        content[0:16] = b"not a database.."
    elif how == "page":
        content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    elif how == "text":
        content = bytearray(b"hello")
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["garbage", "cut", "head", "page", "text"])
def test_a_damaged_file_is_told_when_it_is_opened(path: Path, how: str) -> None:
    book = opened(path)
    book.write([record(f"{n}", size=5_000) for n in range(40)], now=NOW)
    book.give_back()
    book.close()
    damaged(path, how)
    with pytest.raises(StoreError) as told:
        opened(path)
    assert told.value.trouble is Trouble.DAMAGED


def test_another_programs_database_is_not_taken_for_ours(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE answers (a)")
    connection.close()
    with pytest.raises(StoreError, match="not a store of ours"):
        opened(path)


def test_a_file_of_a_newer_format_is_refused_and_left_as_it_is(path: Path) -> None:
    opened(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 200")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"format 200, this release reads up to 199") as told:
        opened(path)
    assert told.value.trouble is Trouble.NEWER
    assert path.read_bytes() == before


def test_a_file_of_a_later_revision_is_read_and_written(path: Path) -> None:
    opened(path).close()
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE answers ADD COLUMN later TEXT NOT NULL DEFAULT 'x'")
    connection.execute(f"PRAGMA user_version = {VERSION + 7}")
    connection.close()
    book = opened(path)
    book.write([record("a")], now=NOW)
    book.close()
    assert value(path, "a") == record("a").value


def test_a_file_that_lacks_our_columns_is_damaged(path: Path) -> None:
    opened(path).close()
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE answers DROP COLUMN person")
    connection.close()
    with pytest.raises(StoreError, match="columns are missing"):
        opened(path)


def test_a_full_disk_leaves_the_file_as_it_was(path: Path) -> None:
    book = opened(path)
    book.write([record("a")], now=NOW)
    book._connection.execute("PRAGMA max_page_count = 12")
    with pytest.raises(StoreError) as told:
        book.write([record("b"), record("large", size=200_000)], now=NOW)
    assert told.value.trouble is Trouble.FULL
    book.close()
    assert names(path) == ["a"]


def test_a_file_that_another_took_the_place_of_is_noticed(path: Path) -> None:
    book = opened(path)
    assert book.is_in_place()
    path.unlink()
    assert not book.is_in_place()
    opened(path).close()
    assert not book.is_in_place()
    book.close()


def test_errors_name_no_content() -> None:
    error = StoreError(Trouble.FULL, "SQLITE_FULL")
    assert str(error) == "disk_full: SQLITE_FULL"
