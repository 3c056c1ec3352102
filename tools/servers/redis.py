"""A Redis that runs: the installed one, or Debian's package and the libraries it needs, unpacked under `.lanes/redis/`.

The binary goes by its name: as `redis-server` it is a server, as `redis-sentinel` a sentinel. Where neither is to be had here
it is `Unavailable`, with the reason.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final, NamedTuple

from tools.sdks.lanes import LANES
from tools.sdks.unavailable import Unavailable

from .debian import STAMP, locked, run, unpack

HOME: Final = LANES / "redis"
PACKAGES: Final = ("redis-tools", "libjemalloc2", "liblzf1", "libatomic1")
"""Debian keeps the server's binary in `redis-tools`, under a name of its own."""

_BINARY: Final = "redis-check-rdb"
_NAMES: Final = ("redis-server", "redis-sentinel")


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
    if not (HOME / STAMP).is_file():
        raise Unavailable("no Redis here; fetch one with: python -m tools.servers")
    libraries = ":".join(str(folder) for folder in sorted((HOME / "usr" / "lib").iterdir()) if folder.is_dir())
    return Installed(HOME / _NAMES[0], HOME / _NAMES[1], {"LD_LIBRARY_PATH": libraries})


def ensure() -> Installed:
    """Fetch a Redis if there is none, once however many processes ask.

    Raises:
        Unavailable: It cannot be had here.
    """
    LANES.mkdir(exist_ok=True)
    with locked(LANES / ".redis.lock"):
        try:
            found = find()
        except Unavailable:
            _fetch()
            found = find()
    said = run([str(found.server), "--version"], environ=found.environ)
    if "Redis server" not in said and "Valkey" not in said:
        raise Unavailable("what was unpacked is no Redis server")
    return found


def _fetch() -> None:
    unpack(HOME, PACKAGES, what="Redis")
    for name in _NAMES:
        shutil.copy(HOME / "usr" / "bin" / _BINARY, HOME / name)
    (HOME / STAMP).touch()  # last: an interrupted fetch is none
