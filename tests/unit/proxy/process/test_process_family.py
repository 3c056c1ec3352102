"""The family's folder is private, has one owner at a time, and its files change in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.process.family import Family, open_folder, write_private
from proxy.process.launcher import read_roster


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="hf-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_a_folder_that_is_not_there_is_made_for_us_alone(short: Path) -> None:
    opened = open_folder(str(short / "run"))
    assert not isinstance(opened, str)
    assert (short / "run").stat().st_mode & 0o777 == 0o700
    os.close(opened[1])


def test_without_a_name_a_temporary_folder_is_made() -> None:
    opened = open_folder(None)
    assert not isinstance(opened, str)
    folder, lock = opened
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    os.close(lock)
    shutil.rmtree(folder)


def test_a_folder_open_to_others_is_refused(short: Path) -> None:
    short.chmod(0o755)
    assert "is open to others; chmod 700 it" in str(open_folder(str(short)))


def test_a_folder_too_deep_for_a_socket_is_refused(short: Path) -> None:
    assert "too long for a Unix socket" in str(open_folder(str(short / ("x" * 90))))


def test_a_file_in_the_way_is_told(short: Path) -> None:
    (short / "run").write_text("")
    assert "File exists" in str(open_folder(str(short / "run")))


def test_a_locked_folder_is_refused_until_the_last_holder_is_gone(short: Path) -> None:
    opened = open_folder(str(short))
    assert not isinstance(opened, str)
    inherited = os.dup(opened[1])
    os.close(opened[1])
    assert f"started as pid {os.getpid()}" in str(open_folder(str(short)))
    os.close(inherited)
    again = open_folder(str(short))
    assert not isinstance(again, str)
    os.close(again[1])


def test_a_private_file_is_replaced_whole_and_readable_by_us_alone(short: Path) -> None:
    path = short / "config.json"
    write_private(path, b"long content")
    write_private(path, b"short")
    assert path.read_bytes() == b"short"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(short.iterdir()) == [path]


def test_a_family_survives_the_command_line(short: Path) -> None:
    family = Family(runtime=str(short), listeners=(3, 4), admin=None, lock=5, is_ephemeral=True)
    assert Family.parsed(family.dumped()) == family
    assert family.descriptors == (3, 4, 5)
    assert family._replace(admin=6).descriptors == (3, 4, 5, 6)


@pytest.mark.parametrize("content", [None, b"", b"{half"])
def test_a_roster_that_cannot_be_read_is_an_empty_one(short: Path, content: bytes | None) -> None:
    family = Family(runtime=str(short), listeners=(), admin=None, lock=0, is_ephemeral=True)
    if content is not None:
        family.roster.write_bytes(content)
    assert read_roster(family) == {}
