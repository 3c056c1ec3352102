"""A Redis that runs: the installed one, or Debian's package and the libraries it needs, unpacked under `.lanes/redis/`.

The binary goes by its name: as `redis-server` it is a server, as `redis-sentinel` a sentinel. Where neither is to be had here
it is `Unavailable`, with the reason.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tools.sdks.lanes import LANES
from tools.sdks.unavailable import Unavailable

HOME: Final = LANES / "redis"
PACKAGES: Final = ("redis-tools", "libjemalloc2", "liblzf1", "libatomic1")
"""Debian keeps the server's binary in `redis-tools`, under a name of its own."""

_STAMP: Final = ".ready"
_BINARY: Final = "redis-check-rdb"
_NAMES: Final = ("redis-server", "redis-sentinel")
_TIMEOUT_S: Final = 60


class Installed(NamedTuple):
    """Where the binaries are, and what they need in their environment."""

    server: Path
    sentinel: Path
    environ: dict[str, str]


def find() -> Installed:
    """Return an installed or already fetched Redis.

    Raises:
        Unavailable: There is none; `python -m tools.servers` may fetch one.
    """
    server, sentinel = (shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") for name in _NAMES)
    if server and sentinel:
        return Installed(Path(server), Path(sentinel), {})
    if not (HOME / _STAMP).is_file():
        raise Unavailable("no Redis here; fetch one with: python -m tools.servers")
    libraries = ":".join(str(folder) for folder in sorted((HOME / "usr" / "lib").iterdir()) if folder.is_dir())
    return Installed(HOME / _NAMES[0], HOME / _NAMES[1], {"LD_LIBRARY_PATH": libraries})


def ensure() -> Installed:
    """Fetch a Redis if there is none, once however many processes ask.

    Raises:
        Unavailable: It cannot be had here.
    """
    LANES.mkdir(exist_ok=True)
    with _locked(LANES / ".redis.lock"):
        try:
            found = find()
        except Unavailable:
            _fetch()
            found = find()
    said = _run([str(found.server), "--version"], environ=found.environ)
    if "Redis server" not in said and "Valkey" not in said:
        raise Unavailable("what was unpacked is no Redis server")
    return found


def _fetch() -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable("Redis is not installed and this is no Debian to fetch its package from")
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    try:
        _run(["apt-get", "download", "-q", *PACKAGES], cwd=HOME)
    except Unavailable:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "update", "-q"])  # a fresh container has no lists of packages
        _run(["apt-get", "download", "-q", *PACKAGES], cwd=HOME)
    for package in HOME.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(HOME)])
    for name in _NAMES:
        shutil.copy(HOME / "usr" / "bin" / _BINARY, HOME / name)
    (HOME / _STAMP).touch()  # last: an interrupted fetch is none


def _run(command: list[str], *, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
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
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
