"""Which SDKs exist, at which versions, and where each one is installed.

A lane's name is `<sdk>@<version>`; its lock (hashes, no index addresses) stands in `requirements/sdks/`, its installation in
`.lanes/<sdk>-<version>/`. The installation is current when its stamp equals `fingerprint(lane)`: the lock's content, the tool
that installs it and, where the SDK is compiled into a driver, the driver's source.

`QUICK` lanes are what `make test` installs; `COMPILED` ones need a compiler and belong to `make slow`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent.parent
LOCKS: Final = ROOT / "requirements" / "sdks"
LANES: Final = ROOT / ".lanes"
STAMP: Final = ".ready"
DRIVERS: Final = ROOT / "harness" / "subjects" / "drivers"
"""Sources of the drivers; a compiled SDK's driver is the folder with its name."""
APPLICATIONS: Final = ROOT / "harness" / "matrix" / "applications"
"""Sources of the programs of the error-handling matrix; a compiled SDK's is the folder with its name."""
TOOL_PLACES: Final = ("/usr/local/go/bin", str(Path.home() / ".cargo" / "bin"))
"""Where compilers are when PATH does not say so."""


class Kind(StrEnum):
    """What installs a lane."""

    PYTHON = "python"
    NODE = "node"
    BROWSER = "browser"
    GO = "go"
    RUST = "rust"
    JVM = "jvm"


class Lane(NamedTuple):
    """One SDK at one version."""

    sdk: str
    version: str
    kind: Kind

    @property
    def name(self) -> str:
        """`<sdk>@<version>`, as the harness and the tests call it."""
        return f"{self.sdk}@{self.version}"

    @property
    def home(self) -> Path:
        """Where it is installed."""
        return LANES / f"{self.sdk}-{self.version}"

    @property
    def lock(self) -> Path:
        """The pip lock, or the folder with the lock files of the SDK's own package tool."""
        return LOCKS / (f"{self.sdk}-{self.version}" + (".lock" if self.kind is Kind.PYTHON else ""))

    @property
    def driver(self) -> Path | None:
        """The folder whose sources are compiled against the SDK; None where the driver is a script."""
        return DRIVERS / self.sdk.replace("-", "_") if self.kind in {Kind.GO, Kind.RUST, Kind.JVM} else None

    @property
    def application(self) -> Path | None:
        """The folder of the matrix's program that is compiled beside the driver; None where there is none to compile."""
        return APPLICATIONS / self.sdk.replace("-", "_") if self.kind is Kind.GO else None


# sdks.md: versions change behaviour, so at least two of each are run; the harness compares the first of each.
QUICK: Final = {
    lane.name: lane
    for lane in (
        Lane("posthog-python", "7.91.1", Kind.PYTHON),
        Lane("posthog-python", "7.42.0", Kind.PYTHON),
        Lane("posthog-node", "5.70.0", Kind.NODE),
        Lane("posthog-node", "5.50.0", Kind.NODE),
        Lane("posthog-js", "1.449.2", Kind.BROWSER),
    )
}
COMPILED: Final = {
    lane.name: lane
    for lane in (
        Lane("posthog-go", "1.5.2", Kind.GO),
        Lane("posthog-go", "1.3.3", Kind.GO),
        Lane("posthog-rs", "0.30.0", Kind.RUST),
        Lane("posthog-server", "2.3.3", Kind.JVM),
        Lane("posthog-server", "2.3.0", Kind.JVM),
    )
}
ALL: Final = {**QUICK, **COMPILED}


def fingerprint(lane: Lane) -> str:
    """Return what an up-to-date installation of the lane is stamped with."""
    digest = hashlib.sha256()
    for file in _ingredients(lane):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    digest.update(_tool_version(lane.kind).encode() + platform.machine().encode())
    return digest.hexdigest()


def is_current(lane: Lane) -> bool:
    """Tell whether the lane is installed as its lock says."""
    stamp = lane.home / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint(lane)


def tool(name: str) -> str | None:
    """Return the path of a tool, also where PATH lacks its usual place; None when it is not installed."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *TOOL_PLACES)))


def _ingredients(lane: Lane) -> list[Path]:
    lock = [lane.lock] if lane.lock.is_file() else sorted(lane.lock.iterdir())
    sources = [folder for folder in (lane.driver, lane.application) if folder is not None]
    return lock + [path for folder in sources for path in sorted(folder.rglob("*")) if path.is_file()]


_VERSION_OF: Final = {
    Kind.NODE: ("node", "--version"),
    Kind.BROWSER: ("node", "--version"),
    Kind.GO: ("go", "version"),
    Kind.RUST: ("cargo", "--version"),
    Kind.JVM: ("javac", "-version"),
}


def _tool_version(kind: Kind) -> str:
    if kind is Kind.PYTHON:
        return sys.version
    name, *arguments = _VERSION_OF[kind]
    path = tool(name)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=True).stdout if path else "none"
