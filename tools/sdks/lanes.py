"""Which SDKs exist, at which versions, and where each one is installed.

A lane's name is `<sdk>@<version>`; its lock (hashes, no index addresses) stands in `requirements/sdks/`, its installation in
`.lanes/<sdk>-<version>/`. The installation is current when its stamp equals `fingerprint(lane)`: the lock's content and the
interpreter that runs it.
"""

from __future__ import annotations

import hashlib
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


class Kind(StrEnum):
    """What installs a lane."""

    PYTHON = "python"
    NODE = "node"
    BROWSER = "browser"


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
        """The pip lock, or the folder with `package.json` and `package-lock.json`."""
        return LOCKS / (f"{self.sdk}-{self.version}" + (".lock" if self.kind is Kind.PYTHON else ""))


# sdks.md: versions change behaviour, so at least two of each are run; the harness compares the first of each.
ALL: Final = {
    lane.name: lane
    for lane in (
        Lane("posthog-python", "7.91.1", Kind.PYTHON),
        Lane("posthog-python", "7.42.0", Kind.PYTHON),
        Lane("posthog-node", "5.70.0", Kind.NODE),
        Lane("posthog-node", "5.50.0", Kind.NODE),
        Lane("posthog-js", "1.449.2", Kind.BROWSER),
    )
}


def fingerprint(lane: Lane) -> str:
    """Return what an up-to-date installation of the lane is stamped with."""
    digest = hashlib.sha256()
    for file in [lane.lock] if lane.lock.is_file() else sorted(lane.lock.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    digest.update((sys.version if lane.kind is Kind.PYTHON else _node_version()).encode() + platform.machine().encode())
    return digest.hexdigest()


def is_current(lane: Lane) -> bool:
    """Tell whether the lane is installed as its lock says."""
    stamp = lane.home / STAMP
    return stamp.is_file() and stamp.read_text() == fingerprint(lane)


def _node_version() -> str:
    node = shutil.which("node")
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout if node else "none"
