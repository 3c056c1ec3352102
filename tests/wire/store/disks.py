"""Disks that can be filled and made read-only: a small tmpfs where we may mount one, else what can be had without."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def may_mount(folder: Path) -> bool:
    """Whether this process may mount anything: root in most containers, nobody elsewhere."""
    if not _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)):
        return False
    _umount(folder)
    return True


class Tmpfs:
    """A disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def remount(self, options: str) -> None:
        assert _mount("-o", f"remount,{options}", str(self.folder)), options


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Tmpfs]:
    folder.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        pytest.skip("no disk of our own can be mounted here")
    try:
        yield Tmpfs(folder)
    finally:
        _umount(folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder and its files unwritable, for root by a mount, for others by their mode."""
    if os.geteuid() == 0:
        if not (_mount("--bind", str(folder), str(folder)) and _mount("-o", "remount,bind,ro", str(folder))):
            pytest.skip("root writes everywhere, and may not mount here")
        try:
            yield
        finally:
            _umount(folder)
        return
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        yield
    finally:
        for path in paths:
            path.chmod(0o700 if path.is_dir() else 0o600)


def _mount(*options: str) -> bool:
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


def _umount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)
