"""Snapshots: any damage is found, the generation before it is used, and what is on disk is whole at every instant."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.definitions.document import DefinitionsSet, Unreadable, decode_set, encode_set
from proxy.definitions.snapshot import generations, keep, newest, path_of, read_set, told, write_durably
from proxy.process.control.messages import DefinitionsChanged
from tests.fakes.definitions import flags, kept

SET = kept(flags(2), generation=7)


def test_a_set_comes_back_as_it_was_kept() -> None:
    assert decode_set(encode_set(SET)) == SET


@pytest.mark.parametrize("etag", [None, "", 'W/"abc"', '"\n"'])
def test_whatever_the_etag_and_the_body_are_they_come_back(etag: str | None) -> None:
    odd = DefinitionsSet("shop", 1, etag, b"\x00\xff\n\n", 0.5, "d")
    assert decode_set(encode_set(odd)) == odd


def test_every_change_of_any_single_byte_is_found() -> None:
    content = encode_set(SET)
    for place in range(len(content)):
        before, after = content[:place], content[place + 1 :]
        for value in range(256):
            damaged = before + bytes([value]) + after
            assert damaged == content or isinstance(decode_set(damaged), Unreadable), (place, value)


def test_every_truncation_and_every_added_byte_is_found() -> None:
    content = encode_set(SET)
    assert all(isinstance(decode_set(content[:length]), Unreadable) for length in range(len(content)))
    assert all(isinstance(decode_set(content + bytes([value])), Unreadable) for value in range(256))


def test_with_the_newest_generation_damaged_anywhere_the_one_before_is_used(tmp_path: Path) -> None:
    before, after = kept(flags(1), generation=1), kept([], generation=2)
    keep(tmp_path, before, generations=5)
    newer = keep(tmp_path, after, generations=5)
    content = newer.read_bytes()
    assert newest(tmp_path, "shop") == after
    for place in range(len(content)):
        newer.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert newest(tmp_path, "shop") == before, place
        newer.write_bytes(content[:place])
        assert newest(tmp_path, "shop") == before, place


def test_with_every_generation_damaged_there_is_none(tmp_path: Path) -> None:
    for number in (1, 2):
        keep(tmp_path, kept(flags(1), generation=number), generations=5).write_bytes(b"")
    assert newest(tmp_path, "shop") is None


def test_a_file_of_another_project_is_not_taken_for_ours(tmp_path: Path) -> None:
    theirs = keep(tmp_path, kept(flags(1), project="other", generation=1), generations=5)
    (tmp_path / "shop").mkdir()
    theirs.rename(path_of(tmp_path, "shop", 1))
    assert newest(tmp_path, "shop") is None


def test_only_the_wanted_number_of_generations_stays(tmp_path: Path) -> None:
    for number in range(1, 9):
        keep(tmp_path, kept(flags(1), generation=number), generations=3)
    assert generations(tmp_path, "shop") == [8, 7, 6]


def test_files_are_for_us_alone(tmp_path: Path) -> None:
    path = keep(tmp_path / "definitions", SET, generations=1)
    assert [stat.S_IMODE(place.stat().st_mode) for place in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


def test_a_write_that_was_cut_off_leaves_what_was_there(tmp_path: Path) -> None:
    keep(tmp_path, kept(flags(1), generation=1), generations=1)
    with largest_file(100), pytest.raises(OSError, match="File too large"):
        keep(tmp_path, kept(flags(1), generation=2), generations=1)
    assert generations(tmp_path, "shop") == [1]
    assert newest(tmp_path, "shop") == kept(flags(1), generation=1)
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["set-0000000001.hfd"]


def test_what_a_crash_left_beside_is_never_read(tmp_path: Path) -> None:
    path = keep(tmp_path, kept(flags(1), generation=1), generations=1)
    path.with_name(".set-0000000002.hfd.123").write_bytes(encode_set(SET))
    assert newest(tmp_path, "shop") == kept(flags(1), generation=1)


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / f".file.{os.getpid()}").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        write_durably(tmp_path / "file", b"theirs")
    assert victim.read_bytes() == b"mine"


def test_a_message_names_a_file_or_carries_it(tmp_path: Path) -> None:
    path = keep(tmp_path, SET, generations=1)
    assert told(DefinitionsChanged("shop", 7, str(path))) == SET
    assert told(DefinitionsChanged("shop", 7, "", encode_set(SET))) == SET
    assert told(DefinitionsChanged("shop", 7, str(tmp_path / "gone"))) == Unreadable(
        "cannot be read: No such file or directory"
    )


def test_what_is_no_set_says_why(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b'{"flags": []}')
    assert read_set(tmp_path / "plain") == Unreadable("not a definitions file of this format")
    assert read_set(tmp_path) == Unreadable("cannot be read: Is a directory")


def test_a_set_does_not_print_its_document() -> None:
    assert "f000" not in repr(SET)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Have the kernel cut every file of this process at a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
