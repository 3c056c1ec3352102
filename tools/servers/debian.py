"""Debian's packages, unpacked under `.lanes/` and never installed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tools.sdks.unavailable import Unavailable

STAMP: Final = ".ready"
"""Written by whoever unpacked, when the rest is done."""
_TIMEOUT_S: Final = 60


def unpack(home: Path, packages: Sequence[str], *, what: str) -> None:
    """Download packages into `home`, made anew, and unpack them there.

    Raises:
        Unavailable: This is no Debian, or it failed.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable(f"{what} is not installed and this is no Debian to fetch its package from")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    try:
        run(["apt-get", "download", "-q", *packages], cwd=home)
    except Unavailable:
        if os.geteuid() != 0:
            raise
        run(["apt-get", "update", "-q"])  # a fresh container has no lists of packages
        run(["apt-get", "download", "-q", *packages], cwd=home)
    for package in home.glob("*.deb"):
        run(["dpkg-deb", "-x", str(package), str(home)])
        package.unlink()


def run(command: list[str], *, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """Run a command; return what it said, or raise `Unavailable` with its last words."""
    name = Path(command[0]).name
    environment = {**os.environ, **(environ or {})}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"{name} took longer than {_TIMEOUT_S} s") from late
    if done.returncode != 0:
        raise Unavailable(f"{name} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
