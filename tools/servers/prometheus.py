"""A Prometheus that runs: the installed one, or Debian's package unpacked under `.lanes/prometheus/`, with its `promtool`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, NamedTuple

from tools.sdks.lanes import LANES
from tools.sdks.unavailable import Unavailable

from .debian import STAMP, locked, run, unpack

HOME: Final = LANES / "prometheus"
PACKAGES: Final = ("prometheus",)


class Installed(NamedTuple):
    """Where the binaries are."""

    server: Path
    promtool: Path


def find() -> Installed:
    """Return an installed or already fetched Prometheus.

    Raises:
        Unavailable: There is none; `python -m tools.servers` may fetch one.
    """
    server, tool = shutil.which("prometheus"), shutil.which("promtool")
    if server and tool:
        return Installed(Path(server), Path(tool))
    if not (HOME / STAMP).is_file():
        raise Unavailable("no Prometheus here; fetch one with: python -m tools.servers")
    return Installed(HOME / "usr" / "bin" / "prometheus", HOME / "usr" / "bin" / "promtool")


def ensure() -> Installed:
    """Fetch a Prometheus if there is none, once however many processes ask.

    Raises:
        Unavailable: It cannot be had here.
    """
    LANES.mkdir(exist_ok=True)
    with locked(LANES / ".prometheus.lock"):
        try:
            found = find()
        except Unavailable:
            unpack(HOME, PACKAGES, what="Prometheus")
            (HOME / STAMP).touch()
            found = find()
    run([str(found.server), "--version"])
    return found
