"""Where the browser comes from: the system's Chromium, or Debian's package when we may install it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from .lanes import LANES
from .unavailable import Unavailable

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ATTEMPTS: Final = 2
TIMEOUT_S: Final = 900


def find() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def find_or_install() -> str:
    """Return the path of a browser, installing Debian's `chromium` when it is missing.

    Raises:
        Unavailable: there is none and apt is not ours to use, or it failed.
    """
    LANES.mkdir(exist_ok=True)
    with (LANES / ".chromium.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return find() or _install()


def _install() -> str:
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        raise Unavailable("no Chromium, and this is not Debian: install one and put it on PATH")
    if os.geteuid() != 0:
        raise Unavailable("no Chromium, and not root: run `apt-get install chromium` once")
    last = ""
    for _ in range(ATTEMPTS):
        last = _apt("update") or _apt("install", "-y", "--no-install-recommends", "chromium")
        if path := find():
            return path
    raise Unavailable(f"apt-get could not install chromium: {last[-400:]}")


def _apt(*arguments: str) -> str:
    """Run apt-get; return what it complained about, or nothing."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()
